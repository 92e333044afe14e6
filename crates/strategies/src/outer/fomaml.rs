//! First-order MAML. Finn et al., ICML 2017; for languages as in annaproxy/udify-metalearning.
//!
//! ```text
//! phi_0 = theta;   phi_{j+1} = phi_j - alpha grad L_S(phi_j),  j = 0..K-1       S: one support batch, gone through K times
//! gradient of the language:  grad L_Q(phi_K)                                    Q: the next batch
//! ```
//!
//! The outer step at theta is the rule's, the anchor's and the optimiser's, as for any other gradient.

use model::{Gradients, Group, Learner};
use spec::Fomaml;

use crate::evaluate::Evaluation;
use crate::strategy::StrategyError;
use crate::supply::{SubBatch, Supply};

/// The head's inner learning rate in ones of the encoder, where none is given (the reference's 1e-4 and 1e-5).
const HEAD: f64 = 10.0;

pub(super) fn gradient(
    knobs: &Fomaml,
    evaluation: Evaluation,
    learner: &mut Learner,
    supply: &mut dyn Supply,
    source: usize,
    step: u64,
) -> Result<(f64, Gradients), StrategyError> {
    let [support, query] = [supply.source(source, 2 * step)?, supply.source(source, 2 * step + 1)?];
    let encoder = knobs.inner_learning_rate;
    let head = knobs.head_inner_learning_rate.unwrap_or(HEAD * encoder);
    let theta = learner.save_point();
    let found = (|| {
        for inner in 0..knobs.inner_steps as u64 {
            // The same sentences under other dropout masks.
            let dropout_seed = support.dropout_seed.wrapping_add(inner);
            let sub = SubBatch { batch: support.batch.clone(), dropout_seed };
            let (_, gradient) = evaluation.gradient(learner, &sub)?;
            learner.shift(&gradient, &|group| if group == Group::Head { -head } else { -encoder })?;
        }
        evaluation.gradient(learner, &query)
    })();
    learner.restore(&theta);
    found
}
