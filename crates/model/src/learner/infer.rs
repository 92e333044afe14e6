use burn::tensor::Tensor;
use kernels::cross_entropy;
use spec::{Batch, Targets};

use super::Learner;
use crate::device::{compute, to_host};
use crate::encoder::{Dropout, Input};
use crate::head::Output;
use crate::weights::Weights;
use crate::{ModelError, batch, ops};

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

/// How the language model does at one masked position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskedScore {
    /// Negative log-likelihood of the masked token, in nats.
    pub loss: f32,
    /// Whether the masked token is the most likely one.
    pub correct: bool,
}

/// Masked positions whose logits are held at a time: a multilingual vocabulary makes a megabyte of each.
const POSITIONS: usize = 256;

impl Learner {
    /// The head's output, without dropout; what stands at padding is left open.
    ///
    /// # Errors
    /// [`ModelError::Batch`] if the batch does not fit, [`ModelError::State`] without a head,
    /// [`ModelError::NonFinite`] if a logit is not finite, [`ModelError::Device`] and [`ModelError::OutOfMemory`].
    pub fn logits(&self, batch: &Batch) -> Result<Logits, ModelError> {
        let head = self.state.network.need_head()?;
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

    /// The language model's score of every masked position, row by row, without dropout.
    ///
    /// # Errors
    /// As [`Learner::logits`]; [`ModelError::State`] without a language-model head, [`ModelError::Batch`] if the targets
    /// are not masked tokens.
    pub fn masked_token_scores(&self, batch: &Batch) -> Result<Vec<MaskedScore>, ModelError> {
        let mut scores = Vec::new();
        self.masked_logits(batch, |logits, tokens| {
            let targets: Vec<i64> = tokens.iter().map(|&token| token.into()).collect();
            let found = cross_entropy::scores(logits, &targets, self.config.vocab_size)
                .map_err(|error| ModelError::state(error.to_string()))?;
            scores.extend(
                found
                    .iter()
                    .zip(tokens)
                    .map(|(score, &token)| MaskedScore { loss: score.loss, correct: score.best == token as usize }),
            );
            Ok(())
        })?;
        Ok(scores)
    }

    /// Hands the logits `[positions, words]` of some masked positions and their tokens to `read`, until all have been.
    pub(super) fn masked_logits(
        &self,
        batch: &Batch,
        mut read: impl FnMut(&[f32], &[i32]) -> Result<(), ModelError> + Send,
    ) -> Result<(), ModelError> {
        let language_model = self.state.network.need_language_model()?;
        let Targets::MaskedTokens(tokens) = &batch.targets else {
            return Err(ModelError::batch("it bears no masked tokens to predict"));
        };
        self.state.network.check_targets(batch, &self.config)?;
        let (positions, tokens) = batch::bearing(tokens);
        let active = self.state.active();
        self.infer(batch, |hidden, _, _, weights| {
            for (positions, tokens) in positions.chunks(POSITIONS).zip(tokens.chunks(POSITIONS)) {
                let hidden = ops::positions(hidden.clone(), positions);
                let logits = language_model.forward(hidden, active.coupling(), weights);
                read(&finite("logits", logits)?, tokens)?;
            }
            Ok(())
        })
    }

    /// Mean of the last hidden states over each row's real tokens, not normalised: `[batch, hidden]`.
    ///
    /// # Errors
    /// As [`Learner::logits`], but no head is needed.
    pub fn sentence_vectors(&self, batch: &Batch) -> Result<Vec<f32>, ModelError> {
        self.infer(batch, |hidden, input, _, _| finite("sentence vectors", input.mask.mean(hidden)))
    }

    /// The encoder's last hidden states, `[batch, seq, hidden]`; what stands at padding is left open.
    ///
    /// # Errors
    /// As [`Learner::sentence_vectors`].
    pub fn hidden_states(&self, batch: &Batch) -> Result<Vec<f32>, ModelError> {
        self.infer(batch, |hidden, _, _, _| finite("hidden states", hidden))
    }

    fn infer<T: Send>(
        &self,
        batch: &Batch,
        read: impl FnOnce(Tensor<3>, &Input, Dropout, &Weights) -> Result<T, ModelError> + Send,
    ) -> Result<T, ModelError> {
        batch::check(batch, &self.config)?;
        let none = Dropout { hidden: 0.0, attention: 0.0, classifier: 0.0 };
        compute(&self.device, || {
            let weights = Weights::inference(&self.state.layout, &self.state.values).with_head_masks(self.head_masks());
            let input = self.state.network.encoder.input(batch, &self.device);
            let hidden = self.trunk.forward(&self.state, batch, &input, &self.device, none, &weights)?;
            read(hidden, &input, none, &weights)
        })
    }
}

fn finite<const D: usize>(what: &str, tensor: Tensor<D>) -> Result<Vec<f32>, ModelError> {
    let values = to_host(tensor)?;
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(values),
        false => Err(ModelError::NonFinite { what: what.to_owned() }),
    }
}
