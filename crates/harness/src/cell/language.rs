//! What the model uses in a language.

use anyhow::Result;
use spec::Language;

use super::runner::Running;

impl Running<'_> {
    /// Sets the model up as a language uses it at this moment. Everything that is measured in the language, both sides of
    /// sentence pairs included, goes through the model like this.
    pub fn use_language(&mut self, language: Language) -> Result<()> {
        Ok(self.modules.use_in(&mut self.learner, self.progress.moment, language)?)
    }
}
