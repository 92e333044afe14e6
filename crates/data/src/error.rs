use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why data could not be read, written or used. Each message names the file, the row or field, and what to do.
#[derive(Debug, Error)]
pub enum DataError {
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: std::io::Error },
    /// A file that is not what it should be, as a whole.
    #[error("{}: {message}", path.display())]
    File { path: PathBuf, message: String },
    /// One bad row, line or field.
    #[error("{}: {place}: {message}", path.display())]
    Row { path: PathBuf, place: String, message: String },
    /// A file without the gold labels or answers that its format has a place for.
    #[error("{}: {place}: {message}; it can be neither trained on nor scored", path.display())]
    Unlabelled { path: PathBuf, place: String, message: String },
    /// Asked for a data set, task, language or split that the data folder does not hold.
    #[error("no data for {key}: {message}")]
    Missing { key: String, message: String },
    /// A file of a data folder that was asked for with the hash of another content.
    #[error("`{key}` was replaced since the cell was planned")]
    Changed { key: String },
    #[error("{}: {message}; import it again", path.display())]
    Damaged { path: PathBuf, message: String },
    #[error("{}: {message}", path.display())]
    Tokenizer { path: PathBuf, message: String },
    /// Lengths, batch sizes or sources that cannot work.
    #[error("{message}")]
    Options { message: String },
    #[error(transparent)]
    Spec(#[from] spec::SpecError),
}

impl DataError {
    pub fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }

    pub fn file(path: &Path, message: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), message: message.into() }
    }

    pub fn row(path: &Path, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Row { path: path.to_owned(), place: place.into(), message: message.into() }
    }

    pub fn unlabelled(path: &Path, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Unlabelled { path: path.to_owned(), place: place.into(), message: message.into() }
    }

    pub fn damaged(path: &Path, message: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), message: message.into() }
    }

    pub fn tokenizer(path: &Path, message: impl Into<String>) -> Self {
        Self::Tokenizer { path: path.to_owned(), message: message.into() }
    }

    pub fn options(message: impl Into<String>) -> Self {
        Self::Options { message: message.into() }
    }
}
