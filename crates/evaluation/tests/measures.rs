//! Hand-computed values, and what bad input is told.

use std::collections::{BTreeMap, BTreeSet};

use evaluation::{
    Column, Contribution, Measure, MeasureError, Measured, Repeated, ScoreError, ScoreMatrix, Side, StatisticsError,
    Update, holm, interval, joint_intervals, loss_reduction, macro_interval, macro_paired_difference, macro_ratio,
    paired_difference, permutation_test, ratio, score_entities, score_labels, score_qa, score_retrieval,
};

#[track_caller]
fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-12, "{value} instead of {expected}");
}

fn names<'a>(values: &[(&'a str, f64)]) -> Vec<&'a str> {
    values.iter().map(|(name, _)| *name).collect()
}

fn scores(scores: &[(&str, f64)]) -> BTreeMap<String, f64> {
    scores.iter().map(|(language, score)| ((*language).to_owned(), *score)).collect()
}

fn column(name: &str, learnt: usize, scores: &[Option<f64>]) -> Column {
    Column { name: name.to_owned(), learnt, scores: scores.to_vec() }
}

/// Three stages, one column learnt at each. The first column is best after stage 2, the second at the end.
fn matrix() -> ScoreMatrix {
    ScoreMatrix::new(vec![
        column("a", 1, &[0.10, 0.80, 0.85, 0.65].map(Some)),
        column("b", 2, &[0.20, 0.30, 0.70, 0.75].map(Some)),
        column("c", 3, &[0.35, 0.25, 0.40, 0.90].map(Some)),
    ])
    .unwrap()
}

#[test]
fn forgetting_has_three_values_on_one_matrix() {
    for (variant, name, a, b) in [
        (Measure::ForgettingFirstLast, "forgetting.first-last", 0.15, -0.05),
        (Measure::ForgettingMaxLast, "forgetting.max-last", 0.20, -0.05),
        (Measure::ForgettingMaxAllLast, "forgetting.max-all-last", 0.20, 0.0),
    ] {
        assert_eq!(variant.name(), name);
        let measured = matrix().measure(variant);
        assert_eq!(measured.columns.iter().map(|(c, _)| c.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        close(measured.columns[0].1, a);
        close(measured.columns[1].1, b);
        close(measured.mean.unwrap(), (a + b) / 2.0);
    }
}

#[test]
fn the_final_average_and_transfer_backward_and_forward() {
    close(matrix().measure(Measure::AverageFinal).mean.unwrap(), (0.65 + 0.75 + 0.90) / 3.0);
    close(matrix().measure(Measure::TransferBackward).mean.unwrap(), (-0.15 + 0.05) / 2.0);
    let forward = matrix().measure(Measure::TransferForward);
    assert_eq!(forward.columns[0].0, "b");
    close(forward.columns[0].1, 0.30 - 0.20);
    close(forward.columns[1].1, 0.40 - 0.35);
    close(forward.mean.unwrap(), 0.075);
}

#[test]
fn what_was_known_from_the_start_can_be_forgotten() {
    // The score before training is a row of what was known from the start, and of nothing else.
    for (learnt, first, max) in [(0, 0.5, 0.5), (1, 0.1, 0.1)] {
        let known = ScoreMatrix::new(vec![column("mlm", learnt, &[0.7, 0.3, 0.2].map(Some))]).unwrap();
        close(known.measure(Measure::ForgettingFirstLast).mean.unwrap(), first);
        close(known.measure(Measure::ForgettingMaxLast).mean.unwrap(), max);
    }
}

#[test]
fn a_column_takes_part_where_it_has_the_scores_that_are_needed() {
    let holes = ScoreMatrix::new(vec![
        column("whole", 1, &[None, Some(0.8), Some(0.6), Some(0.7)]),
        column("hole", 1, &[None, Some(0.5), None, Some(0.1)]),
        column("early", 2, &[None, Some(0.9), Some(0.4), Some(0.3)]),
        column("late", 3, &[None, None, None, Some(0.2)]),
        column("lost", 1, &[None, Some(0.5), Some(0.5), None]),
    ])
    .unwrap();
    type Case<'a> = (Measure, &'a [(&'a str, f64)], &'a [&'a str]);
    let expected: [Case; 6] = [
        (Measure::AverageFinal, &[("whole", 0.7), ("hole", 0.1), ("early", 0.3), ("late", 0.2)], &["lost"]),
        (Measure::TransferBackward, &[("whole", -0.1), ("hole", -0.4), ("early", -0.1)], &["lost"]),
        (Measure::TransferForward, &[], &["early", "late"]),
        (Measure::ForgettingFirstLast, &[("whole", 0.1), ("hole", 0.4), ("early", 0.1)], &["lost"]),
        // A better score from before the column was learnt counts where it is known.
        (Measure::ForgettingMaxLast, &[("whole", 0.1), ("early", 0.6)], &["hole", "lost"]),
        (Measure::ForgettingMaxAllLast, &[("whole", 0.1), ("early", 0.6)], &["hole", "lost"]),
    ];
    for (measure, columns, lacking) in expected {
        let measured = holes.measure(measure);
        assert_eq!(measured.columns.iter().map(|(c, _)| c.as_str()).collect::<Vec<_>>(), names(columns), "{measure:?}");
        measured.columns.iter().zip(columns).for_each(|((_, value), (_, expected))| close(*value, *expected));
        assert_eq!(measured.lacking, lacking, "{measure:?}");
        assert_eq!(measured.mean.is_some(), !columns.is_empty());
    }
}

#[test]
fn a_matrix_refuses_what_it_cannot_mean() {
    let one_stage = ScoreMatrix::new(vec![column("a", 1, &[None, Some(0.5)])]).unwrap();
    for measure in &Measure::ALL[1..] {
        assert_eq!(one_stage.measure(*measure), Measured { columns: vec![], lacking: vec![], mean: None });
    }
    let refused = |columns: Vec<Column>| ScoreMatrix::new(columns).unwrap_err();
    let error = refused(vec![column("a", 0, &[Some(0.5); 2]), column("b", 0, &[Some(0.5)])]);
    assert_eq!(error.to_string(), "column `b` has 1 scores where the first one has 2: give one a moment");
    let error = refused(vec![column("a", 0, &[Some(0.5), Some(f64::NAN)])]);
    assert_eq!(error.to_string(), "the score of `a` after stage 1 is NaN, not a finite number");
    let error = refused(vec![column("a", 2, &[None, Some(0.5)])]);
    assert_eq!(error.to_string(), "column `a` is said to be learnt at stage 2, but there are 1 stages");
    assert_eq!(refused(vec![]), MeasureError::Nothing);
    assert_eq!(refused(vec![column("a", 0, &[])]), MeasureError::Nothing);
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
    assert_eq!(score_entities("ner", &none, &none), Err(ScoreError::NoExamples));
    let error = score_entities("ner", &[vec!["O"], vec!["O"]], &[vec!["O"]]).unwrap_err();
    assert_eq!(error.to_string(), "2 gold examples but 1 predictions: example 1 lacks its prediction");
    let error = score_entities("ner", &[vec!["O"], vec!["O"]], &[vec!["O"], vec![]]).unwrap_err();
    assert_eq!(error.to_string(), "example 1 has 1 gold tags but 0 predicted tags: give one tag for every word");
    for tag in ["", "B", "I-", "PER", "E-PER", "b-PER", "B_PER", "O-PER", "B--PER", "I-PER-", "Б-PER"] {
        let error = score_entities("ner", &[vec!["O", tag]], &[vec!["O", "O"]]).unwrap_err();
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
    let error = macro_paired_difference(&both, &languages(&[("de", 2), ("en", 3)]), 1, 10).unwrap_err();
    assert_eq!(error.to_string(), "a paired test needs the same examples on both sides of `en`: 2 against 3");
    let error = macro_interval(&languages(&[("de", 2), ("en", 0)]), 1, 10).unwrap_err();
    assert_eq!(error.to_string(), "there are no examples to resample for `en`");
    assert_eq!(macro_interval(&BTreeMap::new(), 1, 10), Err(StatisticsError::NoExamples { language: None }));

    assert!(matches!(holm(&[0.1, f64::NAN]), Err(StatisticsError::NotProbability { index: 1, .. })));
    assert!(matches!(holm(&[1.1]), Err(StatisticsError::NotProbability { index: 0, .. })));
}

#[test]
fn a_draw_of_examples_serves_every_moment() {
    let hits = |hits: &[u8]| hits.iter().map(|&hit| Contribution::hit(hit == 1)).collect::<Vec<_>>();
    let (first, second, other) = (hits(&[1, 1, 0, 1, 0]), hits(&[1, 0, 0, 1, 0]), hits(&[1, 0]));
    let part = |moments: [Option<&'static str>; 3]| {
        let examples = |name| if name == "first" { first.as_slice() } else { second.as_slice() };
        Repeated { name: "de".to_owned(), moments: moments.iter().map(|name| name.map(examples)).collect() }
    };
    let parts = [part([Some("first"), None, Some("first")]), part([None, Some("second"), Some("first")])];
    let values = |scores: &[Vec<Option<f64>>]| -> Result<Vec<f64>, StatisticsError> {
        assert_eq!((scores[0][1], scores[1][0]), (None, None));
        let difference = |part: &[Option<f64>], at: usize| part[2].unwrap() - part[at].unwrap();
        Ok(vec![scores[0][0].unwrap(), difference(&scores[0], 0), difference(&scores[1], 1)])
    };
    let found = joint_intervals(&parts, 1, 500, values).unwrap();
    let [(score, spread), (nothing, none), (gain, narrow)] = found[..] else { panic!("{found:?}") };
    close(score, 0.6);
    assert!(spread.low < 0.6 && spread.high > 0.6);
    assert_eq!((nothing, none.low, none.high), (0.0, 0.0, 0.0));
    close(gain, 0.2);
    assert!(narrow.low >= 0.0, "the second moment is never better: {narrow:?}");

    let refused = |moments: Vec<Option<&[Contribution]>>, resamples| {
        let parts = [Repeated { name: "de".to_owned(), moments }];
        joint_intervals(&parts, 1, resamples, |_| Ok::<_, StatisticsError>(vec![])).unwrap_err()
    };
    assert_eq!(refused(vec![Some(&first)], 0), StatisticsError::NoResamples);
    let error = refused(vec![Some(&first), None, Some(&other)], 10);
    assert_eq!(error, StatisticsError::NotPaired { language: Some("de".to_owned()), first: 5, second: 2 });
    assert_eq!(refused(vec![Some(&[])], 10), StatisticsError::NoExamples { language: Some("de".to_owned()) });
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
