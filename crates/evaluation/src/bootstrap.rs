//! Percentile bootstrap intervals over examples (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13).

use random::{Generator, below_in_one_draw as below};
use serde::{Deserialize, Serialize};

use crate::contribution::{Contribution, LanguageContributions, divide};
use crate::error::StatisticsError;

/// The usual number of resamples.
pub const RESAMPLES: usize = 1000;

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Interval of [`crate::ratio`] when the examples are drawn anew.
///
/// # Errors
/// No examples, or 0 resamples.
pub fn interval(examples: &[Contribution], seed: u64, resamples: usize) -> Result<Interval, StatisticsError> {
    resampled(&[(None, examples)], seed, resamples)
}

/// Interval of [`crate::macro_ratio`], examples drawn anew within each language. The languages themselves are fixed: the
/// interval says nothing about others.
///
/// # Errors
/// No languages, a language without examples, or 0 resamples.
pub fn macro_interval(
    languages: &LanguageContributions,
    seed: u64,
    resamples: usize,
) -> Result<Interval, StatisticsError> {
    let strata: Vec<_> = languages.iter().map(|(language, c)| (Some(language.as_str()), c.as_slice())).collect();
    resampled(&strata, seed, resamples)
}

/// The examples of one part of a measurement at several moments; `None` at a moment at which it was not measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeated<'a> {
    pub name: String,
    pub moments: Vec<Option<&'a [Contribution]>>,
}

impl Repeated<'_> {
    fn examples(&self) -> usize {
        self.moments.iter().flatten().map(|examples| examples.len()).next().unwrap_or(0)
    }

    fn scores(&self, places: &[usize]) -> Vec<Option<f64>> {
        let score = |examples: &[Contribution]| {
            let sums =
                places.iter().map(|&place| examples[place]).fold((0.0, 0.0), |(numerator, denominator), example| {
                    (numerator + example.numerator, denominator + example.denominator)
                });
            divide(sums.0, sums.1)
        };
        self.moments.iter().map(|examples| examples.map(score)).collect()
    }
}

/// What `values` computes of [`crate::ratio`] of every part at every moment, `[parts, moments]`, and the interval of each of
/// these values when examples are drawn anew within each part, the same ones at all moments. `values` must always give
/// equally many.
///
/// # Errors
/// A part with an empty moment or different numbers of examples, 0 resamples, or an error of `values`.
pub fn joint_intervals<E: From<StatisticsError>>(
    parts: &[Repeated],
    seed: u64,
    resamples: usize,
    values: impl Fn(&[Vec<Option<f64>>]) -> Result<Vec<f64>, E>,
) -> Result<Vec<(f64, Interval)>, E> {
    if resamples == 0 {
        return Err(StatisticsError::NoResamples.into());
    }
    for part in parts {
        for examples in part.moments.iter().flatten() {
            check(&[(Some(part.name.as_str()), *examples)], resamples, Contribution::is_finite)?;
            let (first, second) = (part.examples(), examples.len());
            if first != second {
                return Err(StatisticsError::NotPaired { language: Some(part.name.clone()), first, second }.into());
            }
        }
    }
    let all = |part: &Repeated| part.scores(&(0..part.examples()).collect::<Vec<_>>());
    let observed = values(&parts.iter().map(all).collect::<Vec<_>>())?;
    let mut draws = generator(seed, Purpose::Joint);
    let mut resampled = vec![Vec::with_capacity(resamples); observed.len()];
    for _ in 0..resamples {
        let mut drawn = |part: &Repeated| {
            let examples = part.examples();
            part.scores(&(0..examples).map(|_| below(&mut draws, examples)).collect::<Vec<_>>())
        };
        let scores: Vec<_> = parts.iter().map(&mut drawn).collect();
        resampled.iter_mut().zip(values(&scores)?).for_each(|(values, value)| values.push(value));
    }
    Ok(observed.into_iter().zip(resampled.into_iter().map(central_95)).collect())
}

fn resampled(
    strata: &[(Option<&str>, &[Contribution])],
    seed: u64,
    resamples: usize,
) -> Result<Interval, StatisticsError> {
    check(strata, resamples, Contribution::is_finite)?;
    let mut draws = generator(seed, Purpose::Interval);
    let values = (0..resamples).map(|_| {
        let total: f64 = strata
            .iter()
            .map(|(_, examples)| {
                let mut sums = (0.0, 0.0);
                for _ in 0..examples.len() {
                    let example = examples[below(&mut draws, examples.len())];
                    sums = (sums.0 + example.numerator, sums.1 + example.denominator);
                }
                divide(sums.0, sums.1)
            })
            .sum();
        total / strata.len() as f64
    });
    Ok(central_95(values.collect()))
}

/// What random numbers are for, so that no two uses of a seed share them.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Interval,
    PairedDifference,
    Permutation,
    Joint,
}

pub(crate) fn generator(seed: u64, purpose: Purpose) -> Generator {
    random::numbered(seed, purpose as u64)
}

/// Refuses no resamples, no strata, an empty stratum, and examples that are not finite.
pub(crate) fn check<T>(
    strata: &[(Option<&str>, &[T])],
    resamples: usize,
    finite: impl Fn(&T) -> bool,
) -> Result<(), StatisticsError> {
    if resamples == 0 {
        return Err(StatisticsError::NoResamples);
    }
    if strata.is_empty() {
        return Err(StatisticsError::NoExamples { language: None });
    }
    for (language, examples) in strata {
        let language = language.map(str::to_owned);
        if examples.is_empty() {
            return Err(StatisticsError::NoExamples { language });
        }
        if let Some(example) = examples.iter().position(|example| !finite(example)) {
            return Err(StatisticsError::NotFinite { language, example });
        }
    }
    Ok(())
}

/// The 2.5 % and 97.5 % quantiles, interpolated linearly (type 7 of Hyndman and Fan 1996, NumPy's default).
pub(crate) fn central_95(mut values: Vec<f64>) -> Interval {
    values.sort_unstable_by(f64::total_cmp);
    let quantile = |p: f64| {
        let position = p * (values.len() - 1) as f64;
        let (lower, upper) = (position.floor() as usize, position.ceil() as usize);
        values[lower] + (position - position.floor()) * (values[upper] - values[lower])
    };
    Interval { low: quantile(0.025), high: quantile(0.975) }
}
