//! The learner: [`Learner`] and what it does, by kind of work.

mod infer;
mod lanes;
mod parameters;
mod persist;
mod structure;
mod targets;
mod train;
mod vector;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use spec::{Backend, Head};

use crate::device::{self, guard, to_device};
use crate::encoder::Dropout;
use crate::folder::{self, CONFIG, Pooler};
use crate::frozen_trunk::FrozenTrunk;
use crate::layout::{Entry, Role};
use crate::network::{Network, Parts};
use crate::optimizer::AdamW;
use crate::setup::Setup;
use crate::state::State;
use crate::{Group, ModelConfig, ModelError, OptimizerConfig, random};

pub use infer::{Logits, MaskedScore};

/// A model that learns: parameters, output layers and optimiser state on one device, behind a view without tensors.
///
/// Equal calls on equal learners give equal bits, on one machine and back end.
pub struct Learner {
    backend: Backend,
    device: Device,
    config: ModelConfig,
    pooler: Option<Pooler>,
    dropout: Option<f64>,
    folder: PathBuf,
    notes: Vec<String>,
    state: State,
    trunk: FrozenTrunk,
}

impl Learner {
    /// Reads a Hugging Face folder (`config.json`, `model.safetensors`) onto a back end; also the head, if the folder
    /// holds one that `architectures` names, and the language-model head, if the folder holds one.
    ///
    /// # Errors
    /// [`ModelError::Device`], [`ModelError::Config`], [`ModelError::Weights`] or [`ModelError::Io`].
    pub fn load(folder: &Path, backend: Backend) -> Result<Self, ModelError> {
        let loaded = folder::read(folder)?;
        let device = device::open(backend)?;
        let parameters = loaded.values.len();
        let values = guard(|| Ok(loaded.values.into_iter().map(|values| to_device(values, &device)).collect()))?;
        Ok(Self {
            backend,
            device,
            config: loaded.config,
            pooler: loaded.pooler,
            dropout: None,
            folder: folder.to_owned(),
            notes: loaded.notes,
            state: State {
                parts: loaded.parts,
                network: loaded.network,
                layout: loaded.layout,
                values,
                optimizer: AdamW::new(OptimizerConfig::default(), parameters),
                frozen: BTreeSet::new(),
                setup: Setup::default(),
                changed: vec![false; parameters],
            },
            trunk: FrozenTrunk::default(),
        })
    }

    /// An encoder with a language-model head, untrained, for the folder's `config.json`; nothing else of the folder is
    /// read. As for BERT, weights and embeddings are normal with `initializer_range`, biases 0 and LayerNorms 1, from
    /// (seed, name).
    ///
    /// # Errors
    /// [`ModelError::Device`], [`ModelError::Config`] or [`ModelError::Io`].
    pub fn fresh(folder: &Path, backend: Backend, seed: u64) -> Result<Self, ModelError> {
        let config = ModelConfig::read(&folder.join(CONFIG))?;
        let device = device::open(backend)?;
        let parts = Parts { language_model: true, ..Parts::default() };
        let (network, layout) = Network::declare(&config, &parts);
        let deviation = config.initializer_range;
        let draw = |entry: &Entry| to_device(fresh(entry, "fresh", deviation, seed), &device);
        let values: Vec<Tensor<1>> = guard(|| Ok(layout.entries.iter().map(draw).collect()))?;
        let parameters = values.len();
        Ok(Self {
            backend,
            device,
            config,
            pooler: None,
            dropout: None,
            folder: folder.to_owned(),
            notes: Vec::new(),
            state: State {
                parts,
                network,
                layout,
                values,
                optimizer: AdamW::new(OptimizerConfig::default(), parameters),
                frozen: BTreeSet::new(),
                setup: Setup::default(),
                changed: vec![true; parameters],
            },
            trunk: FrozenTrunk::default(),
        })
    }

    pub fn backend(&self) -> Backend {
        self.backend
    }

    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// What the folder holds beyond what this model uses, one sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub fn head(&self) -> Option<Head> {
        self.state.parts.head
    }

    /// Whether the model can predict masked tokens.
    pub fn has_language_model(&self) -> bool {
        self.state.parts.language_model
    }

    /// The model's groups from the input to the output.
    pub fn groups(&self) -> Vec<Group> {
        let groups: BTreeSet<Group> = self.state.layout.entries.iter().map(|entry| entry.group).collect();
        groups.into_iter().collect()
    }

    /// Sets every dropout probability; `None` takes the configuration's.
    ///
    /// # Panics
    /// If the probability is not in `[0, 1)`.
    pub fn set_dropout(&mut self, probability: Option<f64>) {
        assert!(probability.is_none_or(|p| (0.0..1.0).contains(&p)), "dropout {probability:?} is not in [0, 1)");
        self.dropout = probability;
    }

    /// Replaces the head by a fresh one without optimiser state: weights normal with the configuration's
    /// `initializer_range`, biases 0, from (seed, name). BERT's pooler takes the folder's values where it has them.
    ///
    /// # Errors
    /// [`ModelError::State`] for a head without labels.
    pub fn set_head(&mut self, head: Head, seed: u64) -> Result<(), ModelError> {
        if let Head::TokenLabels { labels: 0 } | Head::SequenceLabels { labels: 0 } = head {
            return Err(ModelError::state("a head needs at least one label"));
        }
        let parts = Parts { head: Some(head), ..self.state.parts.clone() };
        let deviation = self.config.initializer_range;
        self.state.rebuild(
            &self.config,
            parts,
            |entry| entry.group != Group::Head,
            |entry| {
                let values = match (entry.name.as_str(), &self.pooler) {
                    ("pooler.dense.weight", Some(pooler)) => pooler.weight.clone(),
                    ("pooler.dense.bias", Some(pooler)) => pooler.bias.clone(),
                    _ => fresh(entry, "head", deviation, seed),
                };
                Ok(to_device(values, &self.device))
            },
        )
    }

    /// Takes the head away.
    ///
    /// # Errors
    /// Those of the device.
    pub fn remove_head(&mut self) -> Result<(), ModelError> {
        let parts = Parts { head: None, ..self.state.parts.clone() };
        let none =
            |entry: &Entry| Err(ModelError::state(format!("`{}` is new in a model with fewer parts", entry.name)));
        self.state.rebuild(&self.config, parts, |entry| entry.group != Group::Head, none)
    }

    /// Freezes exactly these groups: they get no gradients and no dropout, and their bits do not change. Of the others,
    /// the adapters train that [`Learner::activate`] names, and of embeddings and layers what [`Learner::set_tuned`] says.
    pub fn set_frozen(&mut self, frozen: &BTreeSet<Group>) {
        self.state.frozen = frozen.clone();
    }

    fn dropouts(&self) -> Dropout {
        Dropout {
            hidden: self.dropout.unwrap_or(self.config.hidden_dropout_prob),
            attention: self.dropout.unwrap_or(self.config.attention_probs_dropout_prob),
            classifier: self.dropout.unwrap_or(self.config.classifier_dropout),
        }
    }
}

/// A parameter before training.
fn fresh(entry: &Entry, purpose: &str, deviation: f64, seed: u64) -> Vec<f32> {
    match entry.role {
        Role::Weight => random::normal(seed, purpose, &entry.name, deviation, entry.len()),
        Role::Bias | Role::NormShift => vec![0.0; entry.len()],
        Role::NormScale => vec![1.0; entry.len()],
    }
}
