//! Modules of which each language uses its own: what a stage adds and trains, and what is in force while a language is
//! trained or measured.

mod mad_x;
mod updates;

use model::{Group, LanguageUse, Learner};
use spec::{Language, LanguageDistances, Method, Protocol, Structure, Task};

use self::mad_x::Stacks;
use self::updates::Updates;
use crate::StrategyError;
use crate::laft::LaftError;

/// The modules of one method on one protocol.
#[derive(Debug)]
pub struct Modules<'a>(Kind<'a>);

#[derive(Debug)]
enum Kind<'a> {
    /// All languages use the same.
    Common,
    Updates(Updates<'a>),
    Stacks(Stacks<'a>),
}

impl<'a> Modules<'a> {
    /// `seed` is the cell's.
    ///
    /// # Errors
    /// [`LaftError`] if distances that the method asks for are missing or have no width.
    pub fn new(
        method: &'a Method,
        protocol: &'a Protocol,
        distances: &LanguageDistances,
        seed: u64,
    ) -> Result<Self, LaftError> {
        Ok(Self(match (&method.structure, &method.sharing) {
            (Structure::MadX(knobs), _) => Kind::Stacks(Stacks { knobs, stages: &protocol.stages, seed }),
            (Structure::Adapter(shape), Some(laft)) => {
                Kind::Updates(Updates::new(laft, shape, protocol, distances, seed)?)
            }
            _ => Kind::Common,
        }))
    }

    /// Whether all languages use the same.
    pub fn are_common(&self) -> bool {
        matches!(self.0, Kind::Common)
    }

    /// Adds what stages up to this one (from 0) train, where the learner lacks it, and gives the groups that this one
    /// trains; `None` if they are the structure's.
    pub(crate) fn begin(&self, learner: &mut Learner, stage: usize) -> Result<Option<Vec<Group>>, StrategyError> {
        match &self.0 {
            Kind::Common => Ok(None),
            Kind::Updates(updates) => updates.begin(learner, stage).map(Some),
            Kind::Stacks(stacks) => stacks.begin(learner, stage).map(Some),
        }
    }

    /// Sets the learner up for batches of a language in a stage (from 0) that has begun.
    pub(crate) fn train_in(
        &self,
        learner: &mut Learner,
        stage: usize,
        language: Language,
    ) -> Result<(), StrategyError> {
        match &self.0 {
            Kind::Common => Ok(()),
            Kind::Updates(updates) => Ok(learner.set_strengths(updates.in_training(stage, language))?),
            Kind::Stacks(stacks) => Ok(learner.set_strengths(stacks.in_training(stage, language))?),
        }
    }

    /// Sets the learner up as a language uses it for a task after so many stages.
    ///
    /// # Errors
    /// Those of the learner, if it is not the one that went through these stages.
    pub fn use_in(
        &self,
        learner: &mut Learner,
        stages: usize,
        language: Language,
        task: Task,
    ) -> Result<(), StrategyError> {
        let Some(last) = stages.checked_sub(1) else { return Ok(()) };
        match &self.0 {
            Kind::Common => Ok(()),
            Kind::Updates(updates) => Ok(learner.set_strengths(updates.after(last, language))?),
            Kind::Stacks(stacks) => Ok(learner.set_strengths(stacks.after(last, language, task))?),
        }
    }

    /// What languages use after so many stages, for these tasks and for others: what a saved model must say. Empty if all use
    /// the same.
    pub fn uses(&self, stages: usize, languages: &[Language], tasks: &[Task]) -> Vec<LanguageUse> {
        let Some(last) = stages.checked_sub(1) else { return Vec::new() };
        let of = |language: Language, task, strengths| LanguageUse { language, task, strengths, head_mask: None };
        let used = |&language: &Language| match &self.0 {
            Kind::Common => Vec::new(),
            Kind::Updates(updates) => vec![of(language, None, updates.after(last, language))],
            Kind::Stacks(stacks) => {
                let named = tasks.iter().map(|&task| of(language, Some(task), stacks.after(last, language, task)));
                named.chain([of(language, None, stacks.in_training(last, language))]).collect()
            }
        };
        languages.iter().flat_map(used).collect()
    }

    /// What is worth recording as a stage (from 0) begins, by name: `tau`, `strength.sw`.
    pub fn events(&self, stage: usize) -> Vec<(String, f64)> {
        match &self.0 {
            Kind::Updates(updates) => updates.events(stage),
            Kind::Common | Kind::Stacks(_) => Vec::new(),
        }
    }
}
