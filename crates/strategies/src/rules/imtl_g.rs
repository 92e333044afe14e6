//! IMTL-G. Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021, the closed form of the gradient weights.
//!
//! The combination whose projections on all gradients are equal (u_i = g_i / |g_i|):
//!
//! ```text
//! d = sum_i w_i g_i ,   sum_i w_i = 1 ,   u_i . d = t  for every i
//! paper:  (w_2 .. w_m) = g_1 U^T (D U^T)^-1   with rows  u_1 - u_i  of U  and  g_1 - g_i  of D
//! here:   C z = 1 ,   C_ij = u_i . u_j ;      w_i = (z_i / |g_i|) / sum_k (z_k / |g_k|)
//! ```
//!
//! Both name the same point: `u_i . d = t` is `C y = t 1` for `y_i = w_i |g_i|`, and the weights' sum fixes t.
//! Weights may be negative. So may t, where gradients of very different lengths conflict: d then raises every loss, as
//! published. Where gradients are linearly dependent, or the sum over k vanishes, the conditions have no solution or
//! many, and the rule says so instead of choosing one.

use spec::ImtlG;

use super::input::RuleInput;
use super::rule::{Combination, Event, Rule, RuleError, RuleState};
use super::solver::{Scaled, SolveError, linear};

const NAME: &str = "IMTL-G's equal projections";
/// A sum of weights this small relative to its terms is made of rounding errors.
const VANISHED: f64 = 1e-12;

impl Rule for ImtlG {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        let scaled = Scaled::of(input.gram.products());
        if scaled.has_zero_row() {
            return Err(SolveError::Singular { solver: NAME, reason: "a gradient is zero" }.into());
        }
        let solution = linear::solve(NAME, &scaled.cosines, &vec![1.0; scaled.rows.len()])?;
        let mut weights = scaled.unscale(&solution.x, scaled.shortest());
        let sum: f64 = weights.iter().sum();
        if sum.abs() <= VANISHED * weights.iter().map(|weight| weight.abs()).sum::<f64>() {
            return Err(SolveError::Singular { solver: NAME, reason: "no such weights have the sum 1" }.into());
        }
        weights.iter_mut().for_each(|weight| *weight /= sum);
        Ok(Combination::with(weights, vec![Event::solved(&solution)]))
    }
}
