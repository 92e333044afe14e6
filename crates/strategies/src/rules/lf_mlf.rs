//! LF-MLF-style rules: our reconstruction of "Less-forgetting Multi-lingual Fine-tuning", Mao et al., NeurIPS 2022.
//!
//! Only the paper's abstract is confirmed. Both forms below satisfy what it says; neither is known to be its algorithm.
//!
//! Forget as little as possible while every language's loss falls. h is the gradient of the measure of forgetting,
//! g* the min-norm point of the gradients, and the step is `theta + eta d`.
//!
//! ```text
//! form A (polyhedron):  min_d 1/2 |d + h|^2   s.t.  g_k . d <= -rho |g*|^2 for every k
//!        dual:          lambda = argmin_{lambda >= 0} 1/2 lambda^T Q lambda + lambda^T (G h - rho |g*|^2 1)
//!                       d = -h - G^T lambda
//! form B (simplex):     lambda = argmin 1/2 |h - G^T lambda|^2   s.t.  lambda in simplex,  Q lambda >= 0
//!                       d = -G^T lambda
//! ```
//!
//! The result is the gradient `-d`: weights lambda, and coefficient 1 (form A, times the factor of `h-rescale`) or 0 (form B)
//! on h. Both are solved in units of |g*|. Where `|g*|` vanishes the gradients are Pareto stationary: all weights are 0.

use spec::{AnchorRescale, LfMlf, LfMlfForm, RuleKnobs};

use super::gram::Gram;
use super::input::{AnchorDirection, RuleInput};
use super::mgda::divisors;
use super::rule::{Combination, Event, Rule, RuleError, RuleState};
use super::solver::descent_simplex::nearest_descent;
use super::solver::min_norm::{MinNorm, min_norm};
use super::solver::{Scaled, Solution, nonnegative};

/// The factor that `h-rescale` puts on h.
fn anchor_factor(knobs: &LfMlf, anchor: &AnchorDirection, shortest: f64) -> f64 {
    let rescale = knobs.h_rescale.unwrap_or(match knobs.form {
        LfMlfForm::Polyhedron => AnchorRescale::Clip,
        LfMlfForm::Simplex => AnchorRescale::None,
    });
    let length = anchor.norm2.sqrt();
    let target = knobs.kappa * shortest;
    match rescale {
        AnchorRescale::Clip if length > target => target / length,
        AnchorRescale::Normalise if length > 0.0 => target / length,
        _ => 1.0,
    }
}

/// Form A's dual in the unknowns `y_k = lambda_k |g_k| / |g*|`.
fn polyhedron(knobs: &LfMlf, gram: &Gram, products: &[f64], shortest: f64) -> Result<Solution, RuleError> {
    let scaled = Scaled::of(gram.products());
    let linear: Vec<f64> = products
        .iter()
        .zip(&scaled.norms)
        .map(|(product, norm)| product / norm / shortest - knobs.rho * (shortest / norm))
        .collect();
    let mut hessian = scaled.cosines.clone();
    hessian.add_diagonal(knobs.solver_ridge);
    let solution = nonnegative::minimise_scaled(&hessian, &linear)?;
    Ok(Solution { x: scaled.unscale(&solution.x, shortest), ..solution })
}

impl Rule for LfMlf {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        self.check()?;
        let anchor = input.checked_anchor()?;
        let divisors = divisors(self.gradient_normalise, input)?;
        let gram = input.gram.divided(&divisors);
        let MinNorm { solution: alpha, norm2 } = min_norm(gram.products())?;
        if norm2 <= self.pareto_tol * gram.mean_norm2() {
            let weights = vec![0.0; gram.len()];
            return Ok(Combination::with(weights, vec![Event::ParetoStationary { norm2 }]));
        }
        let shortest = norm2.sqrt();
        let factor = anchor_factor(self, &anchor, shortest);
        let products: Vec<f64> =
            anchor.products.iter().zip(&divisors).map(|(product, divisor)| factor * product / divisor).collect();
        let (solution, anchor) = match self.form {
            LfMlfForm::Polyhedron => (polyhedron(self, &gram, &products, shortest)?, factor),
            LfMlfForm::Simplex => (nearest_descent(gram.products(), &products, &alpha.x, self.solver_ridge)?, 0.0),
        };
        let events = vec![Event::MinNorm { norm2 }, Event::solved(&alpha), Event::solved(&solution)];
        let weights = solution.x.iter().zip(&divisors).map(|(lambda, divisor)| lambda / divisor).collect();
        Ok(Combination { weights, anchor, events })
    }
}
