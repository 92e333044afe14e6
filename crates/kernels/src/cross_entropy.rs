//! Mean cross-entropy of softmax outputs over the rows whose target counts.

use rayon::prelude::*;

use crate::buffer::Buffer;
use crate::error::{KernelError, check, check_sizes};
use crate::lanes::{self, LANES};
use crate::math::exp_nonpositive;
use crate::simd::simd_fn;

/// A target that does not count.
pub const IGNORED: i64 = -100;

/// Rows a thread computes at a time.
const MIN_ROWS: usize = 16;

/// What [`forward`] keeps for [`backward`].
#[derive(Debug, Clone)]
pub struct Saved {
    /// `[rows, 2]`: maximum and sum of `e^(logit - maximum)`; unspecified for ignored rows.
    softmax: Buffer,
    counted: usize,
}

/// Mean over the counted rows of `ln sum_j e^(z_j) - z_target`, for `logits [rows, classes]` and `targets [rows]`, each a
/// class or [`IGNORED`].
///
/// # Errors
/// When a slice does not fit its shape, a target is no class, or every target is ignored.
pub fn forward(logits: &[f32], targets: &[i64], classes: usize) -> Result<(f32, Saved), KernelError> {
    validate(logits, targets, classes)?;
    let counted = targets.iter().filter(|&&target| target != IGNORED).count();
    if counted == 0 {
        return Err(KernelError::NoTarget);
    }
    let mut softmax = Buffer::scratch(2 * targets.len());
    let losses: Vec<f64> = (softmax.par_chunks_mut(2), logits.par_chunks(classes), targets)
        .into_par_iter()
        .with_min_len(MIN_ROWS)
        .map(|(stats, logits, &target)| {
            if target == IGNORED {
                return 0.0;
            }
            let (max, sum) = exponentials(logits);
            stats.copy_from_slice(&[max, sum]);
            f64::from(sum).ln() + f64::from(max) - f64::from(logits[target as usize])
        })
        .collect();
    let loss = losses.iter().sum::<f64>() / counted as f64;
    Ok((loss as f32, Saved { softmax, counted }))
}

/// One row under its target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// `ln sum_j e^(z_j) - z_target`, in nats.
    pub loss: f32,
    /// The class with the largest logit, the first of equals.
    pub best: usize,
}

/// Each row of `logits [rows, classes]` by itself; every target counts.
///
/// # Errors
/// When a slice does not fit its shape or a target is no class.
pub fn scores(logits: &[f32], targets: &[i64], classes: usize) -> Result<Vec<Score>, KernelError> {
    validate(logits, targets, classes)?;
    if let Some(row) = targets.iter().position(|&target| target == IGNORED) {
        return Err(KernelError::Target { row, target: IGNORED, classes });
    }
    let score = |(logits, &target): (&[f32], &i64)| {
        let (max, sum) = exponentials(logits);
        let loss = f64::from(sum).ln() + f64::from(max) - f64::from(logits[target as usize]);
        let best = logits.iter().position(|&logit| logit == max).unwrap_or_default();
        Score { loss: loss as f32, best }
    };
    Ok((logits.par_chunks(classes), targets).into_par_iter().with_min_len(MIN_ROWS).map(score).collect())
}

/// `[rows, classes]`: `d_loss / counted * (softmax(logits) - onehot(target))`, 0 in ignored rows.
///
/// # Errors
/// When a slice does not fit its shape or a target is no class.
pub fn backward(
    d_loss: f32,
    logits: &[f32],
    targets: &[i64],
    classes: usize,
    saved: &Saved,
) -> Result<Vec<f32>, KernelError> {
    validate(logits, targets, classes)?;
    check("saved", saved.softmax.len(), &[targets.len(), 2])?;
    let scale = d_loss / saved.counted as f32;
    let mut gradient = vec![0.0; logits.len()];
    (gradient.par_chunks_mut(classes), logits.par_chunks(classes), targets, saved.softmax.par_chunks(2))
        .into_par_iter()
        .with_min_len(MIN_ROWS)
        .filter(|(_, _, target, _)| **target != IGNORED)
        .for_each(|(gradient, logits, &target, stats)| {
            scaled_softmax(gradient, logits, stats[0], scale / stats[1]);
            gradient[target as usize] -= scale;
        });
    Ok(gradient)
}

fn validate(logits: &[f32], targets: &[i64], classes: usize) -> Result<(), KernelError> {
    check_sizes(&[("classes", classes)])?;
    check("logits", logits.len(), &[targets.len(), classes])?;
    let known = |target: i64| target == IGNORED || (0..classes as i64).contains(&target);
    match targets.iter().position(|&target| !known(target)) {
        Some(row) => Err(KernelError::Target { row, target: targets[row], classes }),
        None => Ok(()),
    }
}

simd_fn! {
    /// Maximum of a row and sum of `e^(z - maximum)`.
    fn exponentials<const FMA>(row: &[f32]) -> (f32, f32) {
        let max = lanes::max(row);
        let (blocks, rest) = row.as_chunks::<LANES>();
        let mut sums = [0.0f32; LANES];
        for block in blocks {
            for i in 0..LANES {
                sums[i] += exp_nonpositive::<FMA>(block[i] - max);
            }
        }
        for (sum, x) in sums.iter_mut().zip(rest) {
            *sum += exp_nonpositive::<FMA>(x - max);
        }
        (max, lanes::sum_lanes(sums))
    }
}

simd_fn! {
    fn scaled_softmax<const FMA>(gradient: &mut [f32], row: &[f32], max: f32, scale: f32) {
        for (gradient, x) in gradient.iter_mut().zip(row) {
            *gradient = exp_nonpositive::<FMA>(x - max) * scale;
        }
    }
}
