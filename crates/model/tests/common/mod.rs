//! What the integration tests share: reference folders, batches, comparisons.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::{Path, PathBuf};

use model::{Learner, Logits, OptimizerConfig};
use safetensors::SafeTensors;
use spec::{Backend, Batch, IGNORED_LABEL, Targets, Words};

pub const FOLDERS: [&str; 6] =
    ["bert-tokens", "bert-spans", "bert-classes", "xlm-roberta-tokens", "xlm-roberta-spans", "xlm-roberta-classes"];

/// Multiple choice, tags and classes of names of one's own, and parsers: of one layer less.
pub const MORE: [&str; 8] = [
    "bert-choices",
    "xlm-roberta-choices",
    "bert-tags",
    "bert-four",
    "bert-arcs",
    "xlm-roberta-arcs",
    "bert-arcs-mean",
    "bert-arcs-mix",
];

/// Folders with a language-model head and no other.
pub const MASKED: [&str; 2] = ["bert-masked", "xlm-roberta-masked"];

pub fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name)
}

/// The tiny model of a folder, without dropout.
pub fn tiny(name: &str, backend: Backend) -> Learner {
    let mut learner = Learner::load(&reference(name), backend).unwrap();
    learner.set_dropout(Some(0.0));
    learner
}

/// The reference numbers of a folder.
pub struct Expected(Vec<u8>);

impl Expected {
    pub fn read(name: &str) -> Self {
        Self(std::fs::read(reference(name).join("expected.safetensors")).unwrap())
    }

    fn bytes(&self, name: &str) -> Option<Vec<[u8; 4]>> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        file.tensor(name).ok().map(|view| view.data().as_chunks().0.to_vec())
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        self.bytes(name).unwrap_or_else(|| panic!("{name}")).into_iter().map(f32::from_le_bytes).collect()
    }

    pub fn integers(&self, name: &str) -> Option<Vec<i32>> {
        Some(self.bytes(name)?.into_iter().map(i32::from_le_bytes).collect())
    }

    /// Names and values of all gradients, without the family's prefix.
    pub fn gradients(&self) -> Vec<(String, Vec<f32>)> {
        self.under("gradient/")
    }

    /// Names and values of all tensors under this prefix, without it and without the family's.
    pub fn under(&self, prefix: &str) -> Vec<(String, Vec<f32>)> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let mut names: Vec<_> = file.names().into_iter().filter_map(|name| name.strip_prefix(prefix)).collect();
        names.sort_unstable();
        let bare = |name: &str| name.trim_start_matches("bert.").trim_start_matches("roberta.").to_owned();
        names.into_iter().map(|name| (bare(name), self.floats(&format!("{prefix}{name}")))).collect()
    }

    /// The batch under this prefix.
    pub fn batch(&self, prefix: &str) -> Batch {
        let get = |key: &str| self.integers(&format!("{prefix}/{key}"));
        let lengths: Vec<usize> = get("lengths").unwrap().into_iter().map(|length| length as usize).collect();
        let ids = get("ids").unwrap();
        // Files have another filler.
        let places = |key: &str| -> Option<Vec<i32>> {
            Some(get(key)?.into_iter().map(|place| if place < 0 { IGNORED_LABEL } else { place }).collect())
        };
        let words = places("words/first").zip(places("words/last"));
        let words = words.map(|(first, last)| Words { width: first.len() / lengths.len(), first, last });
        let targets = match (get("labels"), get("starts"), get("ends")) {
            (Some(right), ..) if get("sizes").is_some() => {
                let rows = get("sizes").unwrap().into_iter().map(|rows| rows as usize).collect();
                Targets::Choices { rows, right }
            }
            (Some(labels), ..) if labels.len() == ids.len() => Targets::TokenLabels(labels),
            (Some(labels), ..) => Targets::Classes(labels),
            (None, Some(starts), Some(ends)) => Targets::Spans { starts, ends },
            _ if words.is_some() => {
                Targets::Arcs { heads: get("heads").unwrap(), relations: get("relations").unwrap() }
            }
            _ => get("tokens").map_or(Targets::Translations, Targets::MaskedTokens),
        };
        let (seq, type_ids) = (ids.len() / lengths.len(), get("type_ids").unwrap());
        Batch { seq, type_ids, ids, lengths, words, task: None, targets }
    }
}

/// All logits in one row-major list; spans interleaved as `[batch, seq, 2]`, of arcs first those of heads.
pub fn flat(logits: Logits) -> Vec<f32> {
    match logits {
        Logits::Tokens { values, .. } | Logits::Classes { values, .. } | Logits::Choices { values } => values,
        Logits::Arcs { arcs, relations, .. } => [arcs, relations].concat(),
        Logits::Spans { starts, ends } => starts.into_iter().zip(ends).flat_map(|(start, end)| [start, end]).collect(),
    }
}

/// Of values by token, `[batch, seq, ..]`, those of tokens that are not padding; other values as they are.
pub fn real_tokens(batch: &Batch, values: Vec<f32>) -> Vec<f32> {
    let tokens = batch.len() * batch.seq;
    if !values.len().is_multiple_of(tokens) {
        return values;
    }
    let tokens = values.chunks_exact(values.len() / tokens).enumerate();
    tokens
        .filter(|(token, _)| token % batch.seq < batch.lengths[token / batch.seq])
        .flat_map(|(_, v)| v.to_vec())
        .collect()
}

/// Of values by pair of words `[batch, words, words + 1, ..]`, those of words and heads that are there, but a word's own.
pub fn real_arcs(words: &Words, values: &[f32], each: usize) -> Vec<f32> {
    let heads = words.width + 1;
    let there = |row: usize, head: usize| head == 0 || words.first[row * words.width + head - 1] != IGNORED_LABEL;
    let real = |pair: usize| {
        let (row, word, head) = (pair / heads / words.width, pair / heads % words.width, pair % heads);
        there(row, word + 1) && there(row, head) && head != word + 1
    };
    let pairs = values.chunks_exact(each).enumerate().filter(|(pair, _)| real(*pair));
    pairs.flat_map(|(_, values)| values.to_vec()).collect()
}

/// The logits of a batch that mean something.
pub fn real_logits(batch: &Batch, logits: Logits) -> Vec<f32> {
    match (logits, &batch.words) {
        (Logits::Arcs { labels, arcs, relations, .. }, Some(words)) => {
            [real_arcs(words, &arcs, 1), real_arcs(words, &relations, labels)].concat()
        }
        (logits, _) => real_tokens(batch, flat(logits)),
    }
}

pub fn max_abs(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |max, value| max.max(value.abs()))
}

/// Largest difference between two lists of one length.
pub fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |max, (a, b)| max.max((a - b).abs()))
}

/// Linear warm-up over the first tenth, then linear decay to 0.
pub fn schedule(step: usize, steps: usize, peak: f64) -> f64 {
    let warm_up = steps / 10;
    match step < warm_up {
        true => peak * step as f64 / warm_up as f64,
        false => peak * (steps - step) as f64 / (steps - warm_up) as f64,
    }
}

/// Losses and gradient norms of a training run over batches in turn.
pub fn train(learner: &mut Learner, batches: &[Batch], steps: usize, peak: f64) -> (Vec<f64>, Vec<f64>) {
    learner.begin_stage(OptimizerConfig { weight_decay: 0.01, ..OptimizerConfig::default() });
    (0..steps)
        .map(|step| {
            let (loss, gradients) = learner.loss_and_gradients(&batches[step % batches.len()], step as u64).unwrap();
            let norms = learner.step(gradients, schedule(step, steps, peak)).unwrap();
            (loss, norms.gradient)
        })
        .unzip()
}

/// Every parameter, by name, as bits.
pub fn bits(learner: &Learner) -> Vec<(String, Vec<u32>)> {
    let names = learner.parameter_names();
    names
        .into_iter()
        .map(|name| (name.to_owned(), learner.parameter(name).unwrap().into_iter().map(f32::to_bits).collect()))
        .collect()
}

/// The batch padded by `extra` more positions with the given id.
pub fn padded(batch: &Batch, extra: usize, padding_id: i32) -> Batch {
    let seq = batch.seq + extra;
    let widen = |values: &[i32], filler: i32| -> Vec<i32> {
        values
            .chunks_exact(batch.seq)
            .flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(filler, extra)))
            .collect()
    };
    Batch {
        ids: widen(&batch.ids, padding_id),
        type_ids: widen(&batch.type_ids, 0),
        lengths: batch.lengths.clone(),
        seq,
        words: batch.words.clone(),
        task: batch.task,
        targets: match &batch.targets {
            Targets::TokenLabels(labels) => Targets::TokenLabels(widen(labels, IGNORED_LABEL)),
            Targets::MaskedTokens(tokens) => Targets::MaskedTokens(widen(tokens, IGNORED_LABEL)),
            other => other.clone(),
        },
    }
}

/// A folder with real data and models, or `None` with a loud word.
pub fn real(path: &str) -> Option<PathBuf> {
    match std::env::var_os("LETHE_REAL") {
        Some(root) => Some(Path::new(&root).join(path)),
        None => {
            eprintln!("skipped: LETHE_REAL is not set");
            None
        }
    }
}
