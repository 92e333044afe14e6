use serde::{Deserialize, Serialize};

use super::knob::{KnobError, at_least_one, positive};
use crate::{Name, SpecError};

/// Which parameters exist and which of them may ever be trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Structure {
    /// Every parameter of encoder and head.
    Full,
    /// Embeddings and the lower `layers` encoder layers keep their pre-trained values and take part without dropout.
    /// Without `layers`: two thirds of the encoder's layers, rounded down (8 of 12).
    FrozenLower {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layers: Option<usize>,
    },
    /// Bottleneck adapters in every layer, and the head; the encoder keeps its values. All stages share them.
    Adapter(Adapter),
    /// Low-rank factors beside dense layers (Hu et al. 2022), and the head.
    Lora(Lora),
    /// Biases alone (Ben Zaken et al. 2022), and the head.
    BitFit,
    /// Two adapters in every layer (Pfeiffer et al. 2020, MAD-X): stages of task `mlm` train an adapter for each of their
    /// languages, stages of a task one adapter for the task, and the head, over the frozen adapter of each language. A
    /// probe uses the adapter of its language below the task's.
    MadX(MadX),
}

/// Knobs of bottleneck adapters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Adapter {
    /// Default `pfeiffer`.
    pub placement: AdapterPlacement,
    /// Features of a layer over those of its adapter. Default 16.
    pub reduction: f64,
}

impl Default for Adapter {
    fn default() -> Self {
        Self { placement: AdapterPlacement::Pfeiffer, reduction: 16.0 }
    }
}

/// Where adapters sit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdapterPlacement {
    /// Behind the feed-forward network (Pfeiffer et al. 2021, AdapterFusion).
    #[default]
    Pfeiffer,
    /// Behind attention and behind the feed-forward network (Houlsby et al. 2019).
    Houlsby,
}

/// Knobs of low-rank adaptation; its factors stand beside the query and value projections, as in the paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Lora {
    /// Default 8.
    pub rank: usize,
    /// The factors' product is scaled by alpha / rank. Default 8.
    pub alpha: f64,
}

impl Default for Lora {
    fn default() -> Self {
        Self { rank: 8, alpha: 8.0 }
    }
}

/// Knobs of MAD-X; both adapters are `pfeiffer` ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct MadX {
    /// Features of a layer over those of a language's adapter. Default 2.
    pub language_reduction: f64,
    /// Features of a layer over those of a task's adapter. Default 16.
    pub task_reduction: f64,
    /// Whether a language has an invertible adapter behind the embeddings too, of reduction 2. Default true.
    pub invertible: bool,
    /// Default `chained`.
    pub residual: StackedResidual,
}

impl Default for MadX {
    fn default() -> Self {
        Self { language_reduction: 2.0, task_reduction: 16.0, invertible: true, residual: StackedResidual::default() }
    }
}

/// What is added to the output of the upper of two adapters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StackedResidual {
    /// The lower adapter's output, after a LayerNorm of which the upper one reads: AdapterHub's library.
    #[default]
    Chained,
    /// The layer's own output, as for the lower one: the paper's section 3.2.
    Shared,
}

impl Structure {
    /// As suites write it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::FrozenLower { .. } => "frozen-lower",
            Self::Adapter(_) => "adapter",
            Self::Lora(_) => "lora",
            Self::BitFit => "bit-fit",
            Self::MadX(_) => "mad-x",
        }
    }

    /// Refuses knobs outside their ranges.
    ///
    /// # Errors
    /// [`KnobError`] naming the knob.
    pub fn check(&self) -> Result<(), KnobError> {
        match self {
            Self::Full | Self::FrozenLower { .. } | Self::BitFit => Ok(()),
            Self::Adapter(adapter) => positive("reduction", adapter.reduction),
            Self::Lora(lora) => at_least_one("rank", lora.rank).and_then(|()| positive("alpha", lora.alpha)),
            Self::MadX(mad_x) => positive("language-reduction", mad_x.language_reduction)
                .and_then(|()| positive("task-reduction", mad_x.task_reduction)),
        }
    }

    /// Encoder layers that stay frozen, counted from below, in an encoder of `layers` layers; embeddings are frozen
    /// exactly if this is not `None`.
    ///
    /// # Errors
    /// [`SpecError::Composition`] if more layers are to be frozen than there are.
    pub fn frozen_layers(&self, method: &Name, layers: usize) -> Result<Option<usize>, SpecError> {
        match self {
            Structure::Full | Structure::Adapter(_) | Structure::Lora(_) | Structure::BitFit | Structure::MadX(_) => {
                Ok(None)
            }
            Structure::FrozenLower { layers: None } => Ok(Some(layers * 2 / 3)),
            Structure::FrozenLower { layers: Some(frozen) } if *frozen <= layers => Ok(Some(*frozen)),
            Structure::FrozenLower { layers: Some(frozen) } => Err(SpecError::Composition {
                method: method.to_string(),
                reason: format!("{frozen} frozen layers asked of an encoder that has {layers}"),
            }),
        }
    }
}
