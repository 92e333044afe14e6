//! Comparison of two methods on the same examples. Differences are first − second.

use random::{Generator, below_in_one_draw as below};
use serde::{Deserialize, Serialize};

use crate::bootstrap::{Interval, Purpose, central_95, check, generator};
use crate::contribution::{Contribution, LanguageContributions, divide};
use crate::error::StatisticsError;

/// The difference of two methods and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    pub difference: f64,
    pub interval: Interval,
}

/// Difference of [`crate::ratio`] with its percentile bootstrap interval, both methods resampled together.
///
/// # Errors
/// No examples, different numbers of examples, or 0 resamples.
pub fn paired_difference(
    first: &[Contribution],
    second: &[Contribution],
    seed: u64,
    resamples: usize,
) -> Result<Difference, StatisticsError> {
    bootstrap_difference(&[(None, &pairs(None, first, second)?)], seed, resamples)
}

/// Difference of [`crate::macro_ratio`] with its interval, pairs resampled within each language.
///
/// # Errors
/// As [`paired_difference`] for any language, or a language on one side only.
pub fn macro_paired_difference(
    first: &LanguageContributions,
    second: &LanguageContributions,
    seed: u64,
    resamples: usize,
) -> Result<Difference, StatisticsError> {
    let pairs = language_pairs(first, second)?;
    bootstrap_difference(&strata(&pairs), seed, resamples)
}

/// Two-sided p-value of the paired permutation test: under the null hypothesis the two methods' contributions to each
/// example can be exchanged (Fisher–Pitman; for means, a random flip of the differences' signs).
///
/// Exact, over all 2^n exchanges, where these are no more than `resamples`; otherwise
/// (1 + at least as extreme) / (1 + resamples) over random exchanges (Phipson and Smyth 2010).
///
/// # Errors
/// As [`paired_difference`].
pub fn permutation_test(
    first: &[Contribution],
    second: &[Contribution],
    seed: u64,
    resamples: usize,
) -> Result<f64, StatisticsError> {
    ratio_exchange_test(&[(None, &pairs(None, first, second)?)], seed, resamples)
}

type Pair = (Contribution, Contribution);
type Stratum<'a> = (Option<&'a str>, &'a [Pair]);

fn pairs(
    language: Option<&str>,
    first: &[Contribution],
    second: &[Contribution],
) -> Result<Vec<Pair>, StatisticsError> {
    if first.len() != second.len() {
        let language = language.map(str::to_owned);
        return Err(StatisticsError::NotPaired { language, first: first.len(), second: second.len() });
    }
    Ok(first.iter().copied().zip(second.iter().copied()).collect())
}

fn language_pairs<'a>(
    first: &'a LanguageContributions,
    second: &LanguageContributions,
) -> Result<Vec<(&'a str, Vec<Pair>)>, StatisticsError> {
    if let Some(language) = second.keys().find(|language| !first.contains_key(*language)) {
        return Err(StatisticsError::OneSided { language: language.clone() });
    }
    first
        .iter()
        .map(|(language, examples)| {
            let other = second.get(language).ok_or_else(|| StatisticsError::OneSided { language: language.clone() })?;
            Ok((language.as_str(), pairs(Some(language), examples, other)?))
        })
        .collect()
}

fn strata<'a>(pairs: &'a [(&'a str, Vec<Pair>)]) -> Vec<Stratum<'a>> {
    pairs.iter().map(|(language, pairs)| (Some(*language), pairs.as_slice())).collect()
}

fn bootstrap_difference(strata: &[Stratum], seed: u64, resamples: usize) -> Result<Difference, StatisticsError> {
    check(strata, resamples, |(first, second)| first.is_finite() && second.is_finite())?;
    let mut draws = generator(seed, Purpose::PairedDifference);
    let values = (0..resamples).map(|_| {
        mean_difference(strata, |pairs| {
            let mut sums = Sums::default();
            for _ in 0..pairs.len() {
                let (first, second) = pairs[below(&mut draws, pairs.len())];
                sums.add(first, second);
            }
            sums
        })
    });
    let interval = central_95(values.collect());
    Ok(Difference { difference: observed(strata), interval })
}

fn ratio_exchange_test(strata: &[Stratum], seed: u64, resamples: usize) -> Result<f64, StatisticsError> {
    check(strata, resamples, |(first, second)| first.is_finite() && second.is_finite())?;
    let examples = strata.iter().map(|(_, pairs)| pairs.len()).sum();
    Ok(exchange_test(examples, seed, resamples, |bits| exchanged_difference(strata, || bits.next())))
}

/// p-value of a difference between two methods on `examples` examples. `difference` asks once for every example, in
/// order, whether the two are exchanged. At least one resample.
fn exchange_test(examples: usize, seed: u64, resamples: usize, difference: impl Fn(&mut Bits) -> f64) -> f64 {
    // Sums of exchanged values may differ in the last bits; an exchange that changes nothing must still count.
    let threshold = difference(&mut Bits::None).abs() - 1e-12;
    let extreme = |bits: &mut Bits| difference(bits).abs() >= threshold;
    let all = u32::try_from(examples).ok().and_then(|n| 1_usize.checked_shl(n)).filter(|&all| all <= resamples);
    if let Some(all) = all {
        let count = (0..all).filter(|&exchanges| extreme(&mut Bits::Of(exchanges))).count();
        return count as f64 / all as f64;
    }
    let mut bits = Bits::Drawn { word: 0, left: 0, draws: Box::new(generator(seed, Purpose::Permutation)) };
    let count = (0..resamples).filter(|_| extreme(&mut bits)).count();
    (1 + count) as f64 / (1 + resamples) as f64
}

/// Which examples' predictions are exchanged.
enum Bits {
    None,
    /// Bit i says it of example i.
    Of(usize),
    Drawn {
        word: u64,
        left: u32,
        draws: Box<Generator>,
    },
}

impl Bits {
    /// Of the next example.
    fn next(&mut self) -> bool {
        match self {
            Self::None => false,
            Self::Of(bits) => {
                let bit = *bits & 1 == 1;
                *bits >>= 1;
                bit
            }
            Self::Drawn { word, left, draws } => {
                if *left == 0 {
                    (*word, *left) = (random::bits(draws), u64::BITS);
                }
                let bit = *word & 1 == 1;
                *word >>= 1;
                *left -= 1;
                bit
            }
        }
    }
}

#[derive(Default)]
struct Sums {
    first: (f64, f64),
    second: (f64, f64),
}

impl Sums {
    fn add(&mut self, first: Contribution, second: Contribution) {
        self.first = (self.first.0 + first.numerator, self.first.1 + first.denominator);
        self.second = (self.second.0 + second.numerator, self.second.1 + second.denominator);
    }
}

fn mean_difference(strata: &[Stratum], mut sums: impl FnMut(&[Pair]) -> Sums) -> f64 {
    let total: f64 = strata
        .iter()
        .map(|(_, pairs)| {
            let sums = sums(pairs);
            divide(sums.first.0, sums.first.1) - divide(sums.second.0, sums.second.1)
        })
        .sum();
    total / strata.len() as f64
}

fn observed(strata: &[Stratum]) -> f64 {
    exchanged_difference(strata, || false)
}

/// `exchange` is asked once for every pair, in order.
fn exchanged_difference(strata: &[Stratum], mut exchange: impl FnMut() -> bool) -> f64 {
    mean_difference(strata, |pairs| {
        let mut sums = Sums::default();
        for &(first, second) in pairs {
            let (first, second) = if exchange() { (second, first) } else { (first, second) };
            sums.add(first, second);
        }
        sums
    })
}
