//! Values of public reference implementations, made by `scripts/reference/metrics.py`. It runs the official SQuAD and
//! MLQA scripts themselves and nothing else: their SHA-256 is in the JSON, and any other file is refused.

mod common;

use common::{list, numbers, parse, strings};
use evaluation::{
    Contribution, Scheme, Scores, entity_counts_by_type, holm, mlqa_tokens, permutation_test, ratio, score_entities,
    score_qa, squad_tokens,
};
use serde_json::Value;

const QA_METRICS: [&str; 4] = ["qa.em.squad", "qa.f1.squad", "qa.em.mlqa", "qa.f1.mlqa"];

#[track_caller]
fn close(ours: f64, reference: &Value, what: &str) {
    let reference = reference.as_f64().unwrap();
    assert!((ours - reference).abs() < 1e-9, "{what}: {ours} instead of {reference}");
}

#[test]
fn entity_scores_equal_seqeval() {
    let reference = parse(include_str!("reference/ner.json"));
    let mut sentences_seen = 0;
    for set in list(&reference["sets"]) {
        let name = set["name"].as_str().unwrap();
        let tags = |column: usize| -> Vec<Vec<&str>> {
            list(&set["sentences"]).iter().map(|s| s[column].as_str().unwrap().split(' ').collect()).collect()
        };
        let (mut gold, mut predicted) = (tags(0), tags(1));
        gold.iter_mut().chain(&mut predicted).for_each(|sentence| sentence.retain(|tag| !tag.is_empty()));
        let scores = score_entities("ner", &gold, &predicted).unwrap();
        for (scheme, kind, offset) in [("strict", Scheme::Strict, 2), ("lenient", Scheme::Lenient, 5)] {
            let f1 = &scores[format!("ner.f1.{scheme}").as_str()];
            let precision = &scores[format!("ner.precision.{scheme}").as_str()];
            let recall = &scores[format!("ner.recall.{scheme}").as_str()];
            for (measure, contributions) in [precision, recall, f1].into_iter().enumerate() {
                close(ratio(contributions), &set[scheme][measure], &format!("{name} {scheme} {measure}"));
            }
            for (index, sentence) in list(&set["sentences"]).iter().enumerate() {
                let what = format!("{name} {scheme} sentence {index}");
                close(precision[index].numerator, &sentence[offset], &what);
                close(precision[index].denominator, &sentence[offset + 1], &what);
                close(recall[index].denominator, &sentence[offset + 2], &what);
                sentences_seen += 1;
            }
            let by_type = entity_counts_by_type(&gold, &predicted, kind).unwrap();
            let expected = set[format!("{scheme}_by_type").as_str()].as_object().unwrap();
            assert_eq!(by_type.keys().collect::<Vec<_>>(), {
                let mut names: Vec<&String> = expected.keys().collect();
                names.sort();
                names
            });
            for (entity_type, counts) in by_type {
                let expected = &expected[&entity_type];
                let what = format!("{name} {scheme} {entity_type}");
                close(counts.precision().value(), &expected[0], &what);
                close(counts.recall().value(), &expected[1], &what);
                close(counts.f1().value(), &expected[2], &what);
                close(counts.gold as f64, &expected[3], &what);
            }
        }
    }
    assert!(sentences_seen > 1000);
}

#[test]
fn answer_scores_equal_the_official_scripts() {
    let reference = parse(include_str!("reference/qa.json"));
    let mut seen = 0;
    for (language, cases) in reference["languages"].as_object().unwrap() {
        let gold: Vec<Vec<&str>> = list(cases).iter().map(|case| strings(&case[0])).collect();
        let predicted: Vec<&str> = list(cases).iter().map(|case| case[1].as_str().unwrap()).collect();
        let scores: Scores = score_qa(language, &gold, &predicted).unwrap();
        for (index, case) in list(cases).iter().enumerate() {
            for (column, metric) in QA_METRICS.into_iter().enumerate() {
                let what = format!("{language} {metric}: {:?} for {:?}", predicted[index], gold[index]);
                close(scores[metric][index].numerator, &case[2 + column], &what);
            }
            let text = gold[index][0];
            assert_eq!(squad_tokens(text).join(" "), case[6].as_str().unwrap(), "{language} {text:?}");
            assert_eq!(mlqa_tokens(text, language).join(" "), case[7].as_str().unwrap(), "{language} {text:?}");
            seen += 1;
        }
        // The scripts' own report of the whole set, in percent.
        for (metric, total) in QA_METRICS.into_iter().zip(list(&reference["totals"][language])) {
            close(100.0 * ratio(&scores[metric]), total, &format!("{language} {metric} of all questions"));
        }
    }
    assert!(seen > 1800);
}

#[test]
fn exact_permutation_tests_equal_scipys() {
    let reference = parse(include_str!("reference/statistics.json"));
    let means = |value: &Value| -> Vec<Contribution> { numbers(value).into_iter().map(Contribution::mean).collect() };
    let f1 = |value: &Value| -> Vec<Contribution> {
        let sentences = list(value).iter().map(numbers);
        sentences.map(|c| Contribution { numerator: 2.0 * c[0], denominator: c[1] + c[2] }).collect()
    };
    for case in list(&reference["permutation_mean"]) {
        close(permutation_test(&means(&case[0]), &means(&case[1]), 0, 1 << 10).unwrap(), &case[2], "mean");
    }
    for case in list(&reference["permutation_f1"]) {
        close(permutation_test(&f1(&case[0]), &f1(&case[1]), 0, 1 << 9).unwrap(), &case[2], "F1");
    }
}

#[test]
fn holm_equals_statsmodels() {
    let reference = parse(include_str!("reference/statistics.json"));
    for case in list(&reference["holm"]) {
        let adjusted = holm(&numbers(&case[0])).unwrap();
        for (ours, reference) in adjusted.iter().zip(list(&case[1])) {
            close(*ours, reference, "adjusted p");
        }
    }
}

#[test]
fn languages_of_the_reference_cover_xquad() {
    let reference = &parse(include_str!("reference/qa.json"))["languages"];
    for language in ["ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh"] {
        assert!(list(&reference[language]).len() >= 60, "{language}");
    }
}
