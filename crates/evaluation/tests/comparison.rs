//! Comparisons of methods: values of an independent computation, what is refused, and what is never claimed.

mod common;

use std::collections::BTreeMap;

use common::{list, numbers, parse};
use evaluation::{
    Contribution, Drawn, LanguageContributions, Pairs, Runs, StatisticsError, Verdict, compare, holm, score,
};
use serde_json::Value;

#[track_caller]
fn close(ours: f64, reference: &Value) {
    let reference = reference.as_f64().unwrap();
    assert!((ours / reference - 1.0).abs() < 1e-8, "{ours} instead of {reference}");
}

/// `[languages][numerators, denominators][seeds][examples]`
fn runs(languages: &Value) -> Runs {
    let seeds = list(&list(languages)[0][0]).len();
    let language = |of: &Value, seed: usize| {
        let [numerators, denominators] = [0, 1].map(|side| numbers(&of[side][seed]));
        numerators.into_iter().zip(denominators).map(|(numerator, denominator)| Contribution { numerator, denominator })
    };
    let of_seed = |seed: usize| -> LanguageContributions {
        let languages = list(languages).iter().enumerate();
        languages.map(|(place, of)| (format!("l{place}"), language(of, seed).collect())).collect()
    };
    (0..seeds).map(|seed| (seed as u64, of_seed(seed))).collect()
}

#[test]
fn two_methods_are_compared_as_the_equations_say() {
    for case in list(&parse(include_str!("reference/comparison.json"))["crossed"]) {
        let methods = [runs(&case["methods"][0]), runs(&case["methods"][1])];
        for pairs in [Pairs::Control(1), Pairs::All] {
            let compared = compare(&methods, pairs, Drawn::Examples).unwrap();
            let [one] = compared.as_slice() else { panic!("{compared:?}") };
            let spread = one.spread.unwrap();
            close(one.difference.unwrap(), &case["difference"]);
            close(spread.standard_error, &case["error"]);
            close(spread.degrees, &case["degrees"]);
            close(spread.interval.low, &case["low"]);
            close(spread.interval.high, &case["high"]);
            let test = spread.test.unwrap();
            close(test.p, &case["p"]);
            assert_eq!(test.p, test.adjusted);
        }
    }
}

/// Runs whose examples have these values, the same in every language.
fn made(seeds: &[(u64, &[f64])], languages: &[&str]) -> Runs {
    let of = |values: &[f64]| -> LanguageContributions {
        let examples: Vec<Contribution> = values.iter().copied().map(Contribution::mean).collect();
        languages.iter().map(|language| ((*language).to_owned(), examples.clone())).collect()
    };
    seeds.iter().map(|(seed, values)| (*seed, of(values))).collect()
}

#[test]
fn fewer_than_three_common_seeds_decide_nothing() {
    let far: [(u64, &[f64]); 4] = [(1, &[0.9, 0.91]), (2, &[0.92, 0.9]), (3, &[0.91, 0.9]), (4, &[0.9, 0.9])];
    let near: [(u64, &[f64]); 4] = [(1, &[0.1, 0.12]), (2, &[0.11, 0.1]), (3, &[0.1, 0.1]), (4, &[0.1, 0.11])];
    let compared = |first: &[(u64, &[f64])], second: &[(u64, &[f64])]| {
        let methods = [made(first, &["de"]), made(second, &["de"])];
        compare(&methods, Pairs::Control(1), Drawn::Examples).unwrap()[0].clone()
    };
    let one = compared(&far[..1], &near);
    assert_eq!((one.verdict, one.seeds, one.spread), (Verdict::TooFewSeeds, 1, None));
    let two = compared(&far[..2], &near);
    assert_eq!((two.verdict, two.seeds), (Verdict::TooFewSeeds, 2));
    assert!(two.spread.unwrap().test.is_none());
    let three = compared(&far[1..], &near[..3]);
    assert_eq!((three.verdict, three.seeds), (Verdict::TooFewSeeds, 2), "seeds 2 and 3 are common");
    let none = compared(&far[..1], &near[1..]);
    assert_eq!((none.verdict, none.difference), (Verdict::TooFewSeeds, None));
    let decided = compared(&far, &near);
    assert_eq!((decided.verdict, decided.seeds), (Verdict::FirstBetter, 4));
    assert_eq!(compared(&near, &far).verdict, Verdict::SecondBetter);
}

#[test]
fn methods_that_are_alike_do_not_differ_and_no_spread_decides_nothing() {
    let same: [(u64, &[f64]); 3] = [(1, &[0.5, 0.7]), (2, &[0.4, 0.7]), (3, &[0.5, 0.6])];
    let flat: [(u64, &[f64]); 3] = [(1, &[0.5, 0.5]), (2, &[0.5, 0.5]), (3, &[0.5, 0.5])];
    let other: [(u64, &[f64]); 3] = [(1, &[0.6, 0.6]), (2, &[0.6, 0.6]), (3, &[0.6, 0.6])];
    let verdict = |first: &[(u64, &[f64])], second: &[(u64, &[f64])]| {
        let methods = [made(first, &["de"]), made(second, &["de"])];
        compare(&methods, Pairs::Control(0), Drawn::Examples).unwrap()[0].verdict
    };
    assert_eq!(verdict(&same, &same), Verdict::NotShown);
    assert_eq!(verdict(&flat, &other), Verdict::NoSpread);
}

/// Values that scatter, from the numbers alone.
fn scattered(method: u64, level: f64, seeds: u64) -> Runs {
    let value = |seed: u64, at: u64| {
        let mixed = (method * 31 + seed * 17 + at * 7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        level + (mixed >> 40) as f64 / (1_u64 << 24) as f64 * 0.2
    };
    let of_seed = |seed: u64| -> LanguageContributions {
        let examples = |language: u64| (0..20).map(move |at| Contribution::mean(value(seed, at + 100 * language)));
        [("de", 0), ("sw", 1), ("zh", 2)].map(|(name, language)| (name.to_owned(), examples(language).collect())).into()
    };
    (1..=seeds).map(|seed| (seed, of_seed(seed))).collect()
}

#[test]
fn a_better_method_is_found_and_the_order_of_methods_does_not_matter() {
    let mut methods: Vec<Runs> = (0..6).map(|method| scattered(method, 0.4, 3)).collect();
    methods[4] = scattered(4, 0.6, 3);
    let compared = compare(&methods, Pairs::Control(0), Drawn::Examples).unwrap();
    assert_eq!(compared.iter().map(|one| (one.first, one.second)).collect::<Vec<_>>(), [1, 2, 3, 4, 5].map(|m| (m, 0)));
    for one in &compared {
        let better = one.verdict == Verdict::FirstBetter;
        assert_eq!(better, one.first == 4, "{one:?}");
        let (spread, test) = (one.spread.unwrap(), one.spread.unwrap().test.unwrap());
        assert!(test.p <= test.adjusted && spread.interval.low < spread.interval.high);
        assert!(test.detectable > 2.0 * spread.standard_error);
    }
    methods.swap(1, 4);
    let swapped = compare(&methods, Pairs::Control(0), Drawn::Examples).unwrap();
    let (one, other) = (compared[3].spread.unwrap(), swapped[0].spread.unwrap());
    assert!((one.standard_error - other.standard_error).abs() < 1e-12);
    assert!((one.test.unwrap().adjusted - other.test.unwrap().adjusted).abs() < 1e-12);

    let all = compare(&methods, Pairs::All, Drawn::Examples).unwrap();
    assert_eq!(all.len(), 15);
    let tests: Vec<_> = all.iter().map(|one| one.spread.unwrap().test.unwrap()).collect();
    let corrected = holm(&tests.iter().map(|test| test.p).collect::<Vec<_>>()).unwrap();
    assert!(tests.iter().zip(corrected).all(|(test, corrected)| test.adjusted == corrected));
}

/// Where languages are drawn, what they differ by counts, and their examples count only through them.
#[test]
fn languages_may_be_drawn() {
    let languages = |values: [f64; 3]| -> LanguageContributions {
        let examples = |value: f64| vec![Contribution::mean(value); 4];
        ["de", "sw", "zh"].into_iter().zip(values).map(|(name, value)| (name.to_owned(), examples(value))).collect()
    };
    let runs = Runs::from([(1, languages([0.1, 0.5, 0.9])), (2, languages([0.2, 0.6, 1.0]))]);
    // As seeds × examples of one language: the seeds differ by 0.1, the languages by 0.4, and nothing is left.
    let table = made(&[(1, &[0.1, 0.5, 0.9]), (2, &[0.2, 0.6, 1.0])], &["all"]);
    let (drawn, expected) = (score(&runs, Drawn::Languages).unwrap(), score(&table, Drawn::Examples).unwrap());
    assert!((drawn.0 - 0.55).abs() < 1e-15);
    let [drawn, expected] = [drawn, expected].map(|(_, interval)| interval.unwrap());
    assert!((drawn.low - expected.low).abs() < 1e-9 && (drawn.high - expected.high).abs() < 1e-9);
    let fixed = score(&runs, Drawn::Examples).unwrap().1.unwrap();
    assert!(fixed.high - fixed.low < drawn.high - drawn.low);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let values: [(u64, &[f64]); 3] = [(1, &[0.5, 0.7]), (2, &[0.4, 0.7]), (3, &[0.5, 0.6])];
    let good = made(&values, &["de"]);
    let refused = |other: Runs, drawn| compare(&[good.clone(), other], Pairs::Control(0), drawn).unwrap_err();
    let error = refused(made(&[(1, &[0.5]), (2, &[0.5]), (3, &[0.5])], &["de"]), Drawn::Examples);
    assert_eq!(error.to_string(), "one example of `de` says nothing about others: give at least two");
    let error = refused(good.clone(), Drawn::Languages);
    assert_eq!(error.to_string(), "one language says nothing about others: give at least two");
    let error = refused(made(&[(1, &[0.5, 0.1, 0.2])], &["de"]), Drawn::Examples);
    assert_eq!(error, StatisticsError::NotPaired { language: None, first: 2, second: 3 });
    assert!(matches!(refused(Runs::new(), Drawn::Examples), StatisticsError::NoExamples { .. }));
    let mut broken = good.clone();
    broken.insert(4, BTreeMap::from([("sw".to_owned(), vec![Contribution::mean(0.1); 2])]));
    assert_eq!(refused(broken, Drawn::Examples), StatisticsError::OneSided { language: "sw".to_owned() });
    let endless = made(&[(1, &[0.5, f64::NAN])], &["de"]);
    assert!(matches!(refused(endless, Drawn::Examples), StatisticsError::NotFinite { example: 1, .. }));
}
