use serde::{Deserialize, Serialize};

use crate::{ModelConfig, ModelError};

/// A factor on the attention probabilities of each head, `[layers, heads]`: 1 keeps a head, 0 takes it out (Michel et al.
/// 2019, section 2.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadMask {
    layers: usize,
    heads: usize,
    values: Vec<f32>,
}

impl HeadMask {
    /// From values `[layers, heads]`, row-major.
    ///
    /// # Errors
    /// [`ModelError::State`] if there are not as many, or one is not finite.
    pub fn new(layers: usize, heads: usize, values: Vec<f32>) -> Result<Self, ModelError> {
        if values.len() != layers * heads || values.iter().any(|value| !value.is_finite()) {
            return Err(ModelError::state(format!(
                "a head mask of {layers} layers and {heads} heads needs {} finite values, found {values:?}",
                layers * heads
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
