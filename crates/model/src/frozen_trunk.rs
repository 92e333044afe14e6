//! What the encoder computes below the lowest layer that trains is a function of the row alone: no dropout applies there
//! and no parameter moves. So a row that comes again, in a later epoch or probe, starts from where it was left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Tensor, TensorData};
use spec::Batch;

use crate::adapter::AdapterStack;
use crate::device::{host, is_host, to_host};
use crate::encoder::{Dropout, Input};
use crate::objective::{Objective, Pass, States};
use crate::state::State;
use crate::weights::Weights;
use crate::{Group, HeadMask, ModelError};

/// Values that are kept at most: 128 MiB, a few thousand rows of a small encoder. Rows beyond are computed each time.
const KEPT: usize = 1 << 25;

/// Products of fewer rows than this may go another way through the kernels, whose last bits differ: such batches are
/// computed as if nothing were kept, so that bits do not tell what has been seen before.
const FEW_TOKENS: usize = 16;

/// Hidden states of rows at the entrance of the lowest layer that trains, on the CPU's back end; others keep nothing.
#[derive(Default)]
pub(crate) struct FrozenTrunk(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    trunk: Option<Trunk>,
    /// By the row's tokens, `[length, hidden]` each.
    rows: HashMap<[u8; 32], Arc<[f32]>>,
    /// How many values the rows hold.
    values: usize,
    /// How many dropout masks, all of probability 0, a pass through the trunk asks for.
    asked: u64,
}

/// What the hidden states were computed by. It shares the tensors of its parameters, so that whoever changes one of them
/// gets memory of its own: equal memory means equal values.
struct Trunk {
    depth: usize,
    values: Vec<Tensor<1>>,
    stack: AdapterStack,
    head_mask: Option<HeadMask>,
}

impl FrozenTrunk {
    /// What the objective reads of a pass's batch. Where it asks for all layers nothing is kept.
    pub fn states(
        &self,
        objective: &dyn Objective,
        state: &State,
        pass: &Pass,
        device: &Device,
    ) -> Result<States, ModelError> {
        let Pass { batch, input, active, dropout, weights } = *pass;
        if objective.reads_all_layers() {
            let all = state.network.encoder.states(input, active, dropout, weights);
            return Ok(States { last: all[all.len() - 1].clone(), all });
        }
        let last = self.forward(state, batch, input, device, dropout, weights)?;
        Ok(States { last, all: Vec::new() })
    }

    /// Hidden states of the last layer, `[batch, seq, hidden]`, as [`crate::encoder::Encoder::forward`] gives them, to the
    /// same bits at every real token; those at padding differ, which nothing reads. `input` is the batch on the device.
    pub fn forward(
        &self,
        state: &State,
        batch: &Batch,
        input: &Input,
        device: &Device,
        dropout: Dropout,
        weights: &Weights,
    ) -> Result<Tensor<3>, ModelError> {
        let (encoder, active) = (&state.network.encoder, state.active());
        let depth = state.frozen_depth(encoder.depth());
        if depth == 0 || !is_host(device) || batch.len() * batch.seq < FEW_TOKENS {
            return Ok(encoder.forward(input, &active, dropout, weights));
        }
        let keys: Vec<[u8; 32]> = (0..batch.len()).map(|row| key(batch, row)).collect();
        let mut known: Vec<Option<Arc<[f32]>>> = {
            let mut kept = self.kept();
            kept.begin(Trunk::of(state, depth));
            keys.iter().map(|key| kept.rows.get(key).cloned()).collect()
        };
        let mut missing: Vec<usize> = (0..batch.len()).filter(|&row| known[row].is_none()).collect();
        if !missing.is_empty() {
            if missing.len() * batch.seq < FEW_TOKENS {
                missing = (0..batch.len()).collect();
            }
            let rows = encoder.input(&part(batch, &missing), device);
            // The computation as it is without this file, on fewer rows.
            let plain = Weights::inference(&state.layout, &state.values).with_head_masks(weights.head_masks());
            let hidden = encoder.below(depth, &rows, &active, dropout, &plain);
            let [_, seq, size] = hidden.dims();
            let values = to_host(hidden)?;
            let mut kept = self.kept();
            kept.asked = plain.dropout_asked();
            for (&row, values) in missing.iter().zip(values.chunks_exact(seq * size)) {
                let values: Arc<[f32]> = values[..batch.lengths[row] * size].into();
                kept.keep(keys[row], &values);
                known[row] = Some(values);
            }
        }
        weights.pass_over_dropout(self.kept().asked);
        let rows: Vec<Arc<[f32]>> = known.into_iter().flatten().collect();
        let size = rows[0].len() / batch.lengths[0];
        let mut hidden = vec![0.0; batch.len() * batch.seq * size];
        for (padded, values) in hidden.chunks_exact_mut(batch.seq * size).zip(&rows) {
            padded[..values.len()].copy_from_slice(values);
        }
        let hidden = Tensor::from_data(TensorData::new(hidden, [batch.len(), batch.seq, size]), device);
        Ok(encoder.above(depth, hidden, input, &active, dropout, weights))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Forgets everything, if this is another trunk than before.
    fn begin(&mut self, trunk: Trunk) {
        if !self.trunk.as_ref().is_some_and(|before| before.is(&trunk)) {
            *self = Self { trunk: Some(trunk), ..Self::default() };
        }
    }

    /// Keeps a row, if there is room.
    fn keep(&mut self, key: [u8; 32], values: &Arc<[f32]>) {
        if self.values + values.len() <= KEPT && self.rows.insert(key, Arc::clone(values)).is_none() {
            self.values += values.len();
        }
    }
}

impl Trunk {
    fn of(state: &State, depth: usize) -> Self {
        let below = |group: Group| match group {
            Group::Embeddings | Group::Invertible => true,
            Group::Layer(layer) | Group::Adapter(layer) => layer < depth,
            Group::LanguageModel | Group::Head => false,
        };
        let parameters = state.layout.entries.iter().zip(&state.values);
        Self {
            depth,
            values: parameters.filter(|(entry, _)| below(entry.group)).map(|(_, value)| value.clone()).collect(),
            stack: state.setup.stack.clone(),
            head_mask: state.setup.head_mask.clone(),
        }
    }

    fn is(&self, other: &Self) -> bool {
        let memory = |value: &Tensor<1>| host(value.clone()).storage::<f32>().as_ptr();
        let same = |(one, other): (&Tensor<1>, &Tensor<1>)| memory(one) == memory(other);
        (self.depth, &self.stack, &self.head_mask) == (other.depth, &other.stack, &other.head_mask)
            && self.values.len() == other.values.len()
            && self.values.iter().zip(&other.values).all(same)
    }
}

impl State {
    /// How many layers from the bottom train no parameter, with all that lies below them.
    fn frozen_depth(&self, layers: usize) -> usize {
        let trained: Vec<Group> = {
            let open = self.layout.entries.iter().zip(self.open());
            open.filter(|(_, open)| *open).map(|(entry, _)| entry.group).collect()
        };
        let lowest = trained.iter().map(|group| match group {
            Group::Embeddings | Group::Invertible => 0,
            Group::Layer(layer) | Group::Adapter(layer) => *layer,
            Group::LanguageModel | Group::Head => layers,
        });
        lowest.min().unwrap_or(layers)
    }
}

/// All that the trunk reads of a row.
fn key(batch: &Batch, row: usize) -> [u8; 32] {
    let tokens = row * batch.seq..row * batch.seq + batch.lengths[row];
    let mut hasher = blake3::Hasher::new();
    for (id, kind) in batch.ids[tokens.clone()].iter().zip(&batch.type_ids[tokens]) {
        hasher.update(&id.to_le_bytes());
        hasher.update(&kind.to_le_bytes());
    }
    hasher.finalize().into()
}

/// Some rows of a batch, as long as it is, without targets.
fn part(batch: &Batch, rows: &[usize]) -> Batch {
    let of = |values: &[i32]| rows.iter().flat_map(|row| &values[row * batch.seq..][..batch.seq]).copied().collect();
    Batch {
        ids: of(&batch.ids),
        type_ids: of(&batch.type_ids),
        lengths: rows.iter().map(|&row| batch.lengths[row]).collect(),
        seq: batch.seq,
        ..Batch::default()
    }
}
