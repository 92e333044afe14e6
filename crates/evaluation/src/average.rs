//! Averages over languages that refuse holes.

use std::collections::BTreeMap;

use crate::error::MeasureError;

/// Unweighted mean over exactly the `expected` languages (or tasks: XTREME's overall score follows the same rule).
///
/// # Errors
/// Nothing expected, a language without a score (all such are named), or a score that is not finite.
pub fn macro_average(scores: &BTreeMap<String, f64>, expected: &[&str]) -> Result<f64, MeasureError> {
    let missing: Vec<String> =
        expected.iter().filter(|language| !scores.contains_key(**language)).map(|l| (*l).to_owned()).collect();
    if !missing.is_empty() {
        return Err(MeasureError::MissingLanguages { missing });
    }
    if expected.is_empty() {
        return Err(MeasureError::Nothing);
    }
    let mut total = 0.0;
    for language in expected {
        let value = scores[*language];
        if !value.is_finite() {
            return Err(MeasureError::NotFinite {
                column: (*language).to_owned(),
                place: "in the average".into(),
                value,
            });
        }
        total += value;
    }
    Ok(total / expected.len() as f64)
}
