use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spec::{DynamicKnobs, DynamicStart, Language, Normalise};

use super::importance::check;
use super::{Mask, MaskError, Scores};

/// Masks that follow the model. For each language, over its own batches:
///
/// ```text
/// e <- ema e + (1 - ema) |d loss / d m|        at every step
/// m <- the k most important heads by e         after every so many steps
/// ```
///
/// The gradient is that of every head, masked ones included: a head that was dropped can come back.
#[derive(Debug, Clone)]
pub struct DynamicMasks {
    knobs: DynamicKnobs,
    normalise: Normalise,
    /// k of each language.
    sizes: BTreeMap<Language, usize>,
    state: SavedDynamic,
}

/// What a resumed run needs besides the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SavedDynamic {
    pub masks: BTreeMap<Language, Mask>,
    /// e of the languages that had a batch, `[layers, heads]`.
    pub averages: BTreeMap<Language, Vec<f64>>,
}

impl DynamicMasks {
    /// Starts from the languages' static masks.
    ///
    /// # Errors
    /// [`MaskError::Nothing`] without masks, [`MaskError::Different`] if they are not of one model.
    pub fn new(
        knobs: &DynamicKnobs,
        normalise: Normalise,
        static_masks: &BTreeMap<Language, Mask>,
    ) -> Result<Self, MaskError> {
        let first = static_masks.values().next().ok_or(MaskError::Nothing)?;
        static_masks.values().try_for_each(|mask| first.check_like(mask.layers(), mask.heads()))?;
        let full = Mask::full(first.layers(), first.heads())?;
        let start = |mask: &Mask| match knobs.init {
            DynamicStart::Static => mask.clone(),
            DynamicStart::Ones => full.clone(),
        };
        let size = |mask: &Mask| knobs.size.unwrap_or(mask.size());
        Ok(Self {
            knobs: knobs.clone(),
            normalise,
            sizes: static_masks.iter().map(|(&language, mask)| (language, size(mask))).collect(),
            state: SavedDynamic {
                masks: static_masks.iter().map(|(&language, mask)| (language, start(mask))).collect(),
                averages: BTreeMap::new(),
            },
        })
    }

    /// The masks as they are now.
    pub fn masks(&self) -> &BTreeMap<Language, Mask> {
        &self.state.masks
    }

    /// Takes `d loss / d mask` `[layers, heads]` of one batch of a language.
    ///
    /// # Errors
    /// [`MaskError::NoMask`], [`MaskError::Count`] or [`MaskError::NotFinite`].
    pub fn observe(&mut self, language: Language, gradient: &[f64]) -> Result<(), MaskError> {
        let mask = self.state.masks.get(&language).ok_or(MaskError::NoMask { language })?;
        check(gradient, mask.layers(), mask.heads())?;
        let average = self.state.averages.entry(language).or_insert_with(|| vec![0.0; gradient.len()]);
        for (average, value) in average.iter_mut().zip(gradient) {
            *average = self.knobs.ema * *average + (1.0 - self.knobs.ema) * value.abs();
        }
        Ok(())
    }

    /// Chooses heads anew where this step (from 0) ends a period; gives the languages whose masks have changed. A language
    /// without a batch so far keeps its mask.
    pub fn after(&mut self, step: u64) -> Vec<Language> {
        if !(step + 1).is_multiple_of(self.knobs.every) {
            return Vec::new();
        }
        let mut changed = Vec::new();
        for (&language, mask) in &mut self.state.masks {
            let Some(average) = self.state.averages.get(&language) else { continue };
            // A factor common to all heads, such as the average's start at 0, changes no order.
            let scores = Scores::of_checked(mask.heads(), average.clone()).normalised(self.normalise);
            let chosen = Mask::most_important(&scores, self.sizes[&language]);
            if chosen != *mask {
                *mask = chosen;
                changed.push(language);
            }
        }
        changed
    }

    pub fn save(&self) -> SavedDynamic {
        self.state.clone()
    }

    /// Goes on from a saved state of the same masks.
    ///
    /// # Errors
    /// [`MaskError`] if it is of other languages or another model; nothing has changed then.
    pub fn restore(&mut self, saved: SavedDynamic) -> Result<(), MaskError> {
        let known = |language: &Language| self.sizes.contains_key(language);
        if saved.masks.len() != self.sizes.len() || !saved.masks.keys().chain(saved.averages.keys()).all(known) {
            return Err(MaskError::OtherLanguages);
        }
        for (language, mask) in &saved.masks {
            self.state.masks[language].check_like(mask.layers(), mask.heads())?;
        }
        for (language, average) in &saved.averages {
            let mask = &saved.masks[language];
            check(average, mask.layers(), mask.heads())?;
        }
        self.state = saved;
        Ok(())
    }
}
