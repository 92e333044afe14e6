//! Entities in the columns of other data sets, in any notation and with any types.

mod common;

use common::{labels, read_files, read_text, refuses, sentences};
use spec::Task;
use tasks::Read;

fn read(text: &str) -> Read {
    read_files("conll", &[("file0", text.as_bytes())], "en", |_| {}).unwrap()
}

#[test]
fn conll_2003_has_four_columns_and_marks_documents() {
    let text = "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\nGerman JJ B-NP B-MISC\n\n-DOCSTART- -X- O O\n\n\
                3 CD B-NP O\n# # I-NP O\nMay NNP I-NP B-MISC\n\n1 CD B-NP O\n";
    let Read { examples, notes, .. } = read(text);
    assert_eq!(
        sentences(&examples, "ner_tags"),
        [
            vec![("EU", "B-ORG"), ("rejects", "O"), ("German", "B-MISC")],
            vec![("3", "O"), ("#", "O"), ("May", "B-MISC")],
            vec![("1", "O")],
        ]
    );
    assert_eq!(*examples.labels(), labels(&["O", "B-MISC", "I-MISC", "B-ORG", "I-ORG"]));
    assert!(notes.is_empty());
}

#[test]
fn masakhaner_parts_columns_by_a_space() {
    let Read { examples, .. } = read("Baba B-DATE\n# O\ncaf\u{a0}e B-LOC\n\n\nNaijiria\u{3000} B-LOC\n");
    assert_eq!(
        sentences(&examples, "ner_tags"),
        [vec![("Baba", "B-DATE"), ("#", "O"), ("caf\u{a0}e", "B-LOC")], vec![("Naijiria\u{3000}", "B-LOC")]]
    );
    assert_eq!(*examples.labels(), labels(&["O", "B-DATE", "I-DATE", "B-LOC", "I-LOC"]));
}

#[test]
fn germeval_numbers_its_words_and_has_two_tags() {
    let text = "#\thttp://de.wikipedia.org/wiki/Manfred_Korfmann\t[2009-10-17]\n1\tAufgrund\tO\tO\n2\tTübingen\tB-LOC\tO\n\
                3\t4\tO\tB-OTH\n\n#\tn-tv.de\t[]\n1\tBayern\tB-ORGpart\tB-LOC\n2\tspielt\tO\tO\n";
    let Read { examples, .. } = read(text);
    assert_eq!(
        sentences(&examples, "ner_tags"),
        [vec![("Aufgrund", "O"), ("Tübingen", "B-LOC"), ("4", "O")], vec![("Bayern", "B-ORGpart"), ("spielt", "O")]]
    );
    assert_eq!(*examples.labels(), labels(&["O", "B-LOC", "I-LOC", "B-ORGpart", "I-ORGpart"]));
}

#[test]
fn every_notation_becomes_iob2_and_says_so() {
    let words = ["a", "b", "c", "d", "e"];
    let expected = ["B-X", "I-X", "B-X", "O", "B-Y"];
    for (notation, tags) in [
        ("IOB1", ["I-X", "I-X", "B-X", "O", "I-Y"]),
        ("IOB2", expected),
        ("IOBES", ["B-X", "E-X", "S-X", "O", "S-Y"]),
        ("BILOU", ["B-X", "L-X", "U-X", "O", "U-Y"]),
    ] {
        for (name, between) in [("conll", " "), ("wikiann-text", "\t")] {
            let lines: String = words.iter().zip(tags).map(|(word, tag)| format!("{word}{between}{tag}\n")).collect();
            let Read { examples, notes, .. } = read_files(name, &[("file0", lines.as_bytes())], "en", |_| {}).unwrap();
            assert_eq!(
                sentences(&examples, "ner_tags"),
                [words.into_iter().zip(expected).collect::<Vec<_>>()],
                "{notation}"
            );
            assert_eq!(*examples.labels(), labels(&["O", "B-X", "I-X", "B-Y", "I-Y"]));
            match notation {
                "IOB2" => assert!(notes.is_empty(), "{notes:?}"),
                other => assert_eq!(notes, [format!("tags in {other} were turned into IOB2")]),
            }
        }
    }
}

/// The public files have them, and seqeval counts them as entities.
#[test]
fn stray_tags_of_wikiann_are_read_as_they_are() {
    let lines = "a\tI-PER\nb\tO\nc\tB-LOC\nd\tI-ORG\n";
    let Read { examples, notes, .. } =
        read_files("wikiann-text", &[("file0", lines.as_bytes())], "en", |_| {}).unwrap();
    assert_eq!(examples.number_lists("ner_tags").get(0), [2, 0, 5, 4]);
    assert_eq!(*examples.labels(), Task::Ner.usual_labels());
    assert!(notes.is_empty());
    // In a file that has them in no other place they could be IOB1; WikiANN's are not.
    let lone = read_text("wikiann-text", "a\tI-PER\n", "en").unwrap();
    assert_eq!(lone.number_lists("ner_tags").get(0), [2]);
}

#[test]
fn bad_columns_are_refused_with_their_line() {
    refuses(read_text("conll", "a O\nb\n", "en"), &["line 2", "1 columns", "line 1 has 2"]);
    // A column less in the middle must not make another one the tag.
    refuses(read_text("conll", "a NNP I-NP O\nb VBZ I-VP\n", "en"), &["line 2", "3 columns", "line 1 has 4"]);
    refuses(read_text("conll", "a\tO\nb\t\n", "en"), &["line 2", "not a token and a tag"]);
    refuses(read_text("conll", "a O\n\nb DATE\n", "en"), &["line 3", "word `b`", "`DATE`"]);
    // A tag that continues nothing, and nothing that makes it another notation.
    refuses(
        read_text("conll", "a B-DATE\nb O\nc I-DATE\n", "en"),
        &["line 3", "word `c`", "`I-DATE`", "continues nothing"],
    );
    refuses(read_text("conll", "a B-DATE\nb I-PROD\n", "en"), &["line 2", "word `b`", "`I-PROD`"]);
    refuses(read_text("conll", "a S-X\nb U-X\n", "en"), &["line 1", "IOBES", "BILOU"]);
    refuses(read_text("conll", "a B-X\nb O\nc S-X\n", "en"), &["line 1", "word `a`", "IOBES"]);
    refuses(read_text("conll", "a B-X\nb E-Y\n", "en"), &["line 2", "`E-Y`", "continues nothing"]);
    refuses(read_text("conll", "-DOCSTART- -X- O O\n\n", "en"), &["no examples"]);
    // The tags of another task.
    refuses(read_text("conll", "a NOUN\nb VERB\n", "en"), &["line 1", "`NOUN`"]);
}

#[test]
fn given_labels_count_alone() {
    let given = |text: &str, names: &[&str]| {
        read_files("conll", &[("file0", text.as_bytes())], "en", |input| input.labels = labels(names))
    };
    let read = given("a I-X\nb O\n", &["O", "B-Y", "I-Y", "B-X", "I-X"]).unwrap();
    assert_eq!((read.examples.number_lists("ner_tags").get(0), read.notes.len()), (&[3, 0][..], 1));
    refuses(given("a O\n\nb O\nc B-Z\n", &["O", "B-X", "I-X"]), &["line 4", "label `B-Z` is not one of O, B-X, I-X"]);
}
