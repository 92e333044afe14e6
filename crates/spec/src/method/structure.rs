use serde::{Deserialize, Serialize};

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
}

impl Structure {
    /// Encoder layers that stay frozen, counted from below, in an encoder of `layers` layers; embeddings are frozen
    /// exactly if this is not `None`.
    ///
    /// # Errors
    /// [`SpecError::Composition`] if more layers are to be frozen than there are.
    pub fn frozen_layers(&self, method: &Name, layers: usize) -> Result<Option<usize>, SpecError> {
        match self {
            Structure::Full => Ok(None),
            Structure::FrozenLower { layers: None } => Ok(Some(layers * 2 / 3)),
            Structure::FrozenLower { layers: Some(frozen) } if *frozen <= layers => Ok(Some(*frozen)),
            Structure::FrozenLower { layers: Some(frozen) } => Err(SpecError::Composition {
                method: method.to_string(),
                reason: format!("{frozen} frozen layers asked of an encoder that has {layers}"),
            }),
        }
    }
}
