//! MAD-X. Pfeiffer et al., EMNLP 2020, arXiv 2005.00052, section 3.
//!
//! ```text
//! stage of text        for each of its languages l: adapter of l, and invertible adapter of l, by its own text
//! stage of a task t    adapter of t above the frozen adapter of the batch's language, and the head
//! task t in language l [adapter of l, adapter of t]
//! ```
//!
//! The encoder and its language-model head keep their values. A task without an adapter is measured with that of the last
//! stage's task; after a stage of text, with none.

use std::collections::{BTreeMap, BTreeSet};

use model::{AdapterConfig, AdapterStack, Group, Learner, StackResidual, Tuned};
use spec::{Language, MadX, Objective, StackedResidual, Stage, Task};

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
        let texts = self.stages.iter().take(stage + 1).filter(|stage| is_text(stage.task));
        texts.flat_map(|stage| &stage.languages).copied().collect()
    }

    /// The stage's task, if it has an adapter.
    fn task(&self, stage: usize) -> Option<Task> {
        Some(self.stages.get(stage)?.task).filter(|&task| !is_text(task))
    }

    /// Tasks that have an adapter after a stage.
    fn tasks(&self, stage: usize) -> BTreeSet<Task> {
        (0..=stage).filter_map(|stage| self.task(stage)).collect()
    }

    fn of_language(&self) -> AdapterConfig {
        let config = AdapterConfig::pfeiffer(self.knobs.language_reduction);
        if self.knobs.invertible { config.with_invertible(INVERTIBLE_REDUCTION) } else { config }
    }

    pub fn begin(&self, learner: &mut Learner, stage: usize) -> Result<Vec<Group>, StrategyError> {
        let languages = self.languages(stage).into_iter().map(|language| (adapter(language), self.of_language()));
        let tasks = (0..=stage).filter_map(|stage| self.task(stage));
        let tasks = tasks.map(|task| (of_task(task), AdapterConfig::pfeiffer(self.knobs.task_reduction)));
        for (name, config) in languages.chain(tasks) {
            if !learner.adapters().contains(&name.as_str()) {
                learner.add_adapter(&name, config, self.seed)?;
            }
        }
        let trained = match (self.task(stage), self.stages.get(stage)) {
            (None, Some(text)) => text.languages.iter().map(|&language| adapter(language)).collect(),
            (task, _) => task.into_iter().map(of_task).collect(),
        };
        learner.set_tuned(Tuned::All);
        learner.activate(AdapterStack {
            adapters: self.stack(stage),
            trained,
            residual: match self.knobs.residual {
                StackedResidual::Chained => StackResidual::Chained,
                StackedResidual::Shared => StackResidual::Shared,
            },
            ..AdapterStack::default()
        })?;
        let has_task = self.task(stage).is_some();
        let trains = |group: &Group| match group {
            Group::Adapter(_) => true,
            Group::Invertible => !has_task,
            Group::Head => has_task,
            Group::Embeddings | Group::Layer(_) | Group::LanguageModel => false,
        };
        Ok(learner.groups().into_iter().filter(trains).collect())
    }

    /// The stack after a stage: languages, and tasks above them. Strengths say which of each is in force.
    fn stack(&self, stage: usize) -> Vec<String> {
        let languages = self.languages(stage).into_iter().map(adapter);
        languages.chain(self.tasks(stage).into_iter().map(of_task)).collect()
    }

    /// Strengths of the stack after a stage, in a language and for a task: one adapter of each, and no other.
    pub fn after(&self, stage: usize, language: Language, task: Task) -> BTreeMap<String, f64> {
        let of_task = Some(task).filter(|task| self.tasks(stage).contains(task)).or(self.task(stage));
        self.strengths(stage, language, of_task)
    }

    /// The same while the stage is trained.
    pub fn in_training(&self, stage: usize, language: Language) -> BTreeMap<String, f64> {
        self.strengths(stage, language, self.task(stage))
    }

    fn strengths(&self, stage: usize, language: Language, task: Option<Task>) -> BTreeMap<String, f64> {
        let own = |own: bool| f64::from(u8::from(own));
        let languages = self.languages(stage).into_iter().map(|other| (adapter(other), own(other == language)));
        let tasks = self.tasks(stage).into_iter().map(|other| (of_task(other), own(Some(other) == task)));
        languages.chain(tasks).collect()
    }
}

/// Whether a task is learnt from text alone, by the model's own language model.
fn is_text(task: Task) -> bool {
    task.objective() == Objective::MaskedTokens
}

fn of_task(task: Task) -> String {
    format!("task-{task}")
}

fn adapter(language: Language) -> String {
    format!("language-{language}")
}
