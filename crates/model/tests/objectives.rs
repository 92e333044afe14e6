//! Heads of more objectives than the first three: parity with PyTorch and transformers on tiny random models, whose numbers
//! come from `scripts/reference/{task_heads,dependency_parser}.py --tiny`, and laws. The tolerances are those of `parity.rs`.

mod common;

use std::collections::BTreeSet;

use common::{
    Expected, MORE, bits, difference, flat, max_abs, padded, real_arcs, real_logits, real_tokens, reference, tiny,
    train,
};
use model::{Group, Learner, Logits, ModelError, OptimizerConfig, Precision};
use proptest::prelude::*;
use spec::{Backend, Batch, Head, IGNORED_LABEL, Labels, ParserSizes, Pooling, Targets, Task, Words};

/// The logits of a batch, against those under a prefix of the file.
fn assert_logits(learner: &Learner, expected: &Expected, prefix: &str, what: &str) {
    let batch = expected.batch(if prefix.is_empty() { "batch" } else { prefix });
    let (ours, theirs) = match learner.logits(&batch).unwrap() {
        Logits::Arcs { words, labels, arcs, relations } => {
            let places = batch.words.as_ref().unwrap();
            assert_eq!(words, places.width);
            let both = |arcs: &[f32], relations: &[f32]| {
                [real_arcs(places, arcs, 1), real_arcs(places, relations, labels)].concat()
            };
            (both(&arcs, &relations), both(&expected.floats("arcs"), &expected.floats("labels")))
        }
        logits => {
            let theirs = expected.floats(&format!("{}/logits", if prefix.is_empty() { "batch" } else { prefix }));
            (real_tokens(&batch, flat(logits)), real_tokens(&batch, theirs))
        }
    };
    let worst = difference(&ours, &theirs);
    assert!(worst < 1e-4, "{what}: logits differ by {worst}");
}

/// Loss and gradients of a batch, against those under a prefix of the file.
fn assert_gradients(learner: &mut Learner, expected: &Expected, prefix: &str, what: &str) {
    let batch = expected.batch(if prefix.is_empty() { "batch" } else { prefix });
    let under = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    let (loss, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
    let expected_loss = f64::from(expected.floats(&format!("{under}loss"))[0]);
    assert!((loss - expected_loss).abs() < 1e-5, "{what}: loss {loss}, expected {expected_loss}");
    let mut theirs = expected.under(&format!("{under}gradient/"));
    theirs.sort_by(|a, b| a.0.cmp(&b.0));
    let mut names = learner.parameter_names();
    names.sort_unstable();
    assert_eq!(names, theirs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), "{what}");
    let largest = theirs.iter().map(|(_, values)| max_abs(values)).fold(0.0, f32::max);
    for (name, values) in &theirs {
        let ours = learner.gradient(&gradients, name).unwrap().unwrap();
        // What shifts all inputs of a softmax alike has a true gradient of 0.
        let scale = if max_abs(values) < 1e-12 { largest } else { max_abs(values) };
        let worst = difference(&ours, values);
        assert!(worst < 1e-4 * scale, "{what}: {name} differs by {worst}, scale {scale}");
    }
}

#[test]
fn logits_within_1e_4() {
    for (backend, folder) in [Backend::Cpu, Backend::Ndarray].into_iter().flat_map(|b| MORE.map(|f| (b, f))) {
        let (learner, expected) = (tiny(folder, backend), Expected::read(folder));
        assert_logits(&learner, &expected, "", &format!("{backend}, {folder}"));
        for prefix in if folder.ends_with("choices") { &["three", "mixed"][..] } else { &[] } {
            assert_logits(&learner, &expected, prefix, &format!("{backend}, {folder}, {prefix}"));
        }
    }
}

#[test]
fn losses_and_gradients_of_every_parameter_within_1e_4() {
    for (backend, folder) in [Backend::Cpu, Backend::Ndarray].into_iter().flat_map(|b| MORE.map(|f| (b, f))) {
        let (mut learner, expected) = (tiny(folder, backend), Expected::read(folder));
        assert_gradients(&mut learner, &expected, "", &format!("{backend}, {folder}"));
        for prefix in if folder.ends_with("choices") { &["three", "mixed"][..] } else { &[] } {
            assert_gradients(&mut learner, &expected, prefix, &format!("{backend}, {folder}, {prefix}"));
        }
    }
}

#[test]
fn loss_over_100_steps_within_1e_3() {
    for folder in MORE {
        let (mut learner, expected) = (tiny(folder, Backend::Cpu), Expected::read(folder));
        let batches: Vec<_> = (0..3).map(|number| expected.batch(&format!("train{number}"))).collect();
        let (losses, norms) = train(&mut learner, &batches, 100, 2e-3);
        for (step, (loss, expected)) in losses.iter().zip(&expected.floats("curve")).enumerate() {
            let gap = (loss - f64::from(*expected)).abs();
            assert!(gap < 1e-3, "{folder}, step {step}: loss {loss}, expected {expected}");
        }
        let (first, expected) = (norms[0], f64::from(expected.floats("norms")[0]));
        assert!((first - expected).abs() < 1e-4 * expected, "{folder}: gradient norm {first}, expected {expected}");
    }
}

#[test]
fn a_saved_folder_loads_with_the_same_bits_and_says_the_same() {
    for name in MORE {
        let batch = Expected::read(name).batch("batch");
        let mut learner = tiny(name, Backend::Cpu);
        let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        learner.step(gradients, 1e-3).unwrap();
        let folder = tempfile::tempdir().unwrap();
        learner.save_folder(folder.path(), Precision::F32).unwrap();
        let again = Learner::load(folder.path(), Backend::Cpu).unwrap();
        assert!(bits(&learner) == bits(&again), "{name}");
        assert_eq!(again.head(None), learner.head(None));
        assert!(again.logits(&batch).unwrap() == learner.logits(&batch).unwrap(), "{name}");
        let config = |folder: &std::path::Path| -> serde_json::Value {
            serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap()
        };
        let (ours, theirs) = (config(folder.path()), config(&reference(name)));
        for key in ["architectures", "id2label", "label2id", "parser", "lethe"] {
            assert_eq!(ours.get(key), theirs.get(key), "{name}: {key}");
        }
    }
}

#[test]
fn labels_have_the_names_of_the_folder() {
    let names = |folder: &str| tiny(folder, Backend::Cpu).head(None).unwrap().labels().to_string();
    assert_eq!(names("bert-tags"), "O B-DATE I-DATE B-PROD I-PROD");
    assert_eq!(names("bert-four"), "history sport science weather");
    assert_eq!(names("bert-arcs"), "root nsubj obj det advmod");
    let from = reference("bert-four");
    for (old, new, word) in [
        ("\"0\": \"history\"", "\"4\": \"history\"", "label 0 is missing"),
        ("\"0\": \"history\"", "\"0\": \"sport\"", "`sport` stands twice"),
        ("\"0\": \"history\",", "", "3 labels, but the head's tensor has 4"),
        ("\"0\": \"history\"", "\"0\": 5", "label 0 is missing, or no text"),
    ] {
        let to = tempfile::tempdir().unwrap();
        std::fs::copy(from.join("model.safetensors"), to.path().join("model.safetensors")).unwrap();
        let text = std::fs::read_to_string(from.join("config.json")).unwrap();
        assert!(text.contains(old), "{old}");
        std::fs::write(to.path().join("config.json"), text.replace(old, new)).unwrap();
        let error = Learner::load(to.path(), Backend::Cpu).err().unwrap().to_string();
        assert!(error.contains("config.json: id2label: ") && error.contains(word), "{word}: {error}");
    }
}

#[test]
fn padding_of_tokens_and_of_words_changes_no_loss() {
    for folder in MORE {
        let mut learner = tiny(folder, Backend::Cpu);
        let batch = Expected::read(folder).batch("train1");
        let mut longer = padded(&batch, 3, learner.config().pad_token_id as i32);
        let widen = |values: &[i32], width: usize| -> Vec<i32> {
            values.chunks_exact(width).flat_map(|row| row.iter().copied().chain([IGNORED_LABEL; 2])).collect()
        };
        if let (Some(words), Targets::Arcs { heads, relations }) = (&batch.words, &batch.targets) {
            let width = words.width;
            let wide = |values: &[i32]| widen(values, width);
            longer.words = Some(Words { first: wide(&words.first), last: wide(&words.last), width: width + 2 });
            longer.targets = Targets::Arcs { heads: wide(heads), relations: wide(relations) };
        }
        let (a, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        let (b, longer_gradients) = learner.loss_and_gradients(&longer, 0).unwrap();
        assert!((a - b).abs() < 1e-6, "{folder}: {a} {b}");
        let gram = learner.gram(&[gradients, longer_gradients]).unwrap();
        assert!((gram[0] - gram[3]).abs() < 1e-5 * gram[0], "{folder}: {gram:?}");
        let [short, long] = [&batch, &longer].map(|batch| real_logits(batch, learner.logits(batch).unwrap()));
        assert!(difference(&short, &long) < 1e-5, "{folder}");
    }
}

#[test]
fn the_loss_of_a_batch_is_the_mean_of_its_parts() {
    for folder in ["bert-choices", "xlm-roberta-arcs"] {
        let mut learner = tiny(folder, Backend::Cpu);
        let batch = Expected::read(folder).batch("batch");
        let weight = |part: &Batch| match &part.targets {
            Targets::Arcs { heads, .. } => heads.iter().filter(|head| **head != IGNORED_LABEL).count() as f64,
            _ => 1.0,
        };
        let parts = batch.parts();
        let sum: f64 = parts.iter().map(|part| weight(part) * learner.loss_and_gradients(part, 0).unwrap().0).sum();
        let mean = sum / parts.iter().map(weight).sum::<f64>();
        let (loss, _) = learner.loss_and_gradients(&batch, 0).unwrap();
        assert!((loss - mean).abs() < 1e-6, "{folder}: {loss}, parts {mean}");
    }
}

#[test]
fn targets_that_are_drawn_fit_and_the_most_likely_are_those_of_the_logits() {
    for folder in ["bert-choices", "bert-arcs", "bert-arcs-mix"] {
        let mut learner = tiny(folder, Backend::Cpu);
        let batch = Expected::read(folder).batch("batch");
        let (likely, drawn) = (learner.argmax_targets(&batch).unwrap(), learner.sample_targets(&batch, 3).unwrap());
        assert!(likely != drawn && learner.sample_targets(&batch, 3).unwrap() == drawn, "{folder}");
        for batch in [&likely, &drawn] {
            learner.loss_and_gradients(batch, 0).unwrap();
        }
        let best = |values: &[f32]| values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
        match (learner.logits(&batch).unwrap(), &likely.targets) {
            (Logits::Choices { values }, Targets::Choices { rows, right }) => {
                let mut start = 0;
                for (rows, right) in rows.iter().zip(right) {
                    assert_eq!(best(&values[start..start + rows]), *right as usize);
                    start += rows;
                }
            }
            (Logits::Arcs { words, labels, mut arcs, relations }, Targets::Arcs { heads, relations: kinds }) => {
                let places = batch.words.as_ref().unwrap();
                for (index, (&head, &kind)) in heads.iter().zip(kinds).enumerate() {
                    let (row, word) = (index / words, index % words);
                    let there = |word: usize| places.first[row * words + word] != IGNORED_LABEL;
                    if !there(word) {
                        assert_eq!((head, kind), (IGNORED_LABEL, IGNORED_LABEL));
                        continue;
                    }
                    let scores = &mut arcs[index * (words + 1)..][..words + 1];
                    (0..words).filter(|&head| head == word || !there(head)).for_each(|head| scores[head + 1] = -1e9);
                    assert_eq!(best(scores), head as usize);
                    let at = (index * (words + 1) + head as usize) * labels;
                    assert_eq!(best(&relations[at..at + labels]), kind as usize);
                }
            }
            _ => panic!("{folder}"),
        }
    }
}

#[test]
fn batches_that_do_not_fit_are_errors() {
    let (mut parser, good) = (tiny("bert-arcs", Backend::Cpu), Expected::read("bert-arcs").batch("batch"));
    type Change<'a> = &'a dyn Fn(&mut Words, &mut [i32], &mut [i32]);
    let changed = |change: Change| {
        let mut batch = good.clone();
        let Targets::Arcs { heads, relations } = &mut batch.targets else { panic!("arcs") };
        change(batch.words.as_mut().unwrap(), heads, relations);
        batch
    };
    let width = good.words.as_ref().unwrap().width;
    // Row 0 has one word, row 1 three.
    for (batch, word) in [
        (Batch { words: None, ..good.clone() }, "where its words are"),
        (changed(&|words, _, _| words.width = 0), "no words"),
        (changed(&|words, _, _| words.last.truncate(3)), "last tokens of words"),
        (changed(&|words, _, _| words.first[0] = 9), "word 0 has tokens 9 to"),
        (changed(&|words, _, _| words.last[0] = 40), "word 0 has tokens 1 to 40"),
        (changed(&|words, _, _| words.first[0] = -1), "word 0 has tokens -1"),
        (changed(&|_, heads, _| heads[0] = 1), "its head 1 is neither"),
        (changed(&|_, heads, _| heads[0] = 2), "its head 2 is neither"),
        (changed(&|_, heads, _| heads[0] = 99), "its head 99 is neither"),
        (changed(&|_, heads, _| heads[width] = IGNORED_LABEL), "row 1, word 0: its head -100"),
        (changed(&|_, heads, _| heads[1] = 0), "row 0, word 1: it has no tokens"),
        (changed(&|_, _, relations| relations[0] = 5), "relation 5 is outside the head's 5 labels"),
        (
            changed(&|_, heads, relations| {
                heads.fill(IGNORED_LABEL);
                relations.fill(IGNORED_LABEL);
            }),
            "no word has a head",
        ),
        (Batch { targets: Targets::Classes(vec![0; 4]), ..good.clone() }, "class labels, but the head"),
    ] {
        let error = parser.loss_and_gradients(&batch, 0).expect_err(word);
        assert!(matches!(error, ModelError::Batch { .. }) && error.to_string().contains(word), "{word}: {error}");
    }
    assert!(parser.logits(&Batch { words: None, ..good.clone() }).is_err());
    let mut nothing = good.clone();
    nothing.words.as_mut().unwrap().first.fill(IGNORED_LABEL);
    nothing.words.as_mut().unwrap().last.fill(IGNORED_LABEL);
    assert!(matches!(parser.logits(&nothing).unwrap(), Logits::Arcs { words, labels: 5, .. } if words == width));

    let (mut chooser, good) = (tiny("bert-choices", Backend::Cpu), Expected::read("bert-choices").batch("batch"));
    for (rows, right, word) in [
        (vec![2, 2], vec![0, 0], "have [2, 2] rows, the batch 6"),
        (vec![2, 4], vec![0, 4], "choice 4 of 4"),
        (vec![2, 4], vec![-1, 0], "choice -1 of 2"),
        (vec![6, 0], vec![0, 0], "choice 0 of 0"),
        (vec![6], vec![0, 0], "2 right choices, expected 1"),
        (vec![usize::MAX, 7], vec![0, 0], "rows, the batch 6"),
    ] {
        let batch = Batch { targets: Targets::Choices { rows, right }, ..good.clone() };
        let error = chooser.loss_and_gradients(&batch, 0).expect_err(word);
        assert!(matches!(error, ModelError::Batch { .. }) && error.to_string().contains(word), "{word}: {error}");
    }
}

fn parser(arc: usize, label: usize, pooling: Pooling, mix: bool) -> Head {
    let labels = Labels::numbered(4);
    Head::Arcs { labels, sizes: ParserSizes { arc, label, pooling, mix } }
}

#[test]
fn fresh_parsers_start_even_and_learn() {
    let batch = Expected::read("bert-arcs").batch("train2");
    for mix in [false, true] {
        let mut learner = tiny("bert-arcs", Backend::Cpu);
        learner.set_head(Some(Task::Parse), parser(10, 6, Pooling::Mean, mix), 3).unwrap();
        let Targets::Arcs { heads, relations } = &batch.targets else { panic!("arcs") };
        let relations = relations.iter().map(|&label| if label < 0 { label } else { label % 4 }).collect();
        let targets = Targets::Arcs { heads: heads.clone(), relations };
        let batch = Batch { targets, task: Some(Task::Parse), ..batch.clone() };
        let (losses, _) = train(&mut learner, std::slice::from_ref(&batch), 80, 1e-2);
        // 5 and 2 words, each with as many candidates, and 4 relations.
        let even = (5.0 * 5f64.ln() + 2.0 * 2f64.ln()) / 7.0 + 4f64.ln();
        assert!((losses[0] - even).abs() < 1e-5, "{} {even}", losses[0]);
        assert!(losses[79] < 0.1 * losses[0], "{} to {}", losses[0], losses[79]);
    }
    let mut learner = tiny("bert-arcs", Backend::Cpu);
    assert!(learner.set_head(None, parser(0, 6, Pooling::First, false), 1).is_err());
    assert!(
        learner.set_head(None, Head::Arcs { labels: Labels::default(), sizes: ParserSizes::default() }, 1).is_err()
    );
}

#[test]
fn a_parser_that_reads_all_layers_trains_above_frozen_ones_to_the_same_bits() {
    let (mut learner, batch) = (tiny("bert-arcs-mix", Backend::Cpu), Expected::read("bert-arcs-mix").batch("batch"));
    let (whole, all) = learner.loss_and_gradients(&batch, 0).unwrap();
    let frozen: BTreeSet<Group> = learner.groups().into_iter().filter(|group| *group != Group::Head).collect();
    learner.set_frozen(&frozen);
    let (loss, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
    assert_eq!(loss.to_bits(), whole.to_bits());
    for name in learner.parameter_names() {
        let ours = learner.gradient(&gradients, name).unwrap();
        assert_eq!(ours.is_some(), name.starts_with("parser."), "{name}");
        let Some(ours) = ours else { continue };
        assert_eq!(ours, learner.gradient(&all, name).unwrap().unwrap(), "{name}");
    }
}

#[test]
fn dropout_applies_in_heads_that_train_only() {
    for folder in ["bert-choices", "bert-arcs"] {
        let (mut learner, batch) = (tiny(folder, Backend::Cpu), Expected::read(folder).batch("batch"));
        let open = learner.groups().into_iter().filter(|group| *group != Group::Head).collect();
        learner.set_frozen(&open);
        let losses = |learner: &mut Learner| -> BTreeSet<u64> {
            (0..6).map(|seed| learner.loss_and_gradients(&batch, seed).unwrap().0.to_bits()).collect()
        };
        assert_eq!(losses(&mut learner).len(), 1);
        learner.set_dropout(Some(0.3));
        assert!(losses(&mut learner).len() > 1);
        learner.set_frozen(&BTreeSet::from([Group::Head, Group::Embeddings, Group::Layer(0)]));
        learner.set_dropout(Some(0.0));
        let plain = losses(&mut learner);
        assert_eq!(plain.len(), 1);
    }
}

/// A batch of a few rows of words, some of them without tokens, and of choices.
fn random_batch(arcs: bool, lengths: &[usize], seed: u64) -> Batch {
    let seq = lengths.iter().copied().max().unwrap();
    let number = |at: usize| (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(seed) >> 33;
    let tokens = lengths.len() * seq;
    let real = |at: usize| at % seq < lengths[at / seq];
    let batch = Batch {
        ids: (0..tokens).map(|at| if real(at) { 5 + (number(at) % 50) as i32 } else { 0 }).collect(),
        type_ids: vec![0; tokens],
        lengths: lengths.to_vec(),
        seq,
        ..Batch::default()
    };
    if !arcs {
        let split = 1 + seed as usize % lengths.len();
        let rows: Vec<usize> = [split, lengths.len() - split].into_iter().filter(|&rows| rows > 0).collect();
        let right = rows.iter().map(|&rows| (seed % rows as u64) as i32).collect();
        return Batch { targets: Targets::Choices { rows, right }, ..batch };
    }
    // Words of two tokens, and of one at the end; every fifth has none.
    let width = seq.div_ceil(2);
    let there = |row: usize, word: usize| 2 * word < lengths[row] && (word == 0 || number(word) % 5 != 0);
    let each = |value: &dyn Fn(usize, usize) -> i32| -> Vec<i32> {
        let places = (0..lengths.len()).flat_map(|row| (0..width).map(move |word| (row, word)));
        places.map(|(row, word)| if there(row, word) { value(row, word) } else { IGNORED_LABEL }).collect()
    };
    let words = Words {
        first: each(&|_, word| 2 * word as i32),
        last: each(&|row, word| (2 * word + 1).min(lengths[row] - 1) as i32),
        width,
    };
    let heads = each(&|row, word| {
        let head = number(row * width + word) as usize % (width + 1);
        if head == 0 || head == word + 1 || !there(row, head - 1) { 0 } else { head as i32 }
    });
    let relations = each(&|row, word| (number(7 * row + word) % 4) as i32);
    Batch { words: Some(words), targets: Targets::Arcs { heads, relations }, ..batch }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_heads_have_the_gradients_of_the_compositions(
        shape in (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), 1usize..9, 1usize..9),
        lengths in prop::collection::vec(1usize..14, 1..6),
        frozen in 0usize..3,
        seed in any::<u64>(),
    ) {
        let (arcs, xlm_roberta, mean, mix, arc, label) = shape;
        let pooling = if mean { Pooling::Mean } else { Pooling::First };
        let head = if arcs { parser(arc, label, pooling, mix) } else { Head::Choices };
        let folder = if xlm_roberta { "xlm-roberta-choices" } else { "bert-choices" };
        let batch = random_batch(arcs, &lengths, seed);
        let saved = tempfile::tempdir().unwrap();
        {
            let mut learner = tiny(folder, Backend::Cpu);
            learner.set_head(None, head.clone(), seed).unwrap();
            // Away from the zeros that parsers start with.
            let (_, gradients) = learner.loss_and_gradients(&random_batch(arcs, &[9, 6], 1), 0).unwrap();
            learner.begin_stage(OptimizerConfig::default());
            learner.step(gradients, 0.1).unwrap();
            learner.save_folder(saved.path(), Precision::F32).unwrap();
        }
        let [mut ours, mut theirs] = [Backend::Cpu, Backend::Ndarray].map(|backend| {
            let mut learner = Learner::load(saved.path(), backend).unwrap();
            learner.set_dropout(Some(0.0));
            learner.set_frozen(&learner.groups().into_iter().take(frozen).collect());
            learner
        });
        let [a, b] = [&ours, &theirs].map(|learner| real_logits(&batch, learner.logits(&batch).unwrap()));
        prop_assert!(difference(&a, &b) <= 1e-4 * max_abs(&b).max(1.0), "logits differ by {}", difference(&a, &b));
        let (loss, gradients) = ours.loss_and_gradients(&batch, 0).unwrap();
        let (expected_loss, expected) = theirs.loss_and_gradients(&batch, 0).unwrap();
        prop_assert!((loss - expected_loss).abs() <= 1e-4 * expected_loss.max(1.0), "{} {}", loss, expected_loss);
        let of = |learner: &Learner, set, name: &str| learner.gradient(set, name).unwrap();
        let names: Vec<String> = ours.parameter_names().into_iter().map(str::to_owned).collect();
        let largest = names.iter().filter_map(|name| of(&theirs, &expected, name)).map(|g| max_abs(&g)).fold(0.0, f32::max);
        for name in &names {
            let (ours, theirs) = (of(&ours, &gradients, name), of(&theirs, &expected, name));
            prop_assert_eq!(ours.is_some(), theirs.is_some(), "{}", name);
            let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
            let worst = difference(&ours, &theirs);
            prop_assert!(worst <= 1e-3 * max_abs(&theirs).max(1e-2 * largest) + 1e-6, "{} differs by {}", name, worst);
        }
    }
}

#[test]
fn wgpu_agrees_with_cpu() {
    // Arcs alone: a software renderer spends minutes on compiling shaders, and choices need no others.
    let folder = "bert-arcs";
    let mut other = match Learner::load(&reference(folder), Backend::Wgpu) {
        Ok(_) => tiny(folder, Backend::Wgpu),
        Err(error) => {
            assert!(matches!(error, ModelError::Device { .. }), "{error}");
            eprintln!("skipped: {error}");
            return;
        }
    };
    let batch = Expected::read(folder).batch("train1");
    let mut ours = tiny(folder, Backend::Cpu);
    let [a, b] = [&ours, &other].map(|learner| real_logits(&batch, learner.logits(&batch).unwrap()));
    assert!(difference(&a, &b) < 1e-4, "logits differ by {}", difference(&a, &b));
    let (loss, gradients) = ours.loss_and_gradients(&batch, 0).unwrap();
    let (other_loss, other_gradients) = other.loss_and_gradients(&batch, 0).unwrap();
    assert!((loss - other_loss).abs() < 1e-5, "{loss}, {other_loss}");
    for name in ours.parameter_names() {
        let [a, b] = [(&ours, &gradients), (&other, &other_gradients)]
            .map(|(learner, set)| learner.gradient(set, name).unwrap().unwrap());
        let scale = max_abs(&a);
        // Below that is a true gradient of 0 (see `parity.rs`): both hold rounding noise.
        let bound = if scale < 1e-6 { 1e-6 } else { 1e-4 * scale };
        assert!(difference(&a, &b) <= bound, "{name} differs by {} of {scale}", difference(&a, &b));
    }
}

/// What the scripts' `--check` compares with.
fn write_check(folder: &std::path::Path, learner: &Learner, batch: &Batch) {
    let rows = |values: &[i32], width: usize| values.chunks_exact(width).map(<[i32]>::to_vec).collect::<Vec<_>>();
    let mut check = serde_json::json!({
        "ids": rows(&batch.ids, batch.seq), "type_ids": rows(&batch.type_ids, batch.seq), "lengths": batch.lengths,
    });
    let names = learner.head(None).unwrap().labels().names().to_vec();
    match learner.logits(batch).unwrap() {
        Logits::Arcs { words, arcs, relations, .. } => {
            let places = batch.words.as_ref().unwrap();
            // The script has another filler.
            let filled = |places: &[i32]| places.iter().map(|&place| place.max(-1)).collect::<Vec<i32>>();
            check["words/first"] = rows(&filled(&places.first), words).into();
            check["words/last"] = rows(&filled(&places.last), words).into();
            (check["arcs"], check["labels"]) = (arcs.into(), relations.into());
            check["relations"] = names.into();
        }
        logits => {
            let kind = match &logits {
                Logits::Choices { .. } => "choices",
                Logits::Tokens { .. } => "tokens",
                _ => "classes",
            };
            (check["head"], check["logits"]) = (kind.into(), flat(logits).into());
            if kind != "choices" {
                check["labels"] = names.into();
            }
        }
    }
    std::fs::write(folder.join("check.json"), check.to_string()).unwrap();
}

#[test]
fn transformers_reads_saved_folders_and_gets_the_same_logits() {
    let Some(python) = std::env::var_os("LETHE_PYTHON") else {
        eprintln!("skipped: LETHE_PYTHON is not set to a Python that has torch and transformers");
        return;
    };
    let scripts = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/reference");
    for name in MORE {
        let batch = Expected::read(name).batch("batch");
        let mut learner = tiny(name, Backend::Cpu);
        let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        learner.step(gradients, 1e-2).unwrap();
        let folder = tempfile::tempdir().unwrap();
        learner.save_folder(folder.path(), Precision::F32).unwrap();
        write_check(folder.path(), &learner, &batch);
        let script = scripts.join(if batch.words.is_some() { "dependency_parser.py" } else { "model.py" });
        let output =
            std::process::Command::new(&python).arg(script).arg("--check").arg(folder.path()).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
