//! Reptile. Nichol, Achiam, Schulman 2018, arXiv 1803.02999.
//!
//! ```text
//! phi_0 = theta;   phi_{j+1} = phi_j - alpha grad L_j(phi_j),  j = 0..K-1       a batch of its own for every j
//! gradient of the language:  theta - phi_K
//! outer step:  theta <- theta + eps mean_i (phi_{K,i} - theta)
//! ```

use model::{Gradients, Learner};
use spec::Reptile;

use crate::batch_source::BatchSource;
use crate::error::StrategyError;
use crate::evaluate::Evaluation;

pub(super) fn gradient(
    knobs: &Reptile,
    evaluation: Evaluation,
    learner: &mut Learner,
    data: &mut dyn BatchSource,
    source: usize,
    step: u64,
) -> Result<(f64, Gradients), StrategyError> {
    let steps = knobs.inner_steps as u64;
    let theta = learner.save_point();
    let found = (|| {
        let mut loss = 0.0;
        for inner in 0..steps {
            let sub = data.source(source, step * steps + inner)?;
            let (value, gradient) = evaluation.gradient(learner, &sub)?;
            loss += value / steps as f64;
            learner.shift(&gradient, &|_| -knobs.inner_learning_rate)?;
        }
        let moved = learner.displacement(&theta)?;
        Ok((loss, learner.combine(vec![moved], &[-1.0])?))
    })();
    learner.restore(&theta);
    found
}
