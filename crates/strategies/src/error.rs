use std::path::PathBuf;

use model::ModelError;
use spec::Language;
use thiserror::Error;

use crate::batch_source::BatchError;
use crate::rules::RuleError;
use crate::schedules::ScheduleError;
use crate::subnetworks::{MaskError, PruningError};

/// Why a method cannot go on.
#[derive(Debug, Error)]
pub enum StrategyError {
    #[error(transparent)]
    Spec(#[from] spec::SpecError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("gradient rule: {0}")]
    Rule(#[from] RuleError),
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    #[error("training data: {0}")]
    BatchSource(#[from] BatchError),
    #[error("there is no batch to learn from")]
    NoBatch,
    #[error("the stage has not begun")]
    NotBegun,
    #[error("subnetworks: {0}")]
    Mask(#[from] MaskError),
    #[error("no subnetwork of `{language}` can be found: {error}{}", if matches!(error, PruningError::NothingToKeep { .. }) { "; give its copy more steps (`discovery.steps`)" } else { "" })]
    Pruning { language: Language, error: PruningError },
    #[error("{}: {message}", path.display())]
    State { path: PathBuf, message: String },
}
