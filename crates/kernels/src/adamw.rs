//! AdamW (Loshchilov and Hutter, 2019, algorithm 2, with the constants of PyTorch): one pass over memory, in place.

use rayon::prelude::*;

use crate::error::{KernelError, check, check_sizes};
use crate::math::mul_add;
use crate::rows::RowSparse;
use crate::simd::simd_fn;

/// Elements a thread computes at a time.
const PIECE: usize = 1 << 14;
/// Rows of a table that a thread computes at a time.
const BLOCK: usize = 64;

/// The numbers of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Factor on the gradient, from clipping; 1 leaves it as it is.
    pub gradient_scale: f64,
    pub learning_rate: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub weight_decay: f64,
    /// `1 - beta1^t`, t counting from 1.
    pub bias_correction1: f64,
    /// `1 - beta2^t`
    pub bias_correction2: f64,
}

/// A parameter's moments, shaped as it.
#[derive(Debug)]
pub struct Moments<'a> {
    pub first: &'a mut [f32],
    pub second: &'a mut [f32],
}

#[derive(Clone, Copy)]
struct Factors {
    scale: f32,
    keep: f32,
    beta1_rest: f32,
    beta2: f32,
    beta2_rest: f32,
    step_size: f32,
    inverse_root_correction: f32,
    epsilon: f32,
}

/// With `g` the scaled gradient: `p -= lr wd p`; `m += (1 - b1)(g - m)`; `v = b2 v + (1 - b2) g^2`; `p -= lr / c1 * m / (sqrt(v / c2) + eps)`.
///
/// # Errors
/// When the slices differ in length.
pub fn step(parameter: &mut [f32], gradient: &[f32], moments: Moments, step: &Step) -> Result<(), KernelError> {
    let shape = [parameter.len()];
    check("gradient", gradient.len(), &shape)?;
    check("first moment", moments.first.len(), &shape)?;
    check("second moment", moments.second.len(), &shape)?;
    let factors = Factors::from(step);
    (
        parameter.par_chunks_mut(PIECE),
        gradient.par_chunks(PIECE),
        moments.first.par_chunks_mut(PIECE),
        moments.second.par_chunks_mut(PIECE),
    )
        .into_par_iter()
        .for_each(|(p, g, m, v)| update(p, g, m, v, factors));
    Ok(())
}

/// The same for the gradient of a table `[rows, hidden]` that is zero outside of some rows, to the same bits. `live` are
/// the rows whose moments may differ from 0, ascending; the gradient's join them. All others but decay, and without decay
/// are not read.
///
/// # Errors
/// When the slices differ in length, or a row is outside of the table.
pub fn step_rows(
    parameter: &mut [f32],
    gradient: &RowSparse,
    live: &mut Vec<u32>,
    moments: Moments,
    step: &Step,
) -> Result<(), KernelError> {
    let (shape, hidden) = ([parameter.len()], gradient.hidden);
    check("first moment", moments.first.len(), &shape)?;
    check("second moment", moments.second.len(), &shape)?;
    check_sizes(&[("hidden", hidden)])?;
    gradient.check_inside(parameter.len())?;
    if let Some(position) = live.iter().position(|&row| row as usize >= parameter.len() / hidden) {
        return Err(KernelError::Id { position, id: live[position], rows: parameter.len() / hidden });
    }
    live.extend(&gradient.rows);
    live.sort_unstable();
    live.dedup();
    let live: &[u32] = live;
    let factors = Factors::from(step);
    let zero = vec![0.0; hidden];
    let rows_from = |rows: &[u32], first: usize| rows.partition_point(|&row| (row as usize) < first);
    let block = BLOCK * hidden;
    (parameter.par_chunks_mut(block), moments.first.par_chunks_mut(block), moments.second.par_chunks_mut(block))
        .into_par_iter()
        .enumerate()
        .for_each(|(index, (p, m, v))| {
            let first = index * BLOCK;
            let mut place = rows_from(&gradient.rows, first);
            let mut decayed = 0;
            for &row in &live[rows_from(live, first)..rows_from(live, first + BLOCK)] {
                let g = match gradient.rows.get(place) == Some(&row) {
                    true => {
                        place += 1;
                        &gradient.values[(place - 1) * hidden..][..hidden]
                    }
                    false => zero.as_slice(),
                };
                let start = (row as usize - first) * hidden;
                decay(&mut p[decayed..start], factors.keep);
                decayed = start + hidden;
                update(&mut p[start..decayed], g, &mut m[start..decayed], &mut v[start..decayed], factors);
            }
            decay(&mut p[decayed..], factors.keep);
        });
    Ok(())
}

/// The rows of a table's moments that are not 0 throughout, ascending.
pub fn live_rows(first: &[f32], second: &[f32], hidden: usize) -> Vec<u32> {
    let zero = |row: &[f32]| row.iter().all(|&x| x == 0.0);
    let rows = first.par_chunks(hidden).zip(second.par_chunks(hidden)).enumerate();
    rows.filter(|(_, (first, second))| !zero(first) || !zero(second)).map(|(row, _)| row as u32).collect()
}

fn decay(p: &mut [f32], keep: f32) {
    if keep != 1.0 {
        p.iter_mut().for_each(|p| *p *= keep);
    }
}

impl From<&Step> for Factors {
    fn from(step: &Step) -> Self {
        Self {
            scale: step.gradient_scale as f32,
            keep: (1.0 - step.learning_rate * step.weight_decay) as f32,
            beta1_rest: (1.0 - step.beta1) as f32,
            beta2: step.beta2 as f32,
            beta2_rest: (1.0 - step.beta2) as f32,
            step_size: (step.learning_rate / step.bias_correction1) as f32,
            inverse_root_correction: (1.0 / step.bias_correction2.sqrt()) as f32,
            epsilon: step.epsilon as f32,
        }
    }
}

simd_fn! {
    fn update<const FMA>(p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], f: Factors) {
        for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            let g = g * f.scale;
            *m = mul_add::<FMA>(f.beta1_rest, g - *m, *m);
            *v = mul_add::<FMA>(f.beta2_rest * g, g, f.beta2 * *v);
            let denominator = mul_add::<FMA>(v.sqrt(), f.inverse_root_correction, f.epsilon);
            *p = *p * f.keep - f.step_size * (*m / denominator);
        }
    }
}
