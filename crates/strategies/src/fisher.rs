//! The diagonal empirical Fisher information of memories.

use model::{Gradients, Learner};
use spec::{FisherSquare, Stage};

use crate::batch_source::{BatchSource, SubBatch};
use crate::error::StrategyError;
use crate::memories;

/// `F_i = mean of (d loss / d theta_i)^2` over the examples, or over the batches' mean losses, of the first `batches`
/// batches of each memory, without dropout. Targets are those of the data. A ranking of translations has no loss of one
/// example, so that its batches are always squared as a whole.
pub(crate) fn diagonal(
    learner: &mut Learner,
    data: &mut dyn BatchSource,
    (stage, memories): (&Stage, &[usize]),
    batches: usize,
    square: FisherSquare,
) -> Result<Gradients, StrategyError> {
    let mut sum: Option<Gradients> = None;
    let mut count = 0usize;
    for &memory in memories {
        for draw in 0..batches as u64 {
            for sub in memories::draw(learner, data, stage, memory, draw)? {
                let parts = match square {
                    FisherSquare::BatchMean => vec![sub.batch],
                    FisherSquare::PerExample => sub.batch.parts(),
                };
                for batch in parts {
                    let sub = SubBatch { batch, dropout_seed: sub.dropout_seed };
                    let (_, gradient) =
                        learner.without_dropout(|learner| learner.loss_and_gradients(&sub.batch, sub.dropout_seed))?;
                    let squared = gradient.square();
                    count += 1;
                    sum = Some(match sum {
                        None => squared,
                        Some(sum) => sum.add_scaled(&squared, 1.0)?,
                    });
                }
            }
        }
    }
    let sum = sum.ok_or(StrategyError::NoBatch)?;
    Ok(learner.combine(vec![sum], &[1.0 / count as f64])?)
}
