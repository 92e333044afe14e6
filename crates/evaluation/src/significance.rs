//! McNemar's exact test and Holm's correction.

use std::f64::consts::LN_2;

use crate::contribution::Contribution;
use crate::error::StatisticsError;

/// Two-sided p-value of McNemar's exact test of two methods' accuracies on the same examples.
///
/// # Errors
/// Different numbers of examples, or a contribution other than 0/1 and 1/1.
pub fn mcnemar(first: &[Contribution], second: &[Contribution]) -> Result<f64, StatisticsError> {
    if first.len() != second.len() {
        return Err(StatisticsError::NotPaired { language: None, first: first.len(), second: second.len() });
    }
    for examples in [first, second] {
        let odd = examples.iter().position(|c| c.denominator != 1.0 || !(c.numerator == 0.0 || c.numerator == 1.0));
        if let Some(example) = odd {
            let Contribution { numerator, denominator } = examples[example];
            return Err(StatisticsError::NotBinary { example, numerator, denominator });
        }
    }
    let better = |one: &[Contribution], other: &[Contribution]| {
        one.iter().zip(other).filter(|(one, other)| one.numerator > other.numerator).count() as u64
    };
    Ok(mcnemar_exact(better(first, second), better(second, first)))
}

/// The test from its counts: examples that only the first, and that only the second method got right. The p-value is
/// twice the lower tail of a fair binomial, at most 1; and 1 without discordant examples.
pub fn mcnemar_exact(only_first: u64, only_second: u64) -> f64 {
    let discordant = only_first + only_second;
    let tail = only_first.min(only_second);
    // The tail is C(n, k)/2^n · (1 + k/(n−k+1) + k(k−1)/((n−k+1)(n−k+2)) + …): the first factor in logarithms, since it
    // leaves the range of f64 for large n.
    let log_largest: f64 =
        (1..=tail).map(|i| (((discordant - tail + i) as f64) / i as f64).ln()).sum::<f64>() - discordant as f64 * LN_2;
    let mut relative = 1.0;
    let mut sum = 1.0;
    for k in (1..=tail).rev() {
        relative *= k as f64 / (discordant - k + 1) as f64;
        sum += relative;
    }
    (2.0 * log_largest.exp() * sum).min(1.0)
}

/// Holm's step-down adjustment (Holm, Scandinavian Journal of Statistics 1979): p-values that can be compared with the
/// level directly while the chance of any false rejection stays below it. In the given order.
///
/// # Errors
/// A value outside 0..=1.
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>, StatisticsError> {
    if let Some((index, &value)) = p_values.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        return Err(StatisticsError::NotProbability { index, value });
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut floor: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        floor = floor.max((p_values.len() - rank) as f64 * p_values[index]).min(1.0);
        adjusted[index] = floor;
    }
    Ok(adjusted)
}
