#![allow(dead_code)]

use std::path::{Path, PathBuf};

use data::{Examples, ExamplesBuilder, Tokenization, Value};
use spec::{Labels, Task};

/// A file of the reference values.
pub fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("reference").join(name)
}

/// The folder of real data and models, if the environment names one.
pub fn real() -> Option<PathBuf> {
    let folder = std::env::var_os("LETHE_REAL").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: LETHE_REAL is not set");
    }
    folder
}

/// The folder of the tiny encoder that all crates test with.
pub fn tiny_encoder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/tiny-encoder")
}

pub fn tokenization() -> Tokenization {
    Tokenization::load(&tiny_encoder()).unwrap()
}

/// Examples with the usual labels of their task, from names and fields.
pub fn examples(task: Task, rows: Vec<(&str, Vec<Value>)>) -> Examples {
    labelled(task, task.usual_labels(), rows)
}

pub fn labelled(task: Task, labels: Labels, rows: Vec<(&str, Vec<Value>)>) -> Examples {
    let mut builder = ExamplesBuilder::new(task, labels);
    rows.into_iter().for_each(|(id, fields)| builder.push(id, fields).unwrap());
    builder.finish()
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn texts(texts: &[&str]) -> Value {
    Value::Texts(texts.iter().map(|&text| text.to_owned()).collect())
}

/// Plain texts.
pub fn plain<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> Examples {
    let mut builder = ExamplesBuilder::new(Task::Mlm, Labels::default());
    for (row, line) in lines.into_iter().enumerate() {
        builder.push(&row.to_string(), vec![text(line.as_ref())]).unwrap();
    }
    builder.finish()
}
