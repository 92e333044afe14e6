//! A toy stage on the tiny encoder: two languages of made-up tokens with labels, and memories.
#![allow(dead_code, reason = "each test file uses a part")]

use std::path::{Path, PathBuf};

use model::Learner;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use spec::{
    Anchor, Backend, Batch, Decay, GradientRule, Head, IGNORED_LABEL, Labels, Language, Memory, Method, Name,
    Objective, OuterLoop, Split, Stage, Targets, Task,
};
use strategies::{BatchError, BatchSource, StepReport, Strategy, SubBatch};

pub const SEED: u64 = 7;
const ROWS: usize = 4;
const SEQ: usize = 10;
const VOCABULARY: u64 = 250;

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/tiny-encoder")
}

/// The tiny encoder with a fresh tagging head and its configured dropout.
pub fn tiny() -> Learner {
    let mut learner = Learner::load(&folder(), Backend::Cpu).unwrap();
    learner.set_head(None, Head::TokenLabels { labels: Labels::numbered(7) }, SEED).unwrap();
    learner
}

/// The same architecture untrained, with a language model.
pub fn with_language_model() -> Learner {
    let mut learner = Learner::fresh(&folder(), Backend::Cpu, SEED).unwrap();
    learner.set_head(None, Head::TokenLabels { labels: Labels::numbered(7) }, SEED).unwrap();
    learner
}

pub fn language(code: &str) -> Language {
    Language::parse(code).unwrap()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn memory(text: &str, task: Task) -> Memory {
    Memory {
        name: name(text),
        task,
        data: name("toy"),
        split: Split::Train,
        languages: vec![language("sw")],
        examples: None,
        batch: ROWS,
        max_length: SEQ,
        stride: 0,
        prefix: String::new(),
        candidates: Default::default(),
    }
}

pub fn stage(steps: u64, learning_rate: f64, memories: Vec<Memory>) -> Stage {
    Stage {
        task: Task::Ner,
        data: name("toy"),
        split: Split::Train,
        languages: vec![language("en"), language("de")],
        examples: None,
        steps,
        batch: 2 * ROWS,
        learning_rate,
        weight_decay: 0.01,
        warmup: 0.0,
        decay: Decay::default(),
        clip: 1.0,
        max_length: SEQ,
        stride: 0,
        parser: None,
        trace_every: None,
        probe_every: None,
        memories,
        probes: Vec::new(),
    }
}

pub fn plain() -> Method {
    Method::plain(name("toy"))
}

pub fn with_rule(rule: GradientRule) -> Method {
    Method { rule, ..plain() }
}

pub fn with_anchor(anchor: Anchor) -> Method {
    Method { anchor, ..plain() }
}

pub fn with_outer(outer: OuterLoop) -> Method {
    Method { outer, ..plain() }
}

/// Batches of tokens whose label is `token + shift` modulo 7, with the language's shift.
#[derive(Debug, Clone)]
pub struct Toy {
    pub shifts: Vec<u64>,
    pub memories: Vec<(Task, u64)>,
    /// Draws are counted from here,
    pub first: u64,
    /// and there are so many different ones.
    pub cycle: u64,
}

impl Toy {
    pub fn new(stage: &Stage) -> Self {
        Self {
            shifts: vec![0, 3],
            memories: stage.memories.iter().map(|memory| (memory.task, 5)).collect(),
            first: 0,
            cycle: u64::MAX,
        }
    }

    pub fn batch(purpose: u64, draw: u64, targets: impl Fn(&[i32]) -> Targets) -> Batch {
        let mut random = ChaCha8Rng::seed_from_u64(draw.wrapping_mul(1000).wrapping_add(purpose));
        let tokens: Vec<i32> = (0..ROWS * SEQ).map(|_| (random.next_u64() % VOCABULARY) as i32 + 10).collect();
        let lengths: Vec<usize> = (0..ROWS).map(|row| SEQ - row).collect();
        let targets = targets(&tokens);
        Batch { type_ids: vec![0; tokens.len()], ids: tokens, lengths, seq: SEQ, targets, ..Batch::default() }
    }

    pub fn labelled(purpose: u64, draw: u64, shift: u64) -> Batch {
        Self::batch(purpose, draw, |tokens| {
            let label = |(place, token): (usize, &i32)| {
                let (row, position) = (place / SEQ, place % SEQ);
                if position < SEQ - row { ((*token as u64 + shift) % 7) as i32 } else { IGNORED_LABEL }
            };
            Targets::TokenLabels(tokens.iter().enumerate().map(label).collect())
        })
    }
}

impl BatchSource for Toy {
    fn source(&mut self, source: usize, draw: u64) -> Result<SubBatch, BatchError> {
        let draw = self.first + draw % self.cycle;
        let batch = Self::labelled(source as u64, draw, self.shifts[source]);
        Ok(SubBatch { batch, dropout_seed: 10 * draw + source as u64 })
    }

    fn memory(&mut self, memory: usize, draw: u64) -> Result<Vec<SubBatch>, BatchError> {
        let draw = self.first + draw % self.cycle;
        let (task, shift) = self.memories[memory];
        let purpose = 100 + memory as u64;
        let batch = match task {
            Task::Mlm => Self::batch(purpose, draw, |tokens| {
                let hidden = |(place, token): (usize, &i32)| if place % SEQ == 2 { *token } else { IGNORED_LABEL };
                Targets::MaskedTokens(tokens.iter().enumerate().map(hidden).collect())
            }),
            Task::Retrieval => Self::batch(purpose, draw, |_| Targets::Translations),
            _ => Self::labelled(purpose, draw, shift),
        };
        Ok(vec![SubBatch { batch, dropout_seed: 1000 + draw }])
    }

    /// The inverse of the loss on a batch that no step draws.
    fn score(&mut self, learner: &Learner, source: usize) -> Result<f64, BatchError> {
        let batch = Self::labelled(source as u64, u64::MAX / 2000, self.shifts[source]);
        let model::Logits::Tokens { labels, values } = learner.logits(&batch)? else { return Err("no labels".into()) };
        let Targets::TokenLabels(gold) = &batch.targets else { return Err("no labels".into()) };
        let rows = values.chunks(labels).zip(gold).filter(|(_, gold)| **gold != IGNORED_LABEL);
        let losses = rows.map(|(logits, gold)| {
            let sum: f64 = logits.iter().map(|logit| f64::from(*logit).exp()).sum();
            sum.ln() - f64::from(logits[*gold as usize])
        });
        Ok(1.0 / losses.sum::<f64>())
    }
}

/// The toy's batches for the heads of their tasks.
pub struct Tasked(pub Toy, pub Task);

impl Tasked {
    pub fn new(stage: &Stage) -> Self {
        Self(Toy::new(stage), stage.task)
    }
}

impl BatchSource for Tasked {
    fn source(&mut self, source: usize, draw: u64) -> Result<SubBatch, BatchError> {
        let mut sub = self.0.source(source % 2, draw)?;
        sub.batch.task = Some(self.1);
        if self.1.objective() == Objective::MaskedTokens {
            let of = |(place, token): (usize, &i32)| if place % 10 == 2 { *token } else { IGNORED_LABEL };
            sub.batch.targets = Targets::MaskedTokens(sub.batch.ids.iter().enumerate().map(of).collect());
        }
        Ok(sub)
    }

    fn memory(&mut self, memory: usize, draw: u64) -> Result<Vec<SubBatch>, BatchError> {
        let (task, _) = self.0.memories[memory];
        let mut subs = self.0.memory(memory, draw)?;
        subs.iter_mut().for_each(|sub| sub.batch.task = Some(task));
        Ok(subs)
    }
}

pub fn labels() -> Head {
    Head::TokenLabels { labels: Labels::numbered(7) }
}

/// A model with a language model, and fresh heads of two tasks.
pub fn two_headed() -> Learner {
    let mut learner = Learner::fresh(&folder(), Backend::Cpu, SEED).unwrap();
    learner.set_head(Some(Task::Ner), labels(), SEED).unwrap();
    learner.set_head(Some(Task::Pos), labels(), SEED + 1).unwrap();
    learner
}

/// Every parameter as bits.
pub fn bits(learner: &Learner) -> Vec<(String, Vec<u32>)> {
    let names = learner.parameter_names();
    let values = |name: &str| learner.parameter(name).unwrap().into_iter().map(f32::to_bits).collect();
    names.into_iter().map(|name| (name.to_owned(), values(name))).collect()
}

/// Largest difference between two learners' parameters.
pub fn difference(a: &Learner, b: &Learner) -> f32 {
    let mut largest = 0f32;
    for name in a.parameter_names() {
        for (a, b) in a.parameter(name).unwrap().into_iter().zip(b.parameter(name).unwrap()) {
            largest = largest.max((a - b).abs());
        }
    }
    largest
}

/// Runs all steps of a stage.
pub fn train(method: &Method, stage: &Stage, learner: &mut Learner, toy: &mut dyn BatchSource) -> Vec<StepReport> {
    let mut strategy = Strategy::new(method, stage, SEED);
    strategy.begin(learner, toy).unwrap();
    (0..stage.steps).map(|step| strategy.step(learner, toy, step).unwrap()).collect()
}

pub fn value(report: &StepReport, series: &str) -> f64 {
    let found = report.series.iter().find(|(name, _)| name == series);
    found.unwrap_or_else(|| panic!("no series {series} among {:?}", report.series)).1
}

/// Mean loss of a labelling over some batches that no step has seen, without dropout.
pub fn loss(learner: &mut Learner, purpose: u64, shift: u64) -> f64 {
    let batches = 20;
    learner.set_dropout(Some(0.0));
    let losses = (0..batches)
        .map(|draw| learner.loss_and_gradients(&Toy::labelled(purpose, 1_000_000 + draw, shift), 0).unwrap().0);
    let mean = losses.sum::<f64>() / batches as f64;
    learner.set_dropout(None);
    mean
}
