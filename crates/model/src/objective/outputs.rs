use std::sync::Arc;

use spec::{Batch, Targets, Task};

use super::ranking::Ranking;
use super::{LanguageModel, Objective, OutputLayer, declare, targets};
use crate::layout::{Layout, Slot};
use crate::owner::{OwnedHead, Owner, serving};
use crate::{ModelConfig, ModelError};

/// A network's output layers.
#[derive(Debug, Clone)]
pub(crate) struct Outputs {
    language_model: Option<LanguageModel>,
    /// In the order of their owners.
    owned: Vec<OwnedHead>,
    /// The same at work.
    heads: Vec<Arc<dyn OutputLayer>>,
}

impl Outputs {
    /// Declares their parameters behind the encoder's, whose table of word embeddings is `words`.
    pub fn declare(
        language_model: bool,
        heads: &[OwnedHead],
        words: Slot<2>,
        config: &ModelConfig,
        layout: &mut Layout,
    ) -> Self {
        Self {
            language_model: language_model.then(|| LanguageModel::new(config, words, layout)),
            heads: heads.iter().map(|owned| declare(owned, config, layout)).collect(),
            owned: heads.to_vec(),
        }
    }

    /// How a batch's loss is computed: its targets say by which objective, its task by which head.
    pub fn objective(&self, batch: &Batch, main: Option<Owner>) -> Result<&dyn Objective, ModelError> {
        match &batch.targets {
            Targets::None => Err(targets::untargeted()),
            Targets::MaskedTokens(_) => Ok(self.language_model()?),
            Targets::Translations => Ok(&Ranking),
            Targets::TokenLabels(_)
            | Targets::Classes(_)
            | Targets::Spans { .. }
            | Targets::Choices { .. }
            | Targets::Arcs { .. } => Ok(self.head(batch.task, main)?),
        }
    }

    /// The head that serves a task.
    pub fn head(&self, task: Option<Task>, main: Option<Owner>) -> Result<&dyn OutputLayer, ModelError> {
        let index = serving(&self.owned, main, task).ok_or_else(|| {
            let of_task = task.map_or(String::new(), |task| format!(" for the task {task}"));
            ModelError::state(format!("the model has no head{of_task}; set one first"))
        })?;
        Ok(self.heads[index].as_ref())
    }

    pub fn language_model(&self) -> Result<&LanguageModel, ModelError> {
        self.language_model.as_ref().ok_or_else(|| {
            ModelError::state(
                "the model has no language-model head, so it cannot predict masked tokens; \
                 its folder holds neither `cls.predictions.*` nor `lm_head.*`",
            )
        })
    }
}
