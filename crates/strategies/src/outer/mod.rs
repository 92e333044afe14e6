//! What surrounds the steps: how a source language's gradient is taken. One file a loop.

mod fomaml;
mod reptile;

use model::{Gradients, Group, Learner};
use spec::OuterLoop;

use crate::batch_source::{BatchSource, SubBatch};
use crate::error::StrategyError;
use crate::evaluate::Evaluation;

/// Loss and gradient of the `source`-th language at a step. The learner's parameters are as before.
pub(crate) fn gradient(
    outer: &OuterLoop,
    evaluation: Evaluation,
    learner: &mut Learner,
    data: &mut dyn BatchSource,
    source: usize,
    step: u64,
) -> Result<(f64, Gradients), StrategyError> {
    match outer {
        OuterLoop::Plain => evaluation.gradient(learner, &data.source(source, step)?),
        OuterLoop::Fomaml(knobs) => fomaml::gradient(knobs, evaluation, learner, data, source, step),
        OuterLoop::Reptile(knobs) => reptile::gradient(knobs, evaluation, learner, data, source, step),
    }
}

/// The head's learning rate in ones of the encoder, where none is given (the reference's 1e-4 and 1e-5).
const HEAD: f64 = 10.0;

/// Steps of plain gradient descent on one batch, at the rates of encoder and head.
pub(crate) fn descend(
    evaluation: Evaluation,
    learner: &mut Learner,
    batch: &SubBatch,
    steps: usize,
    (encoder, head): (f64, Option<f64>),
) -> Result<(), StrategyError> {
    let head = head.unwrap_or(HEAD * encoder);
    for step in 0..steps as u64 {
        // The same sentences under other dropout masks.
        let dropout_seed = batch.dropout_seed.wrapping_add(step);
        let sub = SubBatch { batch: batch.batch.clone(), dropout_seed };
        let (_, gradient) = evaluation.gradient(learner, &sub)?;
        learner.shift(&gradient, &|group| if group == Group::Head { -head } else { -encoder })?;
    }
    Ok(())
}
