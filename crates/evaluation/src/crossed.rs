//! Variance of a score whose seeds and examples are both drawn anew.
//!
//! A run of a seed is scored on the same examples as every other: seeds and examples are crossed. With S seeds, L languages
//! and N examples in each, the value of seed s on example i of a language is
//!
//! > x = mean + seed + example + interaction,
//!
//! and the average over all three has the variance V(seeds) + V(examples) − V(interaction), where
//!
//! * V(seeds) is the sample variance of the S averages over languages, divided by S;
//! * V(examples) is Σ over languages of the sample variance of the examples' means over seeds, divided by N · L²;
//! * V(interaction) is Σ over languages of the interaction's mean square, divided by S · N · L²: both of the others contain
//!   it. (Searle, Casella and McCulloch, "Variance Components", 1992, § 4.3: analysis of variance of the two-way crossed
//!   random model.)
//!
//! An estimate below V(seeds) or V(examples) alone comes from a negative component, and is raised to the larger of the two.
//!
//! The sum over languages has the degrees of freedom that Satterthwaite gives it (Biometrics Bulletin 1946, equation 17):
//! 1/ν = Σ share² / ν of the part. Of the seeds' part, with two or four degrees of freedom, and the examples' that is too sure
//! of itself: when the first is small by chance, the second's count, and an interval of three seeds covers 92 % where
//! seeds make nine tenths of the variance. Behrens's and Fisher's distribution covers up to 98 % in its place. With the shares
//! unsquared, 1/ν = Σ share / ν, it is 94 to 96 % for three seeds or more, whatever the shares.
//!
//! A ratio of sums is no mean, but near one: example i adds R + (numeratorᵢ − R · denominatorᵢ) / mean denominator, whose mean
//! is R (the delta method; Cochran, "Sampling Techniques", 1977, § 6.3).

use crate::contribution::{Contribution, LanguageContributions, ratio};
use crate::error::StatisticsError;

/// What is drawn anew beside the seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Drawn {
    /// Examples within each language: a verdict is about these languages.
    #[default]
    Examples,
    /// Languages, with their examples: a verdict is about languages like these.
    Languages,
}

/// Values of one language, `[seeds][examples]`; where languages are drawn, of all, `[seeds][languages]`.
pub(crate) type Stratum = Vec<Vec<f64>>;

/// A variance and the degrees of freedom of its estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Part {
    pub variance: f64,
    pub degrees: f64,
}

/// The parts of the variance of an average over seeds and examples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Crossed {
    pub mean: f64,
    pub seeds: usize,
    /// Sample variance of the seeds' averages: S · V(seeds); none with one seed.
    pub seed_square: Option<f64>,
    pub examples: Part,
    pub interaction: Part,
}

impl Crossed {
    /// The strata must not be empty, nor have differing numbers of seeds.
    pub fn new(strata: &[Stratum]) -> Self {
        let count = strata.len() as f64;
        let averages = averages(strata);
        let seeds = averages.len();
        let (mut examples, mut interaction) = (Vec::new(), Vec::new());
        for stratum in strata {
            let units = stratum[0].len();
            let of_seeds: Vec<f64> = stratum.iter().map(|values| mean(values)).collect();
            let of_units: Vec<f64> = (0..units).map(|unit| column_mean(stratum, unit)).collect();
            let all = mean(&of_seeds);
            let square: f64 = stratum
                .iter()
                .zip(&of_seeds)
                .flat_map(|(values, seed)| values.iter().zip(&of_units).map(move |(x, unit)| x - seed - unit + all))
                .map(|residual| residual * residual)
                .sum();
            let rest = units as f64 - 1.0;
            let both = (seeds as f64 - 1.0) * rest;
            let weight = 1.0 / (units as f64 * count * count);
            examples.push(Part { variance: weight * variance(&of_units), degrees: rest });
            let variance = if seeds > 1 { weight * square / both / seeds as f64 } else { 0.0 };
            interaction.push(Part { variance, degrees: both });
        }
        Self {
            mean: mean(&averages),
            seeds,
            seed_square: (seeds > 1).then(|| variance(&averages)),
            examples: sum(&examples),
            interaction: sum(&interaction),
        }
    }

    /// The variance of the mean, given that of its seeds.
    pub fn with_seeds(&self, seeds: Part) -> Part {
        let beyond = (self.examples.variance - self.interaction.variance).max(0.0);
        let variance = (seeds.variance + beyond).max(self.examples.variance);
        if variance <= 0.0 {
            return Part { variance: 0.0, degrees: f64::INFINITY };
        }
        let share = seeds.variance / variance;
        let reciprocal = share / seeds.degrees + (1.0 - share) / self.examples.degrees;
        Part { variance, degrees: 1.0 / reciprocal }
    }
}

/// Of each seed, the average over the strata.
pub(crate) fn averages(strata: &[Stratum]) -> Vec<f64> {
    let seeds = strata.first().map_or(0, Vec::len);
    (0..seeds).map(|seed| strata.iter().map(|s| mean(&s[seed])).sum::<f64>() / strata.len() as f64).collect()
}

/// Degrees of freedom of a sum of variances; infinite if none of them varies.
pub(crate) fn satterthwaite(total: f64, parts: &[Part]) -> f64 {
    let varying = parts.iter().filter(|part| part.variance > 0.0);
    total.powi(2) / varying.map(|part| part.variance.powi(2) / part.degrees).sum::<f64>().max(f64::MIN_POSITIVE)
}

fn sum(parts: &[Part]) -> Part {
    let variance = parts.iter().map(|part| part.variance).sum();
    Part { variance, degrees: satterthwaite(variance, parts) }
}

/// The strata of one method's runs, one map a seed.
///
/// # Errors
/// No seeds or languages, other languages or numbers of examples in another seed, a language with one example, or one
/// language where languages are drawn; a score that is not finite.
pub(crate) fn strata(runs: &[&LanguageContributions], drawn: Drawn) -> Result<Vec<Stratum>, StatisticsError> {
    let first = runs.first().filter(|first| !first.is_empty());
    let first = first.ok_or(StatisticsError::NoExamples { language: None })?;
    let mut strata = Vec::new();
    for (language, examples) in *first {
        let mut stratum = Stratum::new();
        for run in runs {
            if let Some(other) = run.keys().find(|other| !first.contains_key(*other)) {
                return Err(StatisticsError::OneSided { language: other.clone() });
            }
            let own = run.get(language).ok_or_else(|| StatisticsError::OneSided { language: language.clone() })?;
            let (first, second) = (examples.len(), own.len());
            let language = Some(language.clone());
            if first != second {
                return Err(StatisticsError::NotPaired { language, first, second });
            }
            if let Some(example) = own.iter().position(|example| !example.is_finite()) {
                return Err(StatisticsError::NotFinite { language, example });
            }
            match (drawn, own.len()) {
                (_, 0) => return Err(StatisticsError::NoExamples { language }),
                (Drawn::Examples, 1) => return Err(StatisticsError::OneUnit { unit: "example", language }),
                (Drawn::Examples, _) => stratum.push(linearised(own)),
                (Drawn::Languages, _) => stratum.push(vec![ratio(own)]),
            }
        }
        strata.push(stratum);
    }
    if drawn == Drawn::Examples {
        return Ok(strata);
    }
    if strata.len() == 1 {
        return Err(StatisticsError::OneUnit { unit: "language", language: None });
    }
    let of_seed = |seed: usize| strata.iter().map(|stratum| stratum[seed][0]).collect();
    Ok(vec![(0..runs.len()).map(of_seed).collect()])
}

/// What each example adds to the ratio, as values whose mean is the ratio.
fn linearised(examples: &[Contribution]) -> Vec<f64> {
    let value = ratio(examples);
    let denominator = examples.iter().map(|example| example.denominator).sum::<f64>() / examples.len() as f64;
    let of = |example: &Contribution| match denominator {
        0.0 => value,
        _ => value + (example.numerator - value * example.denominator) / denominator,
    };
    examples.iter().map(of).collect()
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// With n − 1.
pub(crate) fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

fn column_mean(rows: &[Vec<f64>], column: usize) -> f64 {
    rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two seeds × three examples of one language, by hand: the seeds' means are 2 and 4, the examples' 2, 3 and 4; what is
    /// left is ±0.5, ±0.5 and ∓1.
    #[test]
    fn a_small_table_by_hand() {
        let stratum = vec![vec![1.5, 2.5, 2.0], vec![2.5, 3.5, 6.0]];
        let crossed = Crossed::new(&[stratum]);
        assert_eq!((crossed.mean, crossed.seeds, crossed.seed_square), (3.0, 2, Some(2.0)));
        assert_eq!(crossed.examples, Part { variance: 1.0 / 3.0, degrees: 2.0 });
        // 2 · (0.25 + 0.25 + 1) / 2 = 1.5 is the mean square; by 2 seeds and 3 examples 0.25.
        assert_eq!(crossed.interaction, Part { variance: 0.25, degrees: 2.0 });
        let total = crossed.with_seeds(Part { variance: 1.0, degrees: 1.0 });
        assert!((total.variance - 13.0 / 12.0).abs() < 1e-15);
        // Twelve thirteenths are the seeds', with one degree of freedom; the rest has two.
        assert!((total.degrees - 1.0 / (12.0 / 13.0 + 1.0 / 26.0)).abs() < 1e-12);
    }

    #[test]
    fn a_negative_component_counts_as_none() {
        let crossed = Crossed::new(&[vec![vec![0.0, 1.0], vec![1.0, 0.0]]]);
        assert_eq!((crossed.examples.variance, crossed.interaction.variance), (0.0, 0.25));
        assert_eq!(crossed.with_seeds(Part { variance: 0.1, degrees: 1.0 }).variance, 0.1);
    }

    #[test]
    fn degrees_of_freedom_are_those_of_welchs_test_in_scipy() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../tests/reference/comparison.json")).unwrap();
        for case in reference["welch"].as_array().unwrap() {
            let number = |value: &serde_json::Value| value.as_f64().unwrap();
            let part = |part: &serde_json::Value| Part { variance: number(&part[0]), degrees: number(&part[1]) };
            let parts = [part(&case[0][0]), part(&case[0][1])];
            let ours = satterthwaite(parts[0].variance + parts[1].variance, &parts);
            assert!((ours / number(&case[1]) - 1.0).abs() < 1e-12, "{ours} instead of {}", case[1]);
        }
    }

    #[test]
    fn a_linearised_ratio_has_the_ratio_for_its_mean() {
        let examples = [(1.0, 2.0), (3.0, 4.0), (0.0, 0.0)]
            .map(|(numerator, denominator)| Contribution { numerator, denominator });
        let values = linearised(&examples);
        // R = 4/6 and the mean denominator is 2: R + (1 − 2R)/2 and so on.
        let expected = [0.5, 5.0 / 6.0, 2.0 / 3.0];
        assert!(values.iter().zip(expected).all(|(value, expected)| (value - expected).abs() < 1e-15), "{values:?}");
        let nothing = [Contribution { numerator: 0.0, denominator: 0.0 }; 2];
        assert_eq!(linearised(&nothing), [0.0, 0.0]);
    }
}
