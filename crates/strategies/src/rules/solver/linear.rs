//! Linear equations.

use super::dense::{PivotedCholesky, Square};
use super::{KKT_TOLERANCE, Solution, SolveError};

/// Squared distance of a row of unit length to the span of the others at which it counts as dependent on them.
const RANK_TOLERANCE: f64 = 1e-12;

/// `A x = b` for a positive definite A `[n, n]` with unit diagonal and b `[n]`.
///
/// The residual is the largest `|(A x - b)_i|`, relative to the size of its terms.
///
/// # Errors
/// [`SolveError::Singular`] where A has dependent rows; [`SolveError`] where the residual is too large.
pub fn solve(solver: &'static str, matrix: &Square, b: &[f64]) -> Result<Solution, SolveError> {
    let cholesky = PivotedCholesky::factor(matrix, RANK_TOLERANCE);
    if !cholesky.has_full_rank() {
        return Err(SolveError::Singular { solver, reason: "the gradients are linearly dependent" });
    }
    let x = cholesky.solve(b);
    if x.iter().any(|value| !value.is_finite()) {
        return Err(SolveError::NotFinite { solver });
    }
    let terms = |i: usize| matrix.row(i).iter().zip(&x).map(|(a, x)| (a * x).abs()).sum::<f64>() + b[i].abs();
    let residual = (matrix.times(&x).iter().enumerate())
        .map(|(i, value)| if value == &b[i] { 0.0 } else { (value - b[i]).abs() / terms(i) })
        .fold(0.0, f64::max);
    match residual <= KKT_TOLERANCE {
        true => Ok(Solution { x, iterations: 1, residual }),
        false => Err(SolveError::NotConverged { solver, iterations: 1, residual }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_tells_dependent_rows() {
        let matrix = Square::new(3, vec![1.0, 0.5, 0.0, 0.5, 1.0, -0.25, 0.0, -0.25, 1.0]);
        let found = solve("test", &matrix, &matrix.times(&[2.0, -1.0, 3.0])).unwrap();
        assert!(found.x.iter().zip([2.0, -1.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-14), "{found:?}");
        assert!(found.residual < 1e-15);
        for cosine in [1.0, -1.0] {
            let error = solve("test", &Square::new(2, vec![1.0, cosine, cosine, 1.0]), &[1.0, 1.0]).unwrap_err();
            assert!(matches!(error, SolveError::Singular { solver: "test", .. }), "{error}");
        }
        let wild = solve("test", &Square::new(1, vec![1.0]), &[f64::INFINITY]);
        assert_eq!(wild, Err(SolveError::NotFinite { solver: "test" }));
    }
}
