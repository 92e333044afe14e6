//! What an update in some languages did to all of them.
//!
//! The words are those of Badola et al., "Parameter-Efficient Finetuning for Robust Continual Multilingual Learning",
//! Findings of ACL 2023; the formulas are a reconstruction from its abstract, which leaves open over which languages the
//! losses are averaged. Hence three readings.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::MeasureError;

/// Changes from before to after an update, in percent of the score before.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// 100 · (after − before) / before, per language.
    pub relative: BTreeMap<String, f64>,
    /// Mean relative change over all languages: `relative-change.mean`. Gains can hide losses in it.
    pub mean: f64,
    /// Fraction of languages that gained: `gains.spread`. No change is neither gain nor loss.
    pub gains: f64,
    /// Mean loss over the languages that lost, 0 if none did: `losses.losing`.
    pub loss_losing: f64,
    /// Mean loss over the languages without new data, gains counting as 0: `losses.others`; none if all had new data.
    pub loss_others: Option<f64>,
    /// Sum of all losses: `losses.sum`.
    pub loss_sum: f64,
}

impl Update {
    /// Compares the scores of the same languages; `updated` are those with new data.
    ///
    /// # Errors
    /// No languages, a language scored on one side only, an updated language without score, a score that is not finite,
    /// or a score of 0 before the update.
    pub fn new(
        before: &BTreeMap<String, f64>,
        after: &BTreeMap<String, f64>,
        updated: &BTreeSet<String>,
    ) -> Result<Self, MeasureError> {
        if before.is_empty() && after.is_empty() {
            return Err(MeasureError::Nothing);
        }
        let one_sided = |side: &BTreeMap<String, f64>, other: &BTreeMap<String, f64>| -> Vec<String> {
            side.keys().filter(|language| !other.contains_key(*language)).cloned().collect()
        };
        let missing = [one_sided(before, after), one_sided(after, before)].concat();
        if !missing.is_empty() {
            return Err(MeasureError::MissingLanguages { missing });
        }
        if let Some(language) = updated.iter().find(|language| !before.contains_key(*language)) {
            return Err(MeasureError::UnknownUpdated { language: language.clone() });
        }
        let mut relative = BTreeMap::new();
        for ((language, &before), &after) in before.iter().zip(after.values()) {
            for (place, value) in [("before the update", before), ("after the update", after)] {
                if !value.is_finite() {
                    return Err(MeasureError::NotFinite { column: language.clone(), place: place.into(), value });
                }
            }
            if before == 0.0 {
                return Err(MeasureError::ZeroBefore { language: language.clone() });
            }
            relative.insert(language.clone(), 100.0 * (after - before) / before);
        }
        let languages = relative.len() as f64;
        let losses: Vec<f64> = relative.values().filter(|change| **change < 0.0).map(|change| -change).collect();
        let loss_sum = losses.iter().sum::<f64>();
        let others: Vec<f64> = relative
            .iter()
            .filter(|(language, _)| !updated.contains(*language))
            .map(|(_, change)| (-change).max(0.0))
            .collect();
        Ok(Self {
            mean: relative.values().sum::<f64>() / languages,
            gains: relative.values().filter(|change| **change > 0.0).count() as f64 / languages,
            loss_losing: if losses.is_empty() { 0.0 } else { loss_sum / losses.len() as f64 },
            loss_others: (!others.is_empty()).then(|| others.iter().sum::<f64>() / others.len() as f64),
            loss_sum,
            relative,
        })
    }
}

/// How much smaller a method's loss is than a baseline's, in percent of the baseline's; none if the baseline lost nothing.
pub fn loss_reduction(baseline: f64, loss: f64) -> Option<f64> {
    (baseline > 0.0).then(|| 100.0 * (baseline - loss) / baseline)
}
