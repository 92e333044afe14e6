//! The learner: [`Learner`] and what it does, by kind of work.

mod heads;
mod infer;
mod lanes;
mod parameters;
mod persist;
mod structure;
mod targets;
mod train;
mod uses;
mod vector;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use burn::tensor::{Device, Tensor};
use spec::Backend;

use crate::device::{self, guard, to_device};
use crate::encoder::Dropout;
use crate::folder::{self, CONFIG, Pooler};
use crate::frozen_trunk::FrozenTrunk;
use crate::layout::Entry;
use crate::network::{Network, Parts};
use crate::optimizer::AdamW;
use crate::setup::Setup;
use crate::state::State;
use crate::{Group, ModelConfig, ModelError, OptimizerConfig};

pub use uses::LanguageUse;

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
    uses: Vec<LanguageUse>,
    /// Whether what a language uses is in force, as far as that matters.
    chosen: bool,
    state: State,
    trunk: FrozenTrunk,
    /// Ends inference once it is raised.
    stop: Option<Arc<AtomicBool>>,
}

impl Learner {
    /// Reads a Hugging Face folder (`config.json`, `model.safetensors`) onto a back end; also the head, if the folder
    /// holds one that `architectures` names, and the language-model head, if the folder holds one. Of a folder that
    /// [`Learner::save_folder`] wrote, everything: further heads, adapters, low-rank factors, head mask, and what languages
    /// use, one of which must then be chosen (see [`Learner::needs_language`]).
    ///
    /// # Errors
    /// [`ModelError::Device`], [`ModelError::Config`], [`ModelError::Weights`] or [`ModelError::Io`].
    pub fn load(folder: &Path, backend: Backend) -> Result<Self, ModelError> {
        let loaded = folder::read(folder)?;
        let device = device::open(backend)?;
        let parameters = loaded.values.len();
        let values = guard(|| Ok(loaded.values.into_iter().map(|values| to_device(values, &device)).collect()))?;
        let mut learner = Self {
            backend,
            device,
            config: loaded.config,
            pooler: loaded.pooler,
            dropout: None,
            folder: folder.to_owned(),
            notes: loaded.notes,
            uses: Vec::new(),
            chosen: true,
            state: State {
                parts: loaded.parts,
                network: loaded.network,
                layout: loaded.layout,
                values,
                optimizer: AdamW::new(OptimizerConfig::default(), parameters),
                frozen: BTreeSet::new(),
                setup: Setup { heads: loaded.heads, ..Setup::default() },
                changed: vec![false; parameters],
                new: vec![false; parameters],
            },
            trunk: FrozenTrunk::default(),
            stop: None,
        };
        learner.take_up(loaded.description, folder).map_err(|error| error.of_file(&folder.join(CONFIG)))?;
        Ok(learner)
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
        let draw = |entry: &Entry| to_device(entry.fresh("fresh", deviation, seed), &device);
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
            uses: Vec::new(),
            chosen: true,
            state: State {
                parts,
                network,
                layout,
                values,
                optimizer: AdamW::new(OptimizerConfig::default(), parameters),
                frozen: BTreeSet::new(),
                setup: Setup::default(),
                changed: vec![true; parameters],
                // The whole of it is where it starts from.
                new: vec![false; parameters],
            },
            trunk: FrozenTrunk::default(),
            stop: None,
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
