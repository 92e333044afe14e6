#![allow(dead_code)]

use std::path::{Path, PathBuf};

/// A file of the reference values.
pub fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("reference").join(name)
}

pub fn json(name: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(reference(name)).unwrap();
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

pub fn numbers(value: &serde_json::Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as u32).collect()
}

pub fn texts(value: &serde_json::Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

pub fn number(value: &serde_json::Value) -> usize {
    value.as_u64().unwrap() as usize
}
