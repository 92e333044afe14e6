//! Bottleneck adapters: small networks inside a frozen encoder, placed and stacked as the MAD-X paper and AdapterHub's
//! library do.

mod bottleneck;
mod config;
mod coupling;
mod stack;

pub(crate) use bottleneck::Bottleneck;
pub use config::{Activation, AdapterConfig, AdapterInit};
pub(crate) use coupling::Coupling;
pub(crate) use stack::{Active, Place};
pub use stack::{AdapterStack, StackResidual};

use serde::{Deserialize, Serialize};

use crate::layout::{Entry, Layout, Role};
use crate::{Group, ModelConfig, ModelError, random};

/// An adapter that a model has, under its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    pub name: String,
    pub config: AdapterConfig,
}

/// One adapter's modules throughout an encoder.
#[derive(Debug, Clone)]
pub(crate) struct Adapter {
    pub name: String,
    /// By layer, after attention and after the feed-forward network.
    layers: Vec<[Option<Bottleneck>; 2]>,
    /// Behind the embeddings.
    coupling: Option<Coupling>,
}

impl Adapter {
    /// Declares the adapter's parameters under AdapterHub's names.
    pub fn new(Named { name, config }: &Named, model: &ModelConfig, layout: &mut Layout) -> Self {
        let start = layout.entries.len();
        let coupling = config.invertible.map(|reduction| {
            let name = format!("invertible_adapters.{name}");
            Coupling::new(&name, model.hidden_size, reduction, config.activation, layout)
        });
        let mut bottleneck = |layer: usize, place: &str, wanted: bool| {
            let name = format!("encoder.layer.{layer}.{place}.adapters.{name}");
            wanted.then(|| Bottleneck::new(&name, Group::Adapter(layer), model.hidden_size, config, layout))
        };
        let layers = (0..model.num_hidden_layers)
            .map(|layer| {
                [bottleneck(layer, "attention.output", config.attention), bottleneck(layer, "output", config.output)]
            })
            .collect();
        for entry in &mut layout.entries[start..] {
            entry.adapter = Some(name.clone());
        }
        Self { name: name.clone(), layers, coupling }
    }
}

/// A parameter of an adapter before training.
pub(crate) fn fresh(entry: &Entry, init: AdapterInit, seed: u64) -> Vec<f32> {
    // AdapterHub draws the coupling's weights as for `bert` in either case.
    match (entry.role, init) {
        (Role::Weight, AdapterInit::Houlsby) if entry.group != Group::Invertible => {
            random::truncated_normal(seed, "adapter", &entry.name, 0.01, entry.len())
        }
        (Role::Weight, _) => random::normal(seed, "adapter", &entry.name, 0.02, entry.len()),
        _ => vec![0.0; entry.len()],
    }
}

/// Checks an adapter's name: it becomes a part of parameters' names.
pub(crate) fn check_name(name: &str) -> Result<(), ModelError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match (1..=100).contains(&name.len()) && name.bytes().all(plain) {
        true => Ok(()),
        false => Err(ModelError::state(format!(
            "`{name}` is no name for an adapter: 1 to 100 letters, digits, `_` and `-` are"
        ))),
    }
}
