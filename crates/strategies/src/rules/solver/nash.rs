//! The Nash bargaining equation.

use super::dense::{PivotedCholesky, Square, dot, max_abs};
use super::{KKT_TOLERANCE, Solution, SolveError};

const NAME: &str = "Nash bargaining equation";
const LIMIT: usize = 500;

/// `C y = 1 / y` elementwise with y > 0: the minimiser of the strictly convex `1/2 y^T C y - sum_i log y_i`, by damped
/// Newton. C `[n, n]` is positive semi-definite with unit diagonal; no convex combination of its rows may vanish, else
/// there is no solution.
///
/// The residual is the largest `|y_i (C y)_i - 1|`, measured more loosely where the terms of `(C y)_i` cancel.
///
/// # Errors
/// [`SolveError`] where the residual stays too large.
pub fn bargain(cosines: &Square) -> Result<Solution, SolveError> {
    let n = cosines.len();
    let mut y = vec![1.0 / (n as f64).sqrt(); n];
    let mut best = f64::INFINITY;
    for iterations in 0..LIMIT {
        let curved = cosines.times(&y);
        let error = residual(cosines, &y, &curved);
        if !error.is_finite() {
            return Err(SolveError::NotFinite { solver: NAME });
        }
        // Newton doubles the digits: once an iteration brings nothing more, rounding is what is left.
        if error <= KKT_TOLERANCE && (error == 0.0 || error >= 0.5 * best) {
            return Ok(Solution { x: y, iterations, residual: error });
        }
        best = best.min(error);
        // In z = y / y_now the Hessian is diag(y) C diag(y) + I: at least the identity, hence well conditioned.
        let mut hessian = Square::zeros(n);
        for i in 0..n {
            for j in 0..n {
                hessian.set(i, j, y[i] * cosines.get(i, j) * y[j]);
            }
        }
        hessian.add_diagonal(1.0);
        let slope: Vec<f64> = y.iter().zip(&curved).map(|(y, curved)| 1.0 - y * curved).collect();
        let step = PivotedCholesky::factor(&hessian, 0.0).solve(&slope);
        // Newton decrement; the damping that keeps a self-concordant function falling and y positive.
        let decrement = dot(&slope, &step).max(0.0).sqrt();
        let length = if decrement < 0.25 { 1.0 } else { 1.0 / (1.0 + decrement) };
        for (y, step) in y.iter_mut().zip(&step) {
            *y *= 1.0 + length * step;
        }
    }
    let error = residual(cosines, &y, &cosines.times(&y));
    if error <= KKT_TOLERANCE {
        Ok(Solution { x: y, iterations: LIMIT, residual: error })
    } else {
        Err(SolveError::NotConverged { solver: NAME, iterations: LIMIT, residual: error })
    }
}

fn residual(cosines: &Square, y: &[f64], curved: &[f64]) -> f64 {
    let terms = |i: usize| cosines.row(i).iter().zip(y).map(|(c, y)| (c * y).abs()).sum::<f64>() * y[i];
    // Terms of size t that cancel leave a rounding error of some t * 1e-16: with KKT_TOLERANCE, t * 1e-14 passes.
    let errors: Vec<f64> = (0..y.len()).map(|i| (y[i] * curved[i] - 1.0) / (1e-7 * terms(i)).max(1.0)).collect();
    if errors.iter().all(|error| error.is_finite()) { max_abs(&errors) } else { f64::NAN }
}
