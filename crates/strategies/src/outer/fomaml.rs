//! First-order MAML. Finn et al., ICML 2017; for languages as in annaproxy/udify-metalearning.
//!
//! ```text
//! phi_0 = theta;   phi_{j+1} = phi_j - alpha grad L_S(phi_j),  j = 0..K-1       S: one support batch, gone through K times
//! gradient of the language:  grad L_Q(phi_K)                                    Q: the next batch
//! ```
//!
//! The outer step at theta is the rule's, the anchor's and the optimiser's, as for any other gradient.

use model::{Gradients, Learner};
use spec::Fomaml;

use super::descend;
use crate::batch_source::BatchSource;
use crate::error::StrategyError;
use crate::evaluate::Evaluation;

pub(super) fn gradient(
    knobs: &Fomaml,
    evaluation: Evaluation,
    learner: &mut Learner,
    data: &mut dyn BatchSource,
    source: usize,
    step: u64,
) -> Result<(f64, Gradients), StrategyError> {
    let [support, query] = [data.source(source, 2 * step)?, data.source(source, 2 * step + 1)?];
    let rates = (knobs.inner_learning_rate, knobs.head_inner_learning_rate);
    let theta = learner.save_point();
    let found = (|| {
        descend(evaluation, learner, &support, knobs.inner_steps, rates)?;
        evaluation.gradient(learner, &query)
    })();
    learner.restore(&theta);
    found
}
