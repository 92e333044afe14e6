//! What a gradient rule is given at a step.

use super::gram::Gram;
use super::rule::RuleError;

/// The input of one application of a rule to m gradients.
#[derive(Debug, Clone, Copy)]
pub struct RuleInput<'a> {
    /// Inner products of the gradients, `[m, m]`.
    pub gram: &'a Gram,
    /// The anchor direction h seen from the gradients, for rules that use one.
    pub anchor: Option<AnchorDirection<'a>>,
    /// The losses, `[m]`, for rules that normalise by them; may be empty otherwise.
    pub losses: &'a [f64],
    /// Optimiser step, from 0. Together with `seed` it decides every random draw.
    pub step: u64,
    /// Seed of the run.
    pub seed: u64,
}

/// An anchor direction h: the gradient of a measure of forgetting.
#[derive(Debug, Clone, Copy)]
pub struct AnchorDirection<'a> {
    /// `G h`, one inner product a row, `[m]`.
    pub products: &'a [f64],
    /// `|h|^2`.
    pub norm2: f64,
}

impl<'a> RuleInput<'a> {
    /// Input without anchor and losses at step 0 of seed 0.
    pub fn of(gram: &'a Gram) -> Self {
        Self { gram, anchor: None, losses: &[], step: 0, seed: 0 }
    }

    pub(super) fn checked_anchor(&self) -> Result<AnchorDirection<'a>, RuleError> {
        let anchor = self.anchor.ok_or_else(|| {
            RuleError::Input("this rule needs an anchor direction h: give G h and |h|^2 (zeros where h = 0)".into())
        })?;
        check_row_values("G h", anchor.products, self.gram.len())?;
        if !(anchor.norm2.is_finite() && anchor.norm2 >= 0.0) {
            return Err(RuleError::Input(format!("|h|^2 is {}: it must be finite and not negative", anchor.norm2)));
        }
        Ok(anchor)
    }

    pub(super) fn positive_losses(&self) -> Result<&'a [f64], RuleError> {
        check_row_values("losses", self.losses, self.gram.len())?;
        match self.losses.iter().position(|loss| *loss <= 0.0) {
            None => Ok(self.losses),
            Some(row) => Err(RuleError::Input(format!(
                "loss {row} is {}: normalising by the loss needs positive losses",
                self.losses[row]
            ))),
        }
    }

    /// The rows are the current task and at least one memory.
    pub(super) fn check_memories(&self) -> Result<(), RuleError> {
        if self.gram.len() < 2 {
            return Err(RuleError::Input(
                "this rule needs the gradient of the current task and of at least one memory".into(),
            ));
        }
        Ok(())
    }
}

fn check_row_values(what: &str, values: &[f64], rows: usize) -> Result<(), RuleError> {
    if values.len() != rows {
        return Err(RuleError::Input(format!("{what} has {} values for {rows} gradients", values.len())));
    }
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(row) => Err(RuleError::Input(format!("{what}: value {row} is {}", values[row]))),
    }
}
