use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use spec::Batch;

use super::Dropout;
use crate::layout::{Layout, Norm, Slot};
use crate::ops::{self, PaddingMask};
use crate::weights::Weights;
use crate::{Family, Group, ModelConfig};

/// A checked batch: ids `[batch · seq]` each, and the mask on the device.
pub(crate) struct Input {
    shape: [usize; 2],
    ids: Arc<[u32]>,
    type_ids: Arc<[u32]>,
    positions: Arc<[u32]>,
    pub mask: PaddingMask,
}

impl Input {
    pub fn new(batch: &Batch, family: Family, padding_id: usize, device: &Device) -> Self {
        // The checks have refused negative ids.
        let rows = |values: &[i32]| values.iter().map(|&id| id as u32).collect();
        Self {
            shape: [batch.len(), batch.seq],
            ids: rows(&batch.ids),
            type_ids: rows(&batch.type_ids),
            positions: rows(&positions(batch, family, padding_id)),
            mask: PaddingMask::new(&batch.lengths, batch.seq, device),
        }
    }
}

/// BERT counts 0, 1, 2 …; XLM-R counts the tokens that are not the padding id, from `padding_id + 1`, and gives
/// `padding_id` itself to padding.
fn positions(batch: &Batch, family: Family, padding_id: usize) -> Vec<i32> {
    let mut positions = Vec::with_capacity(batch.ids.len());
    for row in batch.ids.chunks_exact(batch.seq) {
        match family {
            Family::Bert => positions.extend(0..batch.seq as i32),
            Family::XlmRoberta => {
                let mut last = padding_id as i32;
                for &id in row {
                    let padding = id == padding_id as i32;
                    last += i32::from(!padding);
                    positions.push(if padding { padding_id as i32 } else { last });
                }
            }
        }
    }
    positions
}

/// Word + position + segment embeddings, LayerNorm, dropout.
#[derive(Debug, Clone)]
pub(crate) struct Embeddings {
    pub words: Slot<2>,
    positions: Slot<2>,
    types: Slot<2>,
    norm: Norm,
    epsilon: f64,
}

impl Embeddings {
    pub fn new(config: &ModelConfig, layout: &mut Layout) -> Self {
        let mut table = |name: &str, rows: usize| {
            layout.table(format!("embeddings.{name}.weight"), Group::Embeddings, [rows, config.hidden_size])
        };
        let words = table("word_embeddings", config.vocab_size);
        let positions = table("position_embeddings", config.max_position_embeddings);
        let types = table("token_type_embeddings", config.type_vocab_size);
        let norm = layout.norm("embeddings.LayerNorm", Group::Embeddings, config.hidden_size);
        Self { words, positions, types, norm, epsilon: config.layer_norm_eps }
    }

    /// `[batch, seq, hidden]`.
    pub fn forward(&self, input: &Input, dropout: Dropout, weights: &Weights) -> Tensor<3> {
        let lookup = |table: Slot<2>, ids: &Arc<[u32]>| weights.lookup(table, ids);
        let typed = lookup(self.words, &input.ids) + lookup(self.types, &input.type_ids);
        let placed = lookup(self.positions, &input.positions);
        let normed = ops::residual_layer_norm(placed, typed, self.norm, self.epsilon, 0.0, weights);
        let probability = if weights.trains(Group::Embeddings) { dropout.hidden } else { 0.0 };
        let ([batch, seq], [_, hidden]) = (input.shape, normed.dims());
        ops::dropout(normed, probability, weights).reshape([batch, seq, hidden])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_both_families() {
        let batch = Batch {
            ids: vec![5, 1, 6, 7, 8, 1, 1, 1],
            type_ids: vec![0; 8],
            lengths: vec![4, 1],
            seq: 4,
            ..Batch::default()
        };
        assert_eq!(positions(&batch, Family::Bert, 1), [0, 1, 2, 3, 0, 1, 2, 3]);
        assert_eq!(positions(&batch, Family::XlmRoberta, 1), [2, 1, 3, 4, 2, 1, 1, 1]);
    }
}
