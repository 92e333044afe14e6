//! Nash-MTL. Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022.

use serde::{Deserialize, Serialize};

use super::input::RuleInput;
use super::rule::{Combination, Event, GradientRule, RuleError, RuleState, check_knob};
use super::solver::min_norm::min_norm;
use super::solver::{Scaled, nash};

/// The Nash bargaining solution of `max_d sum_i log(g_i . d)` in a ball:
///
/// ```text
/// d = sum_i alpha_i g_i    with    Q alpha = 1 / alpha   (elementwise);     alpha_i (g_i . d) = 1,   |d| = sqrt(m)
/// ```
///
/// Solved exactly as the minimum of the strictly convex `1/2 a^T Q a - sum_i log a_i` (the official code approaches it by a
/// convex-concave procedure on a rescaled Q). The length of d carries no information about the gradients.
/// Where the gradients are Pareto stationary no such d exists: all weights are 0 then, and the event says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct NashMtl {
    /// Longest d, clipped as in the official code. Default 1; 0 keeps `|d| = sqrt(m)`.
    pub max_norm: f64,
}

impl Default for NashMtl {
    fn default() -> Self {
        Self { max_norm: 1.0 }
    }
}

/// Squared norm of the shortest convex combination of the unit gradients below which the bargain is undetermined.
const STATIONARY: f64 = 1e-12;

impl GradientRule for NashMtl {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        let max_norm = self.max_norm;
        check_knob("max-norm", max_norm, max_norm >= 0.0 && max_norm.is_finite(), "finite and not negative")?;
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
