//! Reading of reference values.

#![allow(dead_code, reason = "each test uses some of it")]

use serde_json::Value;

pub fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

pub fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub fn strings(value: &Value) -> Vec<&str> {
    list(value).iter().map(text).collect()
}

pub fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Equal but for the last bits.
#[track_caller]
pub fn same(ours: f64, reference: &Value, what: &str) {
    let reference = reference.as_f64().unwrap();
    assert!((ours - reference).abs() < 1e-13, "{what}: {ours} instead of {reference}");
}
