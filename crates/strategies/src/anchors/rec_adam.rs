//! RecAdam. Chen et al., EMNLP 2020.
//!
//! ```text
//! lambda(t) = w / (1 + exp(-(t / T - t0) / width))           t = 1, ..., T of the stage; the paper's k (t - t0) in steps
//! theta <- theta - lr_t lambda m / (sqrt(v) + eps)            moments of the task's gradient only,
//!                                                            lr_t = lr sqrt(1 - b2^t) / (1 - b1^t)
//! theta <- theta - lr (w - lambda) gamma (theta - theta0)     with the theta of the line before
//! ```
//!
//! Parameters without theta0 (those that are new in the stage) take plain Adam's step. Weight decay, if any, is annealed with Adam's step.

use model::{Gradients, Group, Learner, OptimizerConfig, Part, SavePoint, StepNorms};
use spec::{RecAdam, Stage};

use super::displacement;
use crate::error::StrategyError;

/// Of the released code, which adds it to the root before the bias correction.
const EPSILON: f64 = 1e-6;

/// lambda at step t of so many, counted from 1.
fn annealing(knobs: &RecAdam, t: u64, steps: u64) -> f64 {
    knobs.w / (1.0 + (-(t as f64 / steps as f64 - knobs.t0) / knobs.width).exp())
}

pub(super) fn step(
    knobs: &RecAdam,
    direction: Gradients,
    learner: &mut Learner,
    start: &SavePoint,
    (stage, step): (&Stage, u64),
    learning_rate: &dyn Fn(Group) -> f64,
) -> Result<StepNorms, StrategyError> {
    let lambda = annealing(knobs, step + 1, stage.steps);
    let gamma = knobs.strength(stage.learning_rate);
    // The optimiser adds epsilon after the correction.
    let correction = 1.0 - OptimizerConfig::default().beta2.powf((step + 1) as f64);
    learner.set_epsilon(EPSILON / correction.sqrt());
    let annealed = |part: Part| learning_rate(part.group) * if part.is_new { 1.0 } else { lambda };
    let norms = learner.step_by_part(direction, &annealed)?;
    let moved = displacement(learner, start)?;
    learner.shift(&moved, &|group| -learning_rate(group) * (knobs.w - lambda) * gamma)?;
    Ok(norms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_of_any_length_trains() {
        let knobs = RecAdam::default();
        for steps in [20u64, 150, 9000] {
            let at = |share: f64| annealing(&knobs, (share * steps as f64) as u64, steps);
            assert!(at(0.05) < 0.01 && at(0.1) == 0.5 && at(0.2) > 0.99, "{steps}");
        }
        // The released strength at the released rate.
        assert!((knobs.strength(2e-5) - 5000.0).abs() < 1e-9);
    }

    #[test]
    fn the_annealing_is_the_references() {
        // k = 0.1 and t0 = 10 of 100 steps.
        let knobs = RecAdam { width: 0.1, t0: 0.1, w: 1.0, gamma: Some(5.0) };
        assert!((annealing(&knobs, 1, 100) - 0.289050497).abs() < 1e-9);
        assert_eq!(annealing(&knobs, 10, 100), 0.5);
        // The reference's scalar after Adam's part, .497109952, and after the recall.
        let recalled = 0.497109952 - 0.01 * (1.0 - annealing(&knobs, 1, 100)) * 5.0 * (0.497109952 - 0.3);
        assert!((recalled - 0.490103191f64).abs() < 1e-9, "{recalled}");
    }
}
