//! The model after the last stage, for whoever asked for it.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use files::Unfinished;
use model::Precision;

use crate::running::Running;

/// A trained model could not be saved. Its cell is not recorded, so that it goes on from its checkpoint.
#[derive(Debug, thiserror::Error)]
#[error("the model could not be saved to `{}`; its training is kept, and the same command saves it", .folder.display())]
pub struct NotSaved {
    folder: PathBuf,
    source: anyhow::Error,
}

impl Running<'_> {
    /// Saves the model; what is given is to be finished once the cell is recorded. A checkpoint comes first: after a failure
    /// nothing is left to do but this.
    ///
    /// # Errors
    /// [`NotSaved`], and those of the checkpoint.
    pub fn save(&mut self, folder: &Path) -> Result<Unfinished> {
        self.checkpoint()?;
        self.tell_uses()?;
        let save = || -> Result<Unfinished> {
            let unfinished = Unfinished::claim(folder, &self.cell().folder())?;
            let unfinished = unfinished.ok_or_else(|| anyhow!("another process saves a model there"))?;
            unfinished
                .publish(anyhow::Error::from, |folder| Ok(self.learner.save_folder(folder, Precision::F32)?))?;
            Ok(unfinished)
        };
        save().map_err(|source| NotSaved { folder: folder.to_owned(), source }.into())
    }
}
