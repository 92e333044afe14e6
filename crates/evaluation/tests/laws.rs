//! What must hold for any input.

use evaluation::{
    Contribution, RETRIEVAL_FROM_ENGLISH, RETRIEVAL_TO_ENGLISH, holm, interval, paired_difference, permutation_test,
    ratio, score_entities, score_qa, score_retrieval,
};
use proptest::prelude::*;

const TAGS: [&str; 5] = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"];

fn sentences() -> impl Strategy<Value = Vec<(Vec<&'static str>, Vec<&'static str>)>> {
    let tag = || proptest::sample::select(&TAGS[..]);
    proptest::collection::vec(proptest::collection::vec((tag(), tag()), 0..9), 1..12)
        .prop_map(|set| set.into_iter().map(|sentence| sentence.into_iter().unzip()).collect())
}

fn contributions() -> impl Strategy<Value = Vec<(Contribution, Contribution)>> {
    let one = || {
        (0..4_u8, 0..3_u8, 0..3_u8).prop_map(|(correct, predicted, gold)| Contribution {
            numerator: f64::from(2 * correct),
            denominator: f64::from(2 * correct + predicted + gold),
        })
    };
    proptest::collection::vec((one(), one()), 1..40)
}

/// Answers of letters, articles, marks, spaces and punctuation of several scripts.
fn answer() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "the",
        "a",
        "ein",
        "là",
        "ال",
        "中",
        "文",
        "x",
        "É",
        "e\u{301}",
        "ा",
        "น้ำ",
        " ",
        "\u{a0}",
        "\u{1c}",
        "-",
        "。",
        "،",
        "😀",
        "7",
    ]);
    prop_oneof![proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()), any::<String>()]
}

proptest! {
    #[test]
    fn entity_scores(set in sentences()) {
        let (gold, predicted): (Vec<_>, Vec<_>) = set.iter().cloned().unzip();
        let scores = score_entities("ner", &gold, &predicted).unwrap();
        let swapped = score_entities("ner", &predicted, &gold).unwrap();
        for scheme in ["strict", "lenient"] {
            let name = |measure: &str| format!("ner.{measure}.{scheme}");
            let value = |scores: &evaluation::NamedScores, measure: &str| ratio(&scores[name(measure).as_str()]);
            let (p, r, f) = (value(&scores, "precision"), value(&scores, "recall"), value(&scores, "f1"));
            prop_assert!([p, r, f].iter().all(|v| (0.0..=1.0).contains(v)));
            prop_assert!(f <= p.max(r) && f >= p.min(r));
            prop_assert_eq!(value(&swapped, "f1"), f);
            prop_assert_eq!(value(&swapped, "precision"), r);
            let mut turned = scores[name("f1").as_str()].clone();
            turned.reverse();
            prop_assert_eq!(ratio(&turned), f);
        }
        let own = score_entities("ner", &gold, &gold).unwrap();
        let begins = gold.iter().flatten().any(|tag| tag.starts_with('B'));
        prop_assert_eq!(ratio(&own["ner.f1.strict"]), f64::from(u8::from(begins)));
        let named = gold.iter().flatten().any(|tag| *tag != "O");
        prop_assert_eq!(ratio(&own["ner.f1.lenient"]), f64::from(u8::from(named)));
    }

    #[test]
    fn answer_scores(first in answer(), second in answer(), language in "(ar|de|en|es|hi|vi|zh|th|ru)") {
        let score = |gold: &[&str], predicted: &str, metric: &str| {
            score_qa(&language, &[gold.to_vec()], &[predicted]).unwrap()[metric][0].numerator
        };
        for rule in ["squad", "mlqa"] {
            let (em, f1) = (format!("qa.em.{rule}"), format!("qa.f1.{rule}"));
            prop_assert_eq!(score(&[&first], &first, &em), 1.0);
            let f = score(&[&first], &second, &f1);
            prop_assert!((0.0..=1.0).contains(&f));
            prop_assert_eq!(score(&[&second], &first, &f1), f);
            prop_assert!(score(&[&first, &second], &second, &f1) >= f);
            if score(&[&first], &second, &em) == 1.0 {
                prop_assert!(f == 1.0 || f == 0.0);
            }
        }
    }

    #[test]
    fn retrieval_equals_the_plain_definition(
        dimension in 1..7_usize,
        values in proptest::collection::vec(-3..4_i8, 2..400),
    ) {
        let rows = values.len() / (2 * dimension);
        prop_assume!(rows > 0);
        let values: Vec<f32> = values.iter().map(|&v| f32::from(v)).collect();
        let (foreign, english) = values[..2 * rows * dimension].split_at(rows * dimension);
        let zero = |side: &[f32]| side.chunks(dimension).any(|row| row.iter().all(|&v| v == 0.0));
        prop_assume!(!zero(foreign) && !zero(english));
        let scores = score_retrieval(foreign, english, dimension).unwrap();
        for (metric, queries, index) in
            [(RETRIEVAL_TO_ENGLISH, foreign, english), (RETRIEVAL_FROM_ENGLISH, english, foreign)]
        {
            for (row, query) in queries.chunks(dimension).enumerate() {
                let cosine = |other: &[f32]| {
                    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x * y)).sum::<f64>();
                    dot(query, other) / (dot(query, query) * dot(other, other)).sqrt()
                };
                let cosines: Vec<f64> = index.chunks(dimension).map(cosine).collect();
                let others = cosines.iter().enumerate().filter(|&(other, _)| other != row);
                let best = others.map(|(_, &c)| c).fold(f64::NEG_INFINITY, f64::max);
                // Near-ties may fall either way between two orders of summation; exact ties have a test of their own.
                if (cosines[row] - best).abs() > 1e-9 {
                    prop_assert_eq!(scores[metric][row], Contribution::hit(cosines[row] > best));
                }
            }
        }
    }

    #[test]
    fn intervals_and_paired_tests(pairs in contributions(), seed: u64) {
        let (first, second): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let own = interval(&first, seed, 50).unwrap();
        prop_assert!(0.0 <= own.low && own.low <= own.high && own.high <= 1.0);
        prop_assert_eq!(own, interval(&first, seed, 50).unwrap());
        let there = paired_difference(&first, &second, seed, 50).unwrap();
        let back = paired_difference(&second, &first, seed, 50).unwrap();
        prop_assert_eq!(there.difference, ratio(&first) - ratio(&second));
        prop_assert_eq!(there.difference, -back.difference);
        prop_assert!((there.interval.low + back.interval.high).abs() < 1e-12);
        let p = permutation_test(&first, &second, seed, 50).unwrap();
        prop_assert!(p > 0.0 && p <= 1.0);
        prop_assert_eq!(p, permutation_test(&second, &first, seed, 50).unwrap());
        prop_assert_eq!(permutation_test(&first, &first, seed, 50).unwrap(), 1.0);
    }

    #[test]
    fn corrected_p_values(p_values in proptest::collection::vec(0.0..=1.0_f64, 0..9)) {
        let adjusted = holm(&p_values).unwrap();
        for (p, a) in p_values.iter().zip(&adjusted) {
            prop_assert!(p <= a && *a <= 1.0);
        }
        for (i, j) in (0..p_values.len()).flat_map(|i| (0..i).map(move |j| (i, j))) {
            prop_assert!((p_values[i] < p_values[j]) <= (adjusted[i] <= adjusted[j]));
        }
    }
}
