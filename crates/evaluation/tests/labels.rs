//! Scores of classes and of word tags: scikit-learn, laws, refusals.

mod common;

use common::{list, parse, same, strings, text};
use evaluation::{Contribution, LabelScores, PLACEHOLDER_MINIMUM, ScoreError, ratio, score_classes, score_tags};
use proptest::prelude::*;
use serde_json::Value;

#[track_caller]
fn compare(ours: &LabelScores, reference: &Value, what: &str) {
    same(ratio(&ours.scores["t.accuracy"]), &reference["accuracy"], &format!("accuracy of {what}"));
    let macro_f1 = &ours.macro_f1["t.f1.macro"];
    same(macro_f1.value(), &reference["f1.macro"], &format!("macro F1 of {what}"));
    let expected = reference["by_label"].as_object().unwrap();
    let by_label = macro_f1.by_label();
    assert_eq!(by_label.len(), expected.len(), "{what}");
    for (label, f1) in by_label {
        same(f1, &expected[label], &format!("F1 of `{label}`, {what}"));
    }
}

/// Made by `scripts/reference/labels.py`.
#[test]
fn scores_equal_scikit_learns() {
    let reference = parse(include_str!("reference/labels.json"));
    let (classes, tags) = (list(&reference["classes"]), list(&reference["tags"]));
    assert!(classes.len() > 30 && tags.len() > 30);
    for (index, case) in classes.iter().enumerate() {
        let ours = score_classes("t", &strings(&case["gold"]), &strings(&case["predicted"])).unwrap();
        compare(&ours, case, &format!("classes {index}, {}", text(&case["set"])));
    }
    for (index, case) in tags.iter().enumerate() {
        let sentences = |side: &str| -> Vec<Vec<&str>> {
            let mut words = strings(&case[side]).into_iter();
            let sizes = list(&case["words"]).iter().map(|size| size.as_u64().unwrap() as usize);
            sizes.map(|size| words.by_ref().take(size).collect()).collect()
        };
        let ours = score_tags("t", &sentences("gold"), &sentences("predicted")).unwrap();
        compare(&ours, case, &format!("tags {index}, {}", text(&case["set"])));
    }
}

#[test]
fn macro_f1_by_hand() {
    // a: 2 · 1 / (2 + 1), b: 2 · 1 / (1 + 2), c is predicted only.
    let scores = score_classes("topic", &["a", "a", "b", "b"], &["a", "b", "b", "c"]).unwrap();
    assert_eq!(scores.scores.keys().collect::<Vec<_>>(), ["topic.accuracy"]);
    let macro_f1 = &scores.macro_f1["topic.f1.macro"];
    let f1: Vec<(&str, f64)> = macro_f1.by_label().into_iter().collect();
    assert_eq!(f1, [("a", 2.0 / 3.0), ("b", 0.5), ("c", 0.0)]);
    assert_eq!(macro_f1.value(), (2.0 / 3.0 + 0.5) / 3.0);
    assert_eq!(macro_f1.examples(), 4);
    let tags = score_tags("pos", &[vec!["N", "V"], vec![]], &[vec!["N", "N"], vec![]]).unwrap();
    let expected =
        [Contribution { numerator: 1.0, denominator: 2.0 }, Contribution { numerator: 0.0, denominator: 0.0 }];
    assert_eq!(tags.scores["pos.accuracy"], expected);
    let empty = score_tags("pos", &[vec![]], &[vec![]]).unwrap();
    assert_eq!((ratio(&empty.scores["pos.accuracy"]), empty.macro_f1["pos.f1.macro"].value()), (0.0, 0.0));
    // Without any label in a resample there is nothing to average.
    assert_eq!(empty.macro_f1["pos.f1.macro"].interval(1, 10).unwrap().high, 0.0);
}

#[test]
fn what_cannot_be_scored_is_refused() {
    assert_eq!(score_classes("t", &[], &[]), Err(ScoreError::NoExamples));
    assert!(matches!(score_classes("t", &["a"], &[]), Err(ScoreError::ExampleCount { .. })));
    let error = score_tags("t", &[vec!["a"], vec!["a"]], &[vec!["a"], vec![]]).unwrap_err();
    assert_eq!(error, ScoreError::TagCount { example: 1, gold: 1, predicted: 0 });
    let (many, few) = (vec!["_"; PLACEHOLDER_MINIMUM], vec!["_"; PLACEHOLDER_MINIMUM - 1]);
    let placeholders = ScoreError::PlaceholderLabels { count: PLACEHOLDER_MINIMUM, label: "_".to_owned() };
    assert_eq!(score_classes("t", &many, &many), Err(placeholders.clone()));
    assert!(score_classes("t", &few, &few).is_ok());
    let sentences = |labels: &[&'static str]| labels.iter().map(|label| vec![*label; 2]).collect::<Vec<_>>();
    assert_eq!(score_tags("t", &sentences(&many), &sentences(&many)), Err(placeholders));
    assert!(score_tags("t", &sentences(&few), &sentences(&few)).is_ok());

    let method = |predicted: &[&str]| {
        let scores = score_classes("t", &vec!["a"; predicted.len()], predicted).unwrap();
        scores.macro_f1["t.f1.macro"].clone()
    };
    let two = method(&["a", "b"]);
    assert!(two.interval(1, 0).is_err());
}

/// Gold and predicted tags of sentences.
fn tagged() -> impl Strategy<Value = Vec<Vec<(&'static str, &'static str)>>> {
    let tag = || proptest::sample::select(vec!["NOUN", "VERB", "ADJ", "X"]);
    let word = (tag(), tag(), 0..3_u8).prop_map(|(gold, first, luck)| (gold, if luck > 0 { gold } else { first }));
    proptest::collection::vec(proptest::collection::vec(word, 0..6), 1..19)
}

proptest! {
    #[test]
    fn laws(set in tagged(), seed: u64) {
        let side = |get: fn(&(&'static str, &'static str)) -> &'static str| -> Vec<Vec<&str>> {
            set.iter().map(|sentence| sentence.iter().map(get).collect()).collect()
        };
        let (gold, first) = (side(|w| w.0), side(|w| w.1));
        let score = |gold: &[Vec<&str>], predicted: &[Vec<&str>]| score_tags("t", gold, predicted).unwrap();
        let macro_f1 = |scores: LabelScores| scores.macro_f1["t.f1.macro"].clone();
        let accuracy = |scores: &LabelScores| ratio(&scores.scores["t.accuracy"]);

        let words = gold.iter().any(|sentence| !sentence.is_empty());
        let own = score(&gold, &gold);
        prop_assert_eq!(accuracy(&own), f64::from(u8::from(words)));
        let own = macro_f1(own);
        prop_assert_eq!(own.value(), f64::from(u8::from(words)));
        if gold.iter().all(|sentence| !sentence.is_empty()) {
            let interval = own.interval(seed, 20).unwrap();
            prop_assert_eq!((interval.low, interval.high), (1.0, 1.0));
        }

        let ours = score(&gold, &first);
        // Symmetric; and indifferent to the order of sentences and to names.
        let swapped = score(&first, &gold);
        prop_assert_eq!(&swapped.scores, &ours.scores);
        let turn = |side: &[Vec<&'static str>]| -> Vec<Vec<&str>> { side.iter().rev().cloned().collect() };
        let turned = score(&turn(&gold), &turn(&first));
        prop_assert_eq!(accuracy(&turned), accuracy(&ours));
        let renamed = |side: &[Vec<&'static str>]| -> Vec<Vec<&'static str>> {
            let name = |tag: &&str| match *tag { "NOUN" => "Z", "VERB" => "A", "ADJ" => "", _ => "ß" };
            side.iter().map(|sentence| sentence.iter().map(name).collect()).collect()
        };
        let other = macro_f1(score(&renamed(&gold), &renamed(&first)));
        let (ours, swapped, turned) = (macro_f1(ours), macro_f1(swapped), macro_f1(turned));
        prop_assert_eq!(swapped.value(), ours.value());
        prop_assert_eq!(turned.value(), ours.value());
        prop_assert!((other.value() - ours.value()).abs() < 1e-12);

        // Words as examples of their own are the same words.
        if words && gold.iter().flatten().count() < PLACEHOLDER_MINIMUM {
            let flat = score_classes("t", &gold.concat(), &first.concat()).unwrap();
            prop_assert_eq!(macro_f1(flat).value(), ours.value());
        }

        let interval = ours.interval(seed, 50).unwrap();
        prop_assert!(0.0 <= interval.low && interval.low <= interval.high && interval.high <= 1.0);
    }
}
