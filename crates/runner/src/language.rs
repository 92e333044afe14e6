//! What the model uses in a language.

use std::collections::BTreeMap;

use anyhow::Result;
use model::{HeadMask, LanguageUse};
use spec::{Language, Probe, TargetMask, Task};
use strategies::subnetworks::{self, Mask, MaskSource, Scores, target_mask};

use crate::running::Running;

/// Random masks of a cross evaluation, by language.
const RANDOM_MASKS: u64 = 2;

impl Running<'_> {
    /// Sets the model up as a language uses it for a task at this moment: with its modules, and, until [`Running::use_all_heads`], with
    /// the subnetwork that the last stage left it or the one that the method gives to a language without one. `support` is
    /// the importance of heads on examples of the language; where the method wants it and there are none, all heads are
    /// used.
    ///
    /// Everything that is measured in the language goes through the model like this; of sentence pairs, each side in its own.
    pub fn use_language(&mut self, task: Task, language: Language, support: Option<&Scores>) -> Result<()> {
        self.modules.use_in(&mut self.learner, self.progress.moment, language, task)?;
        match self.has_subnetworks() {
            true => Ok(self.learner.set_head_mask(self.mask(language, support)?)?),
            false => Ok(()),
        }
    }

    /// Whether the method lets languages use different parts of the model.
    pub fn languages_differ(&self) -> bool {
        self.has_subnetworks() || !self.modules.are_common()
    }

    fn has_subnetworks(&self) -> bool {
        self.job.cell.method.subnetworks.is_some() && !self.progress.masks.is_empty()
    }

    /// The subnetwork of a language; `None` for all heads.
    fn mask(&self, language: Language, support: Option<&Scores>) -> Result<Option<HeadMask>> {
        let (cell, masks) = (&self.job.cell, &self.progress.masks);
        let Some(knobs) = &cell.method.subnetworks else { return Ok(None) };
        let rule = match (knobs.target, support) {
            (TargetMask::FromSupport, None) => TargetMask::None,
            (rule, _) => rule,
        };
        let distance = |target, source| cell.distances.between(target, source);
        let mask = target_mask(rule, language, masks, &distance, support)?;
        Ok(mask.of_learner()?)
    }

    /// Tells the model what the protocol's languages use of it, so that whoever loads it from a folder can choose one.
    pub fn tell_uses(&mut self) -> Result<()> {
        let languages: Vec<Language> = self.protocol.languages().into_iter().collect();
        let mut uses = self.modules.uses(self.progress.moment, &languages, &self.learner.tasks());
        if self.has_subnetworks() {
            if uses.is_empty() {
                let all = |&language: &Language| LanguageUse {
                    language,
                    task: None,
                    strengths: BTreeMap::new(),
                    head_mask: None,
                };
                uses = languages.iter().map(all).collect();
            }
            for one in &mut uses {
                one.head_mask = self.mask(one.language, None)?;
            }
        }
        Ok(self.learner.set_language_uses(uses)?)
    }

    /// Lets the model use all its heads again.
    pub fn use_all_heads(&mut self) -> Result<()> {
        Ok(self.learner.set_head_mask(None)?)
    }
}

/// The masks other than its own that a source language is scored under, where the method asks for that: those of the other
/// languages, and random ones like its own.
pub(crate) fn cross_masks(running: &Running, probe: &Probe, language: Language) -> BTreeMap<String, Mask> {
    let (cell, masks) = (&running.job.cell, &running.progress.masks);
    let asked = cell.method.subnetworks.as_ref().is_some_and(|knobs| knobs.cross_evaluate);
    if !asked || !probe.task.has_head() || !masks.contains_key(&language) {
        return BTreeMap::new();
    }
    let all = subnetworks::cross_masks(masks, RANDOM_MASKS, cell.seed).into_iter();
    let named = |(source, mask)| match source {
        MaskSource::Language(other) => (other != language).then(|| (other.code().to_owned(), mask)),
        MaskSource::Random { like, draw } => (like == language).then(|| (format!("random-{}", draw + 1), mask)),
    };
    all.filter_map(named).collect()
}
