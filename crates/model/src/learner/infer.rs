use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use spec::Batch;

use super::Learner;
use crate::device::compute;
use crate::encoder::{Dropout, Input};
use crate::objective::{Logits, MaskedScore, Objective, Pass, States, finite};
use crate::weights::Weights;
use crate::{ModelError, batch};

impl Learner {
    /// From now on inference fails with [`ModelError::Stopped`] once the flag is raised; with `None` it does not.
    pub fn stop_inference_on(&mut self, flag: Option<Arc<AtomicBool>>) {
        self.stop = flag;
    }

    /// The output of the head that serves the batch's task, without dropout.
    ///
    /// # Errors
    /// [`ModelError::Batch`] if the batch does not fit, [`ModelError::State`] without such a head,
    /// [`ModelError::NonFinite`] if a logit is not finite, [`ModelError::Device`] and [`ModelError::OutOfMemory`].
    pub fn logits(&self, batch: &Batch) -> Result<Logits, ModelError> {
        let head = self.state.head(batch)?;
        batch::check(batch, &self.config)?;
        head.check_input(batch)?;
        self.objective_states(batch, head, |states, pass| head.logits(states, pass))
    }

    /// The language model's score of every masked position, row by row, without dropout.
    ///
    /// # Errors
    /// As [`Learner::logits`]; [`ModelError::State`] without a language-model head, [`ModelError::Batch`] if the targets
    /// are not masked tokens.
    pub fn masked_token_scores(&self, batch: &Batch) -> Result<Vec<MaskedScore>, ModelError> {
        let language_model = self.state.network.outputs.language_model()?;
        batch::check(batch, &self.config)?;
        language_model.check(batch)?;
        self.objective_states(batch, language_model, |states, pass| language_model.scores(states, pass))
    }

    /// Mean of the last hidden states over each row's real tokens, not normalised: `[batch, hidden]`.
    ///
    /// # Errors
    /// As [`Learner::logits`], but no head is needed.
    pub fn sentence_vectors(&self, batch: &Batch) -> Result<Vec<f32>, ModelError> {
        self.infer(batch, |input, dropout, weights| {
            let hidden = self.trunk.forward(&self.state, batch, input, &self.device, dropout, weights)?;
            finite("sentence vectors", input.mask.mean(hidden))
        })
    }

    /// [`Learner::sentence_vectors`] of the hidden states that a layer gives, from 1; layers above it are not computed.
    ///
    /// # Errors
    /// As [`Learner::sentence_vectors`], also if the encoder has no such layer.
    pub fn sentence_vectors_of_layer(&self, batch: &Batch, layer: usize) -> Result<Vec<f32>, ModelError> {
        let encoder = &self.state.network.encoder;
        if !(1..=encoder.depth()).contains(&layer) {
            return Err(ModelError::batch(format!(
                "layer {layer} was asked for, and the encoder has {}",
                encoder.depth()
            )));
        }
        self.infer(batch, |input, dropout, weights| {
            let hidden = encoder.below(layer, input, &self.state.active(), dropout, weights);
            finite("sentence vectors", input.mask.mean(hidden))
        })
    }

    /// The encoder's last hidden states, `[batch, seq, hidden]`; what stands at padding is left open.
    ///
    /// # Errors
    /// As [`Learner::sentence_vectors`].
    pub fn hidden_states(&self, batch: &Batch) -> Result<Vec<f32>, ModelError> {
        self.infer(batch, |input, dropout, weights| {
            finite("hidden states", self.trunk.forward(&self.state, batch, input, &self.device, dropout, weights)?)
        })
    }

    /// What `read` makes of what the objective reads of a batch, without dropout.
    pub(super) fn objective_states<T: Send>(
        &self,
        batch: &Batch,
        objective: &dyn Objective,
        read: impl FnOnce(States, &Pass) -> Result<T, ModelError> + Send,
    ) -> Result<T, ModelError> {
        self.infer(batch, |input, dropout, weights| {
            let active = self.state.active();
            let pass = Pass { batch, input, active: &active, dropout, weights };
            read(self.trunk.states(objective, &self.state, &pass, &self.device)?, &pass)
        })
    }

    fn infer<T: Send>(
        &self,
        batch: &Batch,
        read: impl FnOnce(&Input, Dropout, &Weights) -> Result<T, ModelError> + Send,
    ) -> Result<T, ModelError> {
        if self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Err(ModelError::Stopped);
        }
        batch::check(batch, &self.config)?;
        compute(&self.device, || {
            let weights = Weights::inference(&self.state.layout, &self.state.values).with_head_masks(self.head_masks());
            let input = self.state.network.encoder.input(batch, &self.device);
            read(&input, Dropout::NONE, &weights)
        })
    }
}
