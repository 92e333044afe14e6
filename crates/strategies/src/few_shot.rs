//! Few-shot adaptation: which examples of a target language are adapted on. The protocol of Langedijk et al., ACL 2022
//! (annaproxy/udify-metalearning): several support sets of k examples, each with steps of its own from the same model, and
//! scores over all sets.

use std::collections::BTreeSet;

use model::{Group, Learner};
use spec::{Adapt, Batch, Language, Method};
use thiserror::Error;

use crate::batch_source::SubBatch;
use crate::draw;
use crate::error::StrategyError;
use crate::evaluate::Evaluation;
use crate::{outer, structures};

/// Too few examples for a support set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("`{language}` has {examples} examples, too few for {support} to adapt on{}", if *scored { " and others to score" } else { "" })]
pub struct SupportError {
    pub language: Language,
    pub support: usize,
    pub examples: usize,
    /// Whether the same examples are scored.
    pub scored: bool,
}

/// One support set of a language, by indices in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportSet {
    /// In random order.
    pub support: Vec<usize>,
    /// All others, in the order of the file.
    pub rest: Vec<usize>,
}

impl SupportSet {
    /// The `set`-th set of `support` examples out of `examples`, drawn from the seed. The rest is empty exactly if the
    /// support takes all.
    ///
    /// A small language has one file for both: its `rest` is scored, and must not be empty (`score_rest`). Otherwise the
    /// scored examples are of another split.
    ///
    /// # Errors
    /// [`SupportError`] if there are too few examples.
    pub fn draw(
        seed: u64,
        language: Language,
        set: u64,
        support: usize,
        examples: usize,
        score_rest: bool,
    ) -> Result<Self, SupportError> {
        if support > examples || (score_rest && support == examples) {
            return Err(SupportError { language, support, examples, scored: score_rest });
        }
        let mut order: Vec<usize> = (0..examples).collect();
        random::shuffle(&mut draw::generator(seed, &format!("support.{language}"), set), &mut order);
        let mut rest = order.split_off(support);
        rest.sort_unstable();
        Ok(Self { support: order, rest })
    }
}

/// Plain steps on a support batch, from a model that the method has trained. The caller goes back to a save point.
///
/// What trains is what the method's structure trains, whatever the schedule has closed. `dropout_seed` is the first
/// step's.
///
/// # Errors
/// Those of the learner; `NonFinite` if the loss stops being finite.
pub fn adapt(
    knobs: &Adapt,
    method: &Method,
    learner: &mut Learner,
    batch: &Batch,
    dropout_seed: u64,
) -> Result<(), StrategyError> {
    if let Some(task) = batch.task.filter(|task| task.has_head()) {
        learner.train_heads(&[Some(task)])?;
    }
    let trained = structures::trained(method, &BTreeSet::from([Group::Head]), learner)?;
    let frozen: BTreeSet<Group> = learner.groups().into_iter().filter(|group| !trained.contains(group)).collect();
    learner.set_frozen(&frozen);
    let support = SubBatch { batch: batch.clone(), dropout_seed };
    let rates = (knobs.learning_rate, knobs.head_learning_rate);
    outer::descend(Evaluation::plain(), learner, &support, knobs.steps, rates)
}
