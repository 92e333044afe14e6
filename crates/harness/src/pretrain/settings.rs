use std::path::Path;

use anyhow::{Result, bail};
use model::ModelConfig;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Everything that decides what a pre-trained encoder becomes, but for the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    pub seed: u64,
    /// Content hash of the model that is trained on; absent for a fresh one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Tokens of the vocabulary at most.
    pub vocabulary: usize,
    pub layers: usize,
    pub hidden: usize,
    pub heads: usize,
    /// Features inside a feed-forward block.
    pub feed_forward: usize,
    /// Tokens of a row at most, special ones included.
    pub max_length: usize,
    /// Of pre-training alone: text is read so few times that there is little to overfit.
    pub dropout: f64,
    pub steps: u64,
    /// Tokens of a batch, padding included.
    pub tokens: usize,
    /// Share of tokens hidden.
    pub mask: f64,
    /// Share of the steps that compare no texts whose rows are a text and its translation.
    pub translations: f64,
    /// Share of the same steps that rank translations among the batch's sentences.
    pub ranking: f64,
    /// Share of all steps that tell which tokens of a text another one does not say, and whether there are any.
    pub comparing: f64,
    /// Share of the steps that is over before the first of these: texts can be compared once they can be read.
    pub comparing_after: f64,
    pub learning_rate: f64,
    pub warmup: f64,
    pub weight_decay: f64,
    pub clip: f64,
}

/// Numbers of a batch's hidden states: 1 GiB, of which a step holds some for every layer.
const MOST_STATES: usize = 1 << 28;
/// Parameters: with gradients and moments they take 16 GiB.
const MOST_PARAMETERS: usize = 1 << 30;

impl Settings {
    /// The same for a model that exists: its shape, and rows of at most this length, or as long as it can read.
    ///
    /// # Errors
    /// The folder cannot be read, or the model reads no rows of that length.
    pub fn of_model(self, folder: &Path, max_length: Option<usize>) -> Result<Self> {
        let config = ModelConfig::read(&folder.join("config.json"))?;
        let most = config.max_tokens();
        if let Some(length) = max_length.filter(|&length| length > most) {
            bail!("--max-length {length}: `{}` reads at most {most} tokens", folder.display());
        }
        Ok(Self {
            from: Some(model::content_hash(folder)?),
            vocabulary: config.vocab_size,
            layers: config.num_hidden_layers,
            hidden: config.hidden_size,
            heads: config.num_attention_heads,
            feed_forward: config.intermediate_size,
            max_length: self.max_length.min(most),
            ..self
        })
    }

    /// The `config.json` of such an encoder, for a vocabulary of `tokens` tokens: XLM-R's architecture.
    pub fn config(&self, tokens: usize) -> Value {
        json!({
            "architectures": ["XLMRobertaForMaskedLM"],
            "model_type": "xlm-roberta",
            "vocab_size": tokens,
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.feed_forward,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            // The first position is that behind the padding id.
            "max_position_embeddings": self.max_length + 2,
            "type_vocab_size": 1,
            "layer_norm_eps": 1e-5,
            "initializer_range": 0.02,
            "bos_token_id": 0,
            "pad_token_id": 1,
            "eos_token_id": 2,
            "position_embedding_type": "absolute",
            "tie_word_embeddings": true,
        })
    }

    /// About how many parameters the layers have, and the table of a vocabulary of the largest size.
    fn parameters(&self) -> usize {
        let layer = self
            .hidden
            .saturating_mul(self.hidden.saturating_mul(4).saturating_add(self.feed_forward.saturating_mul(2)));
        self.layers.saturating_mul(layer).saturating_add(self.vocabulary.saturating_mul(self.hidden))
    }

    /// Why these cannot work, if so.
    pub fn problem(&self) -> Option<String> {
        let share = |share: f64| (0.0..=1.0).contains(&share);
        let problems = [
            (self.vocabulary < 64, format!("a vocabulary of {} tokens is too small; use 64 or more", self.vocabulary)),
            (self.vocabulary > 1_000_000, format!("a vocabulary of {} tokens is too large", self.vocabulary)),
            (
                !(1..=64).contains(&self.layers) || !(8..=4096).contains(&self.hidden),
                format!("{} layers of {} features: use 1 to 64 of 8 to 4096", self.layers, self.hidden),
            ),
            (
                self.heads == 0 || !self.hidden.is_multiple_of(self.heads),
                format!("{} attention heads do not divide {} features", self.heads, self.hidden),
            ),
            (
                !(8..=16_384).contains(&self.feed_forward),
                format!("--feed-forward {} is not 8 to 16384", self.feed_forward),
            ),
            (!(16..=4096).contains(&self.max_length), format!("--max-length {} is not 16 to 4096", self.max_length)),
            (!(0.0..1.0).contains(&self.dropout), format!("--dropout {} is not in [0, 1)", self.dropout)),
            (self.steps == 0, "--steps must be at least 1".to_owned()),
            (
                self.tokens < self.max_length,
                format!("batches of {} tokens cannot hold a row of {}; raise --tokens", self.tokens, self.max_length),
            ),
            (
                self.tokens.saturating_mul(self.hidden) > MOST_STATES,
                format!(
                    "--tokens {} of {} features: the hidden states of a batch are at most {MOST_STATES} numbers",
                    self.tokens, self.hidden
                ),
            ),
            (
                self.parameters() > MOST_PARAMETERS,
                format!("an encoder of about {} parameters; at most {MOST_PARAMETERS} are trained", self.parameters()),
            ),
            (!(self.mask > 0.0 && self.mask < 1.0), format!("--mask {} is not in (0, 1)", self.mask)),
            (
                !share(self.translations) || !share(self.ranking) || self.translations + self.ranking > 1.0,
                "--translations and --ranking are shares of the steps, together at most 1".to_owned(),
            ),
            (
                !(0.0..1.0).contains(&self.comparing),
                format!("--comparing {} is a share of the steps, in [0, 1)", self.comparing),
            ),
            (
                !(self.learning_rate > 0.0 && self.learning_rate <= 1.0),
                format!("--learning-rate {} is not in (0, 1]", self.learning_rate),
            ),
            (
                !share(self.comparing_after),
                format!("--comparing-after {} is a share of the steps, in [0, 1]", self.comparing_after),
            ),
            (!share(self.warmup), format!("--warmup {} is a share of the steps, in [0, 1]", self.warmup)),
            (!share(self.weight_decay), format!("--weight-decay {} is not in [0, 1]", self.weight_decay)),
            (!(self.clip > 0.0 && self.clip.is_finite()), format!("--clip {} is not a positive number", self.clip)),
        ];
        problems.into_iter().find_map(|(bad, message)| bad.then_some(message))
    }
}
