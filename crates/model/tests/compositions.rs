//! Whole models by the kernels against the same models by compositions of Burn's own operations (the back end `ndarray`),
//! over random sizes, lengths, head masks and frozen sets; and what must not change a bit.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{bits, difference, flat, max_abs, real_tokens};
use model::{Group, HeadMask, Learner, ModelError, OptimizerConfig};
use proptest::prelude::*;
use spec::{Backend, Batch, Head, IGNORED_LABEL, Labels, Targets};

/// Bound on max |difference| / max |expected| of every gradient.
const TOLERANCE: f32 = 1e-5;
const POSITIONS: usize = 40;
const WORDS: usize = 50;
const LABELS: usize = 5;

#[derive(Debug, Clone)]
struct Case {
    xlm_roberta: bool,
    layers: usize,
    heads: usize,
    width: usize,
    seq: usize,
    /// Each up to `seq`.
    lengths: Vec<usize>,
    classes: bool,
    /// Of each layer, whether its heads are masked, and whether it is frozen; then of the embeddings.
    masked: Vec<bool>,
    frozen: Vec<bool>,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    // The longest sequence that the positions allow, the shortest, odd and even ones between.
    let seq = prop_oneof![Just(1usize), Just(POSITIONS - 2), 2usize..POSITIONS - 2];
    let network = (any::<bool>(), 1usize..4, 1usize..5, 2usize..7, any::<bool>(), any::<u64>());
    let flags = (prop::collection::vec(any::<bool>(), 4), prop::collection::vec(any::<bool>(), 4));
    (network, flags, seq, prop::collection::vec(0usize..10_000, 1..5)).prop_map(
        |(network, (masked, frozen), seq, raw)| {
            let (xlm_roberta, layers, heads, width, classes, seed) = network;
            let mut lengths: Vec<usize> = raw.iter().map(|raw| 1 + raw % seq).collect();
            lengths[0] = seq;
            Case { xlm_roberta, layers, heads, width: 2 * width, seq, lengths, classes, masked, frozen, seed }
        },
    )
}

impl Case {
    fn learner(&self, backend: Backend) -> Learner {
        let folder = tempfile::tempdir().unwrap();
        let hidden = self.heads * self.width;
        let (family, architecture) = match self.xlm_roberta {
            true => ("xlm-roberta", "XLMRobertaForMaskedLM"),
            false => ("bert", "BertForMaskedLM"),
        };
        let config = serde_json::json!({
            "model_type": family, "architectures": [architecture], "vocab_size": WORDS, "hidden_size": hidden,
            "num_hidden_layers": self.layers, "num_attention_heads": self.heads, "intermediate_size": 3 * hidden,
            "hidden_act": "gelu", "max_position_embeddings": POSITIONS, "type_vocab_size": 1, "pad_token_id": 1,
            "initializer_range": 0.2, "layer_norm_eps": 1e-5,
        });
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let mut learner = Learner::fresh(folder.path(), backend, self.seed).unwrap();
        learner.set_dropout(Some(0.0));
        let head = match self.classes {
            true => Head::RowLabels { labels: Labels::numbered(LABELS) },
            false => Head::TokenLabels { labels: Labels::numbered(LABELS) },
        };
        learner.set_head(None, head, self.seed).unwrap();
        if self.masked.contains(&true) {
            let factor = |index: usize| match self.masked[index / self.heads] {
                true => [0.0, 0.5, 1.5][index % 3],
                false => 1.0,
            };
            let factors = (0..self.layers * self.heads).map(factor).collect();
            learner.set_head_mask(Some(HeadMask::new(self.layers, self.heads, factors).unwrap())).unwrap();
        }
        learner.set_frozen(&learner.groups().into_iter().filter(|group| self.freezes(group)).collect());
        learner
    }

    fn freezes(&self, group: &Group) -> bool {
        match group {
            Group::Layer(layer) => self.frozen[*layer],
            Group::Embeddings => self.frozen[3],
            _ => false,
        }
    }

    fn batch(&self) -> Batch {
        let tokens = self.lengths.len() * self.seq;
        let real = |at: usize| at % self.seq < self.lengths[at / self.seq];
        let number = |at: usize| (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(self.seed) >> 33;
        Batch {
            ids: (0..tokens)
                .map(|at| if real(at) { 2 + (number(at) % (WORDS as u64 - 2)) as i32 } else { 1 })
                .collect(),
            type_ids: vec![0; tokens],
            lengths: self.lengths.clone(),
            seq: self.seq,
            targets: match self.classes {
                true => Targets::Classes((0..self.lengths.len()).map(|row| (row % LABELS) as i32).collect()),
                false => Targets::TokenLabels(
                    (0..tokens).map(|at| if real(at) { (at % LABELS) as i32 } else { IGNORED_LABEL }).collect(),
                ),
            },
            ..Batch::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_models_have_the_gradients_of_the_compositions(case in cases()) {
        let batch = case.batch();
        let [mut ours, mut theirs] = [Backend::Cpu, Backend::Ndarray].map(|backend| case.learner(backend));
        let [a, b] = [&ours, &theirs].map(|learner| real_tokens(&batch, flat(learner.logits(&batch).unwrap())));
        prop_assert!(difference(&a, &b) <= TOLERANCE * max_abs(&b), "logits differ by {}", difference(&a, &b));

        let (loss, gradients) = ours.loss_and_gradients(&batch, 0).unwrap();
        let (expected_loss, expected) = theirs.loss_and_gradients(&batch, 0).unwrap();
        prop_assert!((loss - expected_loss).abs() <= f64::from(TOLERANCE) * expected_loss);
        let of = |learner: &Learner, set, name| learner.gradient(set, name).unwrap();
        let names: Vec<String> = ours.parameter_names().into_iter().map(str::to_owned).collect();
        let largest = names.iter().filter_map(|name| of(&theirs, &expected, name)).map(|g| max_abs(&g)).fold(0.0, f32::max);
        for name in &names {
            let (ours, theirs) = (of(&ours, &gradients, name), of(&theirs, &expected, name));
            prop_assert_eq!(ours.is_some(), theirs.is_some(), "{}", name);
            let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
            // What shifts all keys alike shifts every score of a query alike, which no softmax shows: the gradient of their bias
            // is 0, and those of queries and keys lack what the other tokens have in common. Rounding leaves something of
            // terms as large as other gradients.
            let noise = |units: f32| units * f32::EPSILON * largest;
            if name.ends_with("key.bias") {
                let found = max_abs(&ours).max(max_abs(&theirs));
                prop_assert!(found <= noise(4.0), "{} is {} of {}, not 0", name, found, largest);
                continue;
            }
            let cancelled = if name.contains(".query.") || name.contains(".key.") { noise(2.0) } else { 0.0 };
            // The same holds of queries and keys of single tokens, whose gradients are small, not always 0.
            let scale = max_abs(&theirs).max(1e-2 * largest);
            let worst = difference(&ours, &theirs);
            prop_assert!(worst <= TOLERANCE * scale + cancelled, "{} differs by {} of {}, {}", name, worst, scale, largest);
        }
    }
}

/// What a pass gives: the loss, every gradient, and the logits at real tokens, bit for bit.
fn pass(learner: &mut Learner, batch: &Batch, seed: u64) -> (u64, BTreeMap<String, Vec<u32>>, Vec<u32>) {
    let of_bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>();
    let (loss, gradients) = learner.loss_and_gradients(batch, seed).unwrap();
    let names = learner.parameter_names().into_iter().map(str::to_owned);
    let gradient = |name: String| Some((name.clone(), of_bits(&learner.gradient(&gradients, &name).unwrap()?)));
    let gradients = names.filter_map(gradient).collect();
    (loss.to_bits(), gradients, of_bits(&real_tokens(batch, flat(learner.logits(batch).unwrap()))))
}

/// The rows in another order, some twice, in longer padding, with others among them.
fn mixed(batch: &Batch, seq: usize) -> Batch {
    let rows: Vec<usize> = (0..batch.len()).rev().chain([0]).collect();
    let widen = |values: &[i32], filler: i32| -> Vec<i32> {
        let row = |&row: &usize| {
            let own = values[row * batch.seq..][..batch.seq].iter().copied();
            own.chain(std::iter::repeat_n(filler, seq - batch.seq)).collect::<Vec<i32>>()
        };
        rows.iter().flat_map(row).collect()
    };
    Batch {
        ids: widen(&batch.ids, 1),
        type_ids: widen(&batch.type_ids, 0),
        lengths: rows.iter().map(|&row| batch.lengths[row]).collect(),
        seq,
        targets: match &batch.targets {
            Targets::Classes(classes) => Targets::Classes(rows.iter().map(|&row| classes[row]).collect()),
            Targets::TokenLabels(labels) => Targets::TokenLabels(widen(labels, IGNORED_LABEL)),
            _ => unreachable!("cases have labels"),
        },
        ..Batch::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_is_kept_of_frozen_layers_changes_no_bit(mut case in cases(), depth in 0usize..4, dropout in any::<bool>()) {
        // The embeddings and the first layers are frozen, as schedules freeze them.
        let depth = depth.min(case.layers);
        case.frozen = (0..4).map(|layer| layer < depth || layer == 3).collect();
        let dropout = if dropout { 0.3 } else { 0.0 };
        let learner = || {
            let mut learner = case.learner(Backend::Cpu);
            learner.set_dropout(Some(dropout));
            learner
        };
        let batch = case.batch();
        let cold = pass(&mut learner(), &batch, 7);
        let mut warm = learner();
        for seen in [mixed(&batch, POSITIONS - 2), mixed(&batch, case.seq)] {
            pass(&mut warm, &seen, 1);
        }
        prop_assert!(pass(&mut warm, &batch, 7) == cold, "seen before");
        prop_assert!(pass(&mut warm, &batch, 7) == cold, "seen in this very batch");

        // Where nothing is frozen nothing is kept.
        let mut whole = learner();
        whole.set_frozen(&BTreeSet::new());
        let (loss, gradients, logits) = pass(&mut whole, &batch, 7);
        prop_assert!(logits == cold.2);
        if dropout == 0.0 {
            prop_assert!(loss == cold.0);
            prop_assert!(cold.1.iter().all(|(name, gradient)| gradients[name] == *gradient));
        }

        // Another trunk is another trunk.
        warm.set_frozen(&BTreeSet::new());
        let (_, gradients) = warm.loss_and_gradients(&batch, 3).unwrap();
        warm.begin_stage(OptimizerConfig::default());
        warm.step(gradients, 1e-2).unwrap();
        let point = warm.save_point();
        let mut fresh = learner();
        fresh.restore(&point);
        for learner in [&mut warm, &mut fresh] {
            let frozen = learner.groups().into_iter().filter(|group| case.freezes(group)).collect();
            learner.set_frozen(&frozen);
        }
        let moved = pass(&mut fresh, &batch, 7);
        prop_assert!(moved != cold);
        prop_assert!(pass(&mut warm, &batch, 7) == moved, "the trunk has been trained");
        let mask = HeadMask::new(case.layers, case.heads, vec![0.5; case.layers * case.heads]).unwrap();
        for learner in [&mut warm, &mut fresh] {
            learner.set_head_mask(Some(mask.clone())).unwrap();
        }
        prop_assert!(pass(&mut warm, &batch, 7) == pass(&mut fresh, &batch, 7), "the heads are masked otherwise");
    }
}

#[test]
fn threads_and_repetitions_change_no_bit_of_three_steps() {
    // Several pieces of every kernel, with ragged ends.
    let case = Case {
        xlm_roberta: false,
        layers: 2,
        heads: 4,
        width: 12,
        seq: 37,
        lengths: (0..23).map(|row| 1 + row * 31 % 37).collect(),
        classes: false,
        masked: vec![true, false, false, false],
        frozen: vec![false; 4],
        seed: 3,
    };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut learner = case.learner(Backend::Cpu);
            learner.set_dropout(Some(0.2));
            learner.begin_stage(OptimizerConfig { weight_decay: 0.01, ..OptimizerConfig::default() });
            let losses: Vec<u64> = (0..3)
                .map(|seed| {
                    let (loss, gradients) = learner.loss_and_gradients(&case.batch(), seed).unwrap();
                    learner.step(gradients, 1e-3).unwrap();
                    loss.to_bits()
                })
                .collect();
            (losses, bits(&learner))
        })
    };
    let one = run(1);
    for threads in [1, 2, 3] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

#[test]
fn a_model_of_nan_is_an_error_everywhere_and_moves_nothing() {
    let case = Case {
        xlm_roberta: true,
        layers: 2,
        heads: 2,
        width: 8,
        seq: 9,
        lengths: vec![9, 1, 4],
        classes: false,
        masked: vec![false; 4],
        frozen: vec![false; 4],
        seed: 5,
    };
    let (mut learner, batch) = (case.learner(Backend::Cpu), case.batch());
    learner.begin_stage(OptimizerConfig { clip: 0.0, ..OptimizerConfig::default() });
    // Infinite parameters, whose products are NaN.
    for rate in [f64::from(f32::MAX), f64::from(f32::MAX)] {
        if let Ok((_, gradients)) = learner.loss_and_gradients(&batch, 0) {
            learner.step(gradients, rate).unwrap();
        }
    }
    let before = bits(&learner);
    let broken = |error: ModelError| assert!(matches!(error, ModelError::NonFinite { .. }), "{error}");
    broken(learner.loss_and_gradients(&batch, 0).err().unwrap());
    broken(learner.losses_and_gradients(&[(&batch, 0), (&batch, 1)]).err().unwrap());
    broken(learner.sentence_vectors(&batch).unwrap_err());
    broken(learner.hidden_states(&batch).unwrap_err());
    broken(learner.head_gradients(&batch).unwrap_err());
    broken(learner.logits(&batch).err().unwrap());
    assert!(bits(&learner) == before);
}
