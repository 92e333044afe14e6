//! The mean gradient: plain multi-task training.

use serde::{Deserialize, Serialize};

use super::input::RuleInput;
use super::rule::{Combination, GradientRule, RuleError, RuleState};

/// `w_i = 1 / m`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Mean {}

impl GradientRule for Mean {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        let m = input.gram.len();
        Ok(Combination::of(vec![1.0 / m as f64; m]))
    }
}
