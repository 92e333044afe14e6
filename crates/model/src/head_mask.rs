use serde::{Deserialize, Serialize};

use crate::{ModelConfig, ModelError};

/// A factor on the attention probabilities of each head, `[layers, heads]`: 1 keeps a head, 0 takes it out (Michel et al.
/// 2019, section 2.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct HeadMask {
    layers: usize,
    heads: usize,
    values: Vec<f32>,
}

/// A mask in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    layers: usize,
    heads: usize,
    values: Vec<f32>,
}

impl TryFrom<Unchecked> for HeadMask {
    type Error = ModelError;
    fn try_from(Unchecked { layers, heads, values }: Unchecked) -> Result<Self, ModelError> {
        Self::new(layers, heads, values)
    }
}

impl HeadMask {
    /// From values `[layers, heads]`, row-major.
    ///
    /// # Errors
    /// [`ModelError::State`] if there are not as many, or one is not finite.
    pub fn new(layers: usize, heads: usize, values: Vec<f32>) -> Result<Self, ModelError> {
        if Some(values.len()) != layers.checked_mul(heads) || values.iter().any(|value| !value.is_finite()) {
            return Err(ModelError::state(format!(
                "a head mask of {layers} layers and {heads} heads needs a finite value for each of them, found {values:?}"
            )));
        }
        Ok(Self { layers, heads, values })
    }

    pub fn layers(&self) -> usize {
        self.layers
    }

    pub fn heads(&self) -> usize {
        self.heads
    }

    /// `[layers, heads]`, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The mask of one layer, `[heads]`.
    pub(crate) fn layer(&self, layer: usize) -> &[f32] {
        &self.values[layer * self.heads..][..self.heads]
    }

    pub(crate) fn check(&self, config: &ModelConfig) -> Result<(), ModelError> {
        let (layers, heads) = (config.num_hidden_layers, config.num_attention_heads);
        match (self.layers, self.heads) == (layers, heads) {
            true => Ok(()),
            false => Err(ModelError::state(format!(
                "a head mask of {} layers and {} heads for an encoder of {layers} layers and {heads} heads",
                self.layers, self.heads
            ))),
        }
    }
}
