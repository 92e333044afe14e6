use std::path::Path;

use burn::tensor::Device;

use super::Learner;
use crate::folder::{self, Precision, Saved};
use crate::state::State;
use crate::{Gradients, ModelConfig, ModelError, SavePoint, checkpoint};

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
    /// that this model was loaded from. What has been added to the model goes into folders of its own there: `adapters/NAME`
    /// and `lora`.
    ///
    /// # Errors
    /// [`ModelError::Io`], [`ModelError::Weights`] also for a value too large for [`Precision::F16`], or the device's.
    pub fn save_folder(&self, folder: &Path, precision: Precision) -> Result<(), ModelError> {
        let parameters = self.values_of(|entry| !entry.is_added())?;
        let parts = &self.state.parts;
        let (config, main, source) = (&self.config, self.state.setup.heads.main, self.folder.as_path());
        folder::write(Saved { config, parts, main, precision, parameters, source }, folder)?;
        for name in self.adapters() {
            self.save_adapter(name, &folder.join("adapters").join(name))?;
        }
        match self.lora() {
            Some(_) => self.save_lora(&folder.join("lora")),
            None => Ok(()),
        }
    }

    pub(crate) fn state_mut(&mut self) -> (&mut State, &ModelConfig, &Device) {
        (&mut self.state, &self.config, &self.device)
    }
}
