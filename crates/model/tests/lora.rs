//! Low-rank adaptation: parity with PEFT on a tiny random model (the numbers come from
//! `scripts/reference/adapters.py --tiny`), its folders, and laws.

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use common::{Expected, bits, difference, flat, max_abs, real_tokens, reference};
use model::{Group, Learner, LoraConfig, OptimizerConfig, Precision, Projection};
use safetensors::SafeTensors;
use spec::Backend;

fn base(backend: Backend) -> Learner {
    let mut learner = Learner::load(&reference("lora").join("model"), backend).unwrap();
    learner.set_dropout(Some(0.0));
    learner
}

fn with_lora(backend: Backend) -> Learner {
    let mut learner = base(backend);
    learner.load_lora(&reference("lora").join("lora")).unwrap();
    let added = |group: &Group| !matches!(group, Group::Adapter(_));
    let frozen: BTreeSet<Group> = learner.groups().into_iter().filter(added).collect();
    learner.set_frozen(&frozen);
    learner
}

#[test]
fn logits_loss_and_gradients_are_those_of_peft() {
    let expected = Expected::read("lora");
    let batch = expected.batch("batch");
    for backend in [Backend::Cpu, Backend::Ndarray] {
        let mut learner = with_lora(backend);
        let config = learner.lora().unwrap();
        assert_eq!((config.rank, config.alpha, config.projections.len()), (3, 5.0, 5));
        let logits = real_tokens(&batch, flat(learner.logits(&batch).unwrap()));
        let worst = difference(&logits, &expected.floats("logits"));
        assert!(worst < 1e-5, "{backend}: {worst}");
        let (loss, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        assert!((loss - f64::from(expected.floats("loss")[0])).abs() < 1e-5);
        let reference = expected.gradients();
        assert_eq!(reference.len(), 20);
        for name in learner.parameter_names() {
            let ours = learner.gradient(&gradients, name).unwrap();
            let theirs = reference.iter().find(|(known, _)| known == name);
            assert_eq!(ours.is_some(), theirs.is_some(), "{name}");
            if let (Some(ours), Some((_, theirs))) = (ours, theirs) {
                let worst = difference(&ours, theirs);
                assert!(worst < 1e-5 * max_abs(theirs), "{backend}: {name} differs by {worst}");
            }
        }
    }
}

#[test]
fn fresh_factors_change_nothing_and_follow_their_seed() {
    let batch = Expected::read("lora").batch("batch");
    let draw = |seed: u64, backend: Backend| {
        let mut learner = base(backend);
        learner.add_lora(LoraConfig { rank: 4, ..LoraConfig::default() }, seed).unwrap();
        learner
    };
    let [plain, learner] = [base(Backend::Cpu), draw(1, Backend::Cpu)];
    assert!(learner.logits(&batch).unwrap() == plain.logits(&batch).unwrap());
    assert!(bits(&learner) == bits(&draw(1, Backend::Ndarray)) && bits(&learner) != bits(&draw(2, Backend::Cpu)));
    let factors = learner.parameter("encoder.layer.1.attention.self.value.lora_A.weight").unwrap();
    // Uniform in ±1/4 for 16 inputs: the largest of 64 is almost surely beyond 0.2.
    assert!(factors.len() == 64 && max_abs(&factors) <= 0.25 && max_abs(&factors) > 0.2);
    assert_eq!(learner.parameter("encoder.layer.1.attention.self.value.lora_B.weight").unwrap(), vec![0.0; 64]);
    assert_eq!(learner.groups().iter().filter(|group| matches!(group, Group::Adapter(_))).count(), 2);
}

#[test]
fn training_changes_the_base_by_no_bit() {
    let batch = Expected::read("lora").batch("batch");
    for backend in [Backend::Cpu, Backend::Ndarray] {
        let mut learner = with_lora(backend);
        learner.begin_stage(OptimizerConfig { weight_decay: 0.1, ..OptimizerConfig::default() });
        for seed in 0..3 {
            let (_, gradients) = learner.loss_and_gradients(&batch, seed).unwrap();
            learner.step(gradients, 1e-2).unwrap();
        }
        let base = base(backend);
        for name in base.parameter_names() {
            assert!(base.parameter(name).unwrap() == learner.parameter(name).unwrap(), "{name}");
        }
    }
}

#[test]
fn checkpoints_hold_the_factors() {
    let (folder, batch) = (tempfile::tempdir().unwrap(), Expected::read("lora").batch("batch"));
    let path = folder.path().join("checkpoint.safetensors");
    let step = |learner: &mut Learner| {
        let (loss, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        learner.step(gradients, 1e-2).unwrap();
        loss.to_bits()
    };
    let mut straight = with_lora(Backend::Cpu);
    step(&mut straight);
    straight.save_checkpoint(&path).unwrap();
    let mut resumed = base(Backend::Cpu);
    resumed.load_checkpoint(&path).unwrap();
    assert_eq!(step(&mut straight), step(&mut resumed));
    assert!(bits(&straight) == bits(&resumed) && straight.lora() == resumed.lora());
}

fn tensors(path: &Path) -> Vec<(String, Vec<usize>, Vec<u8>)> {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.tensors().into_iter();
    let mut tensors: Vec<_> = tensors.map(|(name, view)| (name, view.shape().to_vec(), view.data().to_vec())).collect();
    tensors.sort();
    tensors
}

#[test]
fn folders_are_peft_s_own() {
    let (learner, to) = (with_lora(Backend::Cpu), tempfile::tempdir().unwrap());
    learner.save_lora(to.path()).unwrap();
    let from = reference("lora").join("lora");
    let [ours, theirs] = [to.path(), &from].map(|folder| tensors(&folder.join("adapter_model.safetensors")));
    assert!(ours == theirs);
    let [ours, theirs] = [to.path(), &from].map(|folder| -> serde_json::Map<String, serde_json::Value> {
        serde_json::from_str(&std::fs::read_to_string(folder.join("adapter_config.json")).unwrap()).unwrap()
    });
    for (key, value) in &ours {
        match key.as_str() {
            "target_modules" => assert_eq!(value.as_array().unwrap().len(), 5),
            "auto_mapping" | "base_model_name_or_path" => assert!(value.is_null()),
            _ => assert_eq!(Some(value), theirs.get(key), "{key}"),
        }
    }
    let mut again = base(Backend::Cpu);
    again.load_lora(to.path()).unwrap();
    assert!(bits(&learner) == bits(&again) && learner.lora() == again.lora());

    let whole = tempfile::tempdir().unwrap();
    learner.save_folder(whole.path(), Precision::F32).unwrap();
    let again = Learner::load(whole.path(), Backend::Cpu).unwrap();
    assert!(again.notes().is_empty() && learner.lora() == again.lora());
    assert!(bits(&learner) == bits(&again));
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let mut learner = base(Backend::Cpu);
    for (config, word) in [
        (LoraConfig { rank: 0, ..LoraConfig::default() }, "rank 0"),
        (LoraConfig { alpha: f64::NAN, ..LoraConfig::default() }, "alpha NaN"),
        (LoraConfig { projections: BTreeSet::new(), ..LoraConfig::default() }, "no dense layer"),
    ] {
        let error = learner.add_lora(config, 1).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    let from = reference("lora").join("lora");
    let config = std::fs::read_to_string(from.join("adapter_config.json")).unwrap();
    for (from_text, to_text, word) in [
        ("\"LORA\"", "\"IA3\"", "peft_type: `IA3` is not supported"),
        ("\"use_dora\": false", "\"use_dora\": true", "use_dora: true is not supported"),
        ("\"use_rslora\": false", "\"use_rslora\": true", "use_rslora"),
        ("\"bias\": \"none\"", "\"bias\": \"all\"", "bias: \"all\" is not supported"),
        ("\"lora_dropout\": 0.0", "\"lora_dropout\": 0.1", "lora_dropout"),
        ("\"r\": 3", "\"r\": 4", "expected [4, 16], found [3, 16]"),
    ] {
        let to = tempfile::tempdir().unwrap();
        assert!(config.contains(from_text), "{from_text}");
        std::fs::write(to.path().join("adapter_config.json"), config.replace(from_text, to_text)).unwrap();
        std::fs::copy(from.join("adapter_model.safetensors"), to.path().join("adapter_model.safetensors")).unwrap();
        let error = learner.load_lora(to.path()).unwrap_err().to_string();
        assert!(error.contains(word), "{word}: {error}");
    }
    assert!(bits(&learner) == bits(&base(Backend::Cpu)));
    let error = learner.load_lora(&reference("madx").join("task")).unwrap_err().to_string();
    assert!(error.contains("peft_type"), "{error}");
    learner.load_lora(&from).unwrap();
    assert!(learner.add_lora(LoraConfig::default(), 1).unwrap_err().to_string().contains("already"));
}

#[test]
fn peft_reads_saved_factors() {
    let Some(python) = std::env::var_os("LETHE_PYTHON_ADAPTERS") else {
        eprintln!("skipped: LETHE_PYTHON_ADAPTERS is not set to a Python that has torch, transformers and peft");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/reference/adapters.py");
    let batch = Expected::read("lora").batch("batch");
    for projections in [Projection::ALL.to_vec(), vec![Projection::Down, Projection::Query], vec![Projection::Up]] {
        let mut learner = base(Backend::Cpu);
        let config = LoraConfig { rank: 2, alpha: 3.5, projections: projections.into_iter().collect() };
        learner.add_lora(config, 5).unwrap();
        for seed in 0..3 {
            let (_, gradients) = learner.loss_and_gradients(&batch, seed).unwrap();
            learner.step(gradients, 1e-2).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        learner.save_folder(&folder.path().join("model"), Precision::F32).unwrap();
        learner.save_lora(&folder.path().join("added")).unwrap();
        let names: Vec<_> = learner.parameter_names().into_iter().filter(|name| name.contains("lora_")).collect();
        let check = serde_json::json!({
            "ids": batch.ids.chunks_exact(batch.seq).collect::<Vec<_>>(), "lengths": batch.lengths, "names": names,
            "values": real_tokens(&batch, flat(learner.logits(&batch).unwrap())),
        });
        std::fs::write(folder.path().join("check.json"), check.to_string()).unwrap();
        let output =
            Command::new(&python).arg("-P").arg(&script).args(["--check", "lora"]).arg(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        eprint!("{}", String::from_utf8_lossy(&output.stdout));
    }
}
