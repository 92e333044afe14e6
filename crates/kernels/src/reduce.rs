//! Sums in `f64` whose bits depend on the data only: not on threads, not on the instruction set.

use rayon::prelude::*;

use crate::error::{KernelError, check};
use crate::rows::{Shared, Vector};
use crate::simd::simd_fn;

const PIECE: usize = 1 << 14;
const LANES: usize = 16;

/// Inner products of `m` vectors of each of several parameters: `[m, m]` row-major a parameter, 0 where a vector is
/// missing. A row-sparse vector gives the bits that the same vector gives in full.
///
/// # Errors
/// When the vectors of a parameter differ in length or number.
pub fn gram(parameters: &[Vec<Option<Vector>>]) -> Result<Vec<Vec<f64>>, KernelError> {
    parameters.par_iter().map(|vectors| gram_of_one(vectors)).collect()
}

/// `sum a_i b_i`.
///
/// # Errors
/// When the lengths differ.
pub fn dot(a: Vector, b: Vector) -> Result<f64, KernelError> {
    match (a, b) {
        (Vector::Dense(a), Vector::Dense(b)) => {
            check("b", b.len(), &[a.len()])?;
            let parts: Vec<f64> =
                (a.par_chunks(PIECE), b.par_chunks(PIECE)).into_par_iter().map(|(a, b)| dot_piece(a, b)).collect();
            Ok(parts.iter().sum())
        }
        (Vector::Rows(rows), other) | (other, Vector::Rows(rows)) => Ok(dot_rows(&rows.shared(other)?, rows.hidden)),
    }
}

fn gram_of_one(vectors: &[Option<Vector>]) -> Result<Vec<f64>, KernelError> {
    let m = vectors.len();
    let pairs: Vec<(usize, usize)> = (0..m).flat_map(|i| (i..m).map(move |j| (i, j))).collect();
    let dense: Option<Vec<&[f32]>> = vectors
        .iter()
        .map(|vector| match vector {
            Some(Vector::Dense(values)) => Some(*values),
            _ => None,
        })
        .collect();
    let products: Vec<f64> = match dense {
        Some(vectors) => dense_products(&vectors, &pairs)?,
        None => {
            let product = |&(i, j): &(usize, usize)| match (vectors[i], vectors[j]) {
                (Some(a), Some(b)) => dot(a, b),
                _ => Ok(0.0),
            };
            pairs.par_iter().map(product).collect::<Result<_, _>>()?
        }
    };
    let mut gram = vec![0.0; m * m];
    for (&(i, j), product) in pairs.iter().zip(products) {
        gram[i * m + j] = product;
        gram[j * m + i] = product;
    }
    Ok(gram)
}

/// All products in one pass over memory: a piece of every vector stays in cache while its products are taken.
fn dense_products(vectors: &[&[f32]], pairs: &[(usize, usize)]) -> Result<Vec<f64>, KernelError> {
    let length = vectors.first().map_or(0, |first| first.len());
    for vector in vectors {
        check("vector", vector.len(), &[length])?;
    }
    let pieces: Vec<Vec<f64>> = (0..length.div_ceil(PIECE))
        .into_par_iter()
        .map(|piece| {
            let piece = piece * PIECE..length.min((piece + 1) * PIECE);
            pairs.iter().map(|&(i, j)| dot_piece(&vectors[i][piece.clone()], &vectors[j][piece.clone()])).collect()
        })
        .collect();
    Ok((0..pairs.len()).map(|pair| pieces.iter().map(|piece| piece[pair]).sum()).collect())
}

/// The product of two tables that share these rows: lanes and pieces are those of the whole tables, whose other elements
/// add nothing.
fn dot_rows(shared: &[Shared], hidden: usize) -> f64 {
    let (mut sum, mut lanes, mut piece) = (0.0, [0.0f64; LANES], 0);
    for &(row, a, b) in shared {
        let (mut offset, mut done) = (row as usize * hidden, 0);
        while done < hidden {
            if offset / PIECE != piece {
                sum += lanes.iter().sum::<f64>();
                (lanes, piece) = ([0.0; LANES], offset / PIECE);
            }
            let count = (hidden - done).min((piece + 1) * PIECE - offset);
            let part = done..done + count;
            add_products(&mut lanes, offset % LANES, &a[part.clone()], &b[part]);
            (offset, done) = (offset + count, done + count);
        }
    }
    sum + lanes.iter().sum::<f64>()
}

simd_fn! {
    /// The first product belongs to lane `first`.
    fn add_products<const FMA>(lanes: &mut [f64; LANES], first: usize, a: &[f32], b: &[f32]) {
        let head = a.len().min((LANES - first) % LANES);
        for (lane, (a, b)) in lanes[first..].iter_mut().zip(a[..head].iter().zip(&b[..head])) {
            *lane += f64::from(*a) * f64::from(*b);
        }
        let (a_blocks, a_rest) = a[head..].as_chunks::<LANES>();
        let (b_blocks, b_rest) = b[head..].as_chunks::<LANES>();
        for (a, b) in a_blocks.iter().zip(b_blocks) {
            for i in 0..LANES {
                lanes[i] += f64::from(a[i]) * f64::from(b[i]);
            }
        }
        for (lane, (a, b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
            *lane += f64::from(*a) * f64::from(*b);
        }
    }
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
