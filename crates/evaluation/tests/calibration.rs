//! Simulations: intervals cover as often as they say, tests reject no more often, pairing pays.

use std::collections::BTreeMap;

use evaluation::{
    Contribution, Interval, Repeated, StatisticsError, interval, joint_intervals, macro_interval, macro_ratio,
    paired_difference, permutation_test, ratio, score_classes,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const SIMULATIONS: u64 = 1000;
const RESAMPLES: usize = 400;

struct World(ChaCha8Rng);

impl World {
    fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn uniform(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / 2_f64.powi(32)
    }

    fn hits(&mut self, probability: f64, count: usize) -> Vec<Contribution> {
        (0..count).map(|_| Contribution::hit(self.uniform() < probability)).collect()
    }

    /// Entity counts of sentences with 0 to 3 gold entities, each found with probability 0.6, beside 0 or 1 invented.
    fn sentence_f1(&mut self) -> Contribution {
        let gold = (4.0 * self.uniform()).floor();
        let correct = (0..gold as usize).filter(|_| self.uniform() < 0.6).count() as f64;
        let invented = f64::from(u8::from(self.uniform() < 0.4));
        Contribution { numerator: 2.0 * correct, denominator: gold + correct + invented }
    }
}

fn fraction(mut event: impl FnMut(u64) -> bool) -> f64 {
    (0..SIMULATIONS).filter(|&seed| event(seed)).count() as f64 / SIMULATIONS as f64
}

fn covers(interval: Interval, truth: f64) -> bool {
    interval.low <= truth && truth <= interval.high
}

#[track_caller]
fn assert_nominal(coverage: f64) {
    assert!((0.93..=0.97).contains(&coverage), "a 95 % interval covered {coverage}");
}

#[test]
fn intervals_of_means_cover() {
    let mut world = World::new(1);
    assert_nominal(fraction(|seed| covers(interval(&world.hits(0.7, 200), seed, RESAMPLES).unwrap(), 0.7)));
}

#[test]
fn intervals_of_micro_f1_cover() {
    let mut world = World::new(2);
    // Expected counts of a sentence: 1.5 gold, 0.9 correct, 0.4 invented.
    let truth = 2.0 * 0.9 / (1.5 + 0.9 + 0.4);
    assert_nominal(fraction(|seed| {
        let sentences: Vec<Contribution> = (0..200).map(|_| world.sentence_f1()).collect();
        covers(interval(&sentences, seed, RESAMPLES).unwrap(), truth)
    }));
}

#[test]
fn intervals_and_tests_of_macro_f1_are_nominal() {
    let shares = [("a", 0.5), ("b", 0.3), ("c", 0.2)];
    // A method is right with probability 0.7, else each other label is as likely.
    let f1 = |share: f64| 2.0 * 0.7 * share / (share + 0.7 * share + 0.15 * (1.0 - share));
    let truth = shares.iter().map(|(_, share)| f1(*share)).sum::<f64>() / 3.0;
    let mut world = World::new(11);
    let label = |uniform: f64| {
        if uniform < 0.5 {
            "a"
        } else if uniform < 0.8 {
            "b"
        } else {
            "c"
        }
    };
    let mut methods = |count: usize| {
        let gold: Vec<&'static str> = (0..count).map(|_| label(world.uniform())).collect();
        [(); 2].map(|()| {
            let guess = |gold: &&'static str| -> &'static str {
                let others: Vec<&'static str> = ["a", "b", "c"].into_iter().filter(|other| other != gold).collect();
                if world.uniform() < 0.7 { gold } else { others[usize::from(world.uniform() < 0.5)] }
            };
            let predicted: Vec<&str> = gold.iter().map(guess).collect();
            score_classes("t", &gold, &predicted).unwrap().macro_f1["t.f1.macro"].clone()
        })
    };
    assert_nominal(fraction(|seed| covers(methods(200)[0].interval(seed, RESAMPLES).unwrap(), truth)));
}

#[test]
fn intervals_of_macro_averages_cover() {
    let mut world = World::new(3);
    assert_nominal(fraction(|seed| {
        let languages =
            BTreeMap::from([("de".to_owned(), world.hits(0.8, 60)), ("en".to_owned(), world.hits(0.5, 150))]);
        covers(macro_interval(&languages, seed, RESAMPLES).unwrap(), 0.65)
    }));
}

/// Two methods whose success on an example depends on its difficulty in the same way, the first better by `gain`.
fn methods(world: &mut World, count: usize, gain: f64) -> (Vec<Contribution>, Vec<Contribution>) {
    let pair = |_| {
        let easy = if world.uniform() < 0.5 { 0.9 } else { 0.2 };
        (Contribution::hit(world.uniform() < easy + gain), Contribution::hit(world.uniform() < easy))
    };
    (0..count).map(pair).unzip()
}

#[test]
fn intervals_of_differences_between_moments_cover() {
    let mut world = World::new(7);
    let mean = |scores: &[Vec<Option<f64>>]| -> Result<Vec<f64>, StatisticsError> {
        let gains: f64 = scores.iter().filter_map(|part| Some(part[0]? - part[1]?)).sum();
        Ok(vec![gains / scores.len() as f64])
    };
    assert_nominal(fraction(|seed| {
        let [(one, other), (third, fourth)] = [0.1, 0.0].map(|gain| methods(&mut world, 150, gain));
        let part = |first, second| Repeated { name: "de".to_owned(), moments: vec![Some(first), Some(second)] };
        let parts = [part(one.as_slice(), other.as_slice()), part(third.as_slice(), fourth.as_slice())];
        covers(joint_intervals(&parts, seed, RESAMPLES, mean).unwrap()[0].1, 0.05)
    }));
}

#[test]
fn tests_of_equal_methods_reject_at_most_six_percent() {
    let mut world = World::new(4);
    let mut rejections = [0_u32; 2];
    for seed in 0..SIMULATIONS {
        let (first, second) = methods(&mut world, 150, 0.0);
        let difference = paired_difference(&first, &second, seed, RESAMPLES).unwrap();
        rejections[0] += u32::from(permutation_test(&first, &second, seed, RESAMPLES).unwrap() <= 0.05);
        rejections[1] += u32::from(!covers(difference.interval, 0.0));
    }
    let sizes = rejections.map(|count| f64::from(count) / SIMULATIONS as f64);
    assert!(sizes.iter().all(|size| *size <= 0.06), "sizes {sizes:?}");
    assert!(sizes[0] > 0.02, "the permutation test hardly ever rejects: {sizes:?}");
}

/// Two-sided z-test of two proportions as if they came from different examples.
fn unpaired_is_significant(first: &[Contribution], second: &[Contribution]) -> bool {
    let (p, q, n) = (ratio(first), ratio(second), first.len() as f64);
    (p - q).abs() > 1.959_964 * ((p * (1.0 - p) + q * (1.0 - q)) / n).sqrt()
}

#[test]
fn pairing_finds_what_the_unpaired_test_misses() {
    // 400 questions; both methods agree on all but 42, of which 30 go to the first.
    let example = |index: usize| match index {
        0..250 => (true, true),
        250..280 => (true, false),
        280..292 => (false, true),
        _ => (false, false),
    };
    let (first, second): (Vec<_>, Vec<_>) =
        (0..400).map(example).map(|(a, b)| (Contribution::hit(a), Contribution::hit(b))).unzip();
    assert!(!unpaired_is_significant(&first, &second));
    assert!(permutation_test(&first, &second, 1, 2000).unwrap() < 0.02);
    assert!(paired_difference(&first, &second, 1, 2000).unwrap().interval.low > 0.0);

    let mut world = World::new(6);
    let (mut paired, mut unpaired) = (0, 0);
    for seed in 0..300 {
        let (first, second) = methods(&mut world, 300, 0.08);
        paired += u32::from(permutation_test(&first, &second, seed, RESAMPLES).unwrap() <= 0.05);
        unpaired += u32::from(unpaired_is_significant(&first, &second));
    }
    assert!(paired > unpaired + 30, "paired {paired}, unpaired {unpaired} of 300");
}

#[test]
fn intervals_are_reproducible_and_depend_on_the_seed() {
    let mut world = World::new(7);
    let scores: Vec<Contribution> = (0..500).map(|_| Contribution::mean(world.uniform())).collect();
    let once = interval(&scores, 11, 500).unwrap();
    assert_eq!(once, interval(&scores, 11, 500).unwrap());
    assert_ne!(once, interval(&scores, 12, 500).unwrap());
    assert!(covers(once, ratio(&scores)));
    let one = BTreeMap::from([("en".to_owned(), scores.clone())]);
    assert_eq!(macro_interval(&one, 11, 500).unwrap(), once);
    assert_eq!(macro_ratio(&one), ratio(&scores));
}
