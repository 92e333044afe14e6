//! EWC, elastic weight consolidation. Kirkpatrick et al., PNAS 2017, in the textbook's form.
//!
//! ```text
//! L + lambda/2 sum_i F_i (theta_i - theta0_i)^2        gradient:  g + lambda F (theta - theta0)
//! ```
//!
//! With `half-factor = false` the penalty has no 1/2, so the gradient has twice the pull (GEM's repository).

use model::{Gradients, Learner, SavePoint};
use spec::Ewc;

use super::displacement;
use crate::error::StrategyError;

pub(super) fn pulled(
    knobs: &Ewc,
    direction: Gradients,
    learner: &Learner,
    start: &SavePoint,
    fisher: &Gradients,
) -> Result<Gradients, StrategyError> {
    let strength = if knobs.half_factor { knobs.lambda } else { 2.0 * knobs.lambda };
    let fisher = learner.part(fisher, &|_| true);
    let pull = fisher.multiply(&displacement(learner, start)?)?;
    Ok(direction.add_scaled(&pull, strength)?)
}
