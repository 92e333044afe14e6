//! Losses and gradients as the method's anchor sees them.

use model::{Gradients, Learner, SavePoint};
use spec::{Anchor, Mixout};

use crate::anchors::mixout;
use crate::strategy::StrategyError;
use crate::supply::SubBatch;

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

    /// Mean loss and gradient over sub-batches of equal weight, which are added up as they come.
    pub fn mean_gradient(&self, learner: &mut Learner, subs: &[SubBatch]) -> Result<(f64, Gradients), StrategyError> {
        let mut mean = RunningMean::new(subs.len());
        for sub in subs {
            let (loss, gradient) = self.gradient(learner, sub)?;
            mean.add(learner, loss, gradient)?;
        }
        mean.finish()
    }
}

/// The mean of losses and gradients that are added up as they come: one gradient is held, not all.
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
        self.loss += loss * self.weight;
        self.gradient = Some(match self.gradient.take() {
            None => learner.combine(vec![gradient], &[self.weight])?,
            Some(sum) => learner.combine(vec![sum, gradient], &[1.0, self.weight])?,
        });
        Ok(())
    }

    /// # Errors
    /// [`StrategyError::NoBatch`] if nothing was added.
    pub fn finish(self) -> Result<(f64, Gradients), StrategyError> {
        Ok((self.loss, self.gradient.ok_or(StrategyError::NoBatch)?))
    }
}
