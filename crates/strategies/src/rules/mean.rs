//! The mean gradient: plain multi-task training.

use spec::Multitask;

use super::input::RuleInput;
use super::rule::{Combination, Rule, RuleError, RuleState};

/// `w_i = 1 / m`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Mean {}

impl Rule for Mean {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        let m = input.gram.len();
        Ok(Combination::of(vec![1.0 / m as f64; m]))
    }
}

/// The mean over more rows: memories are tasks like any other.
impl Rule for Multitask {
    fn combine(&self, input: &RuleInput, state: &mut RuleState) -> Result<Combination, RuleError> {
        Mean {}.combine(input, state)
    }
}
