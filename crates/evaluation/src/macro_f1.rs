//! F1 averaged over labels, with intervals and paired tests.
//!
//! The average over labels is no ratio of sums, so it has no list of [`Contribution`]s. Each label's own F1 is one: here
//! every example keeps what it adds to each label, and a resample draws examples whole and averages anew.

use std::collections::BTreeMap;

use random::below_in_one_draw as below;

use crate::bootstrap::{Interval, Purpose, central_95, generator};
use crate::contribution::{Contribution, divide};
use crate::error::StatisticsError;

/// Unweighted mean of the labels' F1, as scikit-learn's `f1_score(average="macro")` without `labels`: over the labels
/// that occur in gold or prediction. A resample in which a label does not occur averages over the others.
#[derive(Debug, Clone, PartialEq)]
pub struct MacroF1 {
    /// In order, each once.
    labels: Vec<String>,
    examples: Vec<Vec<Part>>,
}

/// What an example adds to the F1 of a label. Labels that it does not concern have none.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Part {
    /// Index into the labels.
    label: usize,
    f1: Contribution,
}

impl MacroF1 {
    /// From the (gold, predicted) labels of each example, one pair a word or one in all.
    pub(crate) fn new<'a, E: IntoIterator<Item = (&'a str, &'a str)>>(examples: impl Iterator<Item = E>) -> Self {
        let examples: Vec<BTreeMap<&str, Contribution>> = examples
            .map(|pairs| {
                let mut parts: BTreeMap<&str, Contribution> = BTreeMap::new();
                for (gold, predicted) in pairs {
                    let mut add = |label, numerator| {
                        let part = parts.entry(label).or_insert(Contribution { numerator: 0.0, denominator: 0.0 });
                        part.numerator += numerator;
                        part.denominator += 1.0;
                    };
                    // 2 · correct / (gold + predicted), shared between the two sides.
                    let hit = f64::from(u8::from(gold == predicted));
                    add(gold, hit);
                    add(predicted, hit);
                }
                parts
            })
            .collect();
        let mut labels: BTreeMap<&str, usize> =
            examples.iter().flat_map(|p| p.keys().map(|label| (*label, 0))).collect();
        labels.values_mut().enumerate().for_each(|(index, place)| *place = index);
        let parts = |parts: &BTreeMap<&str, Contribution>| -> Vec<Part> {
            parts.iter().map(|(label, f1)| Part { label: labels[label], f1: *f1 }).collect()
        };
        Self {
            examples: examples.iter().map(parts).collect(),
            labels: labels.keys().map(|label| (*label).to_owned()).collect(),
        }
    }

    /// The mean; 0 without any label.
    pub fn value(&self) -> f64 {
        mean(&self.sums(self.examples.iter()))
    }

    /// F1 of each label that occurs in gold or prediction.
    pub fn by_label(&self) -> BTreeMap<&str, f64> {
        let sums = self.sums(self.examples.iter());
        self.labels.iter().map(String::as_str).zip(sums.into_iter().map(Contribution::value)).collect()
    }

    /// Number of examples.
    pub fn examples(&self) -> usize {
        self.examples.len()
    }

    /// Percentile bootstrap interval of [`Self::value`] when the examples are drawn anew. As with any F1 of few examples,
    /// it is too narrow and lies too low where labels are rare.
    ///
    /// # Errors
    /// 0 resamples.
    pub fn interval(&self, seed: u64, resamples: usize) -> Result<Interval, StatisticsError> {
        if resamples == 0 {
            return Err(StatisticsError::NoResamples);
        }
        let mut draws = generator(seed, Purpose::Interval);
        let count = self.examples.len();
        let values = (0..resamples)
            .map(|_| mean(&self.sums((0..count).map(|_| &self.examples[below(&mut draws, count)]))))
            .collect();
        Ok(central_95(values))
    }

    /// For each label, Σ numerator and Σ denominator over some examples.
    fn sums<'a>(&self, examples: impl Iterator<Item = &'a Vec<Part>>) -> Vec<Contribution> {
        let mut sums = vec![Contribution { numerator: 0.0, denominator: 0.0 }; self.labels.len()];
        for part in examples.flatten() {
            let sum = &mut sums[part.label];
            sum.numerator += part.f1.numerator;
            sum.denominator += part.f1.denominator;
        }
        sums
    }
}

/// Over the labels that occur.
fn mean(sums: &[Contribution]) -> f64 {
    let occurring = || sums.iter().filter(|sum| sum.denominator > 0.0);
    divide(occurring().map(|sum| sum.value()).sum(), occurring().count() as f64)
}
