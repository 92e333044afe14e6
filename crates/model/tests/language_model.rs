//! The language-model head and the ranking loss: parity with PyTorch and transformers on tiny random models (the numbers
//! come from `scripts/reference/language_model.py --tiny`), and laws.

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use common::{Expected, MASKED, bits, difference, max_abs, padded, reference, schedule, tiny};
use model::{Gradients, Group, Learner, ModelError, OptimizerConfig, Precision};
use safetensors::SafeTensors;
use spec::{Backend, Batch, Head, IGNORED_LABEL, Labels, Targets};

const BACKENDS: [Backend; 2] = [Backend::Cpu, Backend::Ndarray];

/// Every reference gradient within 1e-4 of its tensor's largest entry, and no others of ours.
fn compare_gradients(what: &str, learner: &Learner, gradients: &Gradients, reference: &[(String, Vec<f32>)]) {
    let names: BTreeSet<&str> = reference.iter().map(|(name, _)| name.as_str()).collect();
    for name in learner.parameter_names() {
        let ours = learner.gradient(gradients, name).unwrap();
        assert_eq!(ours.is_some(), names.contains(name), "{what}: {name}");
    }
    let largest = reference.iter().map(|(_, values)| max_abs(values)).fold(0.0, f32::max);
    for (name, values) in reference {
        let ours = learner.gradient(gradients, name).unwrap().unwrap();
        // True gradients of 0 are rounding noise on both sides.
        let zero = name.ends_with("attention.self.key.bias");
        assert_eq!(zero, max_abs(values) < 1e-12, "{what}: {name}");
        let scale = if zero { largest } else { max_abs(values) };
        let worst = difference(&ours, values);
        assert!(worst < 1e-4 * scale, "{what}: {name} differs by {worst}, scale {scale}");
    }
}

#[test]
fn losses_and_gradients_of_masked_tokens_within_1e_4() {
    for (backend, folder) in BACKENDS.into_iter().flat_map(|backend| MASKED.map(|folder| (backend, folder))) {
        let (mut learner, expected) = (tiny(folder, backend), Expected::read(folder));
        assert!(learner.has_language_model() && learner.head(None).is_none());
        let (loss, gradients) = learner.loss_and_gradients(&expected.batch("batch"), 0).unwrap();
        let reference = f64::from(expected.floats("loss")[0]);
        assert!((loss - reference).abs() < 1e-5, "{backend}, {folder}: {loss}, expected {reference}");
        compare_gradients(&format!("{backend}, {folder}"), &learner, &gradients, &expected.gradients());
    }
}

#[test]
fn the_ranking_loss_and_its_gradients_within_1e_4() {
    for (backend, folder) in BACKENDS.into_iter().flat_map(|backend| MASKED.map(|folder| (backend, folder))) {
        let (mut learner, expected) = (tiny(folder, backend), Expected::read(folder));
        let (loss, gradients) = learner.loss_and_gradients(&expected.batch("ranked"), 0).unwrap();
        let reference = f64::from(expected.floats("ranking")[0]);
        assert!((loss - reference).abs() < 1e-5 * reference, "{backend}, {folder}: {loss}, expected {reference}");
        let what = format!("{backend}, {folder}, ranking");
        compare_gradients(&what, &learner, &gradients, &expected.under("ranking-gradient/"));
    }
}

#[test]
fn scores_of_masked_tokens_are_those_of_transformers() {
    for (backend, folder) in BACKENDS.into_iter().flat_map(|backend| MASKED.map(|folder| (backend, folder))) {
        let (learner, expected) = (tiny(folder, backend), Expected::read(folder));
        let batch = expected.batch("batch");
        let Targets::MaskedTokens(tokens) = &batch.targets else { panic!("masked tokens") };
        let scores = learner.masked_token_scores(&batch).unwrap();
        let losses: Vec<f32> = scores.iter().map(|score| score.loss).collect();
        assert!(difference(&losses, &expected.floats("scores")) < 1e-4, "{backend}, {folder}");
        let best = expected.integers("best").unwrap();
        let masked = tokens.iter().filter(|&&token| token != IGNORED_LABEL);
        let correct: Vec<bool> = masked.zip(&best).map(|(token, best)| token == best).collect();
        assert_eq!(scores.iter().map(|score| score.correct).collect::<Vec<_>>(), correct, "{backend}, {folder}");

        let longer = padded(&batch, 3, learner.config().pad_token_id as i32);
        let longer: Vec<f32> = learner.masked_token_scores(&longer).unwrap().iter().map(|score| score.loss).collect();
        assert!(difference(&losses, &longer) < 1e-5, "{backend}, {folder}");
    }
}

#[test]
fn loss_over_100_steps_of_both_kinds_within_1e_3() {
    for folder in MASKED {
        let (mut learner, expected) = (tiny(folder, Backend::Cpu), Expected::read(folder));
        let batches: Vec<_> = (0..3).map(|number| expected.batch(&format!("train{number}"))).collect();
        let ranked = expected.batch("ranked");
        learner.begin_stage(OptimizerConfig { weight_decay: 0.01, ..OptimizerConfig::default() });
        let curve = expected.floats("curve");
        for (step, &expected) in curve.iter().enumerate() {
            let batch = if step % 4 == 3 { &ranked } else { &batches[step % 3] };
            let (loss, gradients) = learner.loss_and_gradients(batch, 0).unwrap();
            learner.step(gradients, schedule(step, 100, 2e-3)).unwrap();
            assert!((loss - f64::from(expected)).abs() < 1e-3, "{folder}, step {step}: {loss}, expected {expected}");
        }
    }
}

/// A folder of this name whose tensors have been changed.
fn altered(name: &str, change: impl FnOnce(&mut Vec<(String, Vec<usize>, Vec<u8>)>)) -> tempfile::TempDir {
    let (from, to) = (reference(name), tempfile::tempdir().unwrap());
    let bytes = std::fs::read(from.join("model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.tensors().into_iter();
    let mut tensors: Vec<_> = tensors.map(|(name, view)| (name, view.shape().to_vec(), view.data().to_vec())).collect();
    change(&mut tensors);
    let views = tensors.iter().map(|(name, shape, data)| {
        (name, safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), data).unwrap())
    });
    safetensors::serialize_to_file(views, None, &to.path().join("model.safetensors")).unwrap();
    std::fs::copy(from.join("config.json"), to.path().join("config.json")).unwrap();
    to
}

#[test]
fn the_decoder_s_own_names_are_known_and_an_untied_decoder_is_refused() {
    for (folder, decoder, bias) in [
        ("bert-masked", "cls.predictions.decoder", "cls.predictions.bias"),
        ("xlm-roberta-masked", "lm_head.decoder", "lm_head.bias"),
    ] {
        let batch = Expected::read(folder).batch("batch");
        let scores = tiny(folder, Backend::Cpu).masked_token_scores(&batch).unwrap();
        let words = |tensors: &[(String, Vec<usize>, Vec<u8>)]| {
            tensors.iter().find(|(name, ..)| name.ends_with("word_embeddings.weight")).unwrap().clone()
        };
        // As old versions wrote them: the bias under the decoder's name, alone or twice, and the shared table twice.
        for twice in [false, true] {
            let other = altered(folder, |tensors| {
                let copy = tensors.iter().find(|(name, ..)| name == bias).unwrap().clone();
                tensors.push((format!("{decoder}.bias"), copy.1, copy.2));
                tensors.retain(|(name, ..)| twice || name != bias);
                let (_, shape, data) = words(tensors);
                tensors.push((format!("{decoder}.weight"), shape, data));
            });
            let learner = Learner::load(other.path(), Backend::Cpu).unwrap();
            assert!(learner.masked_token_scores(&batch).unwrap() == scores && learner.notes().is_empty());
        }
        let untied = altered(folder, |tensors| {
            let (_, shape, mut data) = words(tensors);
            data[..4].copy_from_slice(&7.0f32.to_le_bytes());
            tensors.push((format!("{decoder}.weight"), shape, data));
        });
        let learner = Learner::load(untied.path(), Backend::Cpu).unwrap();
        let notes = learner.notes().join("\n");
        assert!(!learner.has_language_model() && notes.contains("is not the table of word embeddings"), "{notes}");
        let error = learner.masked_token_scores(&batch).unwrap_err();
        assert!(matches!(&error, ModelError::State { .. }) && error.to_string().contains("no language-model head"));

        let torn = altered(folder, |tensors| tensors.retain(|(name, ..)| name != bias));
        let error = Learner::load(torn.path(), Backend::Cpu).err().unwrap().to_string();
        assert!(error.contains(&format!("1 tensor missing:\n    `{bias}` [120]")), "{error}");
    }
}

/// A learner with both heads.
fn both(folder: &str, backend: Backend) -> Learner {
    let mut learner = tiny(folder, backend);
    learner.set_head(None, Head::TokenLabels { labels: Labels::numbered(7) }, 1).unwrap();
    learner
}

fn labelled(batch: &Batch) -> Batch {
    let Targets::MaskedTokens(tokens) = &batch.targets else { panic!("masked tokens") };
    let label = |&token: &i32| if token == IGNORED_LABEL { token } else { token % 7 };
    Batch { targets: Targets::TokenLabels(tokens.iter().map(label).collect()), ..batch.clone() }
}

#[test]
fn the_targets_choose_the_output_layer_and_the_other_one_does_not_move() {
    let batch = Expected::read("bert-masked").batch("batch");
    for (backend, batch, still) in [
        (Backend::Cpu, labelled(&batch), Group::LanguageModel),
        (Backend::Ndarray, labelled(&batch), Group::LanguageModel),
        (Backend::Cpu, batch.clone(), Group::Head),
        (Backend::Ndarray, batch, Group::Head),
    ] {
        let mut learner = both("bert-masked", backend);
        assert_eq!(
            learner.groups(),
            [Group::Embeddings, Group::Layer(0), Group::Layer(1), Group::LanguageModel, Group::Head]
        );
        learner.begin_stage(OptimizerConfig { weight_decay: 0.1, ..OptimizerConfig::default() });
        let before = bits(&learner);
        let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        let norms = learner.squared_norms(&gradients).unwrap();
        assert!(norms.len() == 4 && !norms.contains_key(&still), "{norms:?}");
        let total: f64 = norms.values().sum();
        let gram = learner.gram(std::slice::from_ref(&gradients)).unwrap();
        assert!((total - gram[0]).abs() < 1e-6 * total);
        learner.step(gradients, 1e-3).unwrap();
        for ((name, before), (_, after)) in before.into_iter().zip(bits(&learner)) {
            let of_the_other = match still {
                Group::Head => name.starts_with("classifier"),
                _ => name.starts_with("cls."),
            };
            assert_eq!(before == after, of_the_other, "{name}");
        }
    }
}

#[test]
fn gradients_of_two_tasks_combine_as_if_absent_parts_were_zero() {
    let batch = Expected::read("bert-masked").batch("batch");
    let mut learner = both("bert-masked", Backend::Cpu);
    let (_, masked) = learner.loss_and_gradients(&batch, 0).unwrap();
    let (_, labels) = learner.loss_and_gradients(&labelled(&batch), 0).unwrap();
    let sets = [masked, labels];
    let gram = learner.gram(&sets).unwrap();
    let get = |set: &Gradients, name: &str| learner.gradient(set, name).unwrap();
    let (mut dot, mut names) = (0.0, 0);
    let sum = learner.combine(sets.to_vec(), &[1.0, 0.5]).unwrap();
    let scaled = sets[0].clone().add_scaled(&sets[1], 0.5).unwrap();
    let product = sets[0].multiply(&sets[1]).unwrap();
    for name in learner.parameter_names() {
        let [a, b] = [get(&sets[0], name), get(&sets[1], name)];
        assert_eq!(get(&sum, name), get(&scaled, name));
        assert_eq!(get(&product, name).is_some(), a.is_some() && b.is_some());
        assert_eq!(get(&sum, name).is_some(), a.is_some() || b.is_some());
        if let (Some(a), Some(b)) = (&a, &b) {
            dot += a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
            let expected: Vec<f32> = a.iter().zip(b).map(|(a, b)| a + b * 0.5).collect();
            assert!(difference(&get(&sum, name).unwrap(), &expected) < 1e-7);
            let expected: Vec<f32> = a.iter().zip(b).map(|(a, b)| a * b).collect();
            assert_eq!(get(&product, name).unwrap(), expected);
            let square: Vec<f32> = a.iter().map(|a| a * a).collect();
            assert_eq!(get(&sets[0].square(), name).unwrap(), square);
        }
        names += usize::from(a.is_some() != b.is_some());
    }
    assert_eq!(names, 7, "five tensors of the language model, two of the classifier");
    assert!((gram[1] - dot).abs() < 1e-6 * gram[0] && gram[1] == gram[2], "{gram:?}, {dot}");
}

#[test]
fn frozen_parts_get_no_gradient_and_the_shared_table_gets_that_of_both_uses() {
    let batch = Expected::read("bert-masked").batch("batch");
    let mut learner = tiny("bert-masked", Backend::Cpu);
    let (_, full) = learner.loss_and_gradients(&batch, 0).unwrap();
    learner.set_frozen(&BTreeSet::from([Group::LanguageModel, Group::Layer(1)]));
    let (_, some) = learner.loss_and_gradients(&batch, 0).unwrap();
    for name in learner.parameter_names() {
        let gradient = learner.gradient(&some, name).unwrap();
        let open = name.starts_with("embeddings.") || name.starts_with("encoder.layer.0.");
        assert_eq!(gradient.is_some(), open, "{name}");
        if let Some(gradient) = gradient {
            let expected = learner.gradient(&full, name).unwrap().unwrap();
            assert!(difference(&gradient, &expected) < 1e-5 * max_abs(&expected).max(1e-3), "{name}");
        }
    }
    // Only the language model's own parameters: no pass through the encoder.
    learner.set_frozen(&BTreeSet::from([Group::Embeddings, Group::Layer(0), Group::Layer(1)]));
    let (_, top) = learner.loss_and_gradients(&batch, 0).unwrap();
    assert_eq!(learner.squared_norms(&top).unwrap().into_keys().collect::<Vec<_>>(), [Group::LanguageModel]);
    let error = learner.loss_and_gradients(&Expected::read("bert-masked").batch("ranked"), 0).err().unwrap();
    assert!(error.to_string().contains("every group that takes part in this loss is frozen"), "{error}");
}

#[test]
fn what_does_not_fit_is_an_error() {
    let good = Expected::read("bert-masked").batch("batch");
    let ranked = Expected::read("bert-masked").batch("ranked");
    let tokens = |change: &dyn Fn(&mut Vec<i32>)| {
        let mut batch = good.clone();
        let Targets::MaskedTokens(tokens) = &mut batch.targets else { panic!("masked tokens") };
        change(tokens);
        batch
    };
    let odd = Batch { ids: ranked.ids[..27].to_vec(), type_ids: vec![0; 27], lengths: vec![5, 9, 1], ..ranked.clone() };
    let single = Batch { ids: ranked.ids[..18].to_vec(), type_ids: vec![0; 18], lengths: vec![5, 9], ..ranked };
    let mut learner = tiny("bert-masked", Backend::Cpu);
    for (batch, word) in [
        (tokens(&|tokens| tokens[1] = 120), "masked token 120 is outside the vocabulary of 120"),
        (tokens(&|tokens| tokens[1] = -1), "masked token -1"),
        (tokens(&|tokens| tokens[21] = 5), "row 1, token 10: padding bears a masked token"),
        (tokens(&|tokens| tokens.fill(IGNORED_LABEL)), "no token bears a masked token"),
        (tokens(&|tokens| tokens.truncate(9)), "9 masked tokens by token, expected 44"),
        (odd, "3 rows of translations"),
        (single, "at least two pairs"),
    ] {
        let error = learner.loss_and_gradients(&batch, 0).expect_err(word);
        assert!(matches!(error, ModelError::Batch { .. }) && error.to_string().contains(word), "{word}: {error}");
    }
    let error = learner.loss_and_gradients(&labelled(&good), 0).err().unwrap().to_string();
    assert!(error.contains("no head"), "{error}");
    let mut other = tiny("bert-tokens", Backend::Cpu);
    let error = other.loss_and_gradients(&good, 0).err().unwrap().to_string();
    assert!(error.contains("no language-model head"), "{error}");
    assert!(learner.masked_token_scores(&Batch { targets: Targets::None, ..good }).is_err());
}

#[test]
fn a_fresh_model_follows_its_seed_alone_and_learns() {
    let draw = |seed: u64, backend: Backend| Learner::fresh(&reference("bert-masked"), backend, seed).unwrap();
    let learner = draw(5, Backend::Cpu);
    assert!(bits(&learner) == bits(&draw(5, Backend::Ndarray)) && bits(&learner) != bits(&draw(6, Backend::Cpu)));
    assert_eq!(learner.parameter_names(), tiny("bert-masked", Backend::Cpu).parameter_names());
    for name in learner.parameter_names() {
        let values = learner.parameter(name).unwrap();
        let deviation = (values.iter().map(|x| x * x).sum::<f32>() / values.len() as f32).sqrt();
        match (name.ends_with("LayerNorm.weight"), name.ends_with("bias")) {
            (true, _) => assert!(values.iter().all(|&x| x == 1.0), "{name}"),
            (_, true) => assert!(values.iter().all(|&x| x == 0.0), "{name}"),
            _ if values.len() > 100 => assert!((deviation - 0.3).abs() < 0.06, "{name}: {deviation}"),
            _ => {}
        }
    }
    let mut learner = learner;
    learner.begin_stage(OptimizerConfig::default());
    let batch = Expected::read("bert-masked").batch("train0");
    let losses: Vec<f64> = (0..60)
        .map(|step| {
            let (loss, gradients) = learner.loss_and_gradients(&batch, step).unwrap();
            learner.step(gradients, 5e-3).unwrap();
            loss
        })
        .collect();
    assert!(losses[59] < 0.3 * losses[0], "{} to {}", losses[0], losses[59]);
}

#[test]
fn a_checkpoint_with_a_language_model_goes_on_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let batch = Expected::read("bert-masked").batch("batch");
    let step = |learner: &mut Learner, seed: u64| {
        let (loss, gradients) = learner.loss_and_gradients(&batch, seed).unwrap();
        learner.step(gradients, 1e-3).unwrap();
        loss.to_bits()
    };
    let mut straight = both("bert-masked", Backend::Cpu);
    straight.set_dropout(None);
    straight.begin_stage(OptimizerConfig::default());
    for seed in 0..3 {
        step(&mut straight, seed);
    }
    straight.save_checkpoint(&path).unwrap();
    let mut resumed = tiny("bert-masked", Backend::Cpu);
    resumed.set_dropout(None);
    resumed.load_checkpoint(&path).unwrap();
    assert_eq!(resumed.head(None), Some(&Head::TokenLabels { labels: Labels::numbered(7) }));
    for seed in 3..6 {
        assert_eq!(step(&mut straight, seed), step(&mut resumed, seed));
    }
    assert!(bits(&straight) == bits(&resumed));
}

#[test]
fn saved_gradients_come_back_bit_for_bit_and_only_to_their_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gradient.safetensors");
    let batch = Expected::read("bert-masked").batch("batch");
    let mut learner = both("bert-masked", Backend::Cpu);
    learner.set_frozen(&BTreeSet::from([Group::Layer(0)]));
    let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
    learner.save_gradients(&gradients, &path).unwrap();
    let again = learner.load_gradients(&path).unwrap();
    for name in learner.parameter_names() {
        let [a, b] = [&gradients, &again].map(|set| learner.gradient(set, name).unwrap());
        assert_eq!(a, b, "{name}");
    }
    // Also what was open but not reached is remembered.
    assert!(learner.combine(vec![gradients, again], &[1.0, 1.0]).is_ok());
    for stranger in [tiny("bert-masked", Backend::Cpu), tiny("xlm-roberta-masked", Backend::Cpu)] {
        let error = stranger.load_gradients(&path).unwrap_err();
        assert!(matches!(error, ModelError::Checkpoint { .. }), "{error}");
    }
    let error = learner.load_gradients(&reference("bert-masked/model.safetensors")).unwrap_err().to_string();
    assert!(error.contains("it is no gradient"), "{error}");
}

#[test]
fn displacement_is_what_the_steps_have_moved() {
    let batch = Expected::read("bert-masked").batch("batch");
    let mut learner = tiny("bert-masked", Backend::Cpu);
    learner.set_frozen(&BTreeSet::from([Group::Embeddings]));
    let (origin, before) = (learner.save_point(), tiny("bert-masked", Backend::Cpu));
    let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
    // A layer below the others learns 10 times slower, another not at all.
    let rate = |group: Group| match group {
        Group::Layer(0) => 1e-4,
        Group::Layer(_) => 0.0,
        _ => 1e-3,
    };
    learner.step_by_group(gradients, &rate).unwrap();
    let moved = learner.displacement(&origin).unwrap();
    for name in learner.parameter_names() {
        let [now, then] = [&learner, &before].map(|learner| learner.parameter(name).unwrap());
        let expected: Vec<f32> = now.iter().zip(&then).map(|(now, then)| now - then).collect();
        match learner.gradient(&moved, name).unwrap() {
            Some(moved) => assert_eq!(moved, expected, "{name}"),
            None => assert!(name.starts_with("embeddings.") && max_abs(&expected) == 0.0, "{name}"),
        }
        // The first step of Adam moves by the learning rate.
        let largest = max_abs(&expected);
        let group = if name.starts_with("encoder.layer.0.") { 1e-4 } else { 1e-3 };
        let still = name.starts_with("embeddings.") || name.starts_with("encoder.layer.1.");
        assert!(if still { largest == 0.0 } else { largest <= 1.01 * group }, "{name}: {largest}");
        if name.ends_with("dense.weight") && !still {
            assert!(largest > 0.9 * group, "{name}: {largest}");
        }
    }
    let error = learner.step_by_group(moved, &|_| f64::NAN).unwrap_err();
    assert!(error.to_string().contains("learning rate NaN"), "{error}");
    assert!(both("bert-masked", Backend::Cpu).displacement(&origin).is_err());
}

#[test]
fn drawn_and_most_likely_targets_stand_where_targets_stood() {
    let mut learner = both("bert-masked", Backend::Cpu);
    let masked = Expected::read("bert-masked").batch("batch");
    let best = Expected::read("bert-masked").integers("best").unwrap();
    let bearing = |targets: &Targets| match targets {
        Targets::MaskedTokens(values) | Targets::TokenLabels(values) => {
            values.iter().map(|&value| value != IGNORED_LABEL).collect::<Vec<_>>()
        }
        _ => panic!("by token"),
    };
    let likely = learner.argmax_targets(&masked).unwrap();
    let Targets::MaskedTokens(tokens) = &likely.targets else { panic!("masked tokens") };
    assert_eq!(tokens.iter().copied().filter(|&token| token != IGNORED_LABEL).collect::<Vec<_>>(), best);
    for batch in [masked.clone(), labelled(&masked)] {
        let drawn = learner.sample_targets(&batch, 4).unwrap();
        assert_eq!(bearing(&drawn.targets), bearing(&batch.targets));
        assert_eq!((&drawn.ids, drawn.targets == batch.targets), (&batch.ids, false));
        assert_eq!(learner.sample_targets(&batch, 4).unwrap(), drawn);
        assert_ne!(learner.sample_targets(&batch, 5).unwrap(), drawn);
        // The loss under the most likely targets is the smallest that targets can give.
        let likely = learner.argmax_targets(&batch).unwrap();
        let [most, drawn] = [likely, drawn].map(|batch| learner.loss_and_gradients(&batch, 0).unwrap().0);
        assert!(most < drawn, "{most} {drawn}");
    }
    for (folder, head) in
        [("bert-spans", Head::Span), ("bert-classes", Head::RowLabels { labels: Labels::numbered(3) })]
    {
        let learner = tiny(folder, Backend::Cpu);
        let batch = Expected::read(folder).batch("batch");
        let [likely, drawn] = [learner.argmax_targets(&batch).unwrap(), learner.sample_targets(&batch, 1).unwrap()];
        assert!(learner.head(None) == Some(&head) && likely != drawn && likely.lengths == batch.lengths);
    }
    let ranked = Expected::read("bert-masked").batch("ranked");
    assert!(matches!(learner.sample_targets(&ranked, 0), Err(ModelError::Batch { .. })));
}

#[test]
fn folders_with_a_language_model_round_trip_in_both_precisions() {
    let batch = Expected::read("xlm-roberta-masked").batch("batch");
    for precision in [Precision::F32, Precision::F16] {
        let (learner, folder) = (tiny("xlm-roberta-masked", Backend::Cpu), tempfile::tempdir().unwrap());
        learner.save_folder(folder.path(), precision).unwrap();
        let again = Learner::load(folder.path(), Backend::Cpu).unwrap();
        assert!(again.has_language_model() && again.notes().is_empty());
        let config: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(folder.path().join("config.json")).unwrap()).unwrap();
        assert_eq!(config["architectures"][0], "XLMRobertaForMaskedLM");
        let size = std::fs::metadata(folder.path().join("model.safetensors")).unwrap().len();
        let [a, b] = [&learner, &again].map(|learner| {
            learner.masked_token_scores(&batch).unwrap().into_iter().map(|score| score.loss).collect::<Vec<f32>>()
        });
        match precision {
            Precision::F32 => assert!(bits(&learner) == bits(&again) && config["dtype"] == "float32" && size > 25_000),
            Precision::F16 => {
                assert!(difference(&a, &b) < 0.02 && config["dtype"] == "float16" && size < 25_000);
                // Once rounded, saving again changes nothing.
                let twice = tempfile::tempdir().unwrap();
                again.save_folder(twice.path(), Precision::F16).unwrap();
                assert!(bits(&again) == bits(&Learner::load(twice.path(), Backend::Cpu).unwrap()));
            }
        }
    }
    let mut large = tiny("bert-masked", Backend::Cpu);
    let batch = Expected::read("bert-masked").batch("batch");
    let (_, gradients) = large.loss_and_gradients(&batch, 0).unwrap();
    large.step(gradients, 1e5).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = large.save_folder(folder.path(), Precision::F16).unwrap_err().to_string();
    assert!(error.contains("model.safetensors: `") && error.contains("save the model in f32"), "{error}");
    large.save_folder(folder.path(), Precision::F32).unwrap();
}

#[test]
fn transformers_reads_saved_language_models() {
    let Some(python) = std::env::var_os("LETHE_PYTHON") else {
        eprintln!("skipped: LETHE_PYTHON is not set to a Python that has torch and transformers");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/reference/language_model.py");
    for (name, task_head) in MASKED.into_iter().flat_map(|name| [(name, false), (name, true)]) {
        let batch = Expected::read(name).batch("batch");
        let Targets::MaskedTokens(tokens) = &batch.targets else { panic!("masked tokens") };
        let mut learner = if task_head { both(name, Backend::Cpu) } else { tiny(name, Backend::Cpu) };
        let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        learner.step(gradients, 1e-2).unwrap();
        let folder = tempfile::tempdir().unwrap();
        learner.save_folder(folder.path(), Precision::F32).unwrap();
        let rows = |values: &[i32]| values.chunks_exact(batch.seq).map(<[i32]>::to_vec).collect::<Vec<_>>();
        let scores = learner.masked_token_scores(&batch).unwrap().into_iter().map(|score| score.loss);
        let check = serde_json::json!({
            "ids": rows(&batch.ids), "type_ids": rows(&batch.type_ids), "lengths": batch.lengths, "tokens": rows(tokens),
            "scores": scores.collect::<Vec<f32>>(), "task_head": task_head,
        });
        std::fs::write(folder.path().join("check.json"), check.to_string()).unwrap();
        let output = Command::new(&python).arg(&script).arg("--check").arg(folder.path()).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        eprint!("{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
