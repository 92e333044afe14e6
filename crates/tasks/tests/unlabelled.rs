//! Examples without labels, which can be predicted and nothing else.

mod common;

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, RecordBatch, StringArray, StringBuilder};
use common::{format, ids, labels, read_files};
use data::{EncodeOptions, Examples};
use parquet::arrow::ArrowWriter;
use spec::{Kind, Labels, Task};

/// What a model's head may know.
fn known(task: Task) -> Labels {
    match task.usual_labels() {
        usual if usual.is_empty() && task.has_labels() => labels(&["different", "paraphrase"]),
        usual => usual,
    }
}

fn unlabelled(name: &str, file: &str, content: &[u8]) -> Result<Examples, String> {
    let read = read_files(name, &[(file, content)], "en", |input| {
        input.labels = known(format(name).task());
        input.unlabelled = true;
    });
    read.map(|read| read.examples)
}

fn table(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn column(texts: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(texts.to_vec()))
}

fn lists(rows: &[&[&str]]) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    rows.iter().for_each(|row| lists.append_value(row.iter().map(Some)));
    Arc::new(lists.finish())
}

/// Two examples without labels in every format that holds labels, and what is said where they are needed.
fn cases() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let tokens = || ("tokens", lists(&[&["Ada", "ran"], &["Yo"]]));
    let pairs = |names: [&'static str; 2]| table(names.map(|name| (name, column(&["a", "b"]))).into());
    let tree = "1\tAda\t_\t_\t_\t_\t_\t_\t_\t_\n2\tran\t_\t_\t_\t_\t_\t_\t_\t_\n\n1\tYo\t_\t_\t_\t_\t_\t_\t_\t_\n\n";
    let choice = r#"{"premise": "p", "choice1": "a", "choice2": "b", "question": "cause"}"#;
    let question = r#"{"data":[{"paragraphs":[{"context":"one two","qas":[{"id":"a","question":"?"},{"id":"b","question":"?","answers":[]}]}]}]}"#;
    let words = b"Ada\nran\n\nYo\n";
    vec![
        ("wikiann-text", "file0", words.to_vec()),
        ("conll", "file0", words.to_vec()),
        ("pos-text", "file0", words.to_vec()),
        ("pos-text", "file0", b"Ada\t_\nran\tVERB\n\nYo\t_\n".to_vec()),
        ("pos-conllu", "file0", tree.into()),
        ("parse-conllu", "file0", tree.into()),
        ("wikiann-parquet", "file0", table(vec![tokens()])),
        ("pos-parquet", "file0", table(vec![tokens()])),
        ("parse-parquet", "file0", table(vec![tokens()])),
        ("nli-parquet", "file0", pairs(["premise", "hypothesis"])),
        ("paraphrase-parquet", "file0", pairs(["sentence1", "sentence2"])),
        ("multinli-tsv", "file0", b"premise\thypo\na\tb\nc\td\n".to_vec()),
        ("xtreme-nli", "file0", b"a\tb\nc\td\n".to_vec()),
        ("multinli-txt", "file0", b"sentence1\tsentence2\tgold_label\na\tb\t-\nc\td\t-\n".to_vec()),
        ("xnli-tsv", "file0", b"language\tsentence1\tsentence2\nen\ta\tb\nen\tc\td\n".to_vec()),
        ("pawsx-tsv", "file0", b"id\tsentence1\tsentence2\n1\ta\tb\n2\tc\td\n".to_vec()),
        ("pawsx-tsv", "file0", b"id\tsentence1\tsentence2\tlabel\n1\ta\tb\t\n2\tc\td\t\n".to_vec()),
        ("sentences", "file0.csv", b"text\na\nb\n".to_vec()),
        ("sentences", "file0.tsv", b"text\tlabel\na\t\nb\t\n".to_vec()),
        ("sentences", "file0.jsonl", b"{\"text\": \"a\"}\n{\"text\": \"b\"}\n".to_vec()),
        ("choice-jsonl", "file0", format!("{choice}\n{choice}\n").into()),
        (
            "choice-parquet",
            "file0",
            table(vec![
                ("premise", column(&["p", "q"])),
                ("question", column(&["cause", "effect"])),
                ("choice1", column(&["a", "b"])),
                ("choice2", column(&["c", "d"])),
            ]),
        ),
        (
            "choice-parquet",
            "file0",
            table(vec![
                ("premise", column(&["p", "q"])),
                ("question", column(&["cause", "effect"])),
                ("choices", lists(&[&["a", "b"], &["c", "d", "e"]])),
            ]),
        ),
        ("squad-json", "file0", question.into()),
        (
            "squad-parquet",
            "file0",
            table(vec![
                ("id", column(&["a", "b"])),
                ("question", column(&["?", "?"])),
                ("context", column(&["one", "two"])),
            ]),
        ),
    ]
}

#[test]
fn what_is_only_predicted_needs_no_labels() {
    for (name, file, content) in cases() {
        let refused = read_files(name, &[(file, &content)], "en", |input| input.labels = known(format(name).task()));
        assert!(refused.is_err(), "{name} is read as if it had labels");
        let read = unlabelled(name, file, &content).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.len(), 2, "{name}");
        assert_ne!(ids(&read)[0], ids(&read)[1]);
        for words in read.task().columns_of(Kind::Texts).filter(|_| read.task() != Task::Choice) {
            let words = read.text_lists(words);
            assert_eq!([0, 1].map(|row| words.get(row)), [vec!["Ada", "ran"], vec!["Yo"]], "{name}");
        }
        let options = EncodeOptions { max_length: 32, stride: 8, prefix: String::new() };
        let encoded = tasks::encode(&read, &common::tiny("tiny-bert"), &options).unwrap();
        assert_eq!(encoded.examples(), 2, "{name}");
    }
}

/// A hub's file may number its labels as no head does: whatever they are, nobody asks for them.
#[test]
fn labels_of_tables_are_not_looked_at() {
    let number: ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![99, -1]));
    let columns = ["premise", "hypothesis"].map(|name| (name, column(&["a", "b"])));
    let content = table(columns.into_iter().chain([("label", number)]).collect());
    assert_eq!(unlabelled("nli-parquet", "file0", &content).unwrap().len(), 2);
    assert!(read_files("nli-parquet", &[("file0", &content)], "en", |_| {}).is_err());
}

/// What is there is still looked at.
#[test]
fn bad_files_stay_bad() {
    for (name, file, content) in [
        ("wikiann-text", "file0", "Ada\tDOG\n"),
        ("pos-conllu", "file0", "1\tAda\t_\n"),
        ("sentences", "file0.csv", "review\na\n"),
        ("choice-jsonl", "file0", "{\"premise\": \"p\", \"choice1\": \"a\", \"question\": \"cause\"}\n"),
        ("multinli-tsv", "file0", "premise\thypo\na\n"),
    ] {
        assert!(unlabelled(name, file, content.as_bytes()).is_err(), "{name}");
    }
}
