//! What a failure is recorded as, if at all: a record is the same wherever and whenever its cell is run.

use std::io;

use data::DataError;
use model::ModelError;
use results::ResultsError;
use spec::{Cell, MissingVector, Outcome};
use strategies::StrategyError;
use strategies::laft::LaftError;
use tasks::TaskError;

/// What follows from a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The cell would fail like this again.
    Recorded(Outcome),
    /// The machine or its files are at fault. Whether the cell may fare better at once.
    Undone { why: String, retry: bool },
}

/// Model or data are not what the cell was planned with.
#[derive(Debug, thiserror::Error)]
#[error("inputs changed: the model in `{0}` was replaced since the cell was planned")]
pub(crate) struct ModelChanged(pub String);

/// Whether the results folder or a full disk is at fault: then no other cell would fare better.
pub(crate) fn is_of_results(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<ResultsError>()) || is_disk_full(error)
}

/// Whether there is no space left, or a quota is used up.
pub fn is_disk_full(error: &anyhow::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    let kind = |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref().map(std::io::Error::kind);
    error.chain().any(|cause| matches!(kind(cause), Some(StorageFull | QuotaExceeded)))
}

/// What to make of a cell that failed at a step.
pub(crate) fn of_failure(error: &anyhow::Error, cell: &Cell, step: u64) -> Verdict {
    let skips = cell.method.sharing.as_ref().is_some_and(|laft| laft.missing_vector == MissingVector::SkipCell);
    let undone = |retry| Verdict::Undone { why: one_line(error), retry };
    for cause in error.chain() {
        if let (Some(LaftError::NoVector { .. }), true) = (cause.downcast_ref(), skips) {
            return Verdict::Recorded(Outcome::Skipped { reason: one_line(error) });
        }
        match model_error(cause) {
            Some(ModelError::NonFinite { what }) => {
                return Verdict::Recorded(Outcome::Diverged { step, what: what.clone() });
            }
            Some(ModelError::OutOfMemory { .. } | ModelError::Io { .. }) => return undone(true),
            _ => {}
        }
        match data_error(cause) {
            Some(DataError::Changed { .. } | DataError::Missing { .. } | DataError::Damaged { .. }) => {
                return Verdict::Undone { why: format!("inputs changed: {}", one_line(error)), retry: false };
            }
            Some(DataError::Io { .. }) => return undone(true),
            _ => {}
        }
        if cause.is::<ModelChanged>() {
            return undone(false);
        }
        if cause.is::<io::Error>() {
            return undone(true);
        }
    }
    Verdict::Recorded(Outcome::Invalid { error: one_line(error) })
}

fn model_error<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a ModelError> {
    match (cause.downcast_ref(), cause.downcast_ref()) {
        (Some(StrategyError::Model(error)), _) | (_, Some(TaskError::Model(error))) => Some(error),
        _ => cause.downcast_ref(),
    }
}

fn data_error<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a DataError> {
    match cause.downcast_ref() {
        Some(TaskError::Data(error)) => Some(error),
        _ => cause.downcast_ref(),
    }
}

/// The error and its causes, each said once: many errors quote their cause already.
pub fn one_line(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        said if said.contains(&cause) => said.to_owned(),
        said => format!("{said}: {cause}"),
    })
}
