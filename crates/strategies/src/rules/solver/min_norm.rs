//! The shortest vector in the convex hull of the gradients.

use super::active_set::{Program, solve};
use super::dense::Square;
use super::scaled::Scaled;
use super::{Solution, SolveError};

/// The min-norm point `g* = sum_i alpha_i g_i`, alpha in the simplex.
#[derive(Debug, Clone, PartialEq)]
pub struct MinNorm {
    /// alpha, `[m]`.
    pub solution: Solution,
    /// `|g*|^2`; 0 says that the gradients are Pareto stationary.
    pub norm2: f64,
}

/// `alpha = argmin |sum_i alpha_i g_i|^2` over the simplex, from the Gram matrix. It satisfies `g_i . g* >= |g*|^2`.
///
/// # Errors
/// [`SolveError`] where the solver cannot prove its answer.
pub fn min_norm(gram: &Square) -> Result<MinNorm, SolveError> {
    let scaled = Scaled::of(gram);
    if scaled.has_zero_row() {
        let zeros = gram.len() - scaled.rows.len();
        let mut alpha = vec![1.0 / zeros as f64; gram.len()];
        scaled.rows.iter().for_each(|row| alpha[*row] = 0.0);
        return Ok(MinNorm { solution: Solution { x: alpha, iterations: 0, residual: 0.0 }, norm2: 0.0 });
    }
    let shortest = scaled.shortest();
    let scaled_solution = min_norm_scaled(&scaled, shortest)?;
    let norm2 = scaled.cosines.quadratic(&scaled_solution.x).max(0.0) * shortest * shortest;
    let mut alpha = scaled.unscale(&scaled_solution.x, shortest);
    let sum: f64 = alpha.iter().sum();
    alpha.iter_mut().for_each(|value| *value /= sum);
    Ok(MinNorm { solution: Solution { x: alpha, ..scaled_solution }, norm2 })
}

/// In the unknowns `y_i = alpha_i |g_i| / shortest`: `min y^T C y   s.t.  y >= 0,  sum_i y_i shortest / |g_i| = 1`.
fn min_norm_scaled(scaled: &Scaled, shortest: f64) -> Result<Solution, SolveError> {
    let shares: Vec<f64> = scaled.norms.iter().map(|norm| shortest / norm).collect();
    let mut start = vec![0.0; shares.len()];
    let first = shares.iter().position(|share| *share == 1.0).unwrap_or(0);
    start[first] = 1.0 / shares[first];
    let linear = vec![0.0; shares.len()];
    let program = Program {
        name: "min-norm point",
        hessian: &scaled.cosines,
        linear: &linear,
        equality: Some((&shares, 1.0)),
        rows: &Square::zeros(0),
    };
    solve(&program, start)
}
