//! What surrounds the steps: how a source language's gradient is taken. One file a loop.

mod fomaml;
mod reptile;

use model::{Gradients, Learner};
use spec::OuterLoop;

use crate::evaluate::Evaluation;
use crate::strategy::StrategyError;
use crate::supply::Supply;

/// Loss and gradient of the `source`-th language at a step. The learner's parameters are as before.
pub(crate) fn gradient(
    outer: &OuterLoop,
    evaluation: Evaluation,
    learner: &mut Learner,
    supply: &mut dyn Supply,
    source: usize,
    step: u64,
) -> Result<(f64, Gradients), StrategyError> {
    match outer {
        OuterLoop::Plain => evaluation.gradient(learner, &supply.source(source, step)?),
        OuterLoop::Fomaml(knobs) => fomaml::gradient(knobs, evaluation, learner, supply, source, step),
        OuterLoop::Reptile(knobs) => reptile::gradient(knobs, evaluation, learner, supply, source, step),
    }
}
