//! Small exact solvers in f64 for the problems behind the gradient rules.
//!
//! Every solver first scales its problem to unit diagonal (the products become cosines), so gradients of very different
//! or extreme lengths are no harder than others, and checks the optimality (KKT) conditions of what it found, in release
//! builds too. An answer that does not pass is a [`SolveError`].

mod active_set;
mod dense;
pub(super) mod descent_simplex;
pub(super) mod linear;
pub(super) mod min_norm;
pub(super) mod nash;
pub(super) mod nonnegative;
mod scaled;

pub(super) use dense::Square;
pub(super) use scaled::Scaled;

/// A solution and the proof that it is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// The solution, `[n]`.
    pub x: Vec<f64>,
    /// Iterations taken.
    pub iterations: usize,
    /// Largest violation of the optimality conditions on the scaled problem, relative to the size of its terms.
    pub residual: f64,
}

/// Largest optimality residual that counts as solved.
///
/// It is about 1e-14 on ordinary problems. Where gradients are nearly dependent, products in f64 tell the part of one
/// outside the span of the others to the square root of 2.2e-16 only, and no method that sees only products does better.
pub const KKT_TOLERANCE: f64 = 1e-7;

/// Why a solver has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SolveError {
    /// The optimality conditions do not hold closely enough.
    #[error(
        "{solver}: after {iterations} iterations the optimality residual is {residual:e}, above {KKT_TOLERANCE:e}; \
         are the gradients' products exact enough?"
    )]
    NotConverged { solver: &'static str, iterations: usize, residual: f64 },
    /// The objective falls for ever: the constraints of the primal problem contradict each other, or do so to within the
    /// rounding errors of nearly dependent gradients.
    #[error("{solver}: no bound was found; the gradients contradict each other to within rounding errors")]
    Unbounded { solver: &'static str },
    /// The equations have no solution, or many.
    #[error("{solver}: there is no single solution: {reason}")]
    Singular { solver: &'static str, reason: &'static str },
    /// The numbers left the range of f64.
    #[error("{solver}: a value is not finite")]
    NotFinite { solver: &'static str },
}
