//! MGDA. Desideri 2012; Sener & Koltun, "Multi-Task Learning as Multi-Objective Optimization", NeurIPS 2018.

use serde::{Deserialize, Serialize};

use super::input::RuleInput;
use super::rule::{Combination, Event, GradientRule, RuleError, RuleState};
use super::solver::min_norm::{MinNorm, min_norm};

/// The shortest convex combination of the gradients:
///
/// ```text
/// alpha = argmin_{alpha in simplex} |sum_i alpha_i g_i|^2 ;     g_i . g* >= |g*|^2 for every i
/// ```
///
/// Solved exactly (the official code iterates Frank-Wolfe and returns 0.999 for 1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Mgda {
    /// What each gradient is divided by before alpha is sought. Default `none`. As in the official code, alpha then
    /// weighs the gradients as they were given, so the inequality above holds with `none` only.
    pub gradient_normalise: Normaliser,
}

/// What a gradient may be divided by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normaliser {
    /// 1.
    #[default]
    None,
    /// Its norm; 1 for a zero gradient.
    L2,
    /// The loss.
    Loss,
    /// Loss times norm; the loss for a zero gradient.
    LossL2,
}

impl Normaliser {
    /// One positive divisor a row.
    pub(super) fn divisors(self, input: &RuleInput) -> Result<Vec<f64>, RuleError> {
        let m = input.gram.len();
        let norm = |i: usize| {
            let norm = input.gram.norm(i);
            if norm > 0.0 { norm } else { 1.0 }
        };
        Ok(match self {
            Self::None => vec![1.0; m],
            Self::L2 => (0..m).map(norm).collect(),
            Self::Loss => input.positive_losses()?.to_vec(),
            Self::LossL2 => input.positive_losses()?.iter().enumerate().map(|(i, loss)| loss * norm(i)).collect(),
        })
    }
}

/// Relative to the mean squared norm of the gradients: below it, rounding decides what `|g*|^2` is.
const STATIONARY: f64 = 1e-14;

impl GradientRule for Mgda {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        let gram = input.gram.divided(&self.gradient_normalise.divisors(input)?);
        let MinNorm { solution, norm2 } = min_norm(gram.products())?;
        let mut events = vec![Event::MinNorm { norm2 }, Event::solved(&solution)];
        if norm2 <= STATIONARY * gram.mean_norm2() {
            events.push(Event::ParetoStationary { norm2 });
        }
        Ok(Combination::with(solution.x, events))
    }
}
