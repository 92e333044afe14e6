//! Losses and gradients as the method's anchor sees them.

use model::{Gradients, Learner, SavePoint};
use spec::{Anchor, Mixout};

use crate::anchors::mixout;
use crate::batch_source::SubBatch;
use crate::error::StrategyError;

/// How a loss and its gradient are taken: at the parameters themselves or, with Mixout, at mixed ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evaluation<'a> {
    mixout: Option<(&'a Mixout, &'a SavePoint)>,
}

impl<'a> Evaluation<'a> {
    /// At the parameters themselves.
    pub fn plain() -> Self {
        Self { mixout: None }
    }

    pub fn new(anchor: &'a Anchor, start: Option<&'a SavePoint>) -> Self {
        match (anchor, start) {
            (Anchor::Mixout(mixout), Some(start)) => Self { mixout: Some((mixout, start)) },
            _ => Self::plain(),
        }
    }

    /// Mean loss and gradient on one sub-batch.
    pub fn gradient(&self, learner: &mut Learner, sub: &SubBatch) -> Result<(f64, Gradients), StrategyError> {
        match self.mixout {
            None => Ok(learner.loss_and_gradients(&sub.batch, sub.dropout_seed)?),
            Some((knobs, start)) => mixout::gradient(knobs, learner, start, sub),
        }
    }

    /// Mean loss and gradient on each sub-batch, handed over with its place as they come: few are held at a time.
    pub fn each(
        &self,
        learner: &mut Learner,
        subs: &[SubBatch],
        mut take: impl FnMut(&Learner, usize, (f64, Gradients)) -> Result<(), StrategyError>,
    ) -> Result<(), StrategyError> {
        let at_once = if self.mixout.is_some() { 1 } else { learner.passes_at_once() };
        for (chunk, subs) in subs.chunks(at_once).enumerate() {
            let found = match subs {
                [sub] => vec![self.gradient(learner, sub)?],
                _ => {
                    let batches: Vec<_> = subs.iter().map(|sub| (&sub.batch, sub.dropout_seed)).collect();
                    learner.losses_and_gradients(&batches)?
                }
            };
            for (index, found) in found.into_iter().enumerate() {
                take(learner, chunk * at_once + index, found)?;
            }
        }
        Ok(())
    }

    /// Mean loss and gradient over sub-batches of equal weight, which are added up as they come.
    pub fn mean_gradient(&self, learner: &mut Learner, subs: &[SubBatch]) -> Result<(f64, Gradients), StrategyError> {
        let mut mean = RunningMean::new(subs.len());
        self.each(learner, subs, |learner, _, (loss, gradient)| mean.add(learner, loss, gradient))?;
        mean.finish()
    }
}

/// The mean of losses and gradients that are added up as they come: one gradient is held, not all.
#[derive(Default)]
pub(crate) struct RunningMean {
    weight: f64,
    loss: f64,
    gradient: Option<Gradients>,
}

impl RunningMean {
    pub fn new(count: usize) -> Self {
        Self { weight: 1.0 / count as f64, loss: 0.0, gradient: None }
    }

    pub fn add(&mut self, learner: &Learner, loss: f64, gradient: Gradients) -> Result<(), StrategyError> {
        self.add_weighted(learner, loss, gradient, self.weight)
    }

    /// As [`RunningMean::add`], with a weight of its own: those of all must add up to 1.
    pub fn add_weighted(
        &mut self,
        learner: &Learner,
        loss: f64,
        gradient: Gradients,
        weight: f64,
    ) -> Result<(), StrategyError> {
        self.loss += loss * weight;
        self.gradient = Some(match self.gradient.take() {
            None => learner.combine(vec![gradient], &[weight])?,
            Some(sum) => learner.combine(vec![sum, gradient], &[1.0, weight])?,
        });
        Ok(())
    }

    /// # Errors
    /// [`StrategyError::NoBatch`] if nothing was added.
    pub fn finish(&mut self) -> Result<(f64, Gradients), StrategyError> {
        Ok((self.loss, self.gradient.take().ok_or(StrategyError::NoBatch)?))
    }
}
