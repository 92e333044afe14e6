//! The exact GELU (Hendrycks and Gimpel, 2016), `x * Phi(x)`.

use rayon::prelude::*;

use crate::error::{KernelError, check};
use crate::math::{mul_add, normal};
use crate::simd::simd_fn;

/// Elements a thread computes at a time.
const PIECE: usize = 1 << 13;

/// Elementwise.
pub fn forward(x: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    (y.par_chunks_mut(PIECE), x.par_chunks(PIECE)).into_par_iter().for_each(|(y, x)| activate(y, x));
    y
}

/// `dy * (Phi(x) + x * phi(x))`.
///
/// # Errors
/// When the lengths differ.
pub fn backward(dy: &[f32], x: &[f32]) -> Result<Vec<f32>, KernelError> {
    check("dy", dy.len(), &[x.len()])?;
    let mut dx = dy.to_vec();
    (dx.par_chunks_mut(PIECE), x.par_chunks(PIECE)).into_par_iter().for_each(|(dx, x)| slope(dx, x));
    Ok(dx)
}

simd_fn! {
    pub(crate) fn activate<const FMA>(y: &mut [f32], x: &[f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = x * normal::<FMA>(*x).0;
        }
    }
}

simd_fn! {
    fn slope<const FMA>(d: &mut [f32], x: &[f32]) {
        for (d, &x) in d.iter_mut().zip(x) {
            let (distribution, density) = normal::<FMA>(x);
            *d *= mul_add::<FMA>(x, density, distribution);
        }
    }
}

simd_fn! {
    /// `activation = GELU(x)`, `d *= GELU'(x)`.
    pub(crate) fn activate_and_slope<const FMA>(activation: &mut [f32], d: &mut [f32], x: &[f32]) {
        for ((activation, d), &x) in activation.iter_mut().zip(d.iter_mut()).zip(x) {
            let (distribution, density) = normal::<FMA>(x);
            *activation = x * distribution;
            *d *= mul_add::<FMA>(x, density, distribution);
        }
    }
}
