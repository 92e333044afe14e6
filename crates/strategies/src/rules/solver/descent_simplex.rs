//! The point of the gradients' convex hull nearest to h among those that lower every loss.

use super::active_set::{Program, solve};
use super::dense::Square;
use super::scaled::Scaled;
use super::{Solution, SolveError};

/// `min_lambda 1/2 |h - G^T lambda|^2   s.t.  lambda in the simplex,  Q lambda >= 0` (form B of LF-MLF).
///
/// `gram` is Q `[m, m]` without zero rows, `products` is `G h` `[m]`, `start` a feasible point (the min-norm point is one).
/// `ridge` is added to the objective's unit diagonal after scaling, so it is relative to each gradient's squared norm.
///
/// # Errors
/// [`SolveError`] where the solver cannot prove its answer.
pub fn nearest_descent(gram: &Square, products: &[f64], start: &[f64], ridge: f64) -> Result<Solution, SolveError> {
    let scaled = Scaled::of(gram);
    let shortest = scaled.shortest();
    // lambda_i = y_i shortest / |g_i|; the objective is divided by shortest^2.
    let linear: Vec<f64> =
        products.iter().zip(&scaled.norms).map(|(product, norm)| -product / norm / shortest).collect();
    let shares: Vec<f64> = scaled.norms.iter().map(|norm| shortest / norm).collect();
    let start = start.iter().zip(&shares).map(|(alpha, share)| alpha / share).collect();
    let mut hessian = scaled.cosines.clone();
    hessian.add_diagonal(ridge);
    let program = Program {
        name: "nearest descent in the simplex",
        hessian: &hessian,
        linear: &linear,
        equality: Some((&shares, 1.0)),
        rows: &scaled.cosines,
    };
    let solution = solve(&program, start)?;
    Ok(Solution { x: scaled.unscale(&solution.x, shortest), ..solution })
}
