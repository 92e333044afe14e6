use std::collections::BTreeMap;

use model::Learner;
use serde::{Deserialize, Serialize};
use spec::{Language, MaskKind, MaskUpdate, Merge, Stage, Subnetworks};

use super::{DynamicMasks, Mask, MaskError, SavedDynamic, discovery};
use crate::batch_source::BatchSource;
use crate::error::StrategyError;
use crate::report::Began;

/// The masks of a stage's languages at work.
#[derive(Debug)]
pub(crate) struct StageMasks<'a> {
    knobs: &'a Subnetworks,
    languages: &'a [Language],
    /// Before the stage.
    found: BTreeMap<Language, Mask>,
    dynamic: Option<DynamicMasks>,
}

/// What a resumed stage needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SavedMasks {
    found: BTreeMap<Language, Mask>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dynamic: Option<SavedDynamic>,
}

impl<'a> StageMasks<'a> {
    /// Finds the masks of a stage's languages.
    pub fn find(
        knobs: &'a Subnetworks,
        stage: &'a Stage,
        seed: u64,
        learner: &mut Learner,
        data: &mut dyn BatchSource,
        began: &mut Began,
    ) -> Result<Self, StrategyError> {
        let found = discovery::masks(knobs, stage, seed, learner, data, began)?;
        Ok(Self::new(knobs, stage, found)?)
    }

    fn new(knobs: &'a Subnetworks, stage: &'a Stage, found: BTreeMap<Language, Mask>) -> Result<Self, MaskError> {
        let dynamic = match knobs.kind {
            MaskKind::Dynamic => Some(DynamicMasks::new(&knobs.dynamic, knobs.normalise, &found)?),
            MaskKind::Static | MaskKind::Random => None,
        };
        Ok(Self { knobs, languages: &stage.languages, found, dynamic })
    }

    pub fn save(&self) -> SavedMasks {
        SavedMasks { found: self.found.clone(), dynamic: self.dynamic.as_ref().map(DynamicMasks::save) }
    }

    pub fn load(knobs: &'a Subnetworks, stage: &'a Stage, saved: SavedMasks) -> Result<Self, MaskError> {
        let mut masks = Self::new(knobs, stage, saved.found)?;
        if let Some(dynamic) = &mut masks.dynamic {
            dynamic.restore(saved.dynamic.ok_or(MaskError::Nothing)?)?;
        }
        Ok(masks)
    }

    /// As they are now.
    pub fn masks(&self) -> &BTreeMap<Language, Mask> {
        self.dynamic.as_ref().map_or(&self.found, DynamicMasks::masks)
    }

    /// Lets the learner use the heads of the stage's `source`-th language, until [`StageMasks::use_all`].
    pub fn use_language(&self, learner: &mut Learner, source: usize) -> Result<(), StrategyError> {
        let language = self.languages[source];
        let mask = self.masks().get(&language).ok_or(MaskError::NoMask { language })?;
        Ok(learner.set_head_mask(mask.of_learner()?)?)
    }

    pub fn use_all(&self, learner: &mut Learner) -> Result<(), StrategyError> {
        Ok(learner.set_head_mask(None)?)
    }

    /// Keeps the learner from moving heads that no language has, until [`StageMasks::let_go`].
    pub fn hold(&self, learner: &mut Learner) -> Result<(), StrategyError> {
        if self.knobs.update == MaskUpdate::MaskUpdate {
            let union = Mask::merged(&self.masks().values().collect::<Vec<_>>(), Merge::Union)?;
            learner.set_update_mask(union.of_learner()?)?;
        }
        Ok(())
    }

    pub fn let_go(&self, learner: &mut Learner) -> Result<(), StrategyError> {
        Ok(learner.set_update_mask(None)?)
    }

    /// Gathers for dynamic masks what heads matter to each language, on the `draw`-th batches.
    pub fn observe(
        &mut self,
        learner: &mut Learner,
        data: &mut dyn BatchSource,
        draw: u64,
    ) -> Result<(), StrategyError> {
        if self.dynamic.is_none() {
            return Ok(());
        }
        for (source, &language) in self.languages.iter().enumerate() {
            self.use_language(learner, source)?;
            let gradient = learner.head_gradients(&data.source(source, draw)?.batch)?;
            if let Some(dynamic) = &mut self.dynamic {
                dynamic.observe(language, &gradient)?;
            }
        }
        self.use_all(learner)
    }

    /// After a step (from 0): how many heads each language has exchanged, where it has.
    pub fn after(&mut self, step: u64) -> Vec<(String, f64)> {
        let Some(dynamic) = &mut self.dynamic else { return Vec::new() };
        let before = dynamic.masks().clone();
        let changed = dynamic.after(step).into_iter();
        changed
            .map(|language| {
                let pairs =
                    before[&language].rows().iter().flatten().zip(dynamic.masks()[&language].rows().iter().flatten());
                let new = pairs.filter(|(before, now)| !**before && **now).count();
                (format!("new-heads.{language}"), new as f64)
            })
            .collect()
    }
}
