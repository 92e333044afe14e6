//! Head masks, and which parameters of the base train: parity with transformers' `head_mask` on a tiny random model (the
//! numbers come from `scripts/reference/adapters.py --tiny`), and laws.

mod common;

use std::collections::BTreeSet;

use common::{Expected, bits, difference, flat, max_abs, real_tokens, reference};
use model::{Group, HeadMask, Learner, ModelError, OptimizerConfig, Tuned};
use spec::Backend;

fn learner(backend: Backend) -> Learner {
    let mut learner = Learner::load(&reference("heads").join("model"), backend).unwrap();
    learner.set_dropout(Some(0.0));
    learner
}

fn mask(values: &[f32]) -> Option<HeadMask> {
    Some(HeadMask::new(2, 4, values.to_vec()).unwrap())
}

fn close(ours: &[f64], theirs: &[f32]) -> bool {
    let ours: Vec<f32> = ours.iter().map(|&x| x as f32).collect();
    difference(&ours, theirs) < 1e-5 * max_abs(theirs)
}

#[test]
fn masked_logits_gradients_and_those_of_the_mask_are_those_of_transformers() {
    let expected = Expected::read("heads");
    let batch = expected.batch("batch");
    for (backend, prefix) in [Backend::Cpu, Backend::Ndarray].into_iter().flat_map(|b| ["", "ones/"].map(|p| (b, p))) {
        let mut learner = learner(backend);
        let floats = |name: &str| expected.floats(&format!("{prefix}{name}"));
        learner.set_head_mask(mask(&floats("mask"))).unwrap();
        let logits = real_tokens(&batch, flat(learner.logits(&batch).unwrap()));
        assert!(difference(&logits, &floats("logits")) < 1e-5, "{backend}, {prefix}");
        assert!(close(&learner.head_gradients(&batch).unwrap(), &floats("heads")), "{backend}, {prefix}");
        let (loss, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        assert!((loss - f64::from(floats("loss")[0])).abs() < 1e-5, "{backend}, {prefix}: {loss}");
        let reference = expected.under(&format!("{prefix}gradient/"));
        let largest = reference.iter().map(|(_, values)| max_abs(values)).fold(0.0, f32::max);
        assert_eq!(reference.len(), learner.parameter_names().len());
        for (name, theirs) in &reference {
            let ours = learner.gradient(&gradients, name).unwrap().unwrap();
            let scale = if name.ends_with("key.bias") { largest } else { max_abs(theirs) };
            let worst = difference(&ours, theirs);
            assert!(worst < 1e-5 * scale, "{backend}, {prefix}: {name} differs by {worst}, scale {scale}");
        }
    }
}

#[test]
fn a_mask_of_ones_changes_no_bit_and_gradients_agree_with_differences() {
    let batch = Expected::read("heads").batch("batch");
    let mut learner = learner(Backend::Cpu);
    let plain = learner.logits(&batch).unwrap();
    let at_ones = learner.head_gradients(&batch).unwrap();
    learner.set_head_mask(mask(&[1.0; 8])).unwrap();
    assert!(learner.logits(&batch).unwrap() == plain && learner.head_gradients(&batch).unwrap() == at_ones);
    let mut loss = |values: &[f32]| {
        learner.set_head_mask(mask(values)).unwrap();
        learner.loss_and_gradients(&batch, 0).unwrap().0
    };
    for head in 0..8 {
        let [low, high] = [-0.02, 0.02].map(|shift| {
            let mut values = [1.0; 8];
            values[head] += shift;
            loss(&values)
        });
        let slope = (high - low) / 0.04;
        assert!((slope - at_ones[head]).abs() < 2e-3, "head {head}: {slope}, {}", at_ones[head]);
    }
}

/// Positions of a parameter, in files' order, that belong to heads of layer 0 and 1.
fn of_heads(name: &str, heads: [&[usize]; 2], length: usize) -> Vec<bool> {
    let none = vec![false; length];
    let Some((layer, part)) = name.strip_prefix("encoder.layer.").and_then(|rest| rest.split_once('.')) else {
        return none;
    };
    let heads = heads[layer.parse::<usize>().unwrap()];
    // Heads are 4 wide; dense weights are [out, in] in files, 16 by 16.
    match part {
        "attention.self.query.bias" | "attention.self.key.bias" | "attention.self.value.bias" => {
            (0..length).map(|index| heads.contains(&(index / 4))).collect()
        }
        "attention.self.query.weight" | "attention.self.key.weight" | "attention.self.value.weight" => {
            (0..length).map(|index| heads.contains(&(index / 16 / 4))).collect()
        }
        "attention.output.dense.weight" => (0..length).map(|index| heads.contains(&(index % 16 / 4))).collect(),
        _ => none,
    }
}

#[test]
fn heads_out_of_the_update_mask_move_by_no_bit_and_all_others_do() {
    let batch = Expected::read("heads").batch("batch");
    for backend in [Backend::Cpu, Backend::Ndarray] {
        let mut learner = learner(backend);
        learner.begin_stage(OptimizerConfig { weight_decay: 0.1, ..OptimizerConfig::default() });
        let step = |learner: &mut Learner| {
            let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
            learner.step(gradients, 1e-2).unwrap();
        };
        // Momentum first, so that a gradient of 0 alone would not keep anything still.
        step(&mut learner);
        let language = mask(&[1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
        learner.set_head_mask(language.clone()).unwrap();
        learner.set_update_mask(language).unwrap();
        let before = bits(&learner);
        step(&mut learner);
        step(&mut learner);
        for ((name, before), (_, after)) in before.into_iter().zip(bits(&learner)) {
            let held = of_heads(&name, [&[1, 3], &[2]], before.len());
            let unused = name.ends_with("token_type_embeddings.weight")
                || name.ends_with("position_embeddings.weight")
                || name.ends_with("word_embeddings.weight");
            for (index, held) in held.into_iter().enumerate() {
                let same = before[index] == after[index];
                assert!(if held { same } else { !same || unused || name.ends_with("key.bias") }, "{name}[{index}]");
            }
        }
        learner.set_update_mask(None).unwrap();
        let before = bits(&learner);
        step(&mut learner);
        let moved = before.iter().zip(bits(&learner)).all(|((_, before), (_, after))| *before != after);
        assert!(moved, "{backend}");
    }
}

#[test]
fn biases_alone_train_and_norms_alone() {
    let batch = Expected::read("heads").batch("batch");
    for (tuned, of_norms) in [(Tuned::Biases, false), (Tuned::LayerNorms, true)] {
        let mut learner = learner(Backend::Cpu);
        let (_, full) = learner.loss_and_gradients(&batch, 0).unwrap();
        learner.set_tuned(tuned);
        learner.set_frozen(&BTreeSet::from([Group::Layer(0)]));
        learner.begin_stage(OptimizerConfig { weight_decay: 0.1, ..OptimizerConfig::default() });
        let before = bits(&learner);
        let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        for name in learner.parameter_names() {
            let chosen = if of_norms { name.contains("LayerNorm") } else { name.ends_with(".bias") };
            let open = name.starts_with("classifier") || chosen && !name.starts_with("encoder.layer.0.");
            let gradient = learner.gradient(&gradients, name).unwrap();
            assert_eq!(gradient.is_some(), open, "{name}");
            if let Some(gradient) = gradient {
                assert!(difference(&gradient, &learner.gradient(&full, name).unwrap().unwrap()) < 1e-6, "{name}");
            }
        }
        learner.step(gradients, 1e-2).unwrap();
        for ((name, before), (_, after)) in before.into_iter().zip(bits(&learner)) {
            let chosen = if of_norms { name.contains("LayerNorm") } else { name.ends_with(".bias") };
            let open = name.starts_with("classifier") || chosen && !name.starts_with("encoder.layer.0.");
            assert_eq!(before != after, open, "{name}");
        }
    }
}

#[test]
fn set_ups_survive_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let batch = Expected::read("heads").batch("batch");
    let mut straight = learner(Backend::Cpu);
    straight.set_head_mask(mask(&[1.0, 0.0, 0.1, 1.0, 1.0, 1.0, 1.0, 0.0])).unwrap();
    straight.set_update_mask(mask(&[1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0])).unwrap();
    straight.set_tuned(Tuned::Biases);
    straight.save_checkpoint(&path).unwrap();
    let mut resumed = learner(Backend::Cpu);
    resumed.load_checkpoint(&path).unwrap();
    for seed in 0..3 {
        let [a, b] = [&mut straight, &mut resumed].map(|learner| {
            let (loss, gradients) = learner.loss_and_gradients(&batch, seed).unwrap();
            learner.step(gradients, 1e-2).unwrap();
            loss.to_bits()
        });
        assert_eq!(a, b);
    }
    assert!(bits(&straight) == bits(&resumed));
}

#[test]
fn masks_that_do_not_fit_are_refused() {
    assert!(matches!(HeadMask::new(2, 4, vec![1.0; 7]), Err(ModelError::State { .. })));
    assert!(HeadMask::new(1, 1, vec![f32::NAN]).is_err());
    let error = learner(Backend::Cpu).set_head_mask(Some(HeadMask::new(4, 2, vec![1.0; 8]).unwrap())).unwrap_err();
    assert!(error.to_string().contains("4 layers and 2 heads for an encoder of 2 layers and 4 heads"), "{error}");
}
