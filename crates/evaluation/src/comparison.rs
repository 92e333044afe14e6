//! Comparison of methods whose seeds and examples might have been others.
//!
//! Differences are taken seed by seed and example by example, so that what all methods have in common drops out. Their
//! variance is that of crossed seeds and examples (`crossed.rs`). Three seeds say little about a variance over seeds: the
//! methods' variances, with what a seed does to all of them taken out, are a prior for it (`moderation.rs`), worth as many
//! degrees of freedom as they are alike, and never more than they have together. p is Student's. Comparisons with one control
//! are corrected together by Dunnett's step-down procedure (`dunnett.rs`), all pairs by Holm's.
//!
//! In 2,000 simulated sweeps of 34 methods without a difference (`tests/sweeps.rs`) some method was called better in 2.9 to
//! 4.6 % with three seeds and in 4.2 to 5.3 % with five, also where the methods' variances over seeds scatter by a factor of
//! 1.6 (e to the standard deviation of their logarithms); in 5.5 % of 6,000 where seeds change nothing. Intervals covered 94 to
//! 97 %. A difference of three standard errors had a p by itself below 0.05 in 78 to 85 %, and after the correction for 33
//! comparisons in 28 to 47 %: four to five standard errors are what such a table can show. Two methods with three seeds have
//! only each other: 43 to 62 %.
//!
//! What no method can know of three or five seeds is whether the control is another kind: if its seeds scatter twice as much as
//! those of all others, 14 to 16 % of 500 sweeps erred. Variances that scatter by a factor of 2.7 and outweigh the examples'
//! made it 7 % with three seeds.

use std::collections::{BTreeMap, BTreeSet};

use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use crate::bootstrap::Interval;
use crate::contribution::LanguageContributions;
use crate::crossed::{Crossed, Drawn, Part, Stratum, mean, strata, variance};
use crate::dunnett::{Test, single_level, step_down};
use crate::error::StatisticsError;
use crate::moderation::Prior;
use crate::significance::holm;
use crate::student::{critical, quantile, two_sided};

/// With fewer seeds nothing is called better: the spread over two has one degree of freedom.
pub const LEAST_SEEDS: usize = 3;

/// The chance of any wrong "better" among the comparisons that are made together.
pub const LEVEL: f64 = 0.05;

/// The chance with which the smallest difference that a run could show would have been shown.
pub const POWER: f64 = 0.8;

/// Beyond that it is examples that are missing.
pub const MOST_SEEDS: usize = 1000;

/// What a method scored on the same examples, by seed.
pub type Runs = BTreeMap<u64, LanguageContributions>;

/// Which methods are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// Every other one with the method at this place.
    Control(usize),
    All,
}

/// Two methods, by their places; differences are first − second, in units of the metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    pub first: usize,
    pub second: usize,
    /// Seeds that both have.
    pub seeds: usize,
    /// Mean over these seeds of the average over languages; none without a common seed.
    pub difference: Option<f64>,
    /// None with one seed, or where nothing varies at all.
    pub spread: Option<Spread>,
    pub verdict: Verdict,
}

/// How far a difference might have been another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub standard_error: f64,
    /// Of Student's t.
    pub degrees: f64,
    /// 95 %, of this comparison alone.
    pub interval: Interval,
    /// What can be said about several comparisons together; none with fewer than [`LEAST_SEEDS`].
    pub test: Option<Tested>,
    /// What it would be with other numbers of seeds.
    growth: Growth,
    /// The difference by the standard deviation of one run over seeds, corrected for few degrees of freedom: Hedges' g
    /// (Journal of Educational Statistics 1981, equation 6e), with the root mean square of the two methods' deviations,
    /// moderated and with what a seed does to all methods taken out. None where seeds do not differ.
    pub effect: Option<f64>,
}

/// The parts of a difference's variance.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Growth {
    crossed: Crossed,
    /// Of one run over seeds.
    one_seed: f64,
    /// Degrees of freedom of that beyond a difference's own.
    borrowed: f64,
}

impl Growth {
    /// Standard error and degrees of freedom with so many seeds.
    fn with(&self, seeds: usize) -> (f64, f64) {
        let share = self.crossed.seeds as f64 / seeds as f64;
        let mut crossed = self.crossed;
        // The examples' means over seeds hold an interaction that more seeds average out.
        let freed = crossed.interaction.variance * (1.0 - share);
        crossed.examples.variance = (crossed.examples.variance - freed).max(0.0);
        crossed.interaction.variance -= freed;
        let seeds = seeds as f64;
        let total = crossed
            .with_seeds(Part { variance: self.one_seed / seeds, degrees: (seeds - 1.0 + self.borrowed).min(f64::MAX) });
        (total.variance.sqrt(), total.degrees)
    }

    /// The least number that shows this difference at a level.
    fn seeds_to_show(&self, difference: f64, level: f64) -> Option<usize> {
        let shows = |seeds: usize| {
            let (error, degrees) = self.with(seeds);
            (critical(level, degrees) + quantile(POWER, degrees)) * error <= difference.abs()
        };
        let found = shows(MOST_SEEDS).then(|| {
            let (mut few, mut enough) = (LEAST_SEEDS - 1, MOST_SEEDS);
            while enough - few > 1 {
                let middle = usize::midpoint(few, enough);
                if shows(middle) { enough = middle } else { few = middle }
            }
            enough
        });
        found.filter(|_| difference != 0.0)
    }
}

/// A comparison among all that were made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// Two-sided, by itself.
    pub p: f64,
    /// Comparable with [`LEVEL`] as it is.
    pub adjusted: f64,
    /// The smallest true difference that would have been shown with probability [`POWER`], after the correction: the
    /// standard error times two quantiles of t, of the level and of the power (Bloom, Evaluation Review 1995).
    pub detectable: f64,
    /// How many seeds would show a true difference as large as the one found with probability [`POWER`], after the same
    /// correction, if seeds and examples go on to vary as they did. None where no number up to [`MOST_SEEDS`] would: the
    /// examples leave it open.
    pub seeds: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    FirstBetter,
    SecondBetter,
    NotShown,
    /// Fewer seeds than [`LEAST_SEEDS`].
    TooFewSeeds,
    /// Neither seeds nor examples vary, and yet the methods differ.
    NoSpread,
}

/// Mean of a method's seeds and its 95 % interval when seeds and examples (or languages) are drawn anew; the interval is
/// missing with one seed. Unlike differences it rests on the method's own seeds alone.
///
/// # Errors
/// As [`compare`].
pub fn score(runs: &Runs, drawn: Drawn) -> Result<(f64, Option<Interval>), StatisticsError> {
    let crossed = Crossed::new(&strata(&runs.values().collect::<Vec<_>>(), drawn)?);
    let seeds = crossed.seeds as f64;
    let interval = crossed.seed_square.map(|square| {
        around(crossed.mean, crossed.with_seeds(Part { variance: square / seeds, degrees: seeds - 1.0 }))
    });
    Ok((crossed.mean, interval))
}

/// Mean of a number that each seed has one of, and its 95 % interval when seeds are drawn anew (Student's t); missing with one
/// seed.
///
/// # Panics
/// Without a seed.
pub fn over_seeds(values: &[f64]) -> (f64, Option<Interval>) {
    assert!(!values.is_empty(), "there is no seed");
    let (mean, count) = (mean(values), values.len() as f64);
    let interval =
        (values.len() > 1).then(|| around(mean, Part { variance: variance(values) / count, degrees: count - 1.0 }));
    (mean, interval)
}

/// Compares methods, corrected for as many comparisons as have [`LEAST_SEEDS`] seeds in common. Scores are mean over seeds
/// of the unweighted mean over languages of [`crate::ratio`]; higher is taken for better.
///
/// # Errors
/// A method without seeds or examples, other languages or other numbers of examples than the rest; a language with one
/// example, or one language where languages are drawn; a score that is not finite.
pub fn compare(methods: &[Runs], pairs: Pairs, drawn: Drawn) -> Result<Vec<Compared>, StatisticsError> {
    let tables: Vec<Table> = methods.iter().map(|runs| Table::new(runs, drawn)).collect::<Result<_, _>>()?;
    check_pairing(&tables)?;
    let kind = Kind::of(&tables);
    let places: Vec<(usize, usize)> = match pairs {
        Pairs::Control(control) => {
            (0..tables.len()).filter(|&method| method != control).map(|method| (method, control)).collect()
        }
        Pairs::All => {
            (0..tables.len()).flat_map(|first| (first + 1..tables.len()).map(move |second| (first, second))).collect()
        }
    };
    let mut compared: Vec<Compared> =
        places.into_iter().map(|(first, second)| Compared::new([first, second], &tables, kind.as_ref())).collect();
    correct(&mut compared, pairs, kind.as_ref())?;
    Ok(compared)
}

/// How far the control's seeds lie apart by the standard deviation of the others' (what a seed does to all taken out), if
/// that is more than chance would make it in one of twenty sweeps (an F test). Of such a control corrected p are too small.
///
/// # Errors
/// As [`compare`].
pub fn control_scatters(methods: &[Runs], control: usize, drawn: Drawn) -> Result<Option<f64>, StatisticsError> {
    let tables: Vec<Table> = methods.iter().map(|runs| Table::new(runs, drawn)).collect::<Result<_, _>>()?;
    check_pairing(&tables)?;
    let Some(kind) = Kind::of(&tables) else { return Ok(None) };
    let Some(own) = kind.squares.get(&control) else { return Ok(None) };
    let others: Vec<f64> =
        kind.squares.iter().filter(|(place, _)| **place != control).map(|(_, square)| *square).collect();
    let rest = others.iter().sum::<f64>() / others.len() as f64;
    if rest <= 0.0 {
        return Ok(None);
    }
    // Of each method's variance, which has the seeds' degrees of freedom.
    let degrees = kind.degrees / others.len() as f64;
    let chance = FisherSnedecor::new(degrees, degrees * others.len() as f64).map(|f| f.sf(own / rest));
    Ok(chance.is_ok_and(|chance| chance < LEVEL).then(|| (own / rest).sqrt()))
}

/// A method's runs as values, by seed.
struct Table {
    seeds: Vec<u64>,
    strata: Vec<Stratum>,
}

impl Table {
    fn new(runs: &Runs, drawn: Drawn) -> Result<Self, StatisticsError> {
        Ok(Self { seeds: runs.keys().copied().collect(), strata: strata(&runs.values().collect::<Vec<_>>(), drawn)? })
    }

    /// The strata of some of its seeds.
    fn of_seeds(&self, seeds: &[u64]) -> Vec<Stratum> {
        let places: Vec<usize> = seeds.iter().filter_map(|seed| self.seeds.binary_search(seed).ok()).collect();
        let chosen = |stratum: &Stratum| places.iter().map(|&place| stratum[place].clone()).collect();
        self.strata.iter().map(chosen).collect()
    }
}

/// What is measured by one number for all methods must be so: the differences are taken value by value.
fn check_pairing(tables: &[Table]) -> Result<(), StatisticsError> {
    let Some(first) = tables.first() else { return Ok(()) };
    let shape = |table: &Table| -> Vec<usize> { table.strata.iter().map(|stratum| stratum[0].len()).collect() };
    let (one, total) = (shape(first), |shape: &[usize]| shape.iter().sum());
    for other in tables.iter().map(shape) {
        if other != one {
            return Err(StatisticsError::NotPaired { language: None, first: total(&one), second: total(&other) });
        }
    }
    Ok(())
}

/// What methods with the same seeds have in common.
struct Kind {
    /// Of the variance over seeds of one method, what a seed does to all of them taken out.
    prior: Option<Prior>,
    /// No estimate can have more.
    degrees: f64,
    /// The variance of each method's mean, by place, likewise.
    own: BTreeMap<usize, f64>,
    /// The sample variance over seeds of each method, by place, likewise and not moderated.
    squares: BTreeMap<usize, f64>,
}

impl Kind {
    /// Of the methods and seeds that give the most degrees of freedom; at least three methods with two seeds, since two
    /// tell only of their difference.
    fn of(tables: &[Table]) -> Option<Self> {
        let candidates: BTreeSet<&Vec<u64>> = tables.iter().map(|table| &table.seeds).collect();
        let having = |seeds: &[u64]| -> Vec<usize> {
            let has = |table: &Table| seeds.iter().all(|seed| table.seeds.binary_search(seed).is_ok());
            (0..tables.len()).filter(|&place| has(&tables[place])).collect()
        };
        let (seeds, members) = candidates
            .into_iter()
            .map(|seeds| (seeds, having(seeds)))
            .filter(|(seeds, members)| seeds.len() > 1 && members.len() > 2)
            .max_by_key(|(seeds, members)| (seeds.len() - 1) * (members.len() - 1))?;
        let strata: Vec<Vec<Stratum>> = members.iter().map(|&place| tables[place].of_seeds(seeds)).collect();
        let count = members.len() as f64;
        let common = combined(&strata.iter().collect::<Vec<_>>(), 1.0 / count);
        // Without the others' mean a method keeps (count − 1) / count of its variance.
        let kept = (count - 1.0) / count;
        let rests: Vec<Crossed> = strata.iter().map(|own| Crossed::new(&difference(own, &common))).collect();
        let squares: Vec<f64> = rests.iter().map(|rest| rest.seed_square.unwrap_or(0.0) / kept).collect();
        let degrees = seeds.len() as f64 - 1.0;
        let prior = Prior::fit(&squares, degrees);
        let own = |(rest, square): (&Crossed, &f64)| {
            let square = prior.map_or(0.0, |prior| prior.moderate(*square, degrees));
            rest.with_seeds(Part { variance: kept * square / seeds.len() as f64, degrees }).variance / kept
        };
        let own = members.iter().copied().zip(rests.iter().zip(&squares).map(own)).collect();
        let squares = members.into_iter().zip(squares).collect();
        Some(Self { prior, degrees: (count - 1.0) * degrees, own, squares })
    }
}

/// Sum of the strata of several methods, times a factor.
fn combined(methods: &[&Vec<Stratum>], factor: f64) -> Vec<Stratum> {
    let mut sum = methods[0].clone();
    for (stratum, values) in sum.iter_mut().enumerate() {
        for (seed, values) in values.iter_mut().enumerate() {
            for (unit, value) in values.iter_mut().enumerate() {
                *value = factor * methods.iter().map(|method| method[stratum][seed][unit]).sum::<f64>();
            }
        }
    }
    sum
}

fn difference(first: &[Stratum], second: &[Stratum]) -> Vec<Stratum> {
    let rows = |(first, second): (&Vec<f64>, &Vec<f64>)| first.iter().zip(second).map(|(a, b)| a - b).collect();
    let strata = first.iter().zip(second);
    strata.map(|(first, second)| first.iter().zip(second).map(rows).collect()).collect()
}

impl Compared {
    fn new([first, second]: [usize; 2], tables: &[Table], kind: Option<&Kind>) -> Self {
        let [one, other] = [&tables[first], &tables[second]];
        let common: Vec<u64> =
            one.seeds.iter().copied().filter(|seed| other.seeds.binary_search(seed).is_ok()).collect();
        let seeds = common.len();
        if seeds == 0 {
            let verdict = Verdict::TooFewSeeds;
            return Self { first, second, seeds, difference: None, spread: None, verdict };
        }
        let crossed = Crossed::new(&difference(&one.of_seeds(&common), &other.of_seeds(&common)));
        let spread = crossed.seed_square.and_then(|square| Spread::new(&crossed, square, kind));
        let verdict = match spread {
            _ if seeds < LEAST_SEEDS => Verdict::TooFewSeeds,
            None if crossed.mean != 0.0 => Verdict::NoSpread,
            _ => Verdict::NotShown,
        };
        Self { first, second, seeds, difference: Some(crossed.mean), spread, verdict }
    }
}

impl Spread {
    fn new(crossed: &Crossed, square: f64, kind: Option<&Kind>) -> Option<Self> {
        let seeds = crossed.seeds as f64;
        let own = seeds - 1.0;
        let moderated = match kind.and_then(|kind| Some((kind.prior?, kind.degrees))) {
            // A difference has the variance of two methods.
            Some((prior, most)) => Part {
                variance: Prior { variance: 2.0 * prior.variance, ..prior }.moderate(square, own),
                degrees: (prior.degrees + own).min(most.max(own)),
            },
            None => Part { variance: square, degrees: own },
        };
        let total = crossed.with_seeds(Part { variance: moderated.variance / seeds, degrees: moderated.degrees });
        if total.variance <= 0.0 {
            return None;
        }
        let small = 1.0 - 3.0 / (4.0 * moderated.degrees - 1.0);
        let one_run = (moderated.variance / 2.0).sqrt();
        Some(Self {
            standard_error: total.variance.sqrt(),
            degrees: total.degrees,
            interval: around(crossed.mean, total),
            test: None,
            growth: Growth {
                crossed: *crossed,
                one_seed: moderated.variance,
                borrowed: (moderated.degrees - own).max(0.0),
            },
            effect: (one_run > 0.0).then(|| small * crossed.mean / one_run),
        })
    }
}

fn around(centre: f64, total: Part) -> Interval {
    let half = critical(0.05, total.degrees) * total.variance.sqrt();
    Interval { low: centre - half, high: centre + half }
}

/// Fills in tests and verdicts.
fn correct(compared: &mut [Compared], pairs: Pairs, kind: Option<&Kind>) -> Result<(), StatisticsError> {
    let enough = compared.iter_mut().filter(|one| one.seeds >= LEAST_SEEDS);
    let mut tested: Vec<(&mut Compared, f64, Spread)> = enough
        .filter_map(|one| {
            let (difference, spread) = (one.difference?, one.spread?);
            Some((one, difference, spread))
        })
        .collect();
    let own = |place: usize| kind.and_then(|kind| kind.own.get(&place).copied());
    let tests: Vec<Test> = tested
        .iter()
        .map(|(one, difference, spread)| Test {
            p: two_sided(difference / spread.standard_error, spread.degrees),
            degrees: spread.degrees,
            share: match (own(one.first), own(one.second)) {
                (Some(method), Some(control)) if control > 0.0 => control / (control + method),
                _ => 0.0,
            },
        })
        .collect();
    let (adjusted, level) = match pairs {
        Pairs::Control(_) => (step_down(&tests), single_level(&tests, LEVEL)),
        Pairs::All => (holm(&tests.iter().map(|test| test.p).collect::<Vec<_>>())?, LEVEL / tests.len().max(1) as f64),
    };
    for (((one, difference, spread), test), adjusted) in tested.iter_mut().zip(&tests).zip(adjusted) {
        let detectable = (critical(level, test.degrees) + quantile(POWER, test.degrees)) * spread.standard_error;
        let seeds = spread.growth.seeds_to_show(*difference, level);
        one.spread = Some(Spread { test: Some(Tested { p: test.p, adjusted, detectable, seeds }), ..*spread });
        one.verdict = match *difference {
            d if adjusted < LEVEL && d > 0.0 => Verdict::FirstBetter,
            d if adjusted < LEVEL && d < 0.0 => Verdict::SecondBetter,
            _ => Verdict::NotShown,
        };
    }
    Ok(())
}
