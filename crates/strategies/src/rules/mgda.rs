//! MGDA. Desideri 2012; Sener & Koltun, "Multi-Task Learning as Multi-Objective Optimization", NeurIPS 2018.
//!
//! The shortest convex combination of the gradients:
//!
//! ```text
//! alpha = argmin_{alpha in simplex} |sum_i alpha_i g_i|^2 ;     g_i . g* >= |g*|^2 for every i
//! ```
//!
//! Solved exactly (the official code iterates Frank-Wolfe and returns 0.999 for 1).

use spec::{Mgda, Normaliser};

use super::input::RuleInput;
use super::rule::{Combination, Event, Rule, RuleError, RuleState};
use super::solver::min_norm::{MinNorm, min_norm};

/// One positive divisor a row.
pub(super) fn divisors(normaliser: Normaliser, input: &RuleInput) -> Result<Vec<f64>, RuleError> {
    let m = input.gram.len();
    let norm = |i: usize| {
        let norm = input.gram.norm(i);
        if norm > 0.0 { norm } else { 1.0 }
    };
    Ok(match normaliser {
        Normaliser::None => vec![1.0; m],
        Normaliser::L2 => (0..m).map(norm).collect(),
        Normaliser::Loss => input.positive_losses()?.to_vec(),
        Normaliser::LossL2 => input.positive_losses()?.iter().enumerate().map(|(i, loss)| loss * norm(i)).collect(),
    })
}

/// Relative to the mean squared norm of the gradients: below it, rounding decides what `|g*|^2` is.
const STATIONARY: f64 = 1e-14;

impl Rule for Mgda {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        let gram = input.gram.divided(&divisors(self.gradient_normalise, input)?);
        let MinNorm { solution, norm2 } = min_norm(gram.products())?;
        let mut events = vec![Event::MinNorm { norm2 }, Event::solved(&solution)];
        if norm2 <= STATIONARY * gram.mean_norm2() {
            events.push(Event::ParetoStationary { norm2 });
        }
        Ok(Combination::with(solution.x, events))
    }
}
