//! Notations of entity tags and F1 by type: seqeval, laws, refusals.

mod common;

use common::{list, parse, same, text};
use evaluation::tags::{Notation, recognise, to_iob2};
use evaluation::{Scheme, entity_counts_by_type, ratio, score_entities, score_entities_by_type};
use proptest::prelude::*;
use serde_json::Value;

fn side(set: &Value, column: usize) -> Vec<Vec<&str>> {
    list(&set["sentences"]).iter().map(|pair| text(&pair[column]).split(' ').collect()).collect()
}

#[track_caller]
fn compare<S: AsRef<str>>(gold: &[Vec<S>], predicted: &[Vec<S>], set: &Value, what: &str) {
    let scores = score_entities("ner", gold, predicted).unwrap();
    for (measure, column) in [("precision", 0), ("recall", 1), ("f1", 2)] {
        let ours = ratio(&scores[format!("ner.{measure}.strict").as_str()]);
        same(ours, &set["strict"][column], &format!("{measure} of {what}"));
    }
    let by_type = score_entities_by_type("ner", gold, predicted).unwrap();
    let expected = set["by_type"].as_object().unwrap();
    assert_eq!(by_type.len(), expected.len(), "{what}");
    for (name, contributions) in by_type {
        let kind = name.strip_prefix("ner.f1.strict.").unwrap();
        assert_eq!(contributions.len(), gold.len());
        same(ratio(&contributions), &expected[kind], &format!("{name} of {what}"));
    }
}

/// Made by `scripts/reference/tags.py`. A set of one sentence is a contribution.
/// Metrics are those of whatever task has entities; types stand behind them.
#[test]
fn metrics_bear_the_name_of_the_task() {
    let (gold, predicted) = ([vec!["B-CITY", "O"]], [vec!["B-CITY", "B-DAY"]]);
    let names: Vec<String> = score_entities("slots", &gold, &predicted).unwrap().into_keys().collect();
    let expected =
        ["f1.lenient", "f1.strict", "precision.lenient", "precision.strict", "recall.lenient", "recall.strict"];
    assert_eq!(names, expected.map(|name| format!("slots.{name}")));
    let names: Vec<String> = score_entities_by_type("slots", &gold, &predicted).unwrap().into_keys().collect();
    assert_eq!(names, ["slots.f1.strict.CITY", "slots.f1.strict.DAY"]);
}

#[test]
fn scores_of_any_types_equal_seqevals() {
    let reference = parse(include_str!("reference/tags.json"));
    let sets = list(&reference["random"]);
    assert!(sets.len() > 80);
    for (index, set) in sets.iter().enumerate() {
        compare(&side(set, 0), &side(set, 1), set, &format!("random set {index}"));
    }
}

/// seqeval reads the tags in their own notation.
#[test]
fn scores_after_conversion_equal_seqevals_before() {
    let reference = parse(include_str!("reference/tags.json"));
    let sets = list(&reference["valid"]);
    for notation in Notation::ALL {
        let name = notation.to_string();
        let of_notation: Vec<&Value> = sets.iter().filter(|set| text(&set["notation"]) == name).collect();
        assert!(of_notation.len() >= 40);
        for (index, set) in of_notation.into_iter().enumerate() {
            let (gold, predicted) = (side(set, 0), side(set, 1));
            let what = format!("{name} set {index}");
            let found = recognise(&gold).unwrap();
            let outside = gold.iter().flatten().all(|tag| *tag == "O");
            assert_eq!(found, if outside { Notation::Iob2 } else { notation }, "{what}");
            let convert = |side: &[Vec<&str>]| to_iob2(side, notation).unwrap();
            compare(&convert(&gold), &convert(&predicted), set, &what);
        }
    }
}

#[test]
fn one_sentence_in_every_notation() {
    let sentence = |tags: &str| -> Vec<Vec<String>> { vec![tags.split(' ').map(str::to_owned).collect()] };
    let iob2 = sentence("B-X-Y I-X-Y B-X-Y B-X I-X I-X O B-X");
    for (tags, notation) in [
        ("B-X-Y I-X-Y B-X-Y B-X I-X I-X O B-X", Notation::Iob2),
        ("I-X-Y I-X-Y B-X-Y I-X I-X I-X O I-X", Notation::Iob1),
        ("B-X-Y E-X-Y S-X-Y B-X I-X E-X O S-X", Notation::Iobes),
        ("B-X-Y L-X-Y U-X-Y B-X I-X L-X O U-X", Notation::Bilou),
    ] {
        assert_eq!(recognise(&sentence(tags)), Ok(notation));
        assert_eq!(to_iob2(&sentence(tags), notation), Ok(iob2.clone()));
    }
    let none: [Vec<&str>; 0] = [];
    assert_eq!(recognise(&none), Ok(Notation::Iob2));
    assert_eq!(recognise(&[vec!["O", "O"], vec![]]), Ok(Notation::Iob2));
}

#[test]
fn conversions_name_the_tag_that_breaks_the_rules() {
    for (notation, tags, message) in [
        (Notation::Iob2, "O I-X", "the tag `I-X` of sentence 1, word 1 continues nothing, as it must in IOB2"),
        (Notation::Iob2, "B-X I-Y", "the tag `I-Y` of sentence 1, word 1 continues nothing, as it must in IOB2"),
        (Notation::Iob2, "S-X O", "the tag `S-X` of sentence 1, word 0 does not exist in IOB2"),
        (
            Notation::Iob1,
            "I-Y B-X",
            "the tag `B-X` of sentence 1, word 1 separates nothing: in IOB1 `B-` only follows a word of an entity of the \
             same type",
        ),
        (Notation::Iobes, "I-X E-X", "the tag `I-X` of sentence 1, word 0 continues nothing, as it must in IOBES"),
        (Notation::Iobes, "B-X E-Y", "the tag `E-Y` of sentence 1, word 1 continues nothing, as it must in IOBES"),
        (Notation::Iobes, "S-X E-X", "the tag `E-X` of sentence 1, word 1 continues nothing, as it must in IOBES"),
        (
            Notation::Iobes,
            "B-X I-X O",
            "the tag `I-X` of sentence 1, word 1 is the last of an entity that does not end as IOBES wants",
        ),
        (
            Notation::Iobes,
            "O B-X",
            "the tag `B-X` of sentence 1, word 1 is the last of an entity that does not end as IOBES wants",
        ),
        (
            Notation::Bilou,
            "B-X U-X",
            "the tag `B-X` of sentence 1, word 0 is the last of an entity that does not end as BILOU wants",
        ),
        (Notation::Bilou, "L-X", "the tag `L-X` of sentence 1, word 0 continues nothing, as it must in BILOU"),
        (Notation::Bilou, "E-X", "the tag `E-X` of sentence 1, word 0 does not exist in BILOU"),
    ] {
        // An entity that reaches the end of a sentence is not continued in the next.
        let sentences = [vec![if notation == Notation::Iob1 { "I-X" } else { "O" }], tags.split(' ').collect()];
        assert_eq!(to_iob2(&sentences, notation).unwrap_err().to_string(), message, "{tags}");
    }
    for tag in ["", "B", "I-", "X", "M-X", "b-X", "B--X", "I-X-", "O-X", "OB-X", "Б-X"] {
        let message = format!(
            "the tag `{tag}` of sentence 0, word 1 is neither `O` nor `B-`, `I-`, `E-`, `S-`, `L-` or `U-` with a type"
        );
        assert_eq!(recognise(&[vec!["O", tag]]).unwrap_err().to_string(), message);
        assert_eq!(to_iob2(&[vec!["O", tag]], Notation::Iob2).unwrap_err().to_string(), message);
    }
    assert_eq!(
        recognise(&[vec!["B-X", "E-X"], vec!["O", "U-X"]]).unwrap_err().to_string(),
        "the tags `E-X` of sentence 0, word 1 and `U-X` of sentence 1, word 1 are of different notations, IOBES and BILOU"
    );
    assert_eq!(
        recognise(&[vec!["O", "B-X"], vec!["I-X", "I-X"]]).unwrap_err().to_string(),
        "the tags are neither IOB2, for `I-X` of sentence 1, word 0 continues nothing, nor IOB1, for `B-X` of sentence 0, \
         word 1 separates nothing"
    );
}

const KINDS: [&str; 4] = ["DATE", "PROD", "MISC-X", "X"];

/// Words of a sentence in runs: outside, or an entity of a type.
fn layouts() -> impl Strategy<Value = Vec<Vec<(usize, Option<&'static str>)>>> {
    let run = (1..4_usize, proptest::option::of(proptest::sample::select(&KINDS[..])));
    proptest::collection::vec(proptest::collection::vec(run, 0..6), 1..8)
}

fn write(layout: &[(usize, Option<&str>)], notation: Notation) -> Vec<String> {
    let mut tags = Vec::new();
    let mut before = None;
    for &(words, kind) in layout {
        for word in 0..words {
            let Some(kind) = kind else {
                tags.push("O".to_owned());
                continue;
            };
            let (first, last) = (word == 0, word + 1 == words);
            let prefix = match notation {
                Notation::Iob1 => {
                    if first && before == Some(kind) {
                        'B'
                    } else {
                        'I'
                    }
                }
                Notation::Iob2 => {
                    if first {
                        'B'
                    } else {
                        'I'
                    }
                }
                Notation::Iobes | Notation::Bilou => {
                    let letters = if notation == Notation::Iobes { ['S', 'B', 'E', 'I'] } else { ['U', 'B', 'L', 'I'] };
                    letters[match (first, last) {
                        (true, true) => 0,
                        (true, false) => 1,
                        (false, true) => 2,
                        _ => 3,
                    }]
                }
            };
            tags.push(format!("{prefix}-{kind}"));
        }
        before = kind;
    }
    tags
}

proptest! {
    #[test]
    fn notations(layouts in layouts()) {
        let written = |notation| layouts.iter().map(|layout| write(layout, notation)).collect::<Vec<_>>();
        let iob2 = written(Notation::Iob2);
        let entities = layouts.iter().flatten().any(|(_, kind)| kind.is_some());
        for notation in Notation::ALL {
            let tags = written(notation);
            prop_assert_eq!(recognise(&tags), Ok(if entities { notation } else { Notation::Iob2 }));
            prop_assert_eq!(&to_iob2(&tags, notation).unwrap(), &iob2);
        }
    }

    /// Whatever is accepted is valid IOB2: its conversion changes nothing, and strict and lenient scores agree.
    #[test]
    fn what_is_converted_is_valid(
        tags in proptest::collection::vec(proptest::collection::vec("O|[BIESLU]-[XY]", 0..4), 1..3),
    ) {
        for notation in Notation::ALL {
            let Ok(converted) = to_iob2(&tags, notation) else { continue };
            prop_assert_eq!(&to_iob2(&converted, Notation::Iob2).unwrap(), &converted);
            let scores = score_entities("ner", &converted, &converted).unwrap();
            prop_assert_eq!(&scores["ner.f1.strict"], &scores["ner.f1.lenient"]);
        }
        if let Ok(notation) = recognise(&tags) {
            let rules_broken = to_iob2(&tags, notation).is_err();
            prop_assert!(!rules_broken || matches!(notation, Notation::Iobes | Notation::Bilou));
        }
    }

    #[test]
    fn types(
        set in proptest::collection::vec(
            proptest::collection::vec(("O|[BI]-(DATE|PROD|MISC-X)", "O|[BI]-(DATE|PROD|MISC-X)"), 0..7), 1..9),
        turn in 0..9_usize,
    ) {
        let sides = |set: &[Vec<(String, String)>]| -> (Vec<Vec<String>>, Vec<Vec<String>>) {
            set.iter().map(|sentence| sentence.iter().cloned().unzip()).unzip()
        };
        let (gold, predicted) = sides(&set);
        let by_type = score_entities_by_type("ner", &gold, &predicted).unwrap();
        // Types add up to all entities, sentence by sentence, and to the counts over all sentences.
        let all = &score_entities("ner", &gold, &predicted).unwrap()["ner.f1.strict"];
        for (example, all) in all.iter().enumerate() {
            prop_assert_eq!(by_type.values().map(|c| c[example].numerator).sum::<f64>(), all.numerator);
            prop_assert_eq!(by_type.values().map(|c| c[example].denominator).sum::<f64>(), all.denominator);
        }
        let counts = entity_counts_by_type(&gold, &predicted, Scheme::Strict).unwrap();
        prop_assert_eq!(counts.len(), by_type.len());
        for (kind, counts) in counts {
            prop_assert_eq!(ratio(&by_type[&format!("ner.f1.strict.{kind}")]), counts.f1().value());
        }
        prop_assert_eq!(&score_entities_by_type("ner", &predicted, &gold).unwrap(), &by_type);
        let mut turned = set.clone();
        turned.rotate_left(turn % set.len());
        let (turned_gold, turned_predicted) = sides(&turned);
        for (name, contributions) in score_entities_by_type("ner", &turned_gold, &turned_predicted).unwrap() {
            prop_assert_eq!(ratio(&contributions), ratio(&by_type[&name]));
        }
        // What is predicted perfectly has 1 for every type.
        prop_assert!(score_entities_by_type("ner", &gold, &gold).unwrap().values().all(|c| ratio(c) == 1.0));
    }
}
