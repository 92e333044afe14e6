//! Matrix products: bounds-checked views over the `gemm` crate, and the rules that split a product over threads.
//!
//! A product is cut into pieces of fixed shape along its *output*, each computed on one thread, so that the bits of a
//! result do not depend on how many threads there are.

use gemm::Parallelism;
use rayon::prelude::*;

use crate::buffer::Buffer;
use crate::reduce::sum_rows;
use crate::simd::simd_fn;

/// Rows of a piece at most.
const PIECE_ROWS: usize = 256;

/// Rows per piece of an output: an even number of equal pieces, so that two threads finish together.
pub(crate) fn piece_rows(rows: usize) -> usize {
    rows.div_ceil(2 * rows.div_ceil(2 * PIECE_ROWS).max(1)).max(1)
}

/// A matrix in a slice: element `(r, c)` lies at `r * row_stride + c * column_stride`.
#[derive(Clone, Copy)]
pub(crate) struct Mat<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Mat<'a> {
    /// `rows x columns`, the rows `stride` apart.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        let mat = Self { data, rows, columns, row_stride: stride, column_stride: 1 };
        assert!(mat.span() <= data.len(), "a matrix view exceeds its slice");
        mat
    }

    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// `count` rows from `start`.
    pub(crate) fn rows(self, start: usize, count: usize) -> Self {
        assert!(start + count <= self.rows, "rows outside of a matrix view");
        Self { data: &self.data[(start * self.row_stride).min(self.data.len())..], rows: count, ..self }
    }

    /// One more than the index of the last element.
    fn span(&self) -> usize {
        if self.rows == 0 || self.columns == 0 {
            return 0;
        }
        (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride + 1
    }
}

/// `out = scale * a * b`, or `out += scale * a * b` when `accumulate`; `out [a.rows, b.columns]` has rows `stride` apart.
/// Runs on the calling thread.
pub(crate) fn product(out: &mut [f32], stride: usize, accumulate: bool, scale: f32, a: Mat, b: Mat) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    if m == 0 || n == 0 {
        return;
    }
    assert!(k > 0 && k == b.rows, "inner sizes of a product differ or are 0");
    assert!(stride >= n && (m - 1) * stride + n <= out.len(), "the output of a product is too short");
    assert!(a.span() <= a.data.len() && b.span() <= b.data.len(), "a matrix view exceeds its slice");
    // SAFETY: the assertions keep every index of the three strided views inside its slice, `out` is borrowed mutably and
    // so overlaps neither input, and strides of slices fit `isize`.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            stride as isize,
            accumulate,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// `a * b + bias` in parallel over pieces of `out`'s rows.
pub(crate) fn par_product(out: &mut [f32], a: Mat, b: Mat, bias: Option<&[f32]>) {
    let (n, piece) = (b.columns, piece_rows(a.rows));
    out.par_chunks_mut(piece * n).enumerate().for_each(|(index, out)| {
        let rows = out.len() / n;
        if let Some(bias) = bias {
            fill_rows(out, bias);
        }
        product(out, n, bias.is_some(), 1.0, a.rows(index * piece, rows), b);
    });
}

/// `a^T * b` for `a [r, m]`, `b [r, n]` with a long `r`: a weight's gradient. Split over the rows of the output, never over
/// the reduction.
pub(crate) fn par_outer(out: &mut [f32], a: Mat, b: Mat) {
    let (n, piece) = (b.columns, piece_rows(a.columns));
    if a.rows == 0 {
        out.fill(0.0);
        return;
    }
    out.par_chunks_mut(piece * n).enumerate().for_each(|(index, out)| {
        product(out, n, false, 1.0, a.transposed().rows(index * piece, out.len() / n), b);
    });
}

/// A weight `[rows, columns]` to be used transposed by a product of `users` rows.
///
/// The product of a piece copies a transposed operand into its own layout; with many pieces one copy before is cheaper.
pub(crate) enum Transposed<'a> {
    View(Mat<'a>),
    Copy(Buffer, usize, usize),
}

impl<'a> Transposed<'a> {
    pub(crate) fn new(weight: &'a [f32], rows: usize, columns: usize, users: usize) -> Self {
        if users <= 2 * PIECE_ROWS {
            return Self::View(Mat::new(weight, rows, columns, columns).transposed());
        }
        let mut copy = Buffer::scratch(weight.len());
        copy.par_chunks_mut(BLOCK * rows)
            .enumerate()
            .for_each(|(index, out)| transpose(out, &weight[index * BLOCK..], rows, columns));
        Self::Copy(copy, columns, rows)
    }

    pub(crate) fn mat(&self) -> Mat<'_> {
        match self {
            Self::View(mat) => *mat,
            Self::Copy(data, rows, columns) => Mat::new(data, *rows, *columns, *columns),
        }
    }
}

/// Side of the square blocks a transposition copies.
const BLOCK: usize = 16;

/// The first columns of `x [rows, columns]` as the rows of `out [.., rows]`.
fn transpose(out: &mut [f32], x: &[f32], rows: usize, columns: usize) {
    for start in (0..rows).step_by(BLOCK) {
        let end = (start + BLOCK).min(rows);
        for (column, out) in out.chunks_exact_mut(rows).enumerate() {
            for row in start..end {
                out[row] = x[row * columns + column];
            }
        }
    }
}

/// Every row of `out` becomes `row`.
pub(crate) fn fill_rows(out: &mut [f32], row: &[f32]) {
    out.chunks_exact_mut(row.len()).for_each(|out| out.copy_from_slice(row));
}

/// Sums over the rows of `x [rows, columns]`: a bias's gradient.
pub(crate) fn column_sums(x: &[f32], columns: usize) -> Vec<f32> {
    const ROWS: usize = 64;
    let pieces = x.len().div_ceil(ROWS * columns);
    let mut partials = Buffer::scratch(pieces * columns);
    (partials.par_chunks_mut(columns), x.par_chunks(ROWS * columns))
        .into_par_iter()
        .for_each(|(partial, x)| add_rows(partial, x));
    sum_rows(&partials, columns)
}

simd_fn! {
    fn add_rows<const FMA>(partial: &mut [f32], x: &[f32]) {
        partial.fill(0.0);
        for row in x.chunks_exact(partial.len()) {
            for (sum, x) in partial.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}
