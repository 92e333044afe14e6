//! The feed-forward block of a Transformer with the exact GELU (Hendrycks and Gimpel, 2016):
//! `y = GELU(x W1 + b1) W2 + b2`, `GELU(a) = a * Phi(a)`.

use rayon::prelude::*;

use crate::buffer::Buffer;
use crate::error::{KernelError, check, check_sizes};
use crate::gelu;
use crate::matmul::{Mat, Transposed, column_sums, fill_rows, par_outer, par_product, piece_rows, product};

/// Widths of the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub hidden: usize,
    pub inner: usize,
}

/// `w1 [hidden, inner]`, `b1 [inner]`, `w2 [inner, hidden]`, `b2 [hidden]`.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    pub w1: &'a [f32],
    pub b1: &'a [f32],
    pub w2: &'a [f32],
    pub b2: &'a [f32],
}

/// Which gradients [`backward`] computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    pub input: bool,
    pub w1: bool,
    pub b1: bool,
    pub w2: bool,
    pub b2: bool,
}

impl Need {
    /// Every gradient.
    pub const ALL: Self = Self { input: true, w1: true, b1: true, w2: true, b2: true };
}

/// What [`forward`] keeps for [`backward`]: `x W1 + b1`, `[rows, inner]`.
#[derive(Debug, Clone)]
pub struct Saved {
    pre_activation: Buffer,
}

/// Gradients of [`forward`], shaped as their operands; `None` where [`Need`] did not ask.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    pub input: Option<Vec<f32>>,
    pub w1: Option<Vec<f32>>,
    pub b1: Option<Vec<f32>>,
    pub w2: Option<Vec<f32>>,
    pub b2: Option<Vec<f32>>,
}

fn validate(x: &[f32], weights: Weights, size: Size) -> Result<usize, KernelError> {
    let Size { hidden, inner } = size;
    check_sizes(&[("hidden", hidden), ("inner", inner)])?;
    let rows = x.len() / hidden;
    check("x", x.len(), &[rows, hidden])?;
    check("w1", weights.w1.len(), &[hidden, inner])?;
    check("b1", weights.b1.len(), &[inner])?;
    check("w2", weights.w2.len(), &[inner, hidden])?;
    check("b2", weights.b2.len(), &[hidden])?;
    Ok(rows)
}

/// `x [rows, hidden]` to `[rows, hidden]`.
///
/// # Errors
/// When a slice does not fit its shape.
pub fn forward(x: &[f32], weights: Weights, size: Size) -> Result<(Vec<f32>, Saved), KernelError> {
    let rows = validate(x, weights, size)?;
    let Size { hidden, inner } = size;
    let mut y = vec![0.0; rows * hidden];
    let mut pre_activation = Buffer::scratch(rows * inner);
    let x = Mat::new(x, rows, hidden, hidden);
    let w1 = Mat::new(weights.w1, hidden, inner, inner);
    let w2 = Mat::new(weights.w2, inner, hidden, hidden);
    let piece = piece_rows(rows);
    (y.par_chunks_mut(piece * hidden), pre_activation.par_chunks_mut(piece * inner))
        .into_par_iter()
        .enumerate()
        .for_each(|(index, (y, pre))| {
            let count = y.len() / hidden;
            fill_rows(pre, weights.b1);
            product(pre, inner, true, 1.0, x.rows(index * piece, count), w1);
            let mut activation = Buffer::scratch(pre.len());
            gelu::activate(&mut activation, pre);
            fill_rows(y, weights.b2);
            product(y, hidden, true, 1.0, Mat::new(&activation, count, inner, inner), w2);
        });
    Ok((y, Saved { pre_activation }))
}

/// Gradients for `dy [rows, hidden]`, with the inputs and the result of [`forward`].
///
/// # Errors
/// When a slice does not fit its shape.
pub fn backward(
    dy: &[f32],
    x: &[f32],
    weights: Weights,
    saved: &Saved,
    size: Size,
    need: Need,
) -> Result<Gradients, KernelError> {
    let rows = validate(x, weights, size)?;
    let Size { hidden, inner } = size;
    check("dy", dy.len(), &[rows, hidden])?;
    check("saved", saved.pre_activation.len(), &[rows, inner])?;
    let dy_mat = Mat::new(dy, rows, hidden, hidden);
    let b2 = need.b2.then(|| column_sums(dy, hidden));
    let mut gradients = Gradients { input: None, w1: None, b1: None, w2: None, b2 };
    if !(need.input || need.w1 || need.b1 || need.w2) {
        return Ok(gradients);
    }

    let w2 = Transposed::new(weights.w2, inner, hidden, rows);
    let mut d_pre = Buffer::scratch(rows * inner);
    let mut activation = Buffer::scratch(rows * inner);
    let piece = piece_rows(rows);
    (d_pre.par_chunks_mut(piece * inner), activation.par_chunks_mut(piece * inner))
        .into_par_iter()
        .enumerate()
        .for_each(|(index, (d_pre, activation))| {
            let dy = dy_mat.rows(index * piece, d_pre.len() / inner);
            product(d_pre, inner, false, 1.0, dy, w2.mat());
            gelu::activate_and_slope(activation, d_pre, &saved.pre_activation[index * piece * inner..][..d_pre.len()]);
        });
    let d_pre_mat = Mat::new(&d_pre, rows, inner, inner);
    let d_w2 = || {
        need.w2.then(|| {
            let mut dw = vec![0.0; inner * hidden];
            par_outer(&mut dw, Mat::new(&activation, rows, inner, inner), dy_mat);
            dw
        })
    };
    let d_w1 = || {
        need.w1.then(|| {
            let mut dw = vec![0.0; hidden * inner];
            par_outer(&mut dw, Mat::new(x, rows, hidden, hidden), d_pre_mat);
            dw
        })
    };
    let d_x = || {
        need.input.then(|| {
            let mut dx = vec![0.0; rows * hidden];
            let w1 = Transposed::new(weights.w1, hidden, inner, rows);
            par_product(&mut dx, d_pre_mat, w1.mat(), None);
            dx
        })
    };
    ((gradients.w2, gradients.w1), gradients.input) = rayon::join(|| rayon::join(d_w2, d_w1), d_x);
    gradients.b1 = need.b1.then(|| column_sums(&d_pre, inner));
    Ok(gradients)
}
