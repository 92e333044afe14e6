//! Parts of speech and dependency trees from treebanks, good and bad.

mod common;

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, ListBuilder, RecordBatch, StringBuilder};
use common::{format, ids, labels, read_files, read_text, refuses, sentences};
use data::Examples;
use parquet::arrow::ArrowWriter;
use spec::{Labels, Language, Task};
use tasks::{Input, read};
use tempfile::TempDir;

/// A sentence of CoNLL-U, from its words: form, tag, head, relation.
fn conllu(words: &[(&str, &str, &str, &str)]) -> String {
    let row = |(place, (form, tag, head, relation)): (usize, &(&str, &str, &str, &str))| {
        format!("{}\t{form}\t_\t{tag}\t_\t_\t{head}\t{relation}\t_\t_\n", place + 1)
    };
    words.iter().enumerate().map(row).collect::<String>() + "\n"
}

fn small() -> String {
    let first =
        conllu(&[("Ada", "PROPN", "2", "nsubj:pass"), ("ran", "VERB", "0", "root"), (".", "PUNCT", "2", "punct")]);
    let second = "1-2\tal\t_\t_\t_\t_\t_\t_\t_\t_\n".to_owned()
        + &conllu(&[("a", "ADP", "2", "case"), ("el", "DET", "0", "root")])
            .replace("2\tel", "1.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n2\tel");
    format!("# sent_id = s1\n{first}# text = al\n{second}")
}

#[test]
fn tags_and_trees_of_the_same_file() {
    let tags = read_files("pos-conllu", &[("file0", small().as_bytes())], "es", |_| {}).unwrap();
    assert_eq!(
        sentences(&tags.examples, "upos"),
        [vec![("Ada", "PROPN"), ("ran", "VERB"), (".", "PUNCT")], vec![("a", "ADP"), ("el", "DET")]]
    );
    assert_eq!(*tags.examples.labels(), Task::Pos.usual_labels());
    // A sentence without a name is named by how many come before it.
    assert_eq!(ids(&tags.examples), ["s1", "1"]);
    let notes = ["1 multiword tokens (their words are kept) were passed over", "1 empty nodes were passed over"];
    assert_eq!(tags.notes, notes);

    let trees = read_files("parse-conllu", &[("file0", small().as_bytes())], "es", |_| {}).unwrap();
    assert_eq!(trees.notes, notes);
    let trees = trees.examples;
    assert_eq!(*trees.labels(), Task::Parse.usual_labels());
    assert_eq!([0, 1].map(|row| trees.number_lists("head").get(row).to_vec()), [vec![2, 0, 2], vec![2, 0]]);
    // Subtypes of relations are left off.
    assert_eq!(sentences(&trees, "deprel")[0], [("Ada", "nsubj"), ("ran", "root"), (".", "punct")]);
}

#[test]
fn sentences_of_several_files_keep_their_names_apart() {
    let one = format!("# sent_id = 1\n{}", conllu(&[("a", "X", "0", "root")]));
    let files: [(&str, &[u8]); 2] =
        [("x_one-ud-test.conllu", one.as_bytes()), ("x_two-ud-test.conllu", one.as_bytes())];
    for name in ["pos-conllu", "parse-conllu"] {
        let read = read_files(name, &files, "de", |_| {}).unwrap();
        assert_eq!(ids(&read.examples), ["x_one-ud-test:1", "x_two-ud-test:1"], "{name}");
    }
    let twice = format!("{one}{one}");
    refuses(read_text("pos-conllu", &twice, "de"), &["line 5", "`1` occurs twice"]);
}

#[test]
fn bad_treebanks_are_refused_with_line_and_column() {
    let bad = |name: &str, words: &[(&str, &str, &str, &str)], says: &[&str]| {
        let good = conllu(&[("a", "X", "0", "root")]);
        refuses(read_text(name, good + &conllu(words), "de"), says);
    };
    bad("pos-conllu", &[("a", "_", "0", "root")], &["line 3, column `UPOS`", "the word has no tag"]);
    bad("pos-conllu", &[("", "X", "0", "root")], &["line 3, column `FORM`", "empty"]);
    bad("pos-conllu", &[("a", "X", "0", "root"), ("b\tc", "X", "1", "dep")], &["line 4", "11 columns"]);
    bad("parse-conllu", &[("a", "X", "2", "root")], &["line 3, column `HEAD`", "2 is not a word of the sentence"]);
    bad("parse-conllu", &[("a", "X", "-1", "root")], &["line 3, column `HEAD`", "`-1`"]);
    bad(
        "parse-conllu",
        &[("a", "X", "0", "root"), ("b", "X", "0", "root")],
        &["line 4, column `HEAD`", "word 1 (`a`)"],
    );
    bad(
        "parse-conllu",
        &[("a", "X", "0", "root"), ("b", "X", "3", "dep"), ("c", "X", "2", "dep")],
        &["column `HEAD`", "hangs on itself"],
    );
    bad("parse-conllu", &[("a", "X", "1", "root")], &["line 3, column `HEAD`", "its own head"]);
    bad("parse-conllu", &[("a", "X", "_", "root")], &["line 3, column `HEAD`", "no head"]);
    bad("parse-conllu", &[("a", "X", "0", "_")], &["line 3, column `DEPREL`", "no relation"]);
    for name in ["pos-conllu", "parse-conllu"] {
        refuses(read_text(name, "", "de"), &["no examples"]);
        refuses(read_text(name, b"1\t\xff", "de"), &["line 1", "UTF-8"]);
        refuses(read_text(name, "1 a _ X _ _ 0 root _ _\n", "de"), &["line 1", "1 columns"]);
    }
}

/// Other tags than the universal ones are label names too, sorted; given ones count alone.
#[test]
fn labels_are_those_of_the_file_or_those_given() {
    let own = conllu(&[("a", "NN", "0", "root"), ("b", "ART", "1", "subj")]);
    let tags = read_text("pos-conllu", &own, "de").unwrap();
    assert_eq!((tags.labels(), tags.number_lists("upos").get(0)), (&labels(&["ART", "NN"]), &[1, 0][..]));
    let trees = read_text("parse-conllu", &own, "de").unwrap();
    assert_eq!(*trees.labels(), labels(&["root", "subj"]));
    let given = |name: &str, names: &[&str]| {
        read_files(name, &[("file0", own.as_bytes())], "de", |input| input.labels = labels(names))
    };
    assert_eq!(given("pos-conllu", &["NN", "ART", "X"]).unwrap().examples.number_lists("upos").get(0), [0, 1]);
    // The label set of another task.
    let names = Task::Nli.usual_labels();
    let names: Vec<&str> = names.names().iter().map(String::as_str).collect();
    refuses(given("pos-conllu", &names), &["line 1, column `UPOS`", "label `NN` is not one of entailment, neutral"]);
    refuses(given("parse-conllu", &names), &["line 1, column `DEPREL`", "label `root` is not one of entailment"]);
    let text = read_files("pos-text", &[("file0", b"a\tNN\n")], "de", |input| input.labels = labels(&names));
    refuses(text, &["line 1", "label `NN` is not one of entailment"]);
}

#[test]
fn tags_in_lines() {
    let read = read_text("pos-text", "Ada\tPROPN\r\nran\tVERB\r\n\r\n\r\n'\t\tPUNCT", "en");
    refuses(read, &["line 5", "one token, a tab and a tag"]);
    let read = read_text("pos-text", "Ada\tPROPN\nran\tVERB\n\n\n# #\tPUNCT", "en").unwrap();
    assert_eq!(sentences(&read, "upos"), [vec![("Ada", "PROPN"), ("ran", "VERB")], vec![("# #", "PUNCT")]]);
    assert_eq!((ids(&read), read.labels()), (vec!["0", "1"], &Task::Pos.usual_labels()));
    refuses(read_text("pos-text", "Ada\tPROPN\nran\n", "en"), &["line 2", "no tag"]);
    refuses(read_text("pos-text", "Ada\tPROPN\nran\t\n", "en"), &["line 2", "no tag"]);
    refuses(read_text("pos-text", "Ada PROPN\n", "en"), &["line 1", "no tab"]);
    refuses(read_text("pos-text", "Ada\tPROPN\nal\t_\n", "en"), &["line 2", "`al`", "has no tag"]);
}

/// As in CoNLL-U, `_` is no part of speech, though the hub's files list it as one.
#[test]
fn tables_have_no_tag_for_no_tag() {
    let names = labels(&["NOUN", "_", "VERB"]);
    let of = |second: &[i64]| {
        let columns = vec![("tokens", lists(&[&["a", "b"], &["al"]])), ("upos", numbers(&[&[0, 2], second]))];
        read_with_names("pos-parquet", columns, &names)
    };
    refuses(of(&[1]), &["row 2", "`al`", "is `_`", "pos-conllu"]);
    let read = of(&[2]).unwrap();
    assert_eq!(sentences(&read, "upos"), [vec![("a", "NOUN"), ("b", "VERB")], vec![("al", "VERB")]]);
    assert_eq!(*read.labels(), Task::Pos.usual_labels());
}

fn lists(rows: &[&[&str]]) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    rows.iter().for_each(|row| lists.append_value(row.iter().map(Some)));
    Arc::new(lists.finish())
}

fn numbers(rows: &[&[i64]]) -> ArrayRef {
    let mut lists = ListBuilder::new(Int64Builder::new());
    rows.iter().for_each(|row| lists.append_value(row.iter().copied().map(Some)));
    Arc::new(lists.finish())
}

/// With the usual label names, which such files do not bring.
fn read_parquet(name: &str, columns: Vec<(&str, ArrayRef)>) -> Result<Examples, String> {
    read_named(name, columns, format(name).task().usual_labels())
}

/// With label names that the file itself brings.
fn read_with_names(name: &str, columns: Vec<(&str, ArrayRef)>, names: &Labels) -> Result<Examples, String> {
    let features = serde_json::json!({"upos": {"feature": {"names": names.names()}}});
    let told = serde_json::json!({"info": {"features": features}}).to_string();
    let told = parquet::file::metadata::KeyValue::new("huggingface".to_owned(), told);
    read_table(name, columns, Labels::default(), Some(told))
}

fn read_named(name: &str, columns: Vec<(&str, ArrayRef)>, labels: Labels) -> Result<Examples, String> {
    read_table(name, columns, labels, None)
}

fn read_table(
    name: &str,
    columns: Vec<(&str, ArrayRef)>,
    labels: Labels,
    told: Option<parquet::file::metadata::KeyValue>,
) -> Result<Examples, String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file0");
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    told.into_iter().for_each(|told| writer.append_key_value_metadata(told));
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let read = read(format(name), &Input { labels, ..Input::new(vec![path], Language::ENGLISH) });
    read.map(|read| read.examples).map_err(|error| error.to_string())
}

#[test]
fn tables_of_tags_and_trees() {
    let two = || ("tokens", lists(&[&["a", "b"], &["c"]]));
    let tags = read_parquet("pos-parquet", vec![two(), ("upos", numbers(&[&[7, 15], &[0]]))]).unwrap();
    assert_eq!(sentences(&tags, "upos"), [vec![("a", "NOUN"), ("b", "VERB")], vec![("c", "ADJ")]]);
    let unnamed = read_named("pos-parquet", vec![two(), ("upos", numbers(&[&[7, 15], &[0]]))], Labels::default());
    refuses(unnamed, &["does not name the labels", "`upos`", "--labels"]);
    refuses(
        read_parquet("pos-parquet", vec![two(), ("upos", numbers(&[&[7, 15], &[17]]))]),
        &["row 2", "label 17 in `upos`", "17 labels"],
    );
    refuses(
        read_parquet("pos-parquet", vec![two(), ("upos", numbers(&[&[7, 15], &[]]))]),
        &["row 2", "1 values in `tokens` and 0 in `upos`"],
    );
    let trees = |heads: &[&[i64]], relations: &[&[i64]]| {
        read_parquet("parse-parquet", vec![two(), ("head", numbers(heads)), ("deprel", numbers(relations))])
    };
    let good = trees(&[&[0, 1], &[0]], &[&[34, 2], &[34]]).unwrap();
    assert_eq!(sentences(&good, "deprel"), [vec![("a", "root"), ("b", "advmod")], vec![("c", "root")]]);
    let relations: &[&[i64]] = &[&[34, 2], &[34]];
    refuses(trees(&[&[0, 3], &[0]], relations), &["row 1", "head of word 2 is 3", "only 2 words"]);
    refuses(trees(&[&[0, -1], &[0]], relations), &["row 1", "head -1 of word 2"]);
    refuses(trees(&[&[2, 1], &[0]], relations), &["row 1", "cycle"]);
    refuses(trees(&[&[0, 0], &[0]], relations), &["row 1", "words 1 and 2 both depend on the root"]);
    refuses(trees(&[&[0, 1], &[1]], relations), &["row 2", "cycle"]);
    refuses(trees(&[&[0, 1, 1], &[0]], relations), &["row 1", "2 values in `tokens` and 3 in `head`"]);
    refuses(trees(&[&[0, 1], &[0]], &[&[34, 2], &[37]]), &["row 2", "label 37 in `deprel`"]);
    refuses(read_parquet("parse-parquet", vec![two()]), &["no column `head`", "tokens"]);
}
