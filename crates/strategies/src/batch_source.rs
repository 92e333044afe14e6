use std::error::Error;

use model::Learner;
use spec::Batch;

use crate::subnetworks::Discovered;

/// A padded batch of one language, and the seed of its dropout masks.
#[derive(Debug, Clone)]
pub struct SubBatch {
    pub batch: Batch,
    pub dropout_seed: u64,
}

/// The data of a stage. What a draw gives depends on its number alone, so that a resumed stage needs no saved place.
pub trait BatchSource {
    /// The `draw`-th sub-batch of the stage's `source`-th language.
    ///
    /// # Errors
    /// Whatever keeps the data from being drawn.
    fn source(&mut self, source: usize, draw: u64) -> Result<SubBatch, BatchError>;

    /// The `draw`-th batch of the stage's `memory`-th memory, one sub-batch a language.
    ///
    /// # Errors
    /// As [`BatchSource::source`].
    fn memory(&mut self, memory: usize, draw: u64) -> Result<Vec<SubBatch>, BatchError>;

    /// The learner's score on held-out data of the stage's `source`-th language, the higher the better. Only methods with
    /// subnetworks ask.
    ///
    /// # Errors
    /// As [`BatchSource::source`].
    fn score(&mut self, _learner: &Learner, source: usize) -> Result<f64, BatchError> {
        Err(format!("language {source} of the stage has no held-out data").into())
    }

    /// What an equal search has found for the stage's `source`-th language, if that is known.
    fn discovered(&mut self, _source: usize) -> Option<Discovered> {
        None
    }

    /// Takes what was found, for equal searches.
    fn keep(&mut self, _source: usize, _found: &Discovered) {}
}

pub type BatchError = Box<dyn Error + Send + Sync>;
