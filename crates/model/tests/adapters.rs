//! Adapters: parity with AdapterHub's library on tiny random models (the numbers come from
//! `scripts/reference/adapters.py --tiny`), its folders, and laws.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use common::{Expected, bits, difference, flat, max_abs, real_tokens, reference};
use model::{
    Activation, AdapterConfig, AdapterInit, AdapterStack, Group, Learner, ModelError, OptimizerConfig, Precision,
    StackResidual,
};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use spec::{Backend, Batch, Targets};

const BACKENDS: [Backend; 2] = [Backend::Cpu, Backend::Ndarray];

fn stack(adapters: &[&str], trained: &[&str], residual: StackResidual) -> AdapterStack {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let strengths = BTreeMap::new();
    AdapterStack { adapters: names(adapters), trained: names(trained).into_iter().collect(), residual, strengths }
}

fn alone(name: &str) -> AdapterStack {
    stack(&[name], &[name], StackResidual::Chained)
}

/// The model of a reference folder with the adapters that lie beside it, without dropout.
fn with_adapters(folder: &str, backend: Backend, adapters: &[&str]) -> Learner {
    let mut learner = Learner::load(&reference(folder).join("model"), backend).unwrap();
    learner.set_dropout(Some(0.0));
    for &name in adapters {
        assert_eq!(learner.load_adapter(&reference(folder).join(name), None).unwrap(), name);
    }
    learner
}

fn freeze_base(learner: &mut Learner) {
    let base = |group: &Group| matches!(group, Group::Embeddings | Group::Layer(_) | Group::LanguageModel);
    let frozen: BTreeSet<Group> = learner.groups().into_iter().filter(base).collect();
    learner.set_frozen(&frozen);
}

fn masked(expected: &Expected) -> Batch {
    Batch { targets: Targets::MaskedTokens(expected.integers("batch/tokens").unwrap()), ..expected.batch("batch") }
}

/// Loss and gradients are those under a prefix, to 1e-5 of each tensor's largest entry, and no others train.
fn compare(learner: &mut Learner, batch: &Batch, expected: &Expected, prefix: &str, what: &str) {
    let (loss, gradients) = learner.loss_and_gradients(batch, 0).unwrap();
    let reference = f64::from(expected.floats(&format!("{prefix}loss"))[0]);
    assert!((loss - reference).abs() < 1e-5 * reference, "{what}: {loss}, expected {reference}");
    let reference = expected.under(&format!("{prefix}gradient/"));
    let names: BTreeSet<&str> = reference.iter().map(|(name, _)| name.as_str()).collect();
    let largest = reference.iter().map(|(_, values)| max_abs(values)).fold(0.0, f32::max);
    for name in learner.parameter_names() {
        let ours = learner.gradient(&gradients, name).unwrap();
        assert_eq!(ours.is_some(), names.contains(name), "{what}: {name}");
        let Some(ours) = ours else { continue };
        let (_, theirs) = reference.iter().find(|(known, _)| known == name).unwrap();
        // What shifts all scores of a softmax alike has a true gradient of 0.
        let scale = if name.ends_with("key.bias") { largest } else { max_abs(theirs) };
        let worst = difference(&ours, theirs);
        assert!(worst < 1e-5 * scale, "{what}: {name} differs by {worst}, scale {scale}");
    }
    assert!(names.len() > 3, "{what}");
}

#[test]
fn pfeiffer_and_houlsby_adapters_are_those_of_the_library() {
    for (folder, backend) in ["pfeiffer", "houlsby"].into_iter().flat_map(|folder| BACKENDS.map(|b| (folder, b))) {
        let (mut learner, expected) = (with_adapters(folder, backend, &["task"]), Expected::read(folder));
        let batch = expected.batch("batch");
        let without = flat(learner.logits(&batch).unwrap());
        learner.activate(alone("task")).unwrap();
        freeze_base(&mut learner);
        let with = flat(learner.logits(&batch).unwrap());
        let worst = difference(&real_tokens(&batch, with.clone()), &expected.floats("logits"));
        assert!(worst < 1e-5 && difference(&with, &without) > 0.1, "{backend}, {folder}: {worst}");
        compare(&mut learner, &batch, &expected, "", &format!("{backend}, {folder}"));
    }
}

#[test]
fn language_adapters_and_stacks_are_those_of_the_library_and_of_the_paper() {
    for backend in BACKENDS {
        let (mut learner, expected) = (with_adapters("madx", backend, &["sw", "task"]), Expected::read("madx"));
        let batch = masked(&expected);
        freeze_base(&mut learner);
        learner.activate(alone("sw")).unwrap();
        compare(&mut learner, &batch, &expected, "", &format!("{backend}, language"));
        let losses: Vec<f32> = learner.masked_token_scores(&batch).unwrap().iter().map(|score| score.loss).collect();
        let mean = losses.iter().sum::<f32>() / losses.len() as f32;
        assert!((mean - expected.floats("loss")[0]).abs() < 1e-5 * mean, "{backend}: {mean}");

        learner.activate(stack(&["sw", "task"], &["task"], StackResidual::Chained)).unwrap();
        compare(&mut learner, &batch, &expected, "stack/", &format!("{backend}, stack"));
        learner.set_frozen(&BTreeSet::new());
        for (residual, prefix) in [(StackResidual::Chained, "open/"), (StackResidual::Shared, "shared/")] {
            learner.activate(stack(&["sw", "task"], &["sw", "task"], residual)).unwrap();
            compare(&mut learner, &batch, &expected, prefix, &format!("{backend}, {prefix}"));
        }
    }
}

#[test]
fn only_what_is_to_train_changes_a_bit() {
    let mut learner = with_adapters("madx", Backend::Cpu, &["sw", "task"]);
    learner.add_adapter("other", AdapterConfig::houlsby(4.0), 1).unwrap();
    learner.set_dropout(None);
    let batch = masked(&Expected::read("madx"));
    freeze_base(&mut learner);
    learner.activate(stack(&["sw", "task"], &["task"], StackResidual::Chained)).unwrap();
    let groups = [
        Group::Embeddings,
        Group::Invertible,
        Group::Layer(0),
        Group::Layer(1),
        Group::Adapter(0),
        Group::Adapter(1),
        Group::LanguageModel,
    ];
    assert_eq!(learner.groups(), groups);
    // One layer's adapters at a time, as schedules open them.
    for layer in [1, 0] {
        let mut frozen = BTreeSet::from(groups);
        frozen.remove(&Group::Adapter(layer));
        learner.set_frozen(&frozen);
        learner.begin_stage(OptimizerConfig { weight_decay: 0.1, ..OptimizerConfig::default() });
        let before = bits(&learner);
        for seed in 0..3 {
            let (_, gradients) = learner.loss_and_gradients(&batch, seed).unwrap();
            let norms = learner.squared_norms(&gradients).unwrap();
            assert_eq!(norms.into_keys().collect::<Vec<_>>(), [Group::Adapter(layer)]);
            learner.step(gradients, 1e-2).unwrap();
        }
        let open = format!("encoder.layer.{layer}.output.adapters.task.");
        for ((name, before), (_, after)) in before.into_iter().zip(bits(&learner)) {
            assert_eq!(before != after, name.starts_with(&open), "{name}");
        }
    }
}

#[test]
fn without_adapters_in_the_stack_the_model_is_as_before() {
    let batch = masked(&Expected::read("madx"));
    let plain = with_adapters("madx", Backend::Cpu, &[]);
    let mut learner = with_adapters("madx", Backend::Cpu, &["sw", "task"]);
    assert_eq!(plain.hidden_states(&batch).unwrap(), learner.hidden_states(&batch).unwrap());
    learner.activate(alone("sw")).unwrap();
    assert_ne!(plain.hidden_states(&batch).unwrap(), learner.hidden_states(&batch).unwrap());
    learner.activate(AdapterStack::default()).unwrap();
    assert_eq!(plain.masked_token_scores(&batch).unwrap(), learner.masked_token_scores(&batch).unwrap());
    // One adapter knows no difference between the two residuals.
    for residual in [StackResidual::Chained, StackResidual::Shared] {
        learner.activate(stack(&["task"], &[], residual)).unwrap();
    }
    let shared = learner.hidden_states(&batch).unwrap();
    learner.activate(stack(&["task"], &[], StackResidual::Chained)).unwrap();
    assert_eq!(shared, learner.hidden_states(&batch).unwrap());
}

#[test]
fn fresh_adapters_follow_their_seed_alone_and_are_drawn_as_said() {
    let draw = |seed: u64, backend: Backend, init: AdapterInit| {
        let mut learner = with_adapters("madx", backend, &[]);
        let config = AdapterConfig { init, ..AdapterConfig::pfeiffer(0.1).with_invertible(0.05) };
        learner.add_adapter("new", config, seed).unwrap();
        let names = learner.parameter_names().into_iter().filter(|name| name.contains("adapters."));
        names.map(|name| (name.to_owned(), learner.parameter(name).unwrap())).collect::<Vec<_>>()
    };
    let parameters = draw(3, Backend::Cpu, AdapterInit::Bert);
    assert!(parameters == draw(3, Backend::Ndarray, AdapterInit::Bert));
    assert!(parameters != draw(4, Backend::Cpu, AdapterInit::Bert));
    let deviation = |values: &[f32]| (values.iter().map(|x| x * x).sum::<f32>() / values.len() as f32).sqrt();
    for (init, expected) in [(AdapterInit::Bert, 0.02), (AdapterInit::Houlsby, 0.008_796)] {
        for (name, values) in draw(3, Backend::Cpu, init) {
            // 160 units in a bottleneck, and in the coupling's.
            let expected = if name.contains("invertible") { 0.02 } else { expected };
            match name.ends_with(".bias") {
                true => assert!(values.iter().all(|&x| x == 0.0), "{name}"),
                false => assert!((deviation(&values) - expected).abs() < 0.07 * expected, "{name}"),
            }
        }
    }
}

/// A copy of a stored adapter whose upper projections are `factor` times as large.
fn scaled(from: &Path, factor: f32) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    std::fs::copy(from.join("adapter_config.json"), to.path().join("adapter_config.json")).unwrap();
    let bytes = std::fs::read(from.join("adapter.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let scaled: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = file
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            let factor = if name.contains("adapter_up") { factor } else { 1.0 };
            let values = view.data().as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value) * factor);
            let bytes = values.flat_map(f32::to_le_bytes).collect();
            (name, view.dtype(), view.shape().to_vec(), bytes)
        })
        .collect();
    let views = scaled.iter().map(|(name, dtype, shape, data)| {
        assert_eq!(*dtype, Dtype::F32);
        (name, TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    let bytes = safetensors::serialize(views, None).unwrap();
    std::fs::write(to.path().join("adapter.safetensors"), bytes).unwrap();
    to
}

#[test]
fn a_strength_scales_what_is_added_before_the_residual() {
    for (folder, backend) in ["pfeiffer", "houlsby"].into_iter().flat_map(|folder| BACKENDS.map(|b| (folder, b))) {
        let (mut learner, batch) = (with_adapters(folder, backend, &["task"]), Expected::read(folder).batch("batch"));
        let smaller = scaled(&reference(folder).join("task"), 0.25);
        learner.load_adapter(smaller.path(), Some("smaller")).unwrap();
        learner.load_adapter(&reference(folder).join("task"), Some("again")).unwrap();
        let mut logits = |adapters: &[&str], strengths: &[(&str, f64)]| {
            learner.activate(stack(adapters, &[], StackResidual::Parallel)).unwrap();
            learner.set_strengths(strengths.iter().map(|(name, s)| (String::from(*name), *s)).collect()).unwrap();
            flat(learner.logits(&batch).unwrap())
        };
        let close =
            |a: &[f32], b: &[f32]| difference(&real_tokens(&batch, a.to_vec()), &real_tokens(&batch, b.to_vec()));
        let quarter = logits(&["task"], &[("task", 0.25)]);
        let by_hand = logits(&["smaller"], &[]);
        assert!(close(&quarter, &by_hand) < 1e-5, "{backend}, {folder}: {}", close(&quarter, &by_hand));
        // Side by side, outputs are added up.
        let whole = logits(&["task"], &[]);
        let parts = logits(&["task", "again"], &[("task", 0.25), ("again", 0.75)]);
        assert!(close(&whole, &parts) < 1e-5 && close(&whole, &quarter) > 0.05, "{backend}, {folder}");
        // With strength 0 an adapter is not there, bit for bit.
        let without = logits(&[], &[]);
        assert_eq!(without, logits(&["task", "again"], &[("task", 0.0), ("again", 0.0)]));
        assert_eq!(whole, logits(&["again", "task"], &[("again", 0.0)]));
    }
}

#[test]
fn gradients_of_what_trains_combine_at_any_strengths() {
    let (mut learner, batch) = (with_adapters("madx", Backend::Cpu, &["sw", "task"]), masked(&Expected::read("madx")));
    freeze_base(&mut learner);
    learner.activate(stack(&["sw", "task"], &["sw", "task"], StackResidual::Parallel)).unwrap();
    let mut gradient = |strengths: [(&str, f64); 2]| {
        learner.set_strengths(strengths.map(|(name, strength)| (name.to_owned(), strength)).into()).unwrap();
        learner.loss_and_gradients(&batch, 0).unwrap().1
    };
    let gradients = vec![gradient([("sw", 1.0), ("task", 0.0)]), gradient([("sw", 0.0), ("task", 1.0)])];
    let products = learner.gram(&gradients).unwrap();
    assert!(products[0] > 0.0 && products[3] > 0.0 && products[1] == 0.0, "{products:?}");
    let mean = learner.combine(gradients, &[0.5, 0.5]).unwrap();
    let reached = |name: &str| learner.gradient(&mean, name).unwrap().is_some();
    for adapter in ["sw", "task"] {
        assert!(reached(&format!("encoder.layer.0.output.adapters.{adapter}.adapter_up.weight")), "{adapter}");
    }
}

#[test]
fn checkpoints_and_save_points_hold_adapters_and_their_stack() {
    let (folder, batch) = (tempfile::tempdir().unwrap(), masked(&Expected::read("madx")));
    let path = folder.path().join("checkpoint.safetensors");
    let step = |learner: &mut Learner, seed: u64| {
        let (loss, gradients) = learner.loss_and_gradients(&batch, seed).unwrap();
        learner.step(gradients, 1e-2).unwrap();
        loss.to_bits()
    };
    let mut straight = with_adapters("madx", Backend::Cpu, &["sw"]);
    straight.add_adapter("task", AdapterConfig::pfeiffer(8.0), 2).unwrap();
    freeze_base(&mut straight);
    straight.activate(stack(&["sw", "task"], &["task"], StackResidual::Shared)).unwrap();
    step(&mut straight, 0);
    straight.save_checkpoint(&path).unwrap();
    let point = straight.save_point();

    let mut resumed = with_adapters("madx", Backend::Cpu, &[]);
    resumed.load_checkpoint(&path).unwrap();
    assert!(resumed.adapters() == ["sw", "task"] && bits(&straight) == bits(&resumed));
    let first: Vec<u64> = (1..4).map(|seed| step(&mut straight, seed)).collect();
    assert_eq!(first, (1..4).map(|seed| step(&mut resumed, seed)).collect::<Vec<u64>>());
    assert!(bits(&straight) == bits(&resumed));
    straight.activate(AdapterStack::default()).unwrap();
    straight.restore(&point);
    assert_eq!(first, (1..4).map(|seed| step(&mut straight, seed)).collect::<Vec<u64>>());
}

fn tensors(path: &Path) -> Vec<(String, Vec<usize>, Vec<u8>)> {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.tensors().into_iter();
    let mut tensors: Vec<_> = tensors.map(|(name, view)| (name, view.shape().to_vec(), view.data().to_vec())).collect();
    tensors.sort();
    tensors
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn folders_are_the_library_s_own() {
    for (folder, name) in [("pfeiffer", "task"), ("houlsby", "task"), ("madx", "sw"), ("madx", "task")] {
        let (learner, to) = (with_adapters(folder, Backend::Cpu, &[name]), tempfile::tempdir().unwrap());
        learner.save_adapter(name, to.path()).unwrap();
        let from = reference(folder).join(name);
        let [ours, theirs] = [to.path(), &from].map(|folder| tensors(&folder.join("adapter.safetensors")));
        assert!(ours == theirs, "{folder}/{name}");
        let [mut ours, mut theirs] = [to.path(), &from].map(|folder| json(&folder.join("adapter_config.json")));
        for config in [&mut ours, &mut theirs] {
            config.as_object_mut().unwrap().remove("model_class");
            // 16 and 16.0
            for key in ["reduction_factor", "inv_adapter_reduction_factor"] {
                let value = config["config"][key].as_f64();
                config["config"][key] = value.into();
            }
        }
        assert_eq!(ours, theirs);

        let mut other = with_adapters(folder, Backend::Cpu, &[]);
        assert_eq!(other.load_adapter(to.path(), Some("renamed")).unwrap(), "renamed");
        for parameter in learner.parameter_names() {
            let renamed = parameter.replace(&format!("adapters.{name}."), "adapters.renamed.");
            assert_eq!(learner.parameter(parameter).unwrap(), other.parameter(&renamed).unwrap());
        }
    }
}

#[test]
fn a_saved_model_keeps_its_adapters_beside_it() {
    let (mut learner, to) = (with_adapters("madx", Backend::Cpu, &["sw", "task"]), tempfile::tempdir().unwrap());
    learner.activate(alone("sw")).unwrap();
    learner.save_folder(to.path(), Precision::F32).unwrap();
    let again = Learner::load(to.path(), Backend::Cpu).unwrap();
    assert!(again.notes().is_empty() && again.adapters() == ["sw", "task"]);
    assert!(bits(&learner) == bits(&again));
    let batch = masked(&Expected::read("madx"));
    assert!(learner.sentence_vectors(&batch).unwrap() == again.sentence_vectors(&batch).unwrap());
    // A folder that does not say so has them all the same.
    let config = std::fs::read_to_string(to.path().join("config.json")).unwrap();
    std::fs::write(to.path().join("config.json"), config.replace("\"lethe\"", "\"something\"")).unwrap();
    let mut plain = Learner::load(to.path(), Backend::Cpu).unwrap();
    assert!(plain.adapters().is_empty());
    for name in ["sw", "task"] {
        plain.load_adapter(&to.path().join("adapters").join(name), None).unwrap();
    }
    assert!(bits(&learner) == bits(&plain));
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let mut learner = with_adapters("madx", Backend::Cpu, &["sw"]);
    let before = bits(&learner);
    let state = |error: ModelError, word: &str| {
        assert!(matches!(error, ModelError::State { .. }) && error.to_string().contains(word), "{word}: {error}");
    };
    state(learner.add_adapter("sw", AdapterConfig::pfeiffer(2.0), 1).unwrap_err(), "already");
    state(learner.add_adapter("a.b", AdapterConfig::pfeiffer(2.0), 1).unwrap_err(), "no name for an adapter");
    state(learner.add_adapter("a", AdapterConfig::pfeiffer(0.0), 1).unwrap_err(), "reduction");
    let nowhere = AdapterConfig { output: false, ..AdapterConfig::pfeiffer(2.0) };
    state(learner.add_adapter("a", nowhere, 1).unwrap_err(), "must be placed");
    state(learner.activate(alone("task")).unwrap_err(), "no adapter `task`; it has [\"sw\"]");
    state(learner.activate(stack(&["sw", "sw"], &[], StackResidual::Chained)).unwrap_err(), "twice");
    state(learner.activate(stack(&[], &["sw"], StackResidual::Chained)).unwrap_err(), "not in the stack");
    let strengths = |name: &str, strength: f64| BTreeMap::from([(name.to_owned(), strength)]);
    learner.activate(alone("sw")).unwrap();
    state(learner.set_strengths(strengths("task", 1.0)).unwrap_err(), "must be in the stack");
    state(learner.set_strengths(strengths("sw", f64::NAN)).unwrap_err(), "a finite number");
    learner.activate(AdapterStack::default()).unwrap();
    state(learner.save_adapter("task", Path::new("/nowhere")).unwrap_err(), "no adapter `task`");

    let from = reference("madx").join("task");
    let config = std::fs::read_to_string(from.join("adapter_config.json")).unwrap();
    let broken = |from_text: &str, to_text: &str| {
        let to = tempfile::tempdir().unwrap();
        assert!(config.contains(from_text), "{from_text}");
        std::fs::write(to.path().join("adapter_config.json"), config.replace(from_text, to_text)).unwrap();
        std::fs::copy(from.join("adapter.safetensors"), to.path().join("adapter.safetensors")).unwrap();
        to
    };
    for (from, to, word) in [
        ("\"use_gating\": false", "\"use_gating\": true", "use_gating: true is not supported"),
        ("\"phm_layer\": false", "\"phm_layer\": true", "phm_layer"),
        ("\"relu\"", "\"gelu_new\"", "non_linearity: `gelu_new` is not supported"),
        ("\"reduction_factor\": 8", "\"reduction_factor\": {\"1\": 8}", "reduction_factor"),
        ("\"reduction_factor\": 8", "\"reduction_factor\": 4", "expected [4, 16], found [2, 16]"),
        (
            "\"mh_adapter\": false",
            "\"mh_adapter\": true",
            "attention.output.adapters.task.adapter_down.0.weight` [2, 16] is missing",
        ),
        ("\"inv_adapter\": null", "\"inv_adapter\": \"glow\"", "inv_adapter: \"glow\" is not supported"),
        ("\"hidden_size\": 16", "\"hidden_size\": 768", "hidden_size: 768, but the model's is 16"),
        ("\"name\": \"task\"", "\"name\": \"../task\"", "no name for an adapter"),
        ("\"name\": \"task\"", "\"name\": \"other\"", "adapters.other.adapter_down.0.weight` [2, 16] is missing"),
        ("{", "[", "not a JSON object"),
    ] {
        let error = learner.load_adapter(broken(from, to).path(), None).unwrap_err().to_string();
        assert!(error.contains(word) && error.contains("adapter"), "{word}: {error}");
    }
    let pickled = broken("{", "{");
    std::fs::remove_file(pickled.path().join("adapter.safetensors")).unwrap();
    std::fs::write(pickled.path().join("pytorch_adapter.bin"), "").unwrap();
    let error = learner.load_adapter(pickled.path(), None).unwrap_err().to_string();
    assert!(error.contains("adapter.safetensors: no such file; other forms are not read"), "{error}");
    let error = learner.load_adapter(&reference("lora").join("lora"), None).unwrap_err().to_string();
    assert!(error.contains("adapter_config.json: name"), "{error}");
    // One layer too many.
    let mut shallow = Learner::load(&reference("madx").join("model"), Backend::Cpu).unwrap();
    shallow.load_adapter(&from, Some("deep")).unwrap();
    assert!(learner.adapters() == ["sw"] && before == bits(&learner));
}

#[test]
fn adapters_learn() {
    let mut learner = with_adapters("pfeiffer", Backend::Cpu, &[]);
    let config = AdapterConfig { activation: Activation::Gelu, ..AdapterConfig::houlsby(2.0) };
    learner.add_adapter("new", config, 1).unwrap();
    learner.activate(alone("new")).unwrap();
    freeze_base(&mut learner);
    let batch = Expected::read("pfeiffer").batch("batch");
    let losses: Vec<f64> = (0..60)
        .map(|step| {
            let (loss, gradients) = learner.loss_and_gradients(&batch, step).unwrap();
            learner.step(gradients, 1e-2).unwrap();
            loss
        })
        .collect();
    assert!(losses[59] < 0.5 * losses[0], "{} to {}", losses[0], losses[59]);
}

#[test]
fn the_library_reads_saved_adapters() {
    let Some(python) = std::env::var_os("LETHE_PYTHON_ADAPTERS") else {
        eprintln!("skipped: LETHE_PYTHON_ADAPTERS is not set to a Python that has torch, transformers and adapters");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/reference/adapters.py");
    for (kind, names) in [("pfeiffer", &["task"][..]), ("houlsby", &["task"]), ("madx", &["sw", "task"])] {
        let (mut learner, expected) = (with_adapters(kind, Backend::Cpu, names), Expected::read(kind));
        let batch = if kind == "madx" { masked(&expected) } else { expected.batch("batch") };
        learner.activate(stack(names, names, StackResidual::Chained)).unwrap();
        let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        learner.step(gradients, 1e-2).unwrap();
        let folder = tempfile::tempdir().unwrap();
        learner.save_folder(&folder.path().join("model"), Precision::F32).unwrap();
        for name in names {
            learner.save_adapter(name, &folder.path().join("added").join(name)).unwrap();
        }
        let values = match &batch.targets {
            Targets::MaskedTokens(_) => {
                learner.masked_token_scores(&batch).unwrap().into_iter().map(|score| score.loss).collect()
            }
            _ => real_tokens(&batch, flat(learner.logits(&batch).unwrap())),
        };
        let rows = |values: &[i32]| values.chunks_exact(batch.seq).map(<[i32]>::to_vec).collect::<Vec<_>>();
        let tokens = rows(&expected.integers("batch/tokens").unwrap());
        let check = serde_json::json!({
            "ids": rows(&batch.ids), "lengths": batch.lengths, "tokens": tokens, "values": values, "stack": names,
        });
        std::fs::write(folder.path().join("check.json"), check.to_string()).unwrap();
        let output =
            Command::new(&python).arg("-P").arg(&script).args(["--check", kind]).arg(folder.path()).output().unwrap();
        assert!(output.status.success(), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
        eprint!("{}", String::from_utf8_lossy(&output.stdout));
    }
}
