//! Sums in `f64` whose bits depend on the data only: not on threads, not on the instruction set.

use rayon::prelude::*;

use crate::error::{KernelError, check};
use crate::simd::simd_fn;

const PIECE: usize = 1 << 14;
const LANES: usize = 16;

/// `sum x_i^2`.
pub fn sum_of_squares(x: &[f32]) -> f64 {
    let parts: Vec<f64> = x.par_chunks(PIECE).map(|piece| dot_piece(piece, piece)).collect();
    parts.iter().sum()
}

/// `sum a_i b_i`.
///
/// # Errors
/// When the lengths differ.
pub fn dot(a: &[f32], b: &[f32]) -> Result<f64, KernelError> {
    check("b", b.len(), &[a.len()])?;
    let parts: Vec<f64> =
        (a.par_chunks(PIECE), b.par_chunks(PIECE)).into_par_iter().map(|(a, b)| dot_piece(a, b)).collect();
    Ok(parts.iter().sum())
}

simd_fn! {
    fn dot_piece<const FMA>(a: &[f32], b: &[f32]) -> f64 {
        // The product of two f32 is exact in f64, so fused or not gives the same bits.
        let mut lanes = [0.0f64; LANES];
        let (a_blocks, a_rest) = a.as_chunks::<LANES>();
        let (b_blocks, b_rest) = b.as_chunks::<LANES>();
        for (a, b) in a_blocks.iter().zip(b_blocks) {
            for i in 0..LANES {
                lanes[i] += f64::from(a[i]) * f64::from(b[i]);
            }
        }
        for (lane, (a, b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
            *lane += f64::from(*a) * f64::from(*b);
        }
        lanes.iter().sum()
    }
}

/// Adds the rows of `partials [n, width]`, in order, into a vector.
pub(crate) fn sum_rows(partials: &[f32], width: usize) -> Vec<f32> {
    let mut total = vec![0.0; width];
    for row in partials.chunks_exact(width) {
        for (total, x) in total.iter_mut().zip(row) {
            *total += x;
        }
    }
    total
}
