use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, Tensor};
use spec::{Backend, Batch, Head};

use crate::device::{self, guard, to_device, to_host};
use crate::encoder::{Dropout, Encoder, Input};
use crate::folder::{self, Pooler, Saved};
use crate::gradients::{self, Gradients};
use crate::head::{HeadModel, Output};
use crate::layout::Role;
use crate::optimizer::AdamW;
use crate::state::State;
use crate::weights::Weights;
use crate::{Group, ModelConfig, ModelError, OptimizerConfig, SavePoint, StepNorms, batch, checkpoint, random};

/// A model that learns: parameters, head and optimiser state on one device, behind a view without tensors.
///
/// Equal calls on equal learners give equal bits, on one machine and back end.
pub struct Learner {
    backend: Backend,
    device: Device,
    config: ModelConfig,
    encoder: Encoder,
    pooler: Option<Pooler>,
    dropout: Option<f64>,
    folder: PathBuf,
    notes: Vec<String>,
    state: State,
}

/// A head's output on the host, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum Logits {
    /// `[batch, seq, labels]`
    Tokens { labels: usize, values: Vec<f32> },
    /// `[batch, labels]`
    Classes { labels: usize, values: Vec<f32> },
    /// `[batch, seq]` each, padded positions included.
    Spans { starts: Vec<f32>, ends: Vec<f32> },
}

/// Burn's CPU back ends draw from one generator a process: whoever draws holds this from seeding to the last draw.
static RANDOM: Mutex<()> = Mutex::new(());

impl Learner {
    /// Reads a Hugging Face folder (`config.json`, `model.safetensors`) onto a back end; also the head, if the folder
    /// holds one that `architectures` names.
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
            encoder: loaded.encoder,
            pooler: loaded.pooler,
            dropout: None,
            folder: folder.to_owned(),
            notes: loaded.notes,
            state: State {
                layout: loaded.layout,
                head: loaded.head,
                values,
                optimizer: AdamW::new(OptimizerConfig::default(), parameters),
                frozen: BTreeSet::new(),
                changed: vec![false; parameters],
            },
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
        self.state.head.as_ref().map(|head| head.kind)
    }

    /// Embeddings, layers from below, and the head if there is one.
    pub fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.state.layout.entries.iter().map(|entry| entry.group).collect();
        groups.dedup();
        groups
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
        self.declare_head(head);
        let fresh = self.state.layout.entries[self.state.values.len()..].iter().map(|entry| {
            let values = match (entry.name.as_str(), &self.pooler, entry.role) {
                ("pooler.dense.weight", Some(pooler), _) => pooler.weight.clone(),
                ("pooler.dense.bias", Some(pooler), _) => pooler.bias.clone(),
                (name, _, Role::Weight) => {
                    random::normal(seed, "head", name, self.config.initializer_range, entry.len())
                }
                (_, _, Role::Bias | Role::Norm) => vec![0.0; entry.len()],
            };
            to_device(values, &self.device)
        });
        let fresh: Vec<Tensor<1>> = fresh.collect();
        self.state.values.extend(fresh);
        Ok(())
    }

    /// Cuts the old head off and declares the new one; its values are still to come.
    pub(crate) fn declare_head(&mut self, head: Head) {
        let state = &mut self.state;
        let encoder = state.layout.entries.iter().filter(|entry| entry.group != Group::Head).count();
        state.layout.entries.truncate(encoder);
        state.head = Some(HeadModel::new(head, &self.config, &mut state.layout));
        state.values.truncate(encoder);
        state.changed.truncate(encoder);
        state.changed.resize(state.layout.entries.len(), true);
        state.optimizer.moments.truncate(encoder);
        state.optimizer.moments.resize(state.layout.entries.len(), None);
    }

    /// Freezes exactly these groups: they get no gradients and no dropout, and their bits do not change.
    pub fn set_frozen(&mut self, frozen: &BTreeSet<Group>) {
        self.state.frozen = frozen.clone();
    }

    /// Starts a stage: no optimiser state is left.
    pub fn begin_stage(&mut self, optimizer: OptimizerConfig) {
        self.state.optimizer = AdamW::new(optimizer, self.state.values.len());
    }

    /// Mean loss over the batch's targets that count, and its gradient with respect to everything not frozen. Dropout
    /// draws from `dropout_seed`.
    ///
    /// # Errors
    /// [`ModelError::Batch`] if the batch does not fit, [`ModelError::State`] without a head or with everything frozen,
    /// [`ModelError::NonFinite`] if the loss is not finite, [`ModelError::Device`] and [`ModelError::OutOfMemory`].
    pub fn loss_and_gradients(&mut self, batch: &Batch, dropout_seed: u64) -> Result<(f64, Gradients), ModelError> {
        let head = self.need_head()?;
        batch::check(batch, &self.config)?;
        batch::check_targets(batch, head.kind)?;
        let state = &self.state;
        if state.layout.entries.iter().all(|entry| state.frozen.contains(&entry.group)) {
            return Err(ModelError::state("every group is frozen, so there is nothing to train"));
        }
        let dropout = self.dropouts();
        guard(|| {
            let weights = Weights::training(&state.layout, &state.values, &state.frozen, dropout_seed);
            let input = self.encoder.input(batch, &self.device);
            let loss = {
                let _drawing = self.seed(dropout, dropout_seed);
                let hidden = self.encoder.forward(&input, dropout, &weights);
                head.forward(hidden, dropout, &weights).loss(&batch.targets, &input.mask)?
            };
            let value = f64::from(to_host(loss.clone().inner())?[0]);
            if !value.is_finite() {
                return Err(ModelError::NonFinite { what: "loss".to_owned() });
            }
            let mut found = loss.backward();
            let tensors = weights
                .into_leaves()
                .into_iter()
                .map(|leaf| match leaf.is_autodiff() {
                    true => Some(leaf.grad_remove(&mut found).unwrap_or_else(|| leaf.inner().zeros_like())),
                    false => None,
                })
                .collect();
            Ok((value, Gradients { tensors }))
        })
    }

    /// Inner products of `m` gradients, `[m, m]` row-major.
    ///
    /// # Errors
    /// [`ModelError::State`] if they are not of the same trained parameters.
    pub fn gram(&self, gradients: &[Gradients]) -> Result<Vec<f64>, ModelError> {
        guard(|| gradients::gram(gradients, &self.state.layout, &self.device))
    }

    /// `Σ weight · gradient`.
    ///
    /// # Errors
    /// [`ModelError::State`] if the numbers of gradients and weights differ, there are none, or they are not of the same
    /// trained parameters; [`ModelError::NonFinite`] for a weight that is not finite.
    pub fn combine(&self, gradients: Vec<Gradients>, weights: &[f64]) -> Result<Gradients, ModelError> {
        guard(|| gradients::combine(gradients, weights))
    }

    /// Clips the gradient by its global norm and takes one AdamW step.
    ///
    /// # Errors
    /// [`ModelError::NonFinite`] naming the parameter whose gradient is not finite (nothing has moved then);
    /// [`ModelError::State`] if a group was frozen or a head replaced since the gradient was taken.
    pub fn step(&mut self, gradients: Gradients, learning_rate: f64) -> Result<StepNorms, ModelError> {
        if !learning_rate.is_finite() || learning_rate < 0.0 {
            return Err(ModelError::state(format!("learning rate {learning_rate} is not a finite number from 0 up")));
        }
        let state = &mut self.state;
        let fits = gradients.tensors.len() == state.layout.entries.len()
            && gradients.tensors.iter().zip(&state.layout.entries).all(|(gradient, entry)| {
                gradient
                    .as_ref()
                    .is_none_or(|gradient| !state.frozen.contains(&entry.group) && gradient.dims() == [entry.len()])
            });
        if !fits {
            return Err(ModelError::state("the gradient was taken before a group was frozen or the head replaced"));
        }
        for (changed, gradient) in state.changed.iter_mut().zip(&gradients.tensors) {
            *changed |= gradient.is_some();
        }
        guard(|| state.optimizer.step(&mut state.values, gradients, learning_rate, &state.layout, &self.device))
    }

    /// The head's output, without dropout.
    ///
    /// # Errors
    /// [`ModelError::Batch`] if the batch does not fit, [`ModelError::State`] without a head,
    /// [`ModelError::NonFinite`] if a logit is not finite, [`ModelError::Device`] and [`ModelError::OutOfMemory`].
    pub fn logits(&self, batch: &Batch) -> Result<Logits, ModelError> {
        let head = self.need_head()?;
        self.infer(batch, |hidden, _, dropout, weights| {
            Ok(match head.forward(hidden, dropout, weights) {
                Output::Tokens(logits) => {
                    let [_, _, labels] = logits.dims();
                    Logits::Tokens { labels, values: finite("logits", logits)? }
                }
                Output::Classes(logits) => {
                    let [_, labels] = logits.dims();
                    Logits::Classes { labels, values: finite("logits", logits)? }
                }
                Output::Spans(logits) => {
                    let values = finite("logits", logits)?;
                    let column = |index: usize| values.iter().skip(index).step_by(2).copied().collect();
                    Logits::Spans { starts: column(0), ends: column(1) }
                }
            })
        })
    }

    /// Mean of the last hidden states over each row's real tokens, not normalised: `[batch, hidden]`.
    ///
    /// # Errors
    /// As [`Learner::logits`], but no head is needed.
    pub fn sentence_vectors(&self, batch: &Batch) -> Result<Vec<f32>, ModelError> {
        self.infer(batch, |hidden, input, _, _| finite("sentence vectors", input.mask.mean(hidden)))
    }

    /// The encoder's last hidden states, `[batch, seq, hidden]`.
    ///
    /// # Errors
    /// As [`Learner::sentence_vectors`].
    pub fn hidden_states(&self, batch: &Batch) -> Result<Vec<f32>, ModelError> {
        self.infer(batch, |hidden, _, _, _| finite("hidden states", hidden))
    }

    fn infer<T>(
        &self,
        batch: &Batch,
        read: impl FnOnce(Tensor<3>, &Input, Dropout, &Weights) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        batch::check(batch, &self.config)?;
        let none = Dropout { hidden: 0.0, attention: 0.0, classifier: 0.0 };
        guard(|| {
            let weights = Weights::inference(&self.state.values);
            let input = self.encoder.input(batch, &self.device);
            let hidden = self.encoder.forward(&input, none, &weights);
            read(hidden, &input, none, &weights)
        })
    }

    /// The present state, to come back to.
    pub fn save_point(&self) -> SavePoint {
        SavePoint(self.state.clone())
    }

    /// Goes back to a state of this learner.
    pub fn restore(&mut self, point: &SavePoint) {
        self.state = point.0.clone();
    }

    /// Writes what training has changed: parameters, head, optimiser state, frozen groups. The file is on the disk when
    /// this returns; whoever needs it to appear at once writes it elsewhere and renames it.
    ///
    /// # Errors
    /// [`ModelError::Io`], [`ModelError::Checkpoint`], or the device's.
    pub fn save_checkpoint(&self, path: &Path) -> Result<(), ModelError> {
        checkpoint::save(&self.state, path)
    }

    /// Takes a checkpoint's state; the next step then equals, bit for bit, the one after saving. The learner must have
    /// been loaded from the same model folder.
    ///
    /// # Errors
    /// [`ModelError::Checkpoint`] if the file is damaged or of another model, [`ModelError::State`] if this learner has
    /// trained parameters that the checkpoint does not hold. The learner is as before then.
    pub fn load_checkpoint(&mut self, path: &Path) -> Result<(), ModelError> {
        let before = self.save_point();
        let loaded = checkpoint::load(self, path);
        if loaded.is_err() {
            self.restore(&before);
        }
        loaded
    }

    /// Writes a Hugging Face folder: `model.safetensors` in f32, `config.json`, and the tokenizer's files copied from
    /// the folder that this model was loaded from.
    ///
    /// # Errors
    /// [`ModelError::Io`], [`ModelError::Weights`], or the device's.
    pub fn save_folder(&self, folder: &Path) -> Result<(), ModelError> {
        let parameters = self.state.layout.entries.iter().zip(&self.state.values);
        let parameters =
            parameters.map(|(entry, value)| Ok((entry, to_host(value.clone())?))).collect::<Result<_, ModelError>>()?;
        let saved = Saved { config: &self.config, head: self.head(), parameters, source: &self.folder };
        folder::write(saved, folder)
    }

    /// Names of all parameters, as in files but without the family's prefix, from the input to the output.
    pub fn parameter_names(&self) -> Vec<&str> {
        self.state.layout.entries.iter().map(|entry| entry.name.as_str()).collect()
    }

    /// A parameter's values in the layout of files (linear weights are `[out, in]`).
    ///
    /// # Errors
    /// [`ModelError::State`] for an unknown name, or the device's.
    pub fn parameter(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        let index = self.index(name)?;
        let entry = &self.state.layout.entries[index];
        Ok(folder::file_order(entry, to_host(self.state.values[index].clone())?))
    }

    /// A parameter's gradient in the layout of files; `None` if it was frozen.
    ///
    /// # Errors
    /// As [`Learner::parameter`].
    pub fn gradient(&self, gradients: &Gradients, name: &str) -> Result<Option<Vec<f32>>, ModelError> {
        let index = self.index(name)?;
        let entry = &self.state.layout.entries[index];
        let gradient = gradients.tensors.get(index).and_then(Option::as_ref);
        gradient.map(|gradient| Ok(folder::file_order(entry, to_host(gradient.clone())?))).transpose()
    }

    fn index(&self, name: &str) -> Result<usize, ModelError> {
        let found = self.state.layout.entries.iter().position(|entry| entry.name == name);
        found.ok_or_else(|| ModelError::state(format!("there is no parameter `{name}`")))
    }

    fn need_head(&self) -> Result<&HeadModel, ModelError> {
        self.state.head.as_ref().ok_or_else(|| ModelError::state("the model has no head; set one first"))
    }

    fn dropouts(&self) -> Dropout {
        Dropout {
            hidden: self.dropout.unwrap_or(self.config.hidden_dropout_prob),
            attention: self.dropout.unwrap_or(self.config.attention_probs_dropout_prob),
            classifier: self.dropout.unwrap_or(self.config.classifier_dropout),
        }
    }

    /// Seeds the back end's generator where something will be drawn, and keeps others away from it.
    fn seed(&self, dropout: Dropout, seed: u64) -> Option<std::sync::MutexGuard<'static, ()>> {
        let draws = [dropout.hidden, dropout.attention, dropout.classifier].iter().any(|&p| p > 0.0);
        draws.then(|| {
            let lock = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
            self.device.seed(seed);
            lock
        })
    }

    pub(crate) fn state_mut(&mut self) -> (&mut State, &Device) {
        (&mut self.state, &self.device)
    }
}

fn finite<const D: usize>(what: &str, tensor: Tensor<D>) -> Result<Vec<f32>, ModelError> {
    let values = to_host(tensor)?;
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(values),
        false => Err(ModelError::NonFinite { what: what.to_owned() }),
    }
}
