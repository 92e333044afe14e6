//! Nash-MTL. Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022.
//!
//! The Nash bargaining solution of `max_d sum_i log(g_i . d)` in a ball:
//!
//! ```text
//! d = sum_i alpha_i g_i    with    Q alpha = 1 / alpha   (elementwise);     alpha_i (g_i . d) = 1,   |d| = sqrt(m)
//! ```
//!
//! Solved exactly as the minimum of the strictly convex `1/2 a^T Q a - sum_i log a_i` (the official code approaches it by a
//! convex-concave procedure on a rescaled Q, and undoes the scale in its constraints: its weights are these). The length of d
//! carries no information about the gradients. As in the official code weights may be kept for some steps, and what they
//! make of the gradients is clipped at every step.
//! Where the gradients are Pareto stationary no such d exists: all weights are 0 then, and the event says so; the next step
//! bargains anew.

use spec::{NashMtl, RuleKnobs};

use super::gram::Gram;
use super::input::RuleInput;
use super::rule::{Combination, Event, Rule, RuleError, RuleState};
use super::solver::min_norm::min_norm;
use super::solver::{Scaled, nash};

/// Squared norm of the shortest convex combination of the unit gradients below which the bargain is undetermined.
const STATIONARY: f64 = 1e-12;

/// The weights of a direction that is no longer than `max-norm`.
fn clipped(knobs: &NashMtl, mut weights: Vec<f64>, gram: &Gram) -> Vec<f64> {
    let norm = gram.norm2(&weights).sqrt();
    if knobs.max_norm > 0.0 && norm > knobs.max_norm {
        weights.iter_mut().for_each(|weight| *weight *= knobs.max_norm / norm);
    }
    weights
}

impl Rule for NashMtl {
    fn combine(&self, input: &RuleInput, state: &mut RuleState) -> Result<Combination, RuleError> {
        self.check()?;
        let kept = state.bargain.len() == input.gram.len() && !input.step.is_multiple_of(self.update_every);
        if kept {
            return Ok(Combination::of(clipped(self, state.bargain.clone(), input.gram)));
        }
        let scaled = Scaled::of(input.gram.products());
        let norm2 = if scaled.has_zero_row() { 0.0 } else { min_norm(&scaled.cosines)?.norm2 };
        if norm2 <= STATIONARY {
            state.bargain.clear();
            let weights = vec![0.0; input.gram.len()];
            return Ok(Combination::with(weights, vec![Event::ParetoStationary { norm2 }]));
        }
        let solution = nash::bargain(&scaled.cosines)?;
        let weights = scaled.unscale(&solution.x, 1.0);
        if self.update_every > 1 {
            state.bargain.clone_from(&weights);
        }
        Ok(Combination::with(clipped(self, weights, input.gram), vec![Event::solved(&solution)]))
    }
}
