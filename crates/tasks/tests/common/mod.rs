#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};

use data::{Answer, EncodeOptions, Examples, ExamplesBuilder, Tokenization, Value};
use spec::{Kind, Labels, Language, Task};
use tasks::{Format, Input, Read};
use tempfile::TempDir;

/// A file of the reference values.
pub fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("reference").join(name)
}

pub fn json(name: &str) -> serde_json::Value {
    let text = fs::read_to_string(reference(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The folder of real data and models, if the environment names one.
pub fn real() -> Option<PathBuf> {
    let folder = std::env::var_os("LETHE_REAL").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: LETHE_REAL is not set");
    }
    folder
}

pub fn tiny(name: &str) -> Tokenization {
    Tokenization::load(&reference(name)).unwrap()
}

pub fn options(max_length: usize, stride: usize) -> EncodeOptions {
    EncodeOptions { max_length, stride, prefix: String::new() }
}

pub fn numbers(value: &serde_json::Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as u32).collect()
}

pub fn texts(value: &serde_json::Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

pub fn number(value: &serde_json::Value) -> usize {
    value.as_u64().unwrap() as usize
}

pub fn language(code: &str) -> Language {
    Language::parse(code).unwrap()
}

pub fn labels(names: &[&str]) -> Labels {
    Labels::new(names.iter().copied()).unwrap()
}

/// Examples of a task from their fields, named by their row.
pub fn examples(task: Task, labels: &Labels, rows: Vec<Vec<Value>>) -> Examples {
    let mut builder = ExamplesBuilder::new(task, labels.clone());
    for (row, fields) in rows.into_iter().enumerate() {
        builder.push(&row.to_string(), fields).unwrap();
    }
    builder.finish()
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn list(texts: &[&str]) -> Value {
    Value::Texts(texts.iter().map(|&text| text.to_owned()).collect())
}

/// Sentences with WikiANN's tags.
pub fn tagged(sentences: &[(&[&str], &[usize])]) -> Examples {
    let rows = sentences.iter().map(|(words, tags)| vec![list(words), Value::Labels(tags.to_vec())]);
    examples(Task::Ner, &Task::Ner.usual_labels(), rows.collect())
}

pub fn question(question: &str, context: &str, answer: &str, start: usize) -> Examples {
    let answers = Value::Answers(vec![Answer { text: answer.to_owned(), start }]);
    examples(Task::Qa, &Labels::default(), vec![vec![text(question), text(context), answers]])
}

pub fn format(name: &str) -> Format {
    name.parse().unwrap()
}

/// Reads files with these names and contents; `set` may say more about them.
pub fn read_files(
    format_name: &str,
    files: &[(&str, &[u8])],
    code: &str,
    set: impl FnOnce(&mut Input),
) -> Result<Read, String> {
    let folder = TempDir::new().unwrap();
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.path().join(name)).collect();
    for (path, (_, text)) in paths.iter().zip(files) {
        fs::write(path, text).unwrap();
    }
    let mut input = Input::new(paths, language(code));
    set(&mut input);
    tasks::read(format(format_name), &input).map_err(|error| error.to_string())
}

/// Reads one file called `file0`.
pub fn read_text(format_name: &str, text: impl AsRef<[u8]>, code: &str) -> Result<Examples, String> {
    read_texts(format_name, &[text.as_ref()], code)
}

/// Reads files called `file0`, `file1` …
pub fn read_texts(format_name: &str, texts: &[&[u8]], code: &str) -> Result<Examples, String> {
    let names: Vec<String> = (0..texts.len()).map(|index| format!("file{index}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(String::as_str).zip(texts.iter().copied()).collect();
    read_files(format_name, &files, code, |_| {}).map(|read| read.examples)
}

/// The error is one line, names the file, and says this.
pub fn refuses<T: std::fmt::Debug>(result: Result<T, String>, words: &[&str]) {
    let message = result.expect_err("should be refused");
    assert!(message.contains("file0"), "{message}");
    assert!(!message.contains('\n'), "{message}");
    words.iter().for_each(|word| assert!(message.contains(word), "`{message}` does not say `{word}`"));
}

/// Words and the names of their labels, sentence by sentence.
pub fn sentences<'a>(examples: &'a Examples, column: &str) -> Vec<Vec<(&'a str, &'a str)>> {
    let words = examples.task().columns_of(Kind::Texts).next().expect("a column of words");
    let (words, tags) = (examples.text_lists(words), examples.number_lists(column));
    let name = |&tag: &i64| examples.labels().name(tag as usize).unwrap();
    (0..examples.len()).map(|row| words.get(row).into_iter().zip(tags.get(row).iter().map(name)).collect()).collect()
}

/// The class of each example by name.
pub fn classes(examples: &Examples) -> Vec<&str> {
    let column = examples.task().label_column().expect("a column of labels");
    examples.numbers(column).values().iter().map(|&label| examples.labels().name(label as usize).unwrap()).collect()
}

pub fn ids(examples: &Examples) -> Vec<&str> {
    examples.ids().collect()
}
