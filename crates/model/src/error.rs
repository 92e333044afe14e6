use std::path::{Path, PathBuf};

use safetensors::SafeTensorError;
use thiserror::Error;

/// Why a model could not be read, run, trained or written. Every message names what is wrong and where.
#[derive(Debug, Error)]
pub enum ModelError {
    /// `config.json` is malformed, or asks for something this encoder does not do.
    #[error("{}: {message}", path.display())]
    Config { path: PathBuf, message: String },
    /// `model.safetensors` is malformed, or does not hold the tensors that `config.json` promises.
    #[error("{}: {message}", path.display())]
    Weights { path: PathBuf, message: String },
    /// A checkpoint is malformed or belongs to another model.
    #[error("{}: {message}", path.display())]
    Checkpoint { path: PathBuf, message: String },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// The batch does not fit the model: ids, lengths, positions or labels out of range.
    #[error("batch: {message}")]
    Batch { message: String },
    /// A call that the learner's present state does not allow.
    #[error("{message}")]
    State { message: String },
    /// A loss, gradient or parameter stopped being finite.
    #[error("{what} is not finite")]
    NonFinite { what: String },
    #[error("out of memory: {detail}")]
    OutOfMemory { detail: String },
    /// Inference was asked to end: [`crate::Learner::stop_inference_on`].
    #[error("stopped")]
    Stopped,
    /// The back end is not compiled in, finds no hardware, or failed.
    #[error("{message}")]
    Device { message: String },
}

impl ModelError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    /// Of whoever writes tensors.
    pub(crate) fn unwritten(path: &Path, error: SafeTensorError) -> Self {
        match error {
            SafeTensorError::IoError(source) => Self::io(path, source),
            error => Self::Weights { path: path.to_owned(), message: error.to_string() },
        }
    }

    /// What a file asks for that cannot be, as a fault of the file.
    pub(crate) fn of_file(self, path: &Path) -> Self {
        match self {
            Self::State { message } => Self::Config { path: path.to_owned(), message },
            other => other,
        }
    }

    pub(crate) fn batch(message: impl Into<String>) -> Self {
        Self::Batch { message: message.into() }
    }

    pub(crate) fn state(message: impl Into<String>) -> Self {
        Self::State { message: message.into() }
    }
}
