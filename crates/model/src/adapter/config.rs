use serde::{Deserialize, Serialize};

use crate::{ModelConfig, ModelError};

/// The shape of a bottleneck adapter; AdapterHub's names in parentheses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterConfig {
    /// A module after the attention of each layer (`mh_adapter`).
    pub attention: bool,
    /// A module after the feed-forward network of each layer (`output_adapter`).
    pub output: bool,
    /// Hidden size over bottleneck size (`reduction_factor`).
    pub reduction: f64,
    /// (`non_linearity`)
    pub activation: Activation,
    /// Whether a module reads LayerNorm(x + input of the sub-layer) instead of the sub-layer's output x
    /// (`original_ln_before`).
    pub norm_before: bool,
    /// (`init_weights`)
    pub init: AdapterInit,
    /// An invertible adapter behind the embeddings, with this reduction (`inv_adapter`, `inv_adapter_reduction_factor`).
    pub invertible: Option<f64>,
}

/// What stands between the two projections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    Relu,
    /// `x · σ(x)`
    Swish,
    /// Exact.
    Gelu,
}

/// How fresh projections are drawn; biases are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdapterInit {
    /// Normal, standard deviation 0.02.
    Bert,
    /// Normal with standard deviation 0.01, cut off at two of them.
    Houlsby,
}

impl AdapterConfig {
    /// Pfeiffer et al. 2021 (AdapterFusion), as AdapterHub's `seq_bn`; the default reduction there is 16.
    pub fn pfeiffer(reduction: f64) -> Self {
        Self {
            attention: false,
            output: true,
            reduction,
            activation: Activation::Relu,
            norm_before: true,
            init: AdapterInit::Bert,
            invertible: None,
        }
    }

    /// Houlsby et al. 2019, as AdapterHub's `double_seq_bn`; the default reduction there is 16.
    pub fn houlsby(reduction: f64) -> Self {
        Self { attention: true, activation: Activation::Swish, norm_before: false, ..Self::pfeiffer(reduction) }
    }

    /// The same with an invertible adapter, as MAD-X's language adapters have (Pfeiffer et al. 2020, section 3.3).
    pub fn with_invertible(self, reduction: f64) -> Self {
        Self { invertible: Some(reduction), ..self }
    }

    pub(crate) fn check(&self, model: &ModelConfig) -> Result<(), ModelError> {
        for (what, reduction) in [("reduction", Some(self.reduction)), ("invertible reduction", self.invertible)] {
            if reduction.is_some_and(|reduction| !(reduction >= LEAST_REDUCTION && reduction.is_finite())) {
                return Err(ModelError::state(format!(
                    "an adapter's {what} must be a number from {LEAST_REDUCTION} up"
                )));
            }
        }
        if !self.attention && !self.output {
            return Err(ModelError::state(
                "an adapter must be placed after attention, the feed-forward network or both",
            ));
        }
        match self.invertible.is_some() && !model.hidden_size.is_multiple_of(2) {
            true => Err(ModelError::state("an invertible adapter halves the hidden size, which is odd here")),
            false => Ok(()),
        }
    }
}

/// Adapters narrow the hidden states; one a thousand times as wide is a slip of the pen.
const LEAST_REDUCTION: f64 = 1e-3;

/// `size` over `reduction`, rounded down.
pub(super) fn reduced(size: usize, reduction: f64) -> usize {
    ((size as f64 / reduction) as usize).max(1)
}
