//! Hand-computed values, and what bad input is told.

use std::collections::{BTreeMap, BTreeSet};

use evaluation::{
    Contribution, Forgetting, MeasureError, ScoreError, ScoreMatrix, Side, StatisticsError, Update, holm, interval,
    loss_reduction, macro_average, macro_interval, macro_paired_difference, macro_permutation_test, macro_ratio,
    mcnemar, paired_difference, permutation_test, ratio, score_labels, score_ner, score_qa, score_retrieval,
};

#[track_caller]
fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-12, "{value} instead of {expected}");
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn scores(scores: &[(&str, f64)]) -> BTreeMap<String, f64> {
    scores.iter().map(|(language, score)| ((*language).to_owned(), *score)).collect()
}

/// Three stages, column j learnt at stage j. The first column is best after stage 1, the second at the end.
fn matrix() -> ScoreMatrix {
    let after = vec![vec![0.80, 0.30, 0.25], vec![0.85, 0.70, 0.40], vec![0.65, 0.75, 0.90]];
    ScoreMatrix::new(names(&["a", "b", "c"]), vec![0, 1, 2], Some(vec![0.10, 0.20, 0.35]), after).unwrap()
}

#[test]
fn forgetting_has_three_values_on_one_matrix() {
    for (variant, name, a, b) in [
        (Forgetting::FirstLast, "forgetting.first-last", 0.15, -0.05),
        (Forgetting::MaxLast, "forgetting.max-last", 0.20, -0.05),
        (Forgetting::MaxAllLast, "forgetting.max-all-last", 0.20, 0.0),
    ] {
        assert_eq!(variant.name(), name);
        let measure = matrix().forgetting(variant).unwrap();
        assert_eq!(measure.columns.iter().map(|(c, _)| c.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        close(measure.columns[0].1, a);
        close(measure.columns[1].1, b);
        close(measure.mean, (a + b) / 2.0);
    }
}

#[test]
fn transfer_backward_and_forward() {
    let backward = matrix().backward_transfer().unwrap();
    close(backward.mean, (-0.15 + 0.05) / 2.0);
    let forward = matrix().forward_transfer().unwrap();
    assert_eq!(forward.columns[0].0, "b");
    close(forward.columns[0].1, 0.30 - 0.20);
    close(forward.columns[1].1, 0.40 - 0.35);
    close(forward.mean, 0.075);
}

#[test]
fn what_was_known_from_the_start_can_be_forgotten() {
    let known = ScoreMatrix::new(names(&["mlm"]), vec![0], None, vec![vec![0.5], vec![0.2]]).unwrap();
    close(known.forgetting(Forgetting::FirstLast).unwrap().mean, 0.3);
}

#[test]
fn measures_refuse_what_they_cannot_mean() {
    let one_stage = ScoreMatrix::new(names(&["a"]), vec![0], None, vec![vec![0.5]]).unwrap();
    assert!(matches!(one_stage.forgetting(Forgetting::MaxLast), Err(MeasureError::Undefined { .. })));
    assert!(matches!(one_stage.backward_transfer(), Err(MeasureError::Undefined { .. })));
    assert_eq!(
        one_stage.forward_transfer().unwrap_err().to_string(),
        "forward transfer is undefined: there are no scores before training"
    );
    let error = ScoreMatrix::new(names(&["a", "b"]), vec![0, 0], None, vec![vec![0.5, 0.5], vec![0.5]]).unwrap_err();
    assert_eq!(error.to_string(), "the row after stage 1 has 1 entries where the matrix has 2 columns");
    let error = ScoreMatrix::new(names(&["a"]), vec![0], None, vec![vec![f64::NAN]]).unwrap_err();
    assert_eq!(error.to_string(), "the score of `a` after stage 0 is NaN, not a finite number");
    let error = ScoreMatrix::new(names(&["a"]), vec![1], None, vec![vec![0.5]]).unwrap_err();
    assert_eq!(error.to_string(), "column `a` is said to be learnt at stage 1, but there are 1 stages");
    assert_eq!(ScoreMatrix::new(vec![], vec![], None, vec![]), Err(MeasureError::Nothing));
}

#[test]
fn an_update_in_numbers() {
    let before = scores(&[("en", 80.0), ("de", 70.0), ("fr", 60.0), ("hi", 50.0), ("sw", 40.0)]);
    let after = scores(&[("en", 84.0), ("de", 72.1), ("fr", 59.4), ("hi", 49.0), ("sw", 40.0)]);
    let updated = BTreeSet::from(["en".to_owned(), "de".to_owned()]);
    let update = Update::new(&before, &after, &updated).unwrap();
    for (language, change) in [("en", 5.0), ("de", 3.0), ("fr", -1.0), ("hi", -2.0), ("sw", 0.0)] {
        close(update.relative[language], change);
    }
    close(update.mean, 1.0);
    close(update.gains, 0.4);
    close(update.loss_losing, 1.5);
    close(update.loss_others.unwrap(), 1.0);
    close(update.loss_sum, 3.0);
    close(loss_reduction(1.5, 0.33).unwrap(), 78.0);
    assert_eq!(loss_reduction(0.0, 0.33), None);

    let everywhere: BTreeSet<String> = before.keys().cloned().collect();
    assert_eq!(Update::new(&before, &after, &everywhere).unwrap().loss_others, None);
    let zero = scores(&[("en", 0.0)]);
    let error = Update::new(&zero, &zero, &BTreeSet::new()).unwrap_err();
    assert_eq!(error.to_string(), "the relative change of `en` is undefined: its score before the update is 0");
    assert!(matches!(Update::new(&before, &zero, &updated), Err(MeasureError::MissingLanguages { .. })));
    let unknown = BTreeSet::from(["xx".to_owned()]);
    assert_eq!(Update::new(&before, &after, &unknown), Err(MeasureError::UnknownUpdated { language: "xx".into() }));
}

#[test]
fn macro_averages_refuse_holes_by_name() {
    let scores = scores(&[("de", 0.5), ("en", 1.0), ("zz", f64::NAN)]);
    close(macro_average(&scores, &["en", "de"]).unwrap(), 0.75);
    let error = macro_average(&scores, &["sw", "en", "yo"]).unwrap_err();
    assert_eq!(error.to_string(), "no average over a hole: no score for sw, yo");
    assert!(matches!(macro_average(&scores, &["zz"]), Err(MeasureError::NotFinite { .. })));
    assert_eq!(macro_average(&scores, &[]), Err(MeasureError::Nothing));
}

#[test]
fn accuracy_refuses_placeholders() {
    let classes = ["entailment", "neutral", "contradiction"];
    let score = |gold: &[usize], predicted: &[usize]| score_labels(gold, predicted, &classes);
    close(ratio(&score(&[0, 1, 2, 2], &[0, 2, 2, 2]).unwrap()["nli.accuracy"]), 0.75);
    assert_eq!(
        score(&[1; 20], &[1; 20]).unwrap_err().to_string(),
        "all 20 gold labels are `neutral`: these look like placeholders of a split with hidden labels; \
         score a split whose labels are public"
    );
    assert!(score(&[1; 19], &[1; 19]).is_ok());
    assert!(score_labels(&[0; 20], &[0; 20], &["only"]).is_ok());
    let error = score(&[0, 1], &[0, 3]).unwrap_err();
    assert_eq!(error, ScoreError::Label { side: Side::Predicted, example: 1, label: 3, classes: 3 });
    assert_eq!(score(&[], &[]), Err(ScoreError::NoExamples));
}

#[test]
fn scores_name_the_example_that_is_wrong() {
    let none: [Vec<&str>; 0] = [];
    assert_eq!(score_ner(&none, &none), Err(ScoreError::NoExamples));
    let error = score_ner(&[vec!["O"], vec!["O"]], &[vec!["O"]]).unwrap_err();
    assert_eq!(error.to_string(), "2 gold examples but 1 predictions: example 1 lacks its prediction");
    let error = score_ner(&[vec!["O"], vec!["O"]], &[vec!["O"], vec![]]).unwrap_err();
    assert_eq!(error.to_string(), "example 1 has 1 gold tags but 0 predicted tags: give one tag for every word");
    for tag in ["", "B", "I-", "PER", "E-PER", "b-PER", "B_PER", "O-PER", "B--PER", "I-PER-", "Б-PER"] {
        let error = score_ner(&[vec!["O", tag]], &[vec!["O", "O"]]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the gold tag `{tag}` of example 0, token 1 is not `O`, `B-TYPE` or `I-TYPE`")
        );
    }
    assert_eq!(score_qa("en", &[vec!["x"], vec![]], &["x", "y"]), Err(ScoreError::NoAnswer { example: 1 }));
}

#[test]
fn retrieval_in_both_directions() {
    // English 0 and 1 point the same way, so both foreign rows near them find row 0.
    let foreign = [2.0, 0.1, 1.0, 0.1, 0.0, 3.0];
    let english = [1.0, 0.0, 5.0, 0.0, 0.1, 1.0];
    let scores = score_retrieval(&foreign, &english, 2).unwrap();
    let hits = |metric: &str| scores[metric].iter().map(|c| c.numerator).collect::<Vec<_>>();
    assert_eq!(hits("retrieval.p1.to-english"), [1.0, 0.0, 1.0]);
    assert_eq!(hits("retrieval.p1.from-english"), [1.0, 0.0, 1.0]);
}

#[test]
fn retrieval_tells_near_neighbours_apart() {
    let rows = [1.0, 0.0, 1.0, 0.001, 1.0, 0.002];
    let scores = score_retrieval(&rows, &rows, 2).unwrap();
    assert!(scores.values().all(|contributions| ratio(contributions) == 1.0));
}

#[test]
fn retrieval_ties_go_to_the_first_row_in_any_place() {
    // 70 equal rows cross several tiles and groups.
    let rows: Vec<f32> = [0.3, -0.7, 0.1, 0.9, 0.2].repeat(70);
    let scores = score_retrieval(&rows, &rows, 5).unwrap();
    for contributions in scores.values() {
        assert_eq!(contributions.iter().map(|c| c.numerator).sum::<f64>(), 1.0);
        assert_eq!(contributions[0].numerator, 1.0);
    }
}

#[test]
fn retrieval_refuses_vectors_without_direction() {
    let error = score_retrieval(&[1.0, 0.0, 0.0, 0.0], &[1.0; 4], 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the foreign sentence vector 1 is zero or not finite, so it has no direction to compare"
    );
    for bad in [f32::NAN, f32::INFINITY] {
        let error = score_retrieval(&[1.0; 4], &[1.0, bad, 1.0, 1.0], 2).unwrap_err();
        assert_eq!(error, ScoreError::VectorDirection { side: Side::English, row: 0 });
    }
    // Squares of f32 leave the range of f32, not of f64.
    assert!(score_retrieval(&[f32::MAX, f32::MIN_POSITIVE], &[f32::MAX, 1e-40], 1).is_ok());
    assert!(matches!(score_retrieval(&[1.0; 3], &[1.0; 4], 2), Err(ScoreError::VectorShape { .. })));
    assert!(matches!(score_retrieval(&[1.0; 3], &[1.0; 4], 0), Err(ScoreError::VectorShape { .. })));
    assert!(matches!(score_retrieval(&[1.0; 2], &[1.0; 4], 2), Err(ScoreError::ExampleCount { .. })));
    assert_eq!(score_retrieval(&[], &[], 2), Err(ScoreError::NoExamples));
}

#[test]
fn tests_refuse_what_is_not_paired() {
    let hit = Contribution::hit(true);
    assert_eq!(interval(&[], 1, 10), Err(StatisticsError::NoExamples { language: None }));
    assert_eq!(interval(&[hit], 1, 0), Err(StatisticsError::NoResamples));
    let diverged = Contribution::mean(f64::NAN);
    let error = StatisticsError::NotFinite { language: None, example: 1 };
    assert_eq!(interval(&[hit, diverged], 1, 10), Err(error.clone()));
    assert_eq!(permutation_test(&[hit, hit], &[hit, diverged], 1, 10), Err(error));
    let error = paired_difference(&[hit], &[hit, hit], 1, 10).unwrap_err();
    assert_eq!(error.to_string(), "a paired test needs the same examples on both sides: 1 against 2");

    let languages = |sizes: &[(&str, usize)]| -> BTreeMap<String, Vec<Contribution>> {
        sizes.iter().map(|(language, n)| ((*language).to_owned(), vec![hit; *n])).collect()
    };
    let (both, one) = (languages(&[("de", 2), ("en", 2)]), languages(&[("de", 2)]));
    for (first, second) in [(&both, &one), (&one, &both)] {
        let error = macro_paired_difference(first, second, 1, 10).unwrap_err();
        assert_eq!(error.to_string(), "`en` is on one side of the comparison only");
    }
    let error = macro_permutation_test(&both, &languages(&[("de", 2), ("en", 3)]), 1, 10).unwrap_err();
    assert_eq!(error.to_string(), "a paired test needs the same examples on both sides of `en`: 2 against 3");
    let error = macro_interval(&languages(&[("de", 2), ("en", 0)]), 1, 10).unwrap_err();
    assert_eq!(error.to_string(), "there are no examples to resample for `en`");
    assert_eq!(macro_interval(&BTreeMap::new(), 1, 10), Err(StatisticsError::NoExamples { language: None }));

    let half = Contribution::mean(0.5);
    assert!(matches!(mcnemar(&[hit, half], &[hit, hit]), Err(StatisticsError::NotBinary { example: 1, .. })));
    assert_eq!(mcnemar(&[hit], &[hit]), Ok(1.0));
    assert!(matches!(holm(&[0.1, f64::NAN]), Err(StatisticsError::NotProbability { index: 1, .. })));
    assert!(matches!(holm(&[1.1]), Err(StatisticsError::NotProbability { index: 0, .. })));
}

/// The example of Wikipedia's article on the method: H4 and H1 are rejected at 0.05, H3 and H2 are not.
#[test]
fn holm_of_a_published_example() {
    let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]).unwrap();
    for (value, expected) in adjusted.into_iter().zip([0.03, 0.06, 0.06, 0.02]) {
        close(value, expected);
    }
}

#[test]
fn macro_ratio_weighs_languages_alike() {
    let (hit, miss) = (Contribution::hit(true), Contribution::hit(false));
    let languages = BTreeMap::from([("de".to_owned(), vec![hit; 9]), ("en".to_owned(), vec![miss])]);
    close(macro_ratio(&languages), 0.5);
}
