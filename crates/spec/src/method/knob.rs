use serde::Deserialize;
use thiserror::Error;

/// A knob outside its range.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("knob `{knob}` is {value}: it must be {allowed}")]
pub struct KnobError {
    pub knob: &'static str,
    pub value: f64,
    pub allowed: &'static str,
}

/// Refuses a value outside its range; a NaN is always outside.
pub(super) fn within(knob: &'static str, value: f64, ok: bool, allowed: &'static str) -> Result<(), KnobError> {
    if ok { Ok(()) } else { Err(KnobError { knob, value, allowed }) }
}

pub(crate) fn not_negative(knob: &'static str, value: f64) -> Result<(), KnobError> {
    within(knob, value, value >= 0.0 && value.is_finite(), "finite and not negative")
}

pub(super) fn positive(knob: &'static str, value: f64) -> Result<(), KnobError> {
    within(knob, value, value > 0.0 && value.is_finite(), "finite and above 0")
}

pub(crate) fn at_least_one(knob: &'static str, value: usize) -> Result<(), KnobError> {
    within(knob, value as f64, (1..=MOST).contains(&value), "1 to 10,000")
}

/// Repetitions within one step beyond which a typing error is likelier than a wish.
const MOST: usize = 10_000;

/// For a member without knobs: serde itself ignores what is written beside the `kind` of a unit variant.
pub(super) fn none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct NoKnobs {}
    NoKnobs::deserialize(deserializer).map(|NoKnobs {}| ())
}
