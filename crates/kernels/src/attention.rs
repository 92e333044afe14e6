//! Scaled dot-product attention over the heads of `[batch, sequence, hidden]` (Vaswani et al., 2017, eq. 1).
//!
//! Padding is at the end of each example: key `j` is visible when `j < lengths[example]`, and only visible keys are
//! computed, so hidden ones weigh exactly 0. Rows of padded queries are not computed: their context and gradient are 0,
//! and their incoming gradient is ignored. Nothing of shape `[sequence, sequence]` is saved; the backward pass computes
//! the probabilities again from two numbers a query (the idea of FlashAttention, Dao et al., 2022).

use rayon::prelude::*;

use crate::buffer::Buffer;
use crate::dropout::{Dropout, RowMask};
use crate::error::{KernelError, check, check_sizes};
use crate::lanes::{self, LANES};
use crate::math::exp_nonpositive;
use crate::matmul::{Mat, product};
use crate::simd::simd_fn;

/// Queries whose scores are held at a time.
const TILE: usize = 128;

/// Sizes and switches of an attention call.
#[derive(Debug, Clone, Copy)]
pub struct Attention<'a> {
    pub batch: usize,
    pub sequence: usize,
    pub hidden: usize,
    pub heads: usize,
    /// `[batch]`: real tokens of each example, at most `sequence`.
    pub lengths: &'a [usize],
    /// `[heads]`: factor on each head's probabilities.
    pub head_mask: Option<&'a [f32]>,
    /// Dropout on the probabilities; its mask has row `(example * heads + head) * sequence + query` and column `key`.
    pub dropout: Option<Dropout>,
}

/// Queries, keys and values, each `[batch, sequence, hidden]`.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    pub query: &'a [f32],
    pub key: &'a [f32],
    pub value: &'a [f32],
}

/// What [`forward`] keeps for [`backward`]: maximum and inverse sum of each softmax, `[batch, heads, sequence, 2]`.
#[derive(Debug, Clone)]
pub struct Saved {
    softmax: Buffer,
}

/// Gradients of [`forward`].
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// `[batch, sequence, hidden]`
    pub query: Vec<f32>,
    /// `[batch, sequence, hidden]`
    pub key: Vec<f32>,
    /// `[batch, sequence, hidden]`
    pub value: Vec<f32>,
    /// `[heads]`, when there is a head mask.
    pub head_mask: Option<Vec<f32>>,
}

impl Attention<'_> {
    fn validate(&self, inputs: Inputs) -> Result<(), KernelError> {
        let &Self { batch, sequence, hidden, heads, lengths, .. } = self;
        check_sizes(&[("sequence", sequence), ("hidden", hidden), ("heads", heads)])?;
        if hidden % heads != 0 {
            return Err(KernelError::Heads { hidden, heads });
        }
        let shape = [batch, sequence, hidden];
        check("query", inputs.query.len(), &shape)?;
        check("key", inputs.key.len(), &shape)?;
        check("value", inputs.value.len(), &shape)?;
        check("lengths", lengths.len(), &[batch])?;
        if let Some(mask) = self.head_mask {
            check("head_mask", mask.len(), &[heads])?;
        }
        match lengths.iter().position(|&length| length > sequence) {
            Some(example) => Err(KernelError::SequenceLength { example, length: lengths[example], sequence }),
            None => Ok(()),
        }
    }

    fn scale(&self) -> f32 {
        (1.0 / ((self.hidden / self.heads) as f64).sqrt()) as f32
    }

    fn head_factor(&self, head: usize) -> f32 {
        self.head_mask.map_or(1.0, |mask| mask[head])
    }

    /// The dropout generators of the queries from `start` of one head.
    fn masks(&self, example: usize, head: usize, start: usize, count: usize) -> Option<Vec<RowMask>> {
        let first = (example * self.heads + head) * self.sequence + start;
        self.dropout.map(|dropout| (first..first + count).map(|row| dropout.row(row)).collect())
    }
}

/// Context `[batch, sequence, hidden]`: for each head `(mask * dropout(softmax(Q K^T / sqrt(width)))) V`.
///
/// # Errors
/// When a slice does not fit its shape, `heads` does not divide `hidden`, or a length exceeds `sequence`.
pub fn forward(inputs: Inputs, attention: &Attention) -> Result<(Vec<f32>, Saved), KernelError> {
    attention.validate(inputs)?;
    let &Attention { batch, sequence, hidden, heads, .. } = attention;
    let width = hidden / heads;
    let mut context = vec![0.0; batch * sequence * hidden];
    let mut softmax = Buffer::scratch(batch * heads * sequence * 2);
    (context.par_chunks_mut(sequence * hidden), softmax.par_chunks_mut(heads * sequence * 2))
        .into_par_iter()
        .enumerate()
        .for_each(|(example, (context, softmax))| {
            let length = attention.lengths[example];
            let mut tile = Buffer::scratch(TILE.min(length) * length);
            for head in 0..heads {
                let [query, key, value] = head_views(inputs, attention, example, head);
                for start in (0..length).step_by(TILE) {
                    let count = TILE.min(length - start);
                    let tile = &mut tile[..count * length];
                    let stats = &mut softmax[(head * sequence + start) * 2..][..count * 2];
                    product(tile, length, false, attention.scale(), query.rows(start, count), key.transposed());
                    softmax_rows(tile, length, stats);
                    let factor = attention.head_factor(head);
                    if let Some(masks) = attention.masks(example, head, start, count) {
                        drop_rows(tile, length, &masks);
                    }
                    let out = &mut context[start * hidden + head * width..];
                    product(out, hidden, false, factor, Mat::new(tile, count, length, length), value);
                }
            }
        });
    Ok((context, Saved { softmax }))
}

/// Gradients for `d_context [batch, sequence, hidden]`, with the inputs and the result of [`forward`].
///
/// # Errors
/// As [`forward`], or when `d_context` or `saved` does not fit.
pub fn backward(
    d_context: &[f32],
    inputs: Inputs,
    saved: &Saved,
    attention: &Attention,
) -> Result<Gradients, KernelError> {
    attention.validate(inputs)?;
    let &Attention { batch, sequence, hidden, heads, .. } = attention;
    check("d_context", d_context.len(), &[batch, sequence, hidden])?;
    check("saved", saved.softmax.len(), &[batch, heads, sequence, 2])?;
    let example_size = sequence * hidden;
    let mut query = vec![0.0; batch * example_size];
    let mut key = vec![0.0; batch * example_size];
    let mut value = vec![0.0; batch * example_size];
    let mut head_sums = vec![0.0f64; batch * heads];
    (
        query.par_chunks_mut(example_size),
        key.par_chunks_mut(example_size),
        value.par_chunks_mut(example_size),
        head_sums.par_chunks_mut(heads),
    )
        .into_par_iter()
        .enumerate()
        .for_each(|(example, (dq, dk, dv, head_sums))| {
            let d_context = &d_context[example * example_size..][..example_size];
            let softmax = &saved.softmax[example * heads * sequence * 2..][..heads * sequence * 2];
            for (head, sum) in head_sums.iter_mut().enumerate() {
                *sum = backward_head(attention, inputs, example, head, d_context, softmax, [dq, dk, dv]);
            }
        });
    let head_mask = attention
        .head_mask
        .map(|_| (0..heads).map(|head| head_sums.iter().skip(head).step_by(heads).sum::<f64>() as f32).collect());
    Ok(Gradients { query, key, value, head_mask })
}

/// One head of one example; returns the gradient of its head factor.
fn backward_head(
    attention: &Attention,
    inputs: Inputs,
    example: usize,
    head: usize,
    d_context: &[f32],
    softmax: &[f32],
    [dq, dk, dv]: [&mut [f32]; 3],
) -> f64 {
    let &Attention { sequence, hidden, heads, .. } = attention;
    let (length, width) = (attention.lengths[example], hidden / heads);
    let (scale, factor, column) = (attention.scale(), attention.head_factor(head), head * width);
    let [query, key, value] = head_views(inputs, attention, example, head);
    // Probabilities, and their gradient, which becomes that of the scores.
    let mut p = Buffer::scratch(TILE.min(length) * length);
    let mut d = Buffer::scratch(TILE.min(length) * length);
    let mut head_sum = 0.0;
    for start in (0..length).step_by(TILE) {
        let count = TILE.min(length - start);
        let (p, d) = (&mut p[..count * length], &mut d[..count * length]);
        let stats = &softmax[(head * sequence + start) * 2..][..count * 2];
        let query = query.rows(start, count);
        let d_context = Mat::new(&d_context[start * hidden + column..], count, width, hidden);
        product(p, length, false, scale, query, key.transposed());
        probabilities(p, length, stats);
        product(d, length, false, 1.0, d_context, value.transposed());
        let masks = attention.masks(example, head, start, count);
        // `p` leaves as what multiplied the values, `d` as the gradient of the scaled scores.
        head_sum += match &masks {
            None => score_gradient(p, d, length, factor),
            Some(masks) => score_gradient_dropped(p, d, length, factor, masks),
        };
        let (p, d) = (Mat::new(p, count, length, length), Mat::new(d, count, length, length));
        let later = start > 0;
        product(&mut dv[column..], hidden, later, factor, p.transposed(), d_context);
        product(&mut dq[start * hidden + column..], hidden, false, scale, d, key);
        product(&mut dk[column..], hidden, later, scale, d.transposed(), query);
    }
    head_sum
}

/// Query, key and value of one head, `[length, width]` each.
fn head_views<'a>(inputs: Inputs<'a>, attention: &Attention, example: usize, head: usize) -> [Mat<'a>; 3] {
    let &Attention { sequence, hidden, heads, .. } = attention;
    let width = hidden / heads;
    let start = example * sequence * hidden + head * width;
    [inputs.query, inputs.key, inputs.value].map(|x| Mat::new(&x[start..], attention.lengths[example], width, hidden))
}

simd_fn! {
    /// Softmax of each row of `tile [.., columns]` in place; `stats` receives (maximum, 1 / sum).
    fn softmax_rows<const FMA>(tile: &mut [f32], columns: usize, stats: &mut [f32]) {
        for (row, stats) in tile.chunks_exact_mut(columns).zip(stats.chunks_exact_mut(2)) {
            let max = lanes::max(row);
            let (blocks, rest) = row.as_chunks_mut::<LANES>();
            let mut sums = [0.0f32; LANES];
            for block in blocks {
                for i in 0..LANES {
                    block[i] = exp_nonpositive::<FMA>(block[i] - max);
                    sums[i] += block[i];
                }
            }
            let mut padded = [f32::NEG_INFINITY; LANES];
            padded[..rest.len()].copy_from_slice(rest);
            for x in &mut padded {
                *x = exp_nonpositive::<FMA>(*x - max);
            }
            for (i, x) in rest.iter_mut().enumerate() {
                *x = padded[i];
                sums[i] += padded[i];
            }
            let inverse = 1.0 / lanes::sum_lanes(sums);
            for x in row.iter_mut() {
                *x *= inverse;
            }
            stats[0] = max;
            stats[1] = inverse;
        }
    }
}

simd_fn! {
    /// The rows that [`softmax_rows`] made, from the scores and its statistics.
    fn probabilities<const FMA>(tile: &mut [f32], columns: usize, stats: &[f32]) {
        for (row, stats) in tile.chunks_exact_mut(columns).zip(stats.chunks_exact(2)) {
            for x in row.iter_mut() {
                *x = exp_nonpositive::<FMA>(*x - stats[0]) * stats[1];
            }
        }
    }
}

simd_fn! {
    fn drop_rows<const FMA>(tile: &mut [f32], columns: usize, masks: &[RowMask]) {
        for (row, mask) in tile.chunks_exact_mut(columns).zip(masks) {
            for (column, x) in row.iter_mut().enumerate() {
                *x *= mask.factor(column);
            }
        }
    }
}

simd_fn! {
    /// `d`: gradient of the dropped, unmasked probabilities to `p * (f d - sum(f p d))`; returns `sum(p d)`.
    fn score_gradient<const FMA>(p: &[f32], d: &mut [f32], columns: usize, factor: f32) -> f64 {
        let mut total = 0.0;
        for (p, d) in p.chunks_exact(columns).zip(d.chunks_exact_mut(columns)) {
            let dot = lanes::dot::<FMA>(p, d);
            total += f64::from(dot);
            for (p, d) in p.iter().zip(d.iter_mut()) {
                *d = p * (factor * (*d - dot));
            }
        }
        total
    }
}

simd_fn! {
    /// As [`score_gradient`] with dropout; `p` leaves as the dropped probabilities.
    fn score_gradient_dropped<const FMA>(p: &mut [f32], d: &mut [f32], columns: usize, factor: f32, masks: &[RowMask]) -> f64 {
        let mut total = 0.0;
        for ((p, d), mask) in p.chunks_exact_mut(columns).zip(d.chunks_exact_mut(columns)).zip(masks) {
            for (column, d) in d.iter_mut().enumerate() {
                *d *= mask.factor(column);
            }
            let dot = lanes::dot::<FMA>(p, d);
            total += f64::from(dot);
            for (column, (p, d)) in p.iter_mut().zip(d.iter_mut()).enumerate() {
                *d = *p * (factor * (*d - dot));
                *p *= mask.factor(column);
            }
        }
        total
    }
}
