//! LF-MLF-style rules: our reconstruction of "Less-forgetting Multi-lingual Fine-tuning", Mao et al., NeurIPS 2022.
//!
//! Only the paper's abstract is confirmed. Both forms below satisfy what it says; neither is known to be its algorithm.

use serde::{Deserialize, Serialize};

use super::gram::Gram;
use super::input::{Anchor, RuleInput};
use super::mgda::Normaliser;
use super::rule::{Combination, Event, GradientRule, RuleError, RuleState, check_knob};
use super::solver::descent_simplex::nearest_descent;
use super::solver::min_norm::{MinNorm, min_norm};
use super::solver::{Scaled, Solution, nonnegative};

/// Forget as little as possible while every language's loss falls. h is the gradient of the measure of forgetting,
/// g* the min-norm point of the gradients, and the step is `theta + eta d`.
///
/// ```text
/// form A (polyhedron):  min_d 1/2 |d + h|^2   s.t.  g_k . d <= -rho |g*|^2 for every k
///        dual:          lambda = argmin_{lambda >= 0} 1/2 lambda^T Q lambda + lambda^T (G h - rho |g*|^2 1)
///                       d = -h - G^T lambda
/// form B (simplex):     lambda = argmin 1/2 |h - G^T lambda|^2   s.t.  lambda in simplex,  Q lambda >= 0
///                       d = -G^T lambda
/// ```
///
/// The result is the gradient `-d`: weights lambda, and coefficient 1 (form A, times the factor of `h-rescale`) or 0 (form B)
/// on h. Both are solved in units of |g*|. Where `|g*|` vanishes the gradients are Pareto stationary: all weights are 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct LfMlf {
    /// Default `simplex`.
    pub form: LfMlfForm,
    /// How h is brought to the gradients' size. Default `clip` for form A and `none` for form B.
    pub h_rescale: Option<AnchorRescale>,
    /// `|h|` relative to `|g*|` for `clip` and `normalise`, above 0. Default 0.5.
    pub kappa: f64,
    /// Form A's margin, in (0, 1]. Default 1.
    pub rho: f64,
    /// What each gradient is divided by beforehand. Default `none`; the weights returned are those of the gradients given.
    pub gradient_normalise: Normaliser,
    /// Added to the unit diagonal of the scaled problem, at least 0. Default 1e-12.
    pub solver_ridge: f64,
    /// `|g*|^2` at or below this times the mean squared gradient norm, trace(Q)/K, counts as Pareto stationary.
    /// At least 0; default 1e-10. Relative, so that scaling all losses changes nothing.
    pub pareto_tol: f64,
}

impl Default for LfMlf {
    fn default() -> Self {
        Self {
            form: LfMlfForm::default(),
            h_rescale: None,
            kappa: 0.5,
            rho: 1.0,
            gradient_normalise: Normaliser::default(),
            solver_ridge: 1e-12,
            pareto_tol: 1e-10,
        }
    }
}

/// The two reconstructions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LfMlfForm {
    /// B: loss weights in the simplex.
    #[default]
    Simplex,
    /// A: projection of -h on the directions that lower every loss.
    Polyhedron,
}

/// How the anchor direction h is rescaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnchorRescale {
    /// Not at all.
    None,
    /// Shortened to kappa |g*| where it is longer.
    Clip,
    /// Always kappa |g*| long (unless it is 0).
    Normalise,
}

impl LfMlf {
    fn check(&self) -> Result<(), RuleError> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let not_negative = |value: f64| value >= 0.0 && value.is_finite();
        check_knob("kappa", self.kappa, positive(self.kappa), "finite and above 0")?;
        check_knob("rho", self.rho, positive(self.rho) && self.rho <= 1.0, "in (0, 1]")?;
        check_knob("solver-ridge", self.solver_ridge, not_negative(self.solver_ridge), "finite and not negative")?;
        check_knob("pareto-tol", self.pareto_tol, not_negative(self.pareto_tol), "finite and not negative")
    }

    /// The factor that `h-rescale` puts on h.
    fn anchor_factor(&self, anchor: &Anchor, shortest: f64) -> f64 {
        let rescale = self.h_rescale.unwrap_or(match self.form {
            LfMlfForm::Polyhedron => AnchorRescale::Clip,
            LfMlfForm::Simplex => AnchorRescale::None,
        });
        let length = anchor.norm2.sqrt();
        let target = self.kappa * shortest;
        match rescale {
            AnchorRescale::Clip if length > target => target / length,
            AnchorRescale::Normalise if length > 0.0 => target / length,
            _ => 1.0,
        }
    }

    /// Form A's dual in the unknowns `y_k = lambda_k |g_k| / |g*|`.
    fn polyhedron(&self, gram: &Gram, products: &[f64], shortest: f64) -> Result<Solution, RuleError> {
        let scaled = Scaled::of(gram.products());
        let linear: Vec<f64> = products
            .iter()
            .zip(&scaled.norms)
            .map(|(product, norm)| product / norm / shortest - self.rho * (shortest / norm))
            .collect();
        let mut hessian = scaled.cosines.clone();
        hessian.add_diagonal(self.solver_ridge);
        let solution = nonnegative::minimise_scaled(&hessian, &linear)?;
        Ok(Solution { x: scaled.unscale(&solution.x, shortest), ..solution })
    }
}

impl GradientRule for LfMlf {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        self.check()?;
        let anchor = input.checked_anchor()?;
        let divisors = self.gradient_normalise.divisors(input)?;
        let gram = input.gram.divided(&divisors);
        let MinNorm { solution: alpha, norm2 } = min_norm(gram.products())?;
        if norm2 <= self.pareto_tol * gram.mean_norm2() {
            let weights = vec![0.0; gram.len()];
            return Ok(Combination::with(weights, vec![Event::ParetoStationary { norm2 }]));
        }
        let shortest = norm2.sqrt();
        let factor = self.anchor_factor(&anchor, shortest);
        let products: Vec<f64> =
            anchor.products.iter().zip(&divisors).map(|(product, divisor)| factor * product / divisor).collect();
        let (solution, anchor) = match self.form {
            LfMlfForm::Polyhedron => (self.polyhedron(&gram, &products, shortest)?, factor),
            LfMlfForm::Simplex => (nearest_descent(gram.products(), &products, &alpha.x, self.solver_ridge)?, 0.0),
        };
        let events = vec![Event::MinNorm { norm2 }, Event::solved(&alpha), Event::solved(&solution)];
        let weights = solution.x.iter().zip(&divisors).map(|(lambda, divisor)| lambda / divisor).collect();
        Ok(Combination { weights, anchor, events })
    }
}
