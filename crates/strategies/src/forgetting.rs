//! Measures of forgetting F(theta), by their gradient h: LF-MLF's anchor direction. theta0 are the parameters at the start
//! of the stage; h is 0 on what is new in the stage unless the measure's own loss reaches it.

use model::{Gradients, Learner, SavePoint};
use spec::{Forgetting, LfMlf, Mu, MuRule, Stage};

use crate::anchors::displacement;
use crate::batch_source::{BatchSource, SubBatch};
use crate::error::StrategyError;
use crate::evaluate::{Evaluation, RunningMean};
use crate::memories;

/// What measures of forgetting are taken from.
pub(crate) struct Past<'a> {
    pub stage: &'a Stage,
    pub start: &'a SavePoint,
    /// Of `Forgetting::Fisher` only.
    pub fisher: Option<&'a Gradients>,
    /// Indices of the stage's memories that take part.
    pub memories: &'a [usize],
    pub evaluation: Evaluation<'a>,
}

impl Past<'_> {
    /// h at this step.
    pub fn direction(
        &self,
        knobs: &LfMlf,
        learner: &mut Learner,
        data: &mut dyn BatchSource,
        step: u64,
        learning_rate: f64,
    ) -> Result<Gradients, StrategyError> {
        let h = match knobs.forgetting {
            Forgetting::L2 => displacement(learner, self.start)?,
            Forgetting::Fisher => {
                let fisher = self.fisher.ok_or(StrategyError::NotBegun)?;
                learner.part(fisher, &|_| true).multiply(&displacement(learner, self.start)?)?
            }
            Forgetting::MlmMemory | Forgetting::Kl => {
                let mut mean = RunningMean::new(self.memories.len());
                for &memory in self.memories {
                    let mut subs = memories::draw(learner, data, self.stage, memory, step)?;
                    if knobs.forgetting == Forgetting::Kl {
                        self.relabel(learner, &mut subs)?;
                    }
                    let (loss, gradient) = self.evaluation.mean_gradient(learner, &subs)?;
                    mean.add(learner, loss, gradient)?;
                }
                mean.finish()?.1
            }
        };
        let mu = match knobs.mu {
            Mu::Weight(mu) => mu,
            // A step of rate 0 ends where it began, whatever h is.
            Mu::Rule(MuRule::InverseLr) if learning_rate == 0.0 => 0.0,
            Mu::Rule(MuRule::InverseLr) => 1.0 / learning_rate,
        };
        Ok(learner.combine(vec![h], &[mu])?)
    }

    /// Targets drawn from the model at theta0. Their expected loss is the cross entropy of p(theta0) and p(theta), whose
    /// gradient is that of `KL(p(theta0), p(theta))`.
    fn relabel(&self, learner: &mut Learner, subs: &mut [SubBatch]) -> Result<(), StrategyError> {
        let here = learner.save_point();
        learner.restore(self.start);
        let relabelled = subs.iter_mut().try_for_each(|sub| {
            sub.batch = learner.sample_targets(&sub.batch, sub.dropout_seed)?;
            Ok(())
        });
        learner.restore(&here);
        relabelled
    }
}
