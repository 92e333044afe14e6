//! What can go wrong.

use std::path::PathBuf;

use spec::{Language, Name};

/// Why the mini world was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MiniworldError {
    #[error("the mini world does not speak `{language}`; it speaks {known}")]
    UnknownLanguage { language: Language, known: String },
    #[error("language `{language}` is given twice")]
    RepeatedLanguage { language: Language },
    #[error("cannot draw {wanted} {what}: only {found} different ones turned up; ask for fewer")]
    TooMany { what: String, wanted: usize, found: usize },
    #[error("the size {name} = {value} is out of range: give {low} to {high}")]
    Size { name: &'static str, value: usize, low: usize, high: usize },
    #[error("a scale of {scale} is out of range: give a positive number up to 1000")]
    Scale { scale: f64 },
    #[error("no language is given: name at least one")]
    NoLanguage,
    /// Files that a new world would neither replace nor agree with.
    #[error("data set `{dataset}` holds {held} already; give another name, or remove {path} first")]
    Occupied { dataset: Name, held: String, path: PathBuf },
    /// A fact that does not tell what is asked of it: the rows of this language would no longer translate the others.
    #[error("row {row} of {task} cannot be put into `{language}`; this is a fault of the generator")]
    Unsayable { task: &'static str, row: usize, language: Language },
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Data(#[from] data::DataError),
}
