use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::manifest::{FORMAT, Fault};

/// Why the results folder could not do what was asked. Messages name the file and say what to do.
#[derive(Debug, Error)]
pub enum ResultsError {
    #[error("cannot use `{}` as a results folder: {why}; choose another folder", .root.display())]
    Unusable { root: PathBuf, why: String },
    #[error("`{}`: {action} failed: {source}", .path.display())]
    Io { path: PathBuf, action: &'static str, source: io::Error },
    /// The disk is full or a quota is used up: what was finished before is untouched.
    #[error("`{}`: no space left while {action}; free some space and run the same command again", .path.display())]
    DiskFull { path: PathBuf, action: &'static str },
    #[error("cell `{folder}` is being run by another process")]
    AlreadyRunning { folder: String },
    #[error("cell `{folder}` is recorded already ({outcome}); choose another overwrite policy to run it again")]
    AlreadyFinished { folder: String, outcome: String },
    #[error("`{}` has format {found}, this build reads up to {known}: use a newer build", .path.display())]
    NewerFormat { path: PathBuf, found: u32, known: u32 },
    #[error("cell `{folder}` is damaged: {why}; a sweep sets it aside and runs it again")]
    Damaged { folder: String, why: String },
    #[error("cell `{folder}`: {why}; nothing of it was changed: make it readable, or move it away")]
    Unreadable { folder: String, why: String },
    #[error("checkpoint `{}` is damaged: {why}; discard it and start the cell again", .path.display())]
    DamagedCheckpoint { path: PathBuf, why: String },
    #[error("writing the checkpoint failed; the previous one is intact: {source}")]
    Checkpoint { source: Box<dyn std::error::Error + Send + Sync> },
    #[error("cell `{folder}`: {what}; this is a fault of the program, nothing was recorded")]
    Refused { folder: String, what: String },
    #[error("no method is named `{name}`, so that none can be compared with it; there are: {known}")]
    UnknownControl { name: String, known: String },
    #[error("the table could not be computed: {0}")]
    Table(#[from] polars::error::PolarsError),
    #[error("the interval or test could not be computed: {0}")]
    Statistics(#[from] evaluation::StatisticsError),
    #[error("transfer and forgetting could not be computed: {0}")]
    Measure(#[from] evaluation::MeasureError),
}

impl ResultsError {
    pub(crate) fn of_record(folder: String, fault: Fault) -> Self {
        match fault {
            Fault::Damaged(why) => Self::Damaged { folder, why },
            Fault::Unreadable(why) => Self::Unreadable { folder, why },
            Fault::NewerFormat { path, found } => Self::NewerFormat { path, found, known: FORMAT },
        }
    }

    pub(crate) fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path: path.to_owned(), action }
            }
            _ => Self::Io { path: path.to_owned(), action, source },
        }
    }
}
