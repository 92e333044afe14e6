//! Nash-MTL. Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022.
//!
//! The Nash bargaining solution of `max_d sum_i log(g_i . d)` in a ball:
//!
//! ```text
//! d = sum_i alpha_i g_i    with    Q alpha = 1 / alpha   (elementwise);     alpha_i (g_i . d) = 1,   |d| = sqrt(m)
//! ```
//!
//! Solved exactly as the minimum of the strictly convex `1/2 a^T Q a - sum_i log a_i` (the official code approaches it by a
//! convex-concave procedure on a rescaled Q). The length of d carries no information about the gradients.
//! Where the gradients are Pareto stationary no such d exists: all weights are 0 then, and the event says so.

use spec::{NashMtl, RuleKnobs};

use super::input::RuleInput;
use super::rule::{Combination, Event, Rule, RuleError, RuleState};
use super::solver::min_norm::min_norm;
use super::solver::{Scaled, nash};

/// Squared norm of the shortest convex combination of the unit gradients below which the bargain is undetermined.
const STATIONARY: f64 = 1e-12;

impl Rule for NashMtl {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        self.check()?;
        let max_norm = self.max_norm;
        let scaled = Scaled::of(input.gram.products());
        let norm2 = if scaled.has_zero_row() { 0.0 } else { min_norm(&scaled.cosines)?.norm2 };
        if norm2 <= STATIONARY {
            let weights = vec![0.0; input.gram.len()];
            return Ok(Combination::with(weights, vec![Event::ParetoStationary { norm2 }]));
        }
        let solution = nash::bargain(&scaled.cosines)?;
        let mut weights = scaled.unscale(&solution.x, 1.0);
        let norm = input.gram.norm2(&weights).sqrt();
        if max_norm > 0.0 && norm > max_norm {
            weights.iter_mut().for_each(|weight| *weight *= max_norm / norm);
        }
        Ok(Combination::with(weights, vec![Event::solved(&solution)]))
    }
}
