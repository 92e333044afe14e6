use serde::{Deserialize, Serialize};

use crate::ModelConfig;
use crate::adapter::{Active, Adapter, AdapterStack, Named};
use crate::encoder::Encoder;
use crate::layout::Layout;
use crate::lora::LoraConfig;
use crate::objective::Outputs;
use crate::owner::OwnedHead;

/// What a network has beside its encoder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parts {
    pub lora: Option<LoraConfig>,
    pub adapters: Vec<Named>,
    pub language_model: bool,
    /// In the order of their owners, each of another.
    pub heads: Vec<OwnedHead>,
}

impl Parts {
    /// Whether there is an output layer.
    pub fn has_output(&self) -> bool {
        self.language_model || !self.heads.is_empty()
    }

    /// The same with a head, in the place of one of the same owner.
    #[must_use]
    pub fn with_head(mut self, head: OwnedHead) -> Self {
        match self.heads.binary_search_by_key(&head.owner, |owned| owned.owner) {
            Ok(index) => self.heads[index] = head,
            Err(index) => self.heads.insert(index, head),
        }
        self
    }
}

/// Encoder and output layers: which parameters they have, and how they are applied.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub encoder: Encoder,
    adapters: Vec<Adapter>,
    pub outputs: Outputs,
}

impl Network {
    /// The network of these parts, and its parameters from the input to the output.
    pub fn declare(config: &ModelConfig, parts: &Parts) -> (Self, Layout) {
        let mut layout = Layout::default();
        let encoder = Encoder::new(config, parts.lora.as_ref(), &mut layout);
        let adapters = parts.adapters.iter().map(|named| Adapter::new(named, config, &mut layout)).collect();
        let outputs = Outputs::declare(parts.language_model, &parts.heads, encoder.words(), config, &mut layout);
        (Self { encoder, adapters, outputs }, layout)
    }

    /// The adapters of a stack; those of strength 0 and names that the network does not have are left out.
    pub fn active(&self, stack: &AdapterStack) -> Active<'_> {
        let find = |name: &String| {
            let strength = stack.strength(name);
            let adapter = self.adapters.iter().find(|adapter| adapter.name == *name && strength != 0.0)?;
            Some((adapter, strength))
        };
        Active { adapters: stack.adapters.iter().filter_map(find).collect(), residual: stack.residual }
    }
}
