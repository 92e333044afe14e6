//! The diagonal empirical Fisher information of memories.

use model::{Gradients, Learner};
use spec::{Batch, FisherSquare, Targets};

use crate::error::StrategyError;
use crate::supply::{SubBatch, Supply};

/// `F_i = mean of (d loss / d theta_i)^2` over the examples, or over the batches' mean losses, of the first `batches`
/// batches of each memory, without dropout. Targets are those of the data. A ranking of translations has no loss of one
/// example, so that its batches are always squared as a whole.
pub(crate) fn diagonal(
    learner: &mut Learner,
    supply: &mut dyn Supply,
    memories: &[usize],
    batches: usize,
    square: FisherSquare,
) -> Result<Gradients, StrategyError> {
    let mut sum: Option<Gradients> = None;
    let mut count = 0usize;
    for &memory in memories {
        for draw in 0..batches as u64 {
            for sub in supply.memory(memory, draw)? {
                let whole = square == FisherSquare::BatchMean || sub.batch.targets == Targets::Translations;
                let parts = if whole { vec![sub.batch] } else { rows(&sub.batch) };
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

/// Every row as a batch of its own.
fn rows(batch: &Batch) -> Vec<Batch> {
    (0..batch.len())
        .map(|row| {
            let tokens = row * batch.seq..(row + 1) * batch.seq;
            let targets = match &batch.targets {
                Targets::None => Targets::None,
                Targets::Translations => Targets::Translations,
                Targets::TokenLabels(labels) => Targets::TokenLabels(labels[tokens.clone()].to_vec()),
                Targets::MaskedTokens(labels) => Targets::MaskedTokens(labels[tokens.clone()].to_vec()),
                Targets::Classes(labels) => Targets::Classes(vec![labels[row]]),
                Targets::Spans { starts, ends } => Targets::Spans { starts: vec![starts[row]], ends: vec![ends[row]] },
            };
            Batch {
                ids: batch.ids[tokens.clone()].to_vec(),
                type_ids: batch.type_ids[tokens].to_vec(),
                lengths: vec![batch.lengths[row]],
                seq: batch.seq,
                targets,
            }
        })
        .collect()
}
