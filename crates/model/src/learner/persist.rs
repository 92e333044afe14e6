use std::path::{Path, PathBuf};

use burn::tensor::Device;

use super::Learner;
use crate::folder::{self, Description, Precision, Saved};
use crate::state::State;
use crate::{Gradients, ModelConfig, ModelError, SavePoint, adapter, checkpoint};

/// Where a model folder has low-rank factors.
const LORA: &str = "lora";

/// Where a model folder has an adapter.
fn adapter_folder(folder: &Path, name: &str) -> PathBuf {
    folder.join("adapters").join(name)
}

impl Learner {
    /// The present state, to come back to.
    pub fn save_point(&self) -> SavePoint {
        SavePoint(self.state.clone())
    }

    /// Goes back to a state of this learner.
    pub fn restore(&mut self, point: &SavePoint) {
        self.state = point.0.clone();
    }

    /// Writes what training has changed: parameters, head, optimiser state, frozen groups. The file is on the disk when
    /// this returns; whoever needs it to appear at once writes it elsewhere and renames it.
    ///
    /// # Errors
    /// [`ModelError::Io`], [`ModelError::Checkpoint`], or the device's.
    pub fn save_checkpoint(&self, path: &Path) -> Result<(), ModelError> {
        checkpoint::save(&self.state, path)
    }

    /// Takes a checkpoint's state; the next step then equals, bit for bit, the one after saving. The learner must have
    /// been loaded from the same model folder.
    ///
    /// # Errors
    /// [`ModelError::Checkpoint`] if the file is damaged or of another model, [`ModelError::State`] if this learner has
    /// trained parameters that the checkpoint does not hold. The learner is as before then.
    pub fn load_checkpoint(&mut self, path: &Path) -> Result<(), ModelError> {
        let before = self.save_point();
        let loaded = checkpoint::load(self, path);
        if loaded.is_err() {
            self.restore(&before);
        }
        loaded
    }

    /// Writes a gradient, to be combined with others later or by another process.
    ///
    /// # Errors
    /// [`ModelError::Io`], [`ModelError::Checkpoint`], or the device's.
    pub fn save_gradients(&self, gradients: &Gradients, path: &Path) -> Result<(), ModelError> {
        checkpoint::save_gradients(gradients, &self.state.layout, path)
    }

    /// Reads a gradient of this model's parameters, bit for bit as it was saved.
    ///
    /// # Errors
    /// [`ModelError::Checkpoint`] if the file is damaged or of another model.
    pub fn load_gradients(&self, path: &Path) -> Result<Gradients, ModelError> {
        checkpoint::load_gradients(&self.state.layout, &self.device, path)
    }

    /// Writes a Hugging Face folder: `model.safetensors`, `config.json`, and the tokenizer's files copied from the folder
    /// that this model was loaded from. The main head is written as Hugging Face's classes are, other heads beside it. What
    /// has been added to the model goes into folders of its own there: `adapters/NAME` and `lora`. `config.json` says all
    /// that there is, so that [`Learner::load`] gives it back.
    ///
    /// # Errors
    /// [`ModelError::Io`], [`ModelError::Weights`] also for a value too large for [`Precision::F16`], or the device's.
    pub fn save_folder(&self, folder: &Path, precision: Precision) -> Result<(), ModelError> {
        for name in self.adapters() {
            self.save_adapter(name, &adapter_folder(folder, name))?;
        }
        if self.lora().is_some() {
            self.save_lora(&folder.join(LORA))?;
        }
        let parameters = self.values_of(|entry| !entry.is_added())?;
        let (parts, setup) = (&self.state.parts, &self.state.setup);
        let main = setup.heads.main;
        let others = parts.heads.iter().filter(|owned| Some(owned.owner) != main);
        let mut description = Description::new(main, others.map(|owned| (owned.owner, &owned.head)));
        description.adapters = self.adapters().into_iter().map(str::to_owned).collect();
        description.stack = setup.stack.clone();
        description.lora = parts.lora.is_some();
        description.head_mask = setup.head_mask.clone();
        description.languages = self.uses.clone();
        let (config, source) = (&self.config, self.folder.as_path());
        folder::write(Saved { config, parts, main, description, precision, parameters, source }, folder)
    }

    /// Adds what a folder holds beside the encoder and its heads.
    pub(super) fn take_up(&mut self, described: Description, folder: &Path) -> Result<(), ModelError> {
        for name in &described.adapters {
            adapter::check_name(name)?;
            self.load_adapter(&adapter_folder(folder, name), Some(name))?;
        }
        if described.lora {
            self.load_lora(&folder.join(LORA))?;
        }
        self.activate(described.stack)?;
        self.set_head_mask(described.head_mask)?;
        self.set_language_uses(described.languages)?;
        self.chosen = self.uses.is_empty();
        // The folder holds all of it.
        self.state.changed.fill(false);
        Ok(())
    }

    pub(crate) fn state_mut(&mut self) -> (&mut State, &ModelConfig, &Device) {
        (&mut self.state, &self.config, &self.device)
    }
}
