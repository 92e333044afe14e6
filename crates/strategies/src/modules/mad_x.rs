//! MAD-X. Pfeiffer et al., EMNLP 2020, arXiv 2005.00052, section 3.
//!
//! ```text
//! stage of task mlm    for each of its languages l: adapter of l, and invertible adapter of l, by its own text
//! stage of a task t    adapter of t above the frozen adapter of the batch's language, and the head
//! in a language l      [adapter of l, adapter of t]
//! ```
//!
//! The encoder and its language-model head keep their values. After a stage of task mlm a language uses its adapter alone.

use std::collections::{BTreeMap, BTreeSet};

use model::{AdapterConfig, AdapterStack, Group, Learner, StackResidual, Tuned};
use spec::{Language, MadX, StackedResidual, Stage, Task};

use crate::StrategyError;

/// Of an invertible adapter, as AdapterHub's library has it.
const INVERTIBLE_REDUCTION: f64 = 2.0;

#[derive(Debug)]
pub(super) struct Stacks<'a> {
    pub knobs: &'a MadX,
    pub stages: &'a [Stage],
    pub seed: u64,
}

impl Stacks<'_> {
    /// Languages that have an adapter after a stage.
    fn languages(&self, stage: usize) -> BTreeSet<Language> {
        let texts = self.stages.iter().take(stage + 1).filter(|stage| stage.task == Task::Mlm);
        texts.flat_map(|stage| &stage.languages).copied().collect()
    }

    /// The adapter of the stage's task, if it has one.
    fn task(&self, stage: usize) -> Option<String> {
        let task = self.stages.get(stage)?.task;
        (task != Task::Mlm).then(|| format!("task-{task}"))
    }

    fn of_language(&self) -> AdapterConfig {
        let config = AdapterConfig::pfeiffer(self.knobs.language_reduction);
        if self.knobs.invertible { config.with_invertible(INVERTIBLE_REDUCTION) } else { config }
    }

    pub fn begin(&self, learner: &mut Learner, stage: usize) -> Result<Vec<Group>, StrategyError> {
        let languages = self.languages(stage).into_iter().map(|language| (adapter(language), self.of_language()));
        let tasks = (0..=stage).filter_map(|stage| self.task(stage));
        let tasks = tasks.map(|name| (name, AdapterConfig::pfeiffer(self.knobs.task_reduction)));
        for (name, config) in languages.chain(tasks) {
            if !learner.adapters().contains(&name.as_str()) {
                learner.add_adapter(&name, config, self.seed)?;
            }
        }
        let trained = match (self.task(stage), self.stages.get(stage)) {
            (None, Some(text)) => text.languages.iter().map(|&language| adapter(language)).collect(),
            (task, _) => task.into_iter().collect(),
        };
        learner.set_tuned(Tuned::All);
        learner.activate(AdapterStack {
            adapters: self.languages(stage).into_iter().map(adapter).chain(self.task(stage)).collect(),
            trained,
            residual: match self.knobs.residual {
                StackedResidual::Chained => StackResidual::Chained,
                StackedResidual::Shared => StackResidual::Shared,
            },
            ..AdapterStack::default()
        })?;
        let of_task = self.task(stage).is_some();
        let trains = |group: &Group| match group {
            Group::Adapter(_) => true,
            Group::Invertible => !of_task,
            Group::Head => of_task,
            Group::Embeddings | Group::Layer(_) | Group::LanguageModel => false,
        };
        Ok(learner.groups().into_iter().filter(trains).collect())
    }

    /// Strengths of the stack of a stage in a language: its own adapter, and no other language's.
    pub fn after(&self, stage: usize, language: Language) -> BTreeMap<String, f64> {
        let own = |other: Language| f64::from(u8::from(other == language));
        self.languages(stage).into_iter().map(|other| (adapter(other), own(other))).collect()
    }
}

fn adapter(language: Language) -> String {
    format!("language-{language}")
}
