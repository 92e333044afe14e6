//! Laws of the learner on the tiny models.

mod common;

use std::collections::{BTreeSet, HashMap};

use common::{Expected, FOLDERS, bits, difference, flat, max_abs, padded, tiny, train};
use model::{Group, Learner, ModelError, OptimizerConfig};
use safetensors::SafeTensors;
use spec::{Backend, Batch, Head, Labels, Targets};

fn step(learner: &mut Learner, batch: &Batch, seed: u64) -> f64 {
    let (loss, gradients) = learner.loss_and_gradients(batch, seed).unwrap();
    learner.step(gradients, 1e-3).unwrap();
    loss
}

/// A learner in the middle of training with dropout, and a batch for it.
fn trained(folder: &str) -> (Learner, Batch) {
    let (mut learner, batch) = (tiny(folder, Backend::Cpu), Expected::read(folder).batch("batch"));
    learner.set_dropout(None);
    learner.begin_stage(OptimizerConfig { weight_decay: 0.01, ..OptimizerConfig::default() });
    for seed in 0..3 {
        step(&mut learner, &batch, seed);
    }
    (learner, batch)
}

#[test]
fn two_runs_with_dropout_are_identical_and_another_seed_is_not() {
    for backend in [Backend::Cpu, Backend::Ndarray] {
        let run = |seed: u64| {
            let mut learner = tiny("bert-tokens", backend);
            learner.set_dropout(None);
            let batch = Expected::read("bert-tokens").batch("batch");
            let losses: Vec<u64> = (0..4).map(|k| step(&mut learner, &batch, seed + k).to_bits()).collect();
            (losses, bits(&learner))
        };
        assert!(run(7) == run(7), "{backend}");
        assert_ne!(run(7).0, run(8).0, "{backend}");
    }
}

#[test]
fn dropout_keeps_the_mean_and_spares_frozen_groups() {
    let mut learner = tiny("bert-classes", Backend::Cpu);
    let batch = Expected::read("bert-classes").batch("batch");
    let (plain, _) = learner.loss_and_gradients(&batch, 0).unwrap();
    learner.set_dropout(Some(0.1));
    let losses: Vec<f64> = (0..50).map(|seed| learner.loss_and_gradients(&batch, seed).unwrap().0).collect();
    let mean = losses.iter().sum::<f64>() / 50.0;
    assert!((mean - plain).abs() < 0.1 * plain && losses[0] != losses[1], "{mean}, without dropout {plain}");

    // With the head alone open, only the 16 features in front of the classifier are dropped.
    let all: BTreeSet<Group> = learner.groups().into_iter().collect();
    let mut frozen = all.clone();
    frozen.remove(&Group::Head);
    learner.set_frozen(&frozen);
    let few: BTreeSet<u64> =
        (0..50).map(|seed| learner.loss_and_gradients(&batch, seed).unwrap().0.to_bits()).collect();
    assert!(few.len() > 1);
    learner.set_frozen(&all);
    let error = learner.loss_and_gradients(&batch, 0).err().unwrap().to_string();
    assert!(error.contains("every group is frozen"), "{error}");
}

#[test]
fn frozen_parameters_change_by_no_bit_and_the_others_get_the_same_gradient() {
    let batch = Expected::read("xlm-roberta-tokens").batch("batch");
    let mut learner = tiny("xlm-roberta-tokens", Backend::Cpu);
    let (_, full) = learner.loss_and_gradients(&batch, 0).unwrap();
    let before = bits(&learner);
    let groups = ["embeddings", "layer.0", "layer.2"].map(|text| text.parse::<Group>().unwrap());
    learner.set_frozen(&BTreeSet::from(groups));
    learner.begin_stage(OptimizerConfig { weight_decay: 0.1, ..OptimizerConfig::default() });

    let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
    for name in learner.parameter_names() {
        let gradient = learner.gradient(&gradients, name).unwrap();
        let open = name.starts_with("encoder.layer.1.") || name.starts_with("classifier.");
        assert_eq!(gradient.is_some(), open, "{name}");
        if let Some(gradient) = gradient {
            let expected = learner.gradient(&full, name).unwrap().unwrap();
            assert!(difference(&gradient, &expected) < 1e-5 * max_abs(&expected).max(1e-3), "{name}");
        }
    }
    for seed in 0..3 {
        step(&mut learner, &batch, seed);
    }
    for ((name, before), (_, after)) in before.into_iter().zip(bits(&learner)) {
        let open = name.starts_with("encoder.layer.1.") || name.starts_with("classifier.");
        assert_eq!(before != after, open, "{name}");
    }
}

#[test]
fn a_checkpoint_goes_on_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let (mut straight, batch) = trained("bert-tokens");
    straight.set_frozen(&BTreeSet::from([Group::Embeddings]));
    step(&mut straight, &batch, 9);
    straight.save_checkpoint(&path).unwrap();
    let again = folder.path().join("again.safetensors");
    straight.save_checkpoint(&again).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());

    let mut resumed = tiny("bert-tokens", Backend::Cpu);
    resumed.set_dropout(None);
    resumed.load_checkpoint(&path).unwrap();
    assert!(bits(&straight) == bits(&resumed));
    for seed in 10..13 {
        assert_eq!(step(&mut straight, &batch, seed).to_bits(), step(&mut resumed, &batch, seed).to_bits());
    }
    assert!(bits(&straight) == bits(&resumed));
}

#[test]
fn a_checkpoint_brings_its_head_along_and_refuses_strangers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let mut learner = tiny("bert-tokens", Backend::Cpu);
    learner.set_head(None, Head::RowLabels { labels: Labels::numbered(5) }, 3).unwrap();
    learner.save_checkpoint(&path).unwrap();
    let mut other = tiny("bert-tokens", Backend::Cpu);
    other.load_checkpoint(&path).unwrap();
    assert_eq!(other.head(None), Some(&Head::RowLabels { labels: Labels::numbered(5) }));
    assert!(bits(&learner) == bits(&other));

    let mut stranger = tiny("xlm-roberta-tokens", Backend::Cpu);
    let before = bits(&stranger);
    assert!(matches!(stranger.load_checkpoint(&path), Err(ModelError::Checkpoint { .. })));
    assert!(before == bits(&stranger), "a refused checkpoint must leave the learner as it was");

    let bytes = std::fs::read(&path).unwrap();
    for (damaged, word) in [(&bytes[..bytes.len() - 5], "another amount of data"), (&bytes[..4], "cut off")] {
        std::fs::write(&path, damaged).unwrap();
        let error = learner.load_checkpoint(&path).unwrap_err().to_string();
        assert!(error.contains("checkpoint.safetensors") && error.contains(word), "{error}");
    }
    let error = learner.load_checkpoint(&common::reference("bert-tokens/model.safetensors")).unwrap_err().to_string();
    assert!(error.contains("it is no checkpoint"), "{error}");
}

#[test]
fn a_checkpoint_without_trained_parameters_is_refused_by_a_learner_that_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let mut frozen = tiny("bert-tokens", Backend::Cpu);
    frozen.set_frozen(&BTreeSet::from([Group::Embeddings]));
    frozen.save_checkpoint(&path).unwrap();
    let (mut learner, _) = trained("bert-tokens");
    assert!(matches!(learner.load_checkpoint(&path), Err(ModelError::State { .. })));
}

#[test]
fn restoring_a_save_point_repeats_the_steps() {
    for backend in [Backend::Cpu, Backend::Ndarray] {
        let batch = Expected::read("bert-spans").batch("batch");
        let mut learner = tiny("bert-spans", backend);
        step(&mut learner, &batch, 0);
        let point = learner.save_point();
        let at_point = bits(&learner);
        let first: Vec<u64> = (1..4).map(|seed| step(&mut learner, &batch, seed).to_bits()).collect();
        let end = bits(&learner);
        learner.restore(&point);
        assert!(at_point == bits(&learner), "{backend}");
        let second: Vec<u64> = (1..4).map(|seed| step(&mut learner, &batch, seed).to_bits()).collect();
        assert_eq!(first, second, "{backend}");
        assert!(end == bits(&learner), "{backend}");
    }
}

#[test]
fn combining_equal_parts_gives_the_gradient_of_the_mean_loss() {
    // Rows of one length and one class label each, so that the batch's loss is the mean of its halves'.
    let whole = Expected::read("xlm-roberta-classes").batch("train0");
    let Targets::Classes(classes) = &whole.targets else { panic!("class labels") };
    let half = |rows: std::ops::Range<usize>| Batch {
        ids: whole.ids[rows.start * whole.seq..rows.end * whole.seq].to_vec(),
        type_ids: whole.type_ids[rows.start * whole.seq..rows.end * whole.seq].to_vec(),
        lengths: whole.lengths[rows.clone()].to_vec(),
        seq: whole.seq,
        targets: Targets::Classes(classes[rows].to_vec()),
        ..Batch::default()
    };
    let mut learner = tiny("xlm-roberta-classes", Backend::Cpu);
    let (loss, expected) = learner.loss_and_gradients(&whole, 0).unwrap();
    let (first_loss, first) = learner.loss_and_gradients(&half(0..2), 0).unwrap();
    let (second_loss, second) = learner.loss_and_gradients(&half(2..4), 0).unwrap();
    assert!((loss - (first_loss + second_loss) / 2.0).abs() < 1e-6);
    let mean = learner.combine(vec![first, second], &[0.5, 0.5]).unwrap();
    for name in learner.parameter_names() {
        let [a, b] = [&mean, &expected].map(|set| learner.gradient(set, name).unwrap().unwrap());
        assert!(difference(&a, &b) < 1e-6, "{name}: {}", difference(&a, &b));
    }
}

#[test]
fn batches_side_by_side_give_the_bits_of_one_after_the_other() {
    let folder = "xlm-roberta-tokens";
    let (batch, mut learner) = (Expected::read(folder).batch("batch"), tiny(folder, Backend::Cpu));
    learner.set_dropout(Some(0.1));
    // Full rounds of all threads, and a rest.
    let batches: Vec<(&Batch, u64)> = (0..2 * learner.passes_at_once() as u64 + 1).map(|seed| (&batch, seed)).collect();
    let together = learner.losses_and_gradients(&batches).unwrap();
    assert_eq!(together.len(), batches.len());
    for ((loss, gradients), (batch, seed)) in together.iter().zip(&batches) {
        let (alone, expected) = learner.loss_and_gradients(batch, *seed).unwrap();
        assert_eq!(loss.to_bits(), alone.to_bits());
        for name in learner.parameter_names() {
            let of = |set| learner.gradient(set, name).unwrap();
            assert!(of(gradients) == of(&expected), "{name}, seed {seed}");
        }
    }
    let broken = Batch { ids: vec![1_000_000; batch.ids.len()], ..batch.clone() };
    let error = learner.losses_and_gradients(&[(&batch, 0), (&broken, 0)]).err().unwrap();
    assert!(matches!(error, ModelError::Batch { .. }), "{error}");
    assert!(learner.losses_and_gradients(&[]).unwrap().is_empty());
}

#[test]
fn gram_matrix_holds_the_inner_products_of_all_entries() {
    for backend in [Backend::Cpu, Backend::Ndarray] {
        let expected = Expected::read("bert-tokens");
        let mut learner = tiny("bert-tokens", backend);
        let sets: Vec<_> = ["train0", "train1", "train2"]
            .map(|name| learner.loss_and_gradients(&expected.batch(name), 0).unwrap().1)
            .into();
        let gram = learner.gram(&sets).unwrap();
        let gathered = |index: usize| -> Vec<f32> {
            let names = learner.parameter_names();
            names.iter().flat_map(|name| learner.gradient(&sets[index], name).unwrap().unwrap()).collect()
        };
        let scale = gram.iter().fold(0.0f64, |max, value| max.max(value.abs()));
        for i in 0..3 {
            for j in 0..3 {
                let dot: f64 = gathered(i).iter().zip(gathered(j)).map(|(a, b)| f64::from(*a) * f64::from(b)).sum();
                assert!((gram[i * 3 + j] - dot).abs() < 1e-6 * scale, "{backend}: {} {dot}", gram[i * 3 + j]);
            }
        }
        assert!(learner.gram(&[]).unwrap().is_empty());
    }
}

#[test]
fn clipping_scales_to_the_asked_norm() {
    let batch = Expected::read("bert-tokens").batch("batch");
    let norms = |clip: f64| {
        let mut learner = tiny("bert-tokens", Backend::Cpu);
        learner.begin_stage(OptimizerConfig { clip, ..OptimizerConfig::default() });
        let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        let gram = learner.gram(std::slice::from_ref(&gradients)).unwrap();
        let norms = learner.step(gradients, 1e-3).unwrap();
        assert!((norms.gradient - gram[0].sqrt()).abs() < 1e-9 * norms.gradient);
        norms
    };
    assert!(norms(1e-3).clipped && !norms(0.0).clipped && !norms(1e6).clipped);
}

#[test]
fn padding_changes_neither_losses_nor_logits() {
    for folder in FOLDERS {
        let mut learner = tiny(folder, Backend::Cpu);
        let batch = Expected::read(folder).batch("train1");
        let longer = padded(&batch, 4, learner.config().pad_token_id as i32);
        let (a, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        let (b, longer_gradients) = learner.loss_and_gradients(&longer, 0).unwrap();
        assert!((a - b).abs() < 1e-6, "{folder}: {a} {b}");
        let gram = learner.gram(&[gradients, longer_gradients]).unwrap();
        assert!((gram[0] - gram[3]).abs() < 1e-5 * gram[0], "{folder}: {gram:?}");

        let [short, long] = [&batch, &longer].map(|batch| learner.sentence_vectors(batch).unwrap());
        assert!(difference(&short, &long) < 1e-6, "{folder}");
        let [short, long] = [&batch, &longer].map(|batch| flat(learner.logits(batch).unwrap()));
        if folder.ends_with("classes") {
            assert!(difference(&short, &long) < 1e-6, "{folder}");
        } else {
            let width = short.len() / (batch.len() * batch.seq);
            for (row, &length) in batch.lengths.iter().enumerate() {
                let part =
                    |values: &[f32], seq: usize| values[row * seq * width..(row * seq + length) * width].to_vec();
                assert!(difference(&part(&short, batch.seq), &part(&long, longer.seq)) < 1e-6, "{folder}");
            }
        }
    }
}

#[test]
fn vectors_of_a_layer_are_those_of_an_encoder_that_ends_there() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../encoders/mini");
    let cut = tempfile::tempdir().unwrap();
    let config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
    let bytes = std::fs::read(folder.join("model.safetensors")).unwrap();
    let weights = SafeTensors::deserialize(&bytes).unwrap();
    let whole = Learner::load(&folder, Backend::Cpu).unwrap();
    let mut batch = Expected::read("bert-tokens").batch("batch");
    batch.type_ids.fill(0);
    let layers = whole.config().num_hidden_layers;
    for layer in 1..=layers {
        let mut config = config.clone();
        config["num_hidden_layers"] = layer.into();
        std::fs::write(cut.path().join("config.json"), config.to_string()).unwrap();
        let number = |name: &str| name.split_once("layer.")?.1.split('.').next()?.parse::<usize>().ok();
        let kept = weights.tensors().into_iter().filter(|(name, _)| number(name).is_none_or(|number| number < layer));
        let metadata = Some(HashMap::from([("format".to_owned(), "pt".to_owned())]));
        safetensors::serialize_to_file(kept, metadata, &cut.path().join("model.safetensors")).unwrap();
        let shorter = Learner::load(cut.path(), Backend::Cpu).unwrap();
        let vectors = whole.sentence_vectors_of_layer(&batch, layer).unwrap();
        assert_eq!(vectors, shorter.sentence_vectors(&batch).unwrap(), "layer {layer}");
    }
    for layer in [0, layers + 1] {
        let error = whole.sentence_vectors_of_layer(&batch, layer).unwrap_err().to_string();
        assert!(error.contains(&format!("layer {layer} was asked for, and the encoder has {layers}")), "{error}");
    }
}

#[test]
fn sentence_vectors_are_means_over_real_tokens() {
    let (learner, batch) = (tiny("bert-tokens", Backend::Cpu), Expected::read("bert-tokens").batch("batch"));
    let (hidden, vectors) = (learner.hidden_states(&batch).unwrap(), learner.sentence_vectors(&batch).unwrap());
    for (row, &length) in batch.lengths.iter().enumerate() {
        for feature in 0..16 {
            let at = |position: usize| f64::from(hidden[(row * batch.seq + position) * 16 + feature]);
            let mean = (0..length).map(at).sum::<f64>() / length as f64;
            assert!((f64::from(vectors[row * 16 + feature]) - mean).abs() < 1e-6);
        }
    }
}

#[test]
fn fresh_heads_follow_their_seed_alone() {
    let head = |seed: u64, backend: Backend| {
        let mut learner = tiny("bert-tokens", backend);
        learner.set_head(None, Head::RowLabels { labels: Labels::numbered(3) }, seed).unwrap();
        bits(&learner).into_iter().filter(|(name, _)| !name.starts_with("e")).collect::<Vec<_>>()
    };
    let names: Vec<String> = head(1, Backend::Cpu).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["pooler.dense.weight", "pooler.dense.bias", "classifier.weight", "classifier.bias"]);
    assert!(head(1, Backend::Cpu) == head(1, Backend::Ndarray));
    assert!(head(1, Backend::Cpu) != head(2, Backend::Cpu));
    let mut learner = tiny("bert-tokens", Backend::Cpu);
    assert!(learner.set_head(None, Head::TokenLabels { labels: Labels::numbered(0) }, 1).is_err());
}

#[test]
fn a_diverging_run_is_an_error_that_names_what_broke() {
    let mut learner = tiny("bert-tokens", Backend::Cpu);
    let batch = Expected::read("bert-tokens").batch("batch");
    let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
    let huge = learner.combine(vec![gradients.clone(), gradients.clone()], &[1e38, 1e38]).unwrap();
    let huge = learner.combine(vec![huge.clone(), huge], &[1e38, 1e38]).unwrap();
    let before = bits(&learner);
    let error = learner.step(huge, 1e-3).unwrap_err();
    assert!(matches!(&error, ModelError::NonFinite { what } if what.starts_with("gradient of ")), "{error}");
    assert!(before == bits(&learner));
    assert!(matches!(learner.combine(vec![gradients], &[f64::NAN]), Err(ModelError::NonFinite { .. })));

    learner.begin_stage(OptimizerConfig { clip: 0.0, ..OptimizerConfig::default() });
    let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
    learner.step(gradients, 1e38).unwrap();
    assert!(matches!(learner.loss_and_gradients(&batch, 0), Err(ModelError::NonFinite { .. })));
}

#[test]
fn batches_that_do_not_fit_are_errors() {
    let mut learner = tiny("xlm-roberta-tokens", Backend::Cpu);
    let good = Expected::read("xlm-roberta-tokens").batch("batch");
    let changed = |change: &dyn Fn(&mut Batch)| {
        let mut batch = good.clone();
        change(&mut batch);
        batch
    };
    let labels = |label: i32, at: usize| {
        changed(&move |batch| {
            let Targets::TokenLabels(labels) = &mut batch.targets else { panic!("token labels") };
            labels[at] = label;
        })
    };
    for (batch, word) in [
        (changed(&|batch| batch.ids[3] = 120), "token id 120"),
        (changed(&|batch| batch.ids[3] = -1), "token id -1"),
        (changed(&|batch| batch.type_ids[2] = 1), "segment id 1"),
        (changed(&|batch| batch.lengths[1] = 0), "length 0"),
        (changed(&|batch| batch.lengths[1] = 12), "length 12"),
        (changed(&|batch| batch.ids.truncate(20)), "20 ids"),
        (changed(&|batch| batch.lengths.clear()), "nothing to compute"),
        (padded(&good, 6, 1), "positions for 16 only"),
        (labels(7, 0), "label 7 is outside the head's 7 labels"),
        (labels(-1, 0), "label -1"),
        (labels(2, 15), "padding bears a label"),
        (changed(&|batch| batch.targets = Targets::None), "no targets"),
        (changed(&|batch| batch.targets = Targets::Classes(vec![0; 4])), "class labels, but the head"),
        (changed(&|batch| batch.targets = Targets::TokenLabels(vec![-100; 44])), "no token bears a label"),
    ] {
        let error = learner.loss_and_gradients(&batch, 0).expect_err(word);
        assert!(matches!(error, ModelError::Batch { .. }) && error.to_string().contains(word), "{word}: {error}");
    }
    let mut spans = tiny("bert-spans", Backend::Cpu);
    let mut batch = Expected::read("bert-spans").batch("batch");
    batch.targets = Targets::Spans { starts: vec![0, 1, 0, 0], ends: vec![0; 4] };
    let error = spans.loss_and_gradients(&batch, 0).err().unwrap().to_string();
    assert!(error.contains("row 1: start positions hold 1, but the row has 1 tokens"), "{error}");
}

#[test]
fn gradients_of_another_state_are_refused() {
    let batch = Expected::read("bert-tokens").batch("batch");
    let mut learner = tiny("bert-tokens", Backend::Cpu);
    let (_, all) = learner.loss_and_gradients(&batch, 0).unwrap();
    learner.set_frozen(&BTreeSet::from([Group::Layer(0)]));
    let (_, some) = learner.loss_and_gradients(&batch, 0).unwrap();
    assert!(matches!(learner.step(all.clone(), 1e-3), Err(ModelError::State { .. })));
    assert!(matches!(learner.gram(&[all.clone(), some.clone()]), Err(ModelError::State { .. })));
    assert!(matches!(learner.combine(vec![all, some], &[0.5, 0.5]), Err(ModelError::State { .. })));
    assert!(matches!(learner.combine(Vec::new(), &[]), Err(ModelError::State { .. })));
}

#[test]
fn training_learns() {
    let expected = Expected::read("bert-classes");
    let mut learner = tiny("bert-classes", Backend::Cpu);
    learner.set_head(None, Head::RowLabels { labels: Labels::numbered(3) }, 5).unwrap();
    let (losses, _) = train(&mut learner, &[expected.batch("train0")], 60, 5e-3);
    assert!(losses[59] < 0.2 * losses[0], "{} to {}", losses[0], losses[59]);
}
