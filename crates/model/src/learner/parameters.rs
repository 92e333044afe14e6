use std::collections::BTreeMap;

use super::Learner;
use crate::device::to_host;
use crate::{Gradients, Group, ModelError, folder};

impl Learner {
    /// Names of all parameters, as in files but without the family's prefix, from the input to the output.
    pub fn parameter_names(&self) -> Vec<&str> {
        self.state.layout.entries.iter().map(|entry| entry.name.as_str()).collect()
    }

    /// How many numbers of each group train where it is not frozen.
    pub fn sizes(&self) -> BTreeMap<Group, usize> {
        let mut sizes = BTreeMap::new();
        for entry in self.state.layout.entries.iter().filter(|entry| self.state.may_train(entry)) {
            *sizes.entry(entry.group).or_default() += entry.len();
        }
        sizes
    }

    /// A parameter's values in the layout of files (linear weights are `[out, in]`).
    ///
    /// # Errors
    /// [`ModelError::State`] for an unknown name, or the device's.
    pub fn parameter(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        let index = self.index(name)?;
        let entry = &self.state.layout.entries[index];
        Ok(folder::file_order(entry, to_host(self.state.values[index].clone())?))
    }

    /// A parameter's gradient in the layout of files; `None` if it was frozen or takes no part in the loss.
    ///
    /// # Errors
    /// As [`Learner::parameter`].
    pub fn gradient(&self, gradients: &Gradients, name: &str) -> Result<Option<Vec<f32>>, ModelError> {
        let index = self.index(name)?;
        let entry = &self.state.layout.entries[index];
        let gradient = gradients.of.get(index).and_then(Option::as_ref);
        gradient.map(|gradient| Ok(folder::file_order(entry, gradient.to_host(entry)?))).transpose()
    }

    pub(super) fn index(&self, name: &str) -> Result<usize, ModelError> {
        let found = self.state.layout.entries.iter().position(|entry| entry.name == name);
        found.ok_or_else(|| ModelError::state(format!("there is no parameter `{name}`")))
    }
}
