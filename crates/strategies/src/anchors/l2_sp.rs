//! L2-SP. Li, Grandvalet, Davoine, ICML 2018.
//!
//! ```text
//! L + alpha/2 |w - theta0|^2 + beta/2 |w_new|^2        gradient:  g + alpha (w - theta0) + beta w_new
//! ```
//!
//! `w` is what trains and has a theta0, `w_new` what is new in the stage. All parameters count, biases and LayerNorm too,
//! as in mode 101 of the released code. The penalty's gradient goes through the optimiser with the loss's.

use model::{Gradients, Learner, SavePoint};
use spec::L2Sp;

use super::displacement;
use crate::error::StrategyError;

pub(super) fn pulled(
    knobs: &L2Sp,
    direction: Gradients,
    learner: &Learner,
    start: &SavePoint,
) -> Result<Gradients, StrategyError> {
    let direction = direction.add_scaled(&displacement(learner, start)?, knobs.alpha)?;
    let new = learner.part(&learner.point(), &|part| part.is_new);
    Ok(direction.add_scaled(&new, knobs.beta)?)
}
