//! What can go wrong.

use std::path::PathBuf;

/// Why the mini world was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MiniworldError {
    #[error("the mini world does not speak \"{code}\"; it speaks {known}")]
    UnknownLanguage { code: String, known: String },
    #[error("cannot draw {wanted} {what}: only {found} different ones turned up; ask for fewer")]
    TooMany { what: String, wanted: usize, found: usize },
    #[error("the size {name} = {value} is out of range: give {low} to {high}")]
    Size { name: &'static str, value: usize, low: usize, high: usize },
    #[error("no language is given: name at least one")]
    NoLanguage,
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("cannot encode {path} as Parquet: {source}")]
    Encode { path: PathBuf, source: parquet::errors::ParquetError },
    #[error("cannot lay out the rows of {path}: {source}")]
    Rows { path: PathBuf, source: arrow::error::ArrowError },
}
