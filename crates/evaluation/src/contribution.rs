//! What one example adds to a metric.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The part of one example in a metric whose value is Σ numerator / Σ denominator.
///
/// | metric | numerator | denominator |
/// | --- | --- | --- |
/// | mean of per-example scores | score | 1 |
/// | precision | true positives | predicted |
/// | recall | true positives | gold |
/// | micro F1 | 2 · true positives | predicted + gold |
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    pub numerator: f64,
    pub denominator: f64,
}

impl Contribution {
    /// A score that counts once in a mean.
    pub fn mean(score: f64) -> Self {
        Self { numerator: score, denominator: 1.0 }
    }

    /// Right or wrong, counting once in a mean.
    pub fn hit(right: bool) -> Self {
        Self::mean(f64::from(u8::from(right)))
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.numerator.is_finite() && self.denominator.is_finite()
    }

    /// The metric's value on this example alone; 0/0 is 0.
    pub fn value(self) -> f64 {
        divide(self.numerator, self.denominator)
    }
}

/// Contributions per metric name, one a scored example and in the examples' order.
pub type Scores = BTreeMap<&'static str, Vec<Contribution>>;

/// [`Scores`] of metrics whose names depend on the task or the data, as `ner.f1.strict.DATE` does.
pub type NamedScores = BTreeMap<String, Vec<Contribution>>;

/// Contributions of one metric per language.
pub type LanguageContributions = BTreeMap<String, Vec<Contribution>>;

/// Σ numerator / Σ denominator. 0/0 is 0: no entity was there and none was predicted (seqeval's `zero_division=0`).
pub fn ratio(contributions: &[Contribution]) -> f64 {
    let (numerator, denominator) =
        contributions.iter().fold((0.0, 0.0), |(n, d), c| (n + c.numerator, d + c.denominator));
    divide(numerator, denominator)
}

/// Unweighted mean over languages of [`ratio`]; 0 without languages.
pub fn macro_ratio(languages: &LanguageContributions) -> f64 {
    let total: f64 = languages.values().map(|contributions| ratio(contributions)).sum();
    divide(total, languages.len() as f64)
}

pub(crate) fn divide(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 { 0.0 } else { numerator / denominator }
}
