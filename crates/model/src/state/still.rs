//! What a step must not move under an update mask.

use burn::tensor::{Bool, Device, Tensor, TensorData};

use super::State;
use crate::device::guard;
use crate::layout::Entry;
use crate::optimizer::Moments;
use crate::{HeadMask, ModelConfig, ModelError};

/// A parameter some of whose entries a step must not move: where these are (true), and the values before.
pub(crate) struct Still {
    index: usize,
    held: Tensor<1, Bool>,
    value: Tensor<1>,
    moments: Option<Moments>,
}

impl State {
    /// What a step must not move under the update mask.
    pub fn still(&self, config: &ModelConfig, device: &Device) -> Result<Vec<Still>, ModelError> {
        let Some(mask) = &self.setup.update_mask else { return Ok(Vec::new()) };
        guard(|| {
            let entries = self.layout.entries.iter().enumerate();
            let held = entries.filter_map(|(index, entry)| Some((index, held(entry, mask, config)?)));
            Ok(held
                .map(|(index, held)| {
                    let length = held.len();
                    Still {
                        index,
                        held: Tensor::from_data(TensorData::new(held, [length]), device),
                        value: self.values[index].clone(),
                        moments: self.optimizer.moments[index].clone(),
                    }
                })
                .collect())
        })
    }

    /// Puts back what must not have moved.
    pub fn put_back(&mut self, still: Vec<Still>) {
        for Still { index, held, value, moments: before } in still {
            let back = |now: Tensor<1>, before: Tensor<1>| now.mask_where(held.clone(), before);
            self.values[index] = back(self.values[index].clone(), value);
            if let Some(now) = self.optimizer.moments[index].take() {
                let (first, second) = match before {
                    Some(before) => (before.first, before.second),
                    None => (now.first.zeros_like(), now.second.zeros_like()),
                };
                self.optimizer.moments[index] =
                    Some(Moments { first: back(now.first, first), second: back(now.second, second), ..now });
            }
        }
    }
}

/// The entries of a parameter, in memory's order, that belong to heads with a factor of 0; `None` if there are none.
fn held(entry: &Entry, mask: &HeadMask, config: &ModelConfig) -> Option<Vec<bool>> {
    let (layer, part) = entry.name.strip_prefix("encoder.layer.")?.split_once('.')?;
    let factors = mask.layer(layer.parse().ok()?);
    if !factors.contains(&0.0) {
        return None;
    }
    let width = config.hidden_size / config.num_attention_heads;
    let of_self =
        |part: &str| ["query.", "key.", "value."].iter().find_map(|name| part.strip_prefix(*name)).map(str::len);
    let columns = part.strip_prefix("attention.self.").and_then(of_self).is_some() && !part.ends_with("lora_A.weight");
    let rows = ["attention.output.dense.weight", "attention.output.dense.lora_A.weight"].contains(&part);
    // Memory has `[in, out]` weights, biases `[out]`; heads are columns of query, key and value, rows of the output.
    let row_length = match (columns, rows, entry.file_shape.as_slice()) {
        (true, _, _) => config.hidden_size,
        (_, true, &[outputs, _]) => outputs,
        _ => return None,
    };
    let head = |index: usize| if rows { index / row_length / width } else { index % row_length / width };
    Some((0..entry.len()).map(|index| factors[head(index)] == 0.0).collect())
}
