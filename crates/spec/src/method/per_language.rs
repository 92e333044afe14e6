//! Which compositions make sense where languages use modules of their own: shared updates and MAD-X.

use std::collections::BTreeSet;

use super::{Method, Schedule, Structure};
use crate::{Language, Protocol, Stage};

impl Method {
    /// Whether each language uses modules of its own.
    pub fn is_per_language(&self) -> bool {
        self.sharing.is_some() || matches!(self.structure, Structure::MadX(_))
    }

    /// The schedule of a stage. Language adapters are trained all at once, whatever opens the task's later (Liu et al. 2024,
    /// section 3: they come ready-made, and stay as they are).
    pub fn schedule_of(&self, stage: &Stage) -> &Schedule {
        match &self.structure {
            Structure::MadX(_) if !stage.task.has_head() => &Schedule::All,
            _ => &self.schedule,
        }
    }

    pub(super) fn check_per_language(&self, protocol: &Protocol) -> Result<(), String> {
        if !self.is_per_language() {
            return Ok(());
        }
        match &self.sharing {
            Some(_) => self.check_sharing(protocol)?,
            None => check_mad_x(protocol)?,
        }
        if self.sharing.is_some() && self.schedule != Schedule::All {
            return Err(format!(
                "the schedule `{}` opens groups that all languages train, and in an update each language trains modules \
                 of its own: use `all`",
                self.schedule.name()
            ));
        }
        if let Some(probe) = protocol.probes().find(|probe| probe.adapt.is_some()) {
            return Err(format!(
                "the probe `{}` adapts what all languages train alike, and here each language uses modules of its own: \
                 leave its `adapt` out",
                probe.name
            ));
        }
        let memories = protocol.stages.iter().flat_map(|stage| &stage.memories);
        let taken = |name| [self.rule.memories(), self.anchor.memories()].into_iter().any(|asked| asked.take(name));
        match memories.map(|memory| &memory.name).find(|name| taken(name)) {
            Some(name) => Err(format!(
                "it would take gradients on the memory `{name}`, which would need modules of the past that this stage \
                 does not train: use a rule and an anchor without memories"
            )),
            None => Ok(()),
        }
    }

    fn check_sharing(&self, protocol: &Protocol) -> Result<(), String> {
        let place = format!("[protocol.{}]", protocol.name);
        if !matches!(self.structure, Structure::Adapter(_)) {
            return Err(format!(
                "`sharing` needs the structure `adapter`, which says what an update's modules are, and not `{}`: a \
                 language that uses no module is then left exactly as it was",
                self.structure.name()
            ));
        }
        match protocol.stages.as_slice() {
            [] | [_] => Err(format!(
                "`sharing` is about updates: it needs a stage for all languages and at least one more of the same task, \
                 and {place} has {}",
                protocol.stages.len()
            )),
            [first, updates @ ..] => match updates.iter().position(|update| update.task != first.task) {
                Some(index) => Err(format!(
                    "`sharing` takes every stage after the first for an update of its task {}, and stage {} of {place} \
                     is of task {}",
                    first.task,
                    index + 2,
                    updates[index].task
                )),
                None => Ok(()),
            },
        }
    }
}

/// Every language has its adapter when a task is trained or something is measured in it.
fn check_mad_x(protocol: &Protocol) -> Result<(), String> {
    let place = format!("[protocol.{}]", protocol.name);
    if protocol.stages.first().is_none_or(|stage| stage.task.has_head()) {
        return Err(format!(
            "`mad-x` trains adapters of languages on text first: begin {place} with a stage of task mlm in every language \
             that is trained or measured later"
        ));
    }
    let mut adapted: BTreeSet<Language> = BTreeSet::new();
    for (index, stage) in protocol.stages.iter().enumerate() {
        if !stage.task.has_head() {
            adapted.extend(&stage.languages);
        }
        let lacks = |languages: &[Language]| languages.iter().copied().find(|language| !adapted.contains(language));
        let number = index + 1;
        if let Some(language) = lacks(&stage.languages) {
            return Err(format!(
                "stage {number} of {place} trains {} in `{language}`, which has no language adapter yet: add `{language}` \
                 to a stage of task mlm before it",
                stage.task
            ));
        }
        for probe in &stage.probes {
            if let Some(language) = lacks(&probe.languages) {
                return Err(format!(
                    "the probe `{}` after stage {number} of {place} measures `{language}`, which has no language adapter \
                     by then: add `{language}` to a stage of task mlm before it, or leave it out of the probe",
                    probe.name
                ));
            }
        }
    }
    Ok(())
}
