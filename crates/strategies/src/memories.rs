//! A step's batch of a memory, as its losses are taken: pairs of translations among those of their language, or of all.

use std::collections::BTreeSet;

use model::Learner;
use spec::{Batch, Candidates, Stage, Targets};

use crate::batch_source::{BatchSource, SubBatch};
use crate::error::StrategyError;

/// The `draw`-th batch of the stage's `memory`-th memory: one sub-batch a language, or one in all.
pub(crate) fn draw(
    learner: &Learner,
    data: &mut dyn BatchSource,
    stage: &Stage,
    memory: usize,
    draw: u64,
) -> Result<Vec<SubBatch>, StrategyError> {
    let subs = data.memory(memory, draw)?;
    Ok(match stage.memories.get(memory).map(|memory| memory.candidates) {
        Some(Candidates::Batch) => joined(&subs, learner.config().pad_token_id as i32).into_iter().collect(),
        _ => subs,
    })
}

/// All pairs as one batch, with the first one's seed. A pair one of whose sides is in the batch already is left out: where
/// two languages say the same, the other one's English is right too, and would count as wrong.
fn joined(subs: &[SubBatch], padding: i32) -> Option<SubBatch> {
    let first = subs.first()?;
    let row = |batch: &Batch, row: usize| batch.ids[row * batch.seq..row * batch.seq + batch.lengths[row]].to_vec();
    let (mut seen, mut kept) = (BTreeSet::new(), Vec::new());
    for batch in subs.iter().map(|sub| &sub.batch) {
        let half = batch.len() / 2;
        for pair in 0..half {
            let sides = [row(batch, pair), row(batch, half + pair)];
            if sides.iter().all(|side| !seen.contains(side)) {
                seen.extend(sides);
                kept.push((batch, [pair, half + pair]));
            }
        }
    }
    let seq = kept.iter().map(|(batch, _)| batch.seq).max()?;
    let mut all = Batch { seq, targets: Targets::Translations, task: first.batch.task, ..Batch::default() };
    for side in 0..2 {
        for &(batch, rows) in &kept {
            let range = rows[side] * batch.seq..(rows[side] + 1) * batch.seq;
            let short = seq - batch.seq;
            all.ids.extend(batch.ids[range.clone()].iter().copied().chain(std::iter::repeat_n(padding, short)));
            all.type_ids.extend(batch.type_ids[range].iter().copied().chain(std::iter::repeat_n(0, short)));
            all.lengths.push(batch.lengths[rows[side]]);
        }
    }
    Some(SubBatch { batch: all, dropout_seed: first.dropout_seed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sub(rows: &[&[i32]], seq: usize) -> SubBatch {
        let padded =
            |row: &&[i32]| row.iter().copied().chain(std::iter::repeat_n(0, seq - row.len())).collect::<Vec<_>>();
        let batch = Batch {
            ids: rows.iter().flat_map(padded).collect(),
            type_ids: vec![0; rows.len() * seq],
            lengths: rows.iter().map(|row| row.len()).collect(),
            seq,
            targets: Targets::Translations,
            ..Batch::default()
        };
        SubBatch { batch, dropout_seed: rows.len() as u64 }
    }

    #[test]
    fn pairs_of_all_languages_are_ranked_together_and_none_is_right_twice() {
        // 91 is the English of 21 and of 31.
        let german = sub(&[&[21, 22], &[23], &[91, 92], &[93]], 2);
        let greek = sub(&[&[31], &[33, 34, 35], &[91, 92], &[95, 96]], 3);
        let SubBatch { batch, dropout_seed } = joined(&[german, greek], 0).unwrap();
        assert_eq!(dropout_seed, 4);
        assert_eq!(batch.lengths, [2, 1, 3, 2, 1, 2]);
        assert_eq!(batch.ids, [21, 22, 0, 23, 0, 0, 33, 34, 35, 91, 92, 0, 93, 0, 0, 95, 96, 0]);
        assert_eq!((batch.examples(), batch.seq, batch.type_ids.len()), (3, 3, 18));
        assert!(joined(&[], 0).is_none());
    }
}
