use burn::tensor::Tensor;

use crate::adapter::Coupling;
use crate::layout::{Layout, Linear, Norm, Slot};
use crate::ops;
use crate::weights::Weights;
use crate::{Family, Group, ModelConfig};

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
    pub fn forward(&self, hidden: Tensor<2>, coupling: Option<&Coupling>, weights: &Weights) -> Tensor<2> {
        let transformed = ops::gelu(ops::linear(hidden, self.dense, weights));
        let mut normed = ops::layer_norm(transformed, self.norm, self.epsilon, weights);
        if let Some(coupling) = coupling {
            normed = coupling.inverse(normed.unsqueeze_dim(0), weights).squeeze_dim(0);
        }
        ops::tied(normed, weights.get(self.words), weights.get(self.bias))
    }
}
