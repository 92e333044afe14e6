use burn::tensor::Tensor;
use kernels::cross_entropy;
use spec::{Batch, IGNORED_LABEL, Objective as Kind, Targets};

use super::logits::finite;
use super::{Choose, Objective, Pass, States, targets};
use crate::adapter::Coupling;
use crate::layout::{Layout, Linear, Norm, Slot};
use crate::weights::Weights;
use crate::{Family, Group, ModelConfig, ModelError, ops};

/// Masked positions whose logits are held at a time: a multilingual vocabulary makes a megabyte of each.
const POSITIONS: usize = 256;

/// How the language model does at one masked position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskedScore {
    /// Negative log-likelihood of the masked token, in nats.
    pub loss: f32,
    /// Whether the masked token is the most likely one.
    pub correct: bool,
}

/// The output layer of masked language modelling (Devlin et al. 2019, section 3.1): dense, exact GELU, LayerNorm, and a
/// decoder that shares its weight with the word embeddings (Press and Wolf 2017) and has a bias of its own.
#[derive(Debug, Clone)]
pub(crate) struct LanguageModel {
    dense: Linear,
    norm: Norm,
    epsilon: f64,
    words: Slot<2>,
    bias: Slot<1>,
}

/// Hugging Face's names of the output layer's parts.
pub(crate) struct Names {
    pub dense: &'static str,
    norm: &'static str,
    pub bias: &'static str,
    /// The bias under the decoder's name, an alias.
    pub decoder_bias: &'static str,
    /// The word embeddings under the decoder's name.
    pub decoder_weight: &'static str,
}

impl Names {
    pub fn of(family: Family) -> Self {
        match family {
            Family::Bert => Self {
                dense: "cls.predictions.transform.dense",
                norm: "cls.predictions.transform.LayerNorm",
                bias: "cls.predictions.bias",
                decoder_bias: "cls.predictions.decoder.bias",
                decoder_weight: "cls.predictions.decoder.weight",
            },
            Family::XlmRoberta => Self {
                dense: "lm_head.dense",
                norm: "lm_head.layer_norm",
                bias: "lm_head.bias",
                decoder_bias: "lm_head.decoder.bias",
                decoder_weight: "lm_head.decoder.weight",
            },
        }
    }
}

impl LanguageModel {
    /// Declares the output layer's own parameters behind the encoder's; `words` is the table of word embeddings.
    pub fn new(config: &ModelConfig, words: Slot<2>, layout: &mut Layout) -> Self {
        let (hidden, group, names) = (config.hidden_size, Group::LanguageModel, Names::of(config.family));
        Self {
            dense: layout.linear(names.dense, group, hidden, hidden),
            norm: layout.norm(names.norm, group, hidden),
            epsilon: config.layer_norm_eps,
            words,
            bias: layout.bias(names.bias.to_owned(), group, config.vocab_size),
        }
    }

    /// Logits of the words for some of the encoder's last hidden states, `[positions, hidden]` to `[positions, words]`.
    /// An invertible adapter behind the embeddings is undone before the decoder, which shares their table.
    fn forward(&self, hidden: Tensor<2>, coupling: Option<&Coupling>, weights: &Weights) -> Tensor<2> {
        let transformed = ops::gelu(ops::linear(hidden, self.dense, weights));
        let mut normed = ops::layer_norm(transformed, self.norm, self.epsilon, weights);
        if let Some(coupling) = coupling {
            normed = coupling.inverse(normed.unsqueeze_dim(0), weights).squeeze_dim(0);
        }
        ops::tied(normed, weights.get(self.words), weights.get(self.bias))
    }

    fn vocabulary(&self) -> usize {
        self.words.shape[0]
    }

    /// Hands the logits `[positions, words]` of some masked positions and their tokens to `read`, until all have been.
    fn each(
        &self,
        states: States,
        pass: &Pass,
        mut read: impl FnMut(&[f32], &[i32]) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let (positions, tokens) = bearing(of(pass.batch)?);
        for (positions, tokens) in positions.chunks(POSITIONS).zip(tokens.chunks(POSITIONS)) {
            let hidden = ops::positions(states.last.clone(), positions);
            let logits = self.forward(hidden, pass.active.coupling(), pass.weights);
            read(&finite("logits", logits)?, tokens)?;
        }
        Ok(())
    }

    /// The score of every masked position, row by row.
    pub fn scores(&self, states: States, pass: &Pass) -> Result<Vec<MaskedScore>, ModelError> {
        let mut scores = Vec::new();
        self.each(states, pass, |logits, tokens| {
            let targets: Vec<i64> = tokens.iter().map(|&token| token.into()).collect();
            let found = cross_entropy::scores(logits, &targets, self.vocabulary())
                .map_err(|error| ModelError::state(error.to_string()))?;
            let pairs = found.iter().zip(tokens);
            let score = |(score, &token): (&cross_entropy::Score, &i32)| MaskedScore {
                loss: score.loss,
                correct: score.best == token as usize,
            };
            scores.extend(pairs.map(score));
            Ok(())
        })?;
        Ok(scores)
    }
}

impl Objective for LanguageModel {
    fn check_targets(&self, batch: &Batch) -> Result<(), ModelError> {
        let words = self.vocabulary();
        let Targets::MaskedTokens(tokens) = &batch.targets else {
            return Err(ModelError::batch("it bears no masked tokens to predict"));
        };
        targets::by_token(batch, tokens, "masked token", words, &format!("the vocabulary of {words}"))
    }

    /// Mean cross-entropy over the masked positions.
    fn loss(&self, states: States, pass: &Pass) -> Result<Tensor<1>, ModelError> {
        let (positions, tokens) = bearing(of(pass.batch)?);
        let hidden = ops::positions(states.last, &positions);
        let logits = self.forward(hidden, pass.active.coupling(), pass.weights);
        Ok(ops::cross_entropy(logits, &tokens))
    }

    fn retarget(&self, states: States, pass: &Pass, choose: &mut Choose) -> Result<Targets, ModelError> {
        let mut chosen = Vec::new();
        self.each(states, pass, |logits, _| {
            chosen.extend(logits.chunks_exact(self.vocabulary()).map(|logits| choose(logits) as i32));
            Ok(())
        })?;
        let mut chosen = chosen.into_iter();
        let next = |&token: &i32| if token == IGNORED_LABEL { None } else { chosen.next() };
        let tokens = of(pass.batch)?.iter().map(next);
        Ok(Targets::MaskedTokens(tokens.map(|token| token.unwrap_or(IGNORED_LABEL)).collect()))
    }
}

fn of(batch: &Batch) -> Result<&[i32], ModelError> {
    match &batch.targets {
        Targets::MaskedTokens(tokens) => Ok(tokens),
        other => Err(targets::mismatch(other, Kind::MaskedTokens)),
    }
}

/// Flat positions of the targets that count, and these targets.
fn bearing(targets: &[i32]) -> (Vec<u32>, Vec<i32>) {
    let counted = targets.iter().enumerate().filter(|(_, target)| **target != IGNORED_LABEL);
    counted.map(|(position, &target)| (position as u32, target)).unzip()
}
