//! What a failure is recorded as.

use model::ModelError;
use results::ResultsError;
use spec::{Cell, MissingVector, Outcome};
use strategies::StrategyError;
use strategies::laft::LaftError;
use tasks::TaskError;

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

/// The outcome of a cell that failed at a step.
pub(crate) fn of_failure(error: &anyhow::Error, cell: &Cell, step: u64) -> Outcome {
    let skips = cell.method.sharing.as_ref().is_some_and(|laft| laft.missing_vector == MissingVector::SkipCell);
    for cause in error.chain() {
        if let (Some(LaftError::NoVector { .. }), true) = (cause.downcast_ref(), skips) {
            return Outcome::Skipped { reason: one_line(error) };
        }
        let model = cause.downcast_ref::<ModelError>();
        let model = model.or_else(|| match cause.downcast_ref() {
            Some(StrategyError::Model(error)) => Some(error),
            _ => None,
        });
        let model = model.or_else(|| match cause.downcast_ref() {
            Some(TaskError::Model(error)) => Some(error),
            _ => None,
        });
        match model {
            Some(ModelError::NonFinite { what }) => return Outcome::Diverged { step, what: what.clone() },
            Some(ModelError::OutOfMemory { .. }) => return Outcome::OutOfMemory { detail: one_line(error) },
            _ => {}
        }
    }
    Outcome::Invalid { error: one_line(error) }
}

/// The error and its causes, each said once: many errors quote their cause already.
pub fn one_line(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        said if said.contains(&cause) => said.to_owned(),
        said => format!("{said}: {cause}"),
    })
}
