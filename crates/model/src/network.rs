use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use spec::{Head, Targets};

use crate::adapter::{Active, Adapter, AdapterStack, Named};
use crate::encoder::{Dropout, Encoder, Input};
use crate::head::HeadModel;
use crate::language_model::LanguageModel;
use crate::layout::Layout;
use crate::lora::LoraConfig;
use crate::weights::Weights;
use crate::{ModelConfig, ModelError, batch, ops, ranking};

/// What a network has beside its encoder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parts {
    pub lora: Option<LoraConfig>,
    pub adapters: Vec<Named>,
    pub language_model: bool,
    pub head: Option<Head>,
}

impl Parts {
    /// Whether there is an output layer.
    pub fn has_output(&self) -> bool {
        self.language_model || self.head.is_some()
    }
}

/// Encoder and output layers: which parameters they have, and how they are applied.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub encoder: Encoder,
    adapters: Vec<Adapter>,
    pub language_model: Option<LanguageModel>,
    pub head: Option<HeadModel>,
}

impl Network {
    /// The network of these parts, and its parameters from the input to the output.
    pub fn declare(config: &ModelConfig, parts: &Parts) -> (Self, Layout) {
        let mut layout = Layout::default();
        let encoder = Encoder::new(config, parts.lora.as_ref(), &mut layout);
        let adapters = parts.adapters.iter().map(|named| Adapter::new(named, config, &mut layout)).collect();
        let language_model = parts.language_model.then(|| LanguageModel::new(config, encoder.words(), &mut layout));
        let head = parts.head.map(|kind| HeadModel::new(kind, config, &mut layout));
        (Self { encoder, adapters, language_model, head }, layout)
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

    pub fn need_head(&self) -> Result<&HeadModel, ModelError> {
        self.head.as_ref().ok_or_else(|| ModelError::state("the model has no head; set one first"))
    }

    pub fn need_language_model(&self) -> Result<&LanguageModel, ModelError> {
        self.language_model.as_ref().ok_or_else(|| {
            ModelError::state(
                "the model has no language-model head, so it cannot predict masked tokens; \
                 its folder holds neither `cls.predictions.*` nor `lm_head.*`",
            )
        })
    }

    /// Checks that the network has what the batch's targets ask for, and that they fit it.
    pub fn check_targets(&self, batch: &spec::Batch, config: &ModelConfig) -> Result<(), ModelError> {
        match &batch.targets {
            Targets::MaskedTokens(_) => self.need_language_model().map(|_| ())?,
            Targets::TokenLabels(_) | Targets::Classes(_) | Targets::Spans { .. } => self.need_head().map(|_| ())?,
            Targets::Translations | Targets::None => {}
        }
        batch::check_targets(batch, self.head.as_ref().map(|head| head.kind), config.vocab_size)
    }

    /// The loss that the targets ask for, from the encoder's last hidden states `[batch, seq, hidden]`; a scalar `[1]`.
    ///
    /// # Errors
    /// As [`Network::check_targets`].
    pub fn loss(
        &self,
        hidden: Tensor<3>,
        input: &Input,
        targets: &Targets,
        active: &Active,
        dropout: Dropout,
        weights: &Weights,
    ) -> Result<Tensor<1>, ModelError> {
        match targets {
            Targets::MaskedTokens(tokens) => {
                let (positions, tokens) = batch::bearing(tokens);
                let hidden = ops::positions(hidden, &positions);
                let logits = self.need_language_model()?.forward(hidden, active.coupling(), weights);
                Ok(ops::cross_entropy(logits, &tokens))
            }
            Targets::Translations => Ok(ranking::loss(input.mask.mean(hidden))),
            targets => self.need_head()?.forward(hidden, dropout, weights).loss(targets, &input.mask),
        }
    }
}
