//! Quadratic programs whose only constraints are lower bounds.

use super::active_set::{Program, solve};
use super::dense::{Square, max_abs};
use super::scaled::Scaled;
use super::{Solution, SolveError};

/// `min 1/2 v^T P v + q^T v   s.t.  v >= lower`, with P positive semi-definite `[n, n]` and q `[n]`.
///
/// This is the dual of projecting on a polyhedral cone: with `P = M M^T` and `q = M g` the projection of g on
/// `{x : M x >= 0}` is `g + M^T v`.
///
/// # Errors
/// [`SolveError`] where the minimum does not exist or is not found.
pub fn minimise(matrix: &Square, linear: &[f64], lower: f64) -> Result<Solution, SolveError> {
    let scaled = Scaled::of(matrix);
    // v = lower + u, u >= 0; then u_i = unit y_i / norm_i with a unit that makes the linear term's largest value 1.
    let shifted = matrix.times(&vec![lower; linear.len()]);
    let slopes: Vec<f64> =
        scaled.rows.iter().zip(&scaled.norms).map(|(i, norm)| (linear[*i] + shifted[*i]) / norm).collect();
    let unit = max_abs(&slopes);
    let mut solution = if unit == 0.0 {
        Solution { x: vec![0.0; linear.len()], iterations: 0, residual: 0.0 }
    } else {
        let slopes: Vec<f64> = slopes.iter().map(|slope| slope / unit).collect();
        let solution = minimise_scaled(&scaled.cosines, &slopes)?;
        Solution { x: scaled.unscale(&solution.x, unit), ..solution }
    };
    solution.x.iter_mut().for_each(|value| *value += lower);
    Ok(solution)
}

/// `min 1/2 y^T C y + c^T y   s.t.  y >= 0`, for C with unit diagonal.
///
/// # Errors
/// [`SolveError`] where the minimum does not exist or is not found.
pub fn minimise_scaled(cosines: &Square, linear: &[f64]) -> Result<Solution, SolveError> {
    let program = Program {
        name: "non-negative quadratic program",
        hessian: cosines,
        linear,
        equality: None,
        rows: &Square::zeros(0),
    };
    solve(&program, vec![0.0; linear.len()])
}
