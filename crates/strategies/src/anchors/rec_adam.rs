//! RecAdam. Chen et al., EMNLP 2020.
//!
//! ```text
//! lambda(t) = w / (1 + exp(-k (t - t0)))                     t = 1, 2, ...
//! theta <- theta - lr_t lambda m / (sqrt(v) + eps)            moments of the task's gradient only,
//!                                                            lr_t = lr sqrt(1 - b2^t) / (1 - b1^t)
//! theta <- theta - lr (w - lambda) gamma (theta - theta0)     with the theta of the line before
//! ```
//!
//! Parameters without theta0 (a new head) take plain Adam's step. Weight decay, if any, is annealed with Adam's step.

use model::{Gradients, Group, Learner, OptimizerConfig, SavePoint, StepNorms};
use spec::RecAdam;

use super::{displacement, pretrained};
use crate::error::StrategyError;

/// Of the released code, which adds it to the root before the bias correction.
const EPSILON: f64 = 1e-6;

/// lambda at step t, counted from 1.
fn annealing(knobs: &RecAdam, t: u64) -> f64 {
    knobs.w / (1.0 + (-knobs.k * (t as f64 - knobs.t0)).exp())
}

pub(super) fn step(
    knobs: &RecAdam,
    direction: Gradients,
    learner: &mut Learner,
    start: &SavePoint,
    step: u64,
    learning_rate: &dyn Fn(Group) -> f64,
) -> Result<StepNorms, StrategyError> {
    let lambda = annealing(knobs, step + 1);
    // The optimiser adds epsilon after the correction.
    let correction = 1.0 - OptimizerConfig::default().beta2.powf((step + 1) as f64);
    learner.set_epsilon(EPSILON / correction.sqrt());
    let annealed = |group: Group| learning_rate(group) * if pretrained(group) { lambda } else { 1.0 };
    let norms = learner.step_by_group(direction, &annealed)?;
    let moved = displacement(learner, start)?;
    learner.shift(&moved, &|group| -learning_rate(group) * (knobs.w - lambda) * knobs.gamma)?;
    Ok(norms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_annealing_is_the_references() {
        let knobs = RecAdam { k: 0.1, t0: 10.0, w: 1.0, gamma: 5.0 };
        assert!((annealing(&knobs, 1) - 0.289050497).abs() < 1e-9);
        assert_eq!(annealing(&knobs, 10), 0.5);
        // The reference's scalar after Adam's part, .497109952, and after the recall.
        let recalled = 0.497109952 - 0.01 * (1.0 - annealing(&knobs, 1)) * 5.0 * (0.497109952 - 0.3);
        assert!((recalled - 0.490103191f64).abs() < 1e-9, "{recalled}");
    }
}
