//! Dropout by a counter-based generator: whether an element is kept is a function of (key, row, column) alone, so the
//! backward pass computes the mask again instead of storing it.

use rayon::prelude::*;

use crate::error::{KernelError, check, check_sizes};
use crate::simd::simd_fn;

/// Inverted dropout (Srivastava et al., 2014): an element is zeroed with `probability`, otherwise scaled by
/// `1 / (1 - probability)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    threshold: u32,
    scale: f32,
    key: u64,
}

/// The generator of one row of elements.
#[derive(Clone, Copy)]
pub(crate) struct RowMask {
    keys: [u32; 2],
    threshold: u32,
    scale: f32,
}

impl Dropout {
    /// `key` must differ between layers, places in a layer and steps; equal keys give equal masks.
    ///
    /// # Errors
    /// When `probability` is not in `[0, 1)`.
    pub fn new(probability: f32, key: u64) -> Result<Self, KernelError> {
        if !(0.0..1.0).contains(&probability) {
            return Err(KernelError::Probability(probability.to_string()));
        }
        Ok(Self {
            // Below 2^32, so the conversion does not saturate.
            threshold: (f64::from(probability) * 4_294_967_296.0) as u32,
            scale: (1.0 / (1.0 - f64::from(probability))) as f32,
            key,
        })
    }

    pub(crate) fn row(&self, row: usize) -> RowMask {
        let hash = mix64(self.key ^ mix64((row as u64).wrapping_add(0x9e37_79b9_7f4a_7c15)));
        RowMask { keys: [hash as u32, (hash >> 32) as u32], threshold: self.threshold, scale: self.scale }
    }
}

impl RowMask {
    /// 0 or `1 / (1 - probability)`.
    #[inline(always)]
    pub(crate) fn factor(self, column: usize) -> f32 {
        let hash = mix32(mix32((column as u32) ^ self.keys[0]).wrapping_add(self.keys[1]));
        if hash >= self.threshold { self.scale } else { 0.0 }
    }
}

/// `x [rows, columns]` with dropout. The backward pass is the same function on the output's gradient.
///
/// # Errors
/// When `x` does not have whole rows of `columns` elements.
pub fn apply(x: &[f32], columns: usize, dropout: Dropout) -> Result<Vec<f32>, KernelError> {
    check_sizes(&[("columns", columns)])?;
    check("x", x.len(), &[x.len() / columns, columns])?;
    let mut y = vec![0.0; x.len()];
    (y.par_chunks_mut(columns), x.par_chunks(columns))
        .into_par_iter()
        .enumerate()
        .with_min_len(64)
        .for_each(|(row, (y, x))| apply_row(y, x, dropout.row(row)));
    Ok(y)
}

simd_fn! {
    fn apply_row<const FMA>(y: &mut [f32], x: &[f32], mask: RowMask) {
        for (column, (y, x)) in y.iter_mut().zip(x).enumerate() {
            *y = x * mask.factor(column);
        }
    }
}

/// Finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn mix64(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Finalizer of MurmurHash3 for 32 bits: a bijection with full avalanche.
#[inline(always)]
fn mix32(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
    x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
    x ^ (x >> 16)
}
