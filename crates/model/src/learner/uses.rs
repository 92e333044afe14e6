//! What languages and tasks use of a model, where they do not all use the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spec::{Language, Task};

use super::Learner;
use crate::{HeadMask, ModelError};

/// What a language uses of a model for a task: strengths of adapters, as in [`crate::AdapterStack`], and a head mask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LanguageUse {
    pub language: Language,
    /// `None` for tasks that are not named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub strengths: BTreeMap<String, f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_mask: Option<HeadMask>,
}

impl Learner {
    /// Says what languages use, for [`Learner::use_language`] and for folders that this model is saved to.
    ///
    /// # Errors
    /// [`ModelError::State`] if one language stands twice for a task, an adapter is not in the stack, a strength is not
    /// finite, or a head mask has other layers or heads.
    pub fn set_language_uses(&mut self, uses: Vec<LanguageUse>) -> Result<(), ModelError> {
        let mut seen = BTreeSet::new();
        for LanguageUse { language, task, strengths, head_mask } in &uses {
            if !seen.insert((*language, *task)) {
                return Err(ModelError::state(format!("it is said twice what the language `{language}` uses")));
            }
            self.check_strengths(strengths)?;
            head_mask.as_ref().map_or(Ok(()), |mask| mask.check(&self.config))?;
        }
        (self.uses, self.chosen) = (uses, true);
        Ok(())
    }

    /// What languages use; empty if all use the same.
    pub fn language_uses(&self) -> &[LanguageUse] {
        &self.uses
    }

    /// The languages of which one must be chosen by [`Learner::use_language`], since what a model that has been read from a
    /// folder gives depends on it; empty if it does not, or when one has been chosen.
    pub fn needs_language(&self) -> BTreeSet<Language> {
        match self.chosen {
            true => BTreeSet::new(),
            false => self.uses.iter().map(|one| one.language).collect(),
        }
    }

    /// Puts in force what a language uses for a task; nothing changes where all use the same.
    ///
    /// # Errors
    /// [`ModelError::State`] naming the known languages, if this is none of them.
    pub fn use_language(&mut self, language: Language, task: Option<Task>) -> Result<(), ModelError> {
        if self.uses.is_empty() {
            return Ok(());
        }
        let of = |task: Option<Task>| self.uses.iter().find(|one| (one.language, one.task) == (language, task));
        let found = of(task).or_else(|| of(None)).or_else(|| of(self.main_task())).cloned();
        let found = found.ok_or_else(|| {
            let known: BTreeSet<&str> = self.uses.iter().map(|one| one.language.code()).collect();
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            ModelError::state(format!("the model has nothing of the language `{language}`; it has {known}"))
        })?;
        self.set_strengths(found.strengths)?;
        self.set_head_mask(found.head_mask)?;
        self.chosen = true;
        Ok(())
    }
}
