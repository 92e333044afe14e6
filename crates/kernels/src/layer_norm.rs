//! Layer normalisation (Ba et al., 2016) of a sum: `y = gamma * (z - mean) / sqrt(var + eps) + beta` with
//! `z = x + dropout(branch)`, the end of every block of a post-norm Transformer. Without a branch it is the plain norm.

use rayon::prelude::*;

use crate::buffer::Buffer;
use crate::dropout::{Dropout, RowMask};
use crate::error::{KernelError, check, check_sizes};
use crate::lanes;
use crate::math::mul_add;
use crate::reduce::sum_rows;
use crate::simd::simd_fn;

/// Rows a thread computes at a time.
const PIECE_ROWS: usize = 64;

/// Scale, shift and the number added to the variance; `gamma` and `beta` are `[hidden]`.
#[derive(Debug, Clone, Copy)]
pub struct Affine<'a> {
    pub gamma: &'a [f32],
    pub beta: &'a [f32],
    pub epsilon: f32,
}

/// A residual branch, `[rows, hidden]`, and the dropout on it.
#[derive(Debug, Clone, Copy)]
pub struct Branch<'a> {
    pub values: &'a [f32],
    pub dropout: Option<Dropout>,
}

/// What [`forward`] keeps for [`backward`].
#[derive(Debug, Clone)]
pub struct Saved {
    /// `[rows, hidden]`: `(z - mean) / sqrt(var + eps)`
    normalized: Buffer,
    /// `[rows]`: `1 / sqrt(var + eps)`
    inverse_deviation: Buffer,
    /// Dropout on the branch, if there was one.
    dropout: Option<Dropout>,
}

/// Gradients of [`forward`].
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// `[rows, hidden]`: of `x`, and of the branch too when it had no dropout.
    pub input: Vec<f32>,
    /// `[rows, hidden]`: of a branch with dropout.
    pub branch: Option<Vec<f32>>,
    /// `[hidden]`
    pub gamma: Vec<f32>,
    /// `[hidden]`
    pub beta: Vec<f32>,
}

/// `x [rows, hidden]` to `[rows, hidden]`.
///
/// # Errors
/// When a slice does not fit its shape.
pub fn forward(x: &[f32], branch: Option<Branch>, affine: Affine) -> Result<(Vec<f32>, Saved), KernelError> {
    let hidden = affine.gamma.len();
    check_sizes(&[("hidden", hidden)])?;
    check("beta", affine.beta.len(), &[hidden])?;
    let rows = x.len() / hidden;
    check("x", x.len(), &[rows, hidden])?;
    if let Some(branch) = branch {
        check("branch", branch.values.len(), &[rows, hidden])?;
    }
    let dropout = branch.and_then(|branch| branch.dropout);
    let mut y = vec![0.0; rows * hidden];
    let mut normalized = Buffer::scratch(rows * hidden);
    let mut inverse_deviation = Buffer::scratch(rows);
    let size = PIECE_ROWS * hidden;
    (y.par_chunks_mut(size), normalized.par_chunks_mut(size), inverse_deviation.par_chunks_mut(PIECE_ROWS))
        .into_par_iter()
        .enumerate()
        .for_each(|(piece, (y, normalized, inverse_deviation))| {
            let at = piece * size..piece * size + y.len();
            normalized.copy_from_slice(&x[at.clone()]);
            if let Some(branch) = branch {
                let masks = row_masks(dropout, piece, inverse_deviation.len());
                add_branch(normalized, &branch.values[at], hidden, masks.as_deref());
            }
            normalize_rows(y, normalized, inverse_deviation, affine);
        });
    let saved = Saved { normalized, inverse_deviation, dropout };
    Ok((y, saved))
}

/// Gradients for `dy [rows, hidden]`.
///
/// # Errors
/// When a slice does not fit its shape.
pub fn backward(dy: &[f32], gamma: &[f32], saved: &Saved) -> Result<Gradients, KernelError> {
    let (hidden, rows) = (gamma.len(), saved.inverse_deviation.len());
    check_sizes(&[("hidden", hidden)])?;
    check("dy", dy.len(), &[rows, hidden])?;
    check("saved", saved.normalized.len(), &[rows, hidden])?;
    let mut input = vec![0.0; rows * hidden];
    let pieces = rows.div_ceil(PIECE_ROWS);
    let mut partials = Buffer::scratch(pieces * hidden * 2);
    let size = PIECE_ROWS * hidden;
    (input.par_chunks_mut(size), partials.par_chunks_mut(2 * hidden)).into_par_iter().enumerate().for_each(
        |(piece, (dx, partial))| {
            let start = piece * size;
            let (d_gamma, d_beta) = partial.split_at_mut(hidden);
            let dy = &dy[start..start + dx.len()];
            let normalized = &saved.normalized[start..start + dx.len()];
            backward_rows(dx, dy, normalized, &saved.inverse_deviation[piece * PIECE_ROWS..], gamma, d_gamma, d_beta);
        },
    );
    let mut gamma_gradient = sum_rows(&partials, 2 * hidden);
    let beta = gamma_gradient.split_off(hidden);
    let branch = match saved.dropout {
        Some(dropout) => Some(crate::dropout::apply(&input, hidden, dropout)?),
        None => None,
    };
    Ok(Gradients { input, branch, gamma: gamma_gradient, beta })
}

fn row_masks(dropout: Option<Dropout>, piece: usize, rows: usize) -> Option<Vec<RowMask>> {
    let first = piece * PIECE_ROWS;
    dropout.map(|dropout| (first..first + rows).map(|row| dropout.row(row)).collect())
}

simd_fn! {
    fn add_branch<const FMA>(z: &mut [f32], branch: &[f32], hidden: usize, masks: Option<&[RowMask]>) {
        match masks {
            None => {
                for (z, branch) in z.iter_mut().zip(branch) {
                    *z += branch;
                }
            }
            Some(masks) => {
                for ((z, branch), mask) in z.chunks_exact_mut(hidden).zip(branch.chunks_exact(hidden)).zip(masks) {
                    for (column, (z, branch)) in z.iter_mut().zip(branch).enumerate() {
                        *z += branch * mask.factor(column);
                    }
                }
            }
        }
    }
}

simd_fn! {
    fn normalize_rows<const FMA>(y: &mut [f32], z: &mut [f32], inverse_deviation: &mut [f32], affine: Affine) {
        let Affine { gamma, beta, epsilon } = affine;
        let hidden = gamma.len();
        for ((y, z), inverse) in y.chunks_exact_mut(hidden).zip(z.chunks_exact_mut(hidden)).zip(inverse_deviation) {
            let mean = lanes::sum(z) / hidden as f32;
            let variance = lanes::squared_deviation::<FMA>(z, mean) / hidden as f32;
            *inverse = 1.0 / (variance + epsilon).sqrt();
            for (((y, z), gamma), beta) in y.iter_mut().zip(z.iter_mut()).zip(gamma).zip(beta) {
                *z = (*z - mean) * *inverse;
                *y = mul_add::<FMA>(*z, *gamma, *beta);
            }
        }
    }
}

simd_fn! {
    fn backward_rows<const FMA>(
        dx: &mut [f32],
        dy: &[f32],
        normalized: &[f32],
        inverse_deviation: &[f32],
        gamma: &[f32],
        d_gamma: &mut [f32],
        d_beta: &mut [f32],
    ) {
        let hidden = gamma.len();
        d_gamma.fill(0.0);
        d_beta.fill(0.0);
        let rows = dx.chunks_exact_mut(hidden).zip(dy.chunks_exact(hidden)).zip(normalized.chunks_exact(hidden));
        for (((dx, dy), normalized), inverse) in rows.zip(inverse_deviation) {
            for i in 0..hidden {
                d_gamma[i] = mul_add::<FMA>(dy[i], normalized[i], d_gamma[i]);
                d_beta[i] += dy[i];
                dx[i] = dy[i] * gamma[i];
            }
            let mean = lanes::sum(dx) / hidden as f32;
            let slope = lanes::dot::<FMA>(dx, normalized) / hidden as f32;
            for (dx, normalized) in dx.iter_mut().zip(normalized) {
                *dx = (*dx - mean - normalized * slope) * inverse;
            }
        }
    }
}
