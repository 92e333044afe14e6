//! The transformer encoder of BERT (Devlin et al. 2019) and XLM-R (Conneau et al. 2020): post-LayerNorm, learnt absolute
//! positions, exact GELU.

mod embeddings;
mod layer;

use burn::tensor::{Device, Tensor};

use embeddings::Embeddings;
pub(crate) use embeddings::Input;
use layer::Layer;

use crate::adapter::Active;
use crate::layout::{Layout, Slot};
use crate::lora::LoraConfig;
use crate::weights::Weights;
use crate::{Family, ModelConfig};

/// Dropout probabilities of a pass; they apply in groups that train.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropout {
    pub hidden: f64,
    pub attention: f64,
    pub classifier: f64,
}

impl Dropout {
    pub const NONE: Self = Self { hidden: 0.0, attention: 0.0, classifier: 0.0 };
}

/// Which parameters make the encoder, and how they are applied.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    family: Family,
    padding_id: usize,
}

impl Encoder {
    /// Declares the encoder's parameters in `layout`, under Hugging Face's names.
    pub fn new(config: &ModelConfig, lora: Option<&LoraConfig>, layout: &mut Layout) -> Self {
        Self {
            embeddings: Embeddings::new(config, layout),
            layers: (0..config.num_hidden_layers).map(|index| Layer::new(config, lora, index, layout)).collect(),
            family: config.family,
            padding_id: config.pad_token_id,
        }
    }

    /// The table of word embeddings.
    pub fn words(&self) -> Slot<2> {
        self.embeddings.words
    }

    /// How many layers there are.
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    /// Hidden states of the last layer, `[batch, seq, hidden]`, with the active adapters.
    pub fn forward(&self, input: &Input, active: &Active, dropout: Dropout, weights: &Weights) -> Tensor<3> {
        let embedded = self.below(0, input, active, dropout, weights);
        self.above(0, embedded, input, active, dropout, weights)
    }

    /// What enters the first layer and what each layer gives, `[batch, seq, hidden]` each.
    pub fn states(&self, input: &Input, active: &Active, dropout: Dropout, weights: &Weights) -> Vec<Tensor<3>> {
        let mut states = vec![self.below(0, input, active, dropout, weights)];
        for (depth, layer) in self.layers.iter().enumerate() {
            let next = layer.forward(states[depth].clone(), &input.mask, active, dropout, weights);
            states.push(next);
        }
        states
    }

    /// What enters layer `depth`, `[batch, seq, hidden]`.
    pub fn below(
        &self,
        depth: usize,
        input: &Input,
        active: &Active,
        dropout: Dropout,
        weights: &Weights,
    ) -> Tensor<3> {
        let mut embedded = self.embeddings.forward(input, dropout, weights);
        if let Some(coupling) = active.coupling() {
            embedded = coupling.forward(embedded, weights);
        }
        let layers = self.layers[..depth].iter();
        layers.fold(embedded, |hidden, layer| layer.forward(hidden, &input.mask, active, dropout, weights))
    }

    /// Hidden states of the last layer from what enters layer `depth`, `[batch, seq, hidden]` both.
    pub fn above(
        &self,
        depth: usize,
        hidden: Tensor<3>,
        input: &Input,
        active: &Active,
        dropout: Dropout,
        weights: &Weights,
    ) -> Tensor<3> {
        let layers = self.layers[depth..].iter();
        layers.fold(hidden, |hidden, layer| layer.forward(hidden, &input.mask, active, dropout, weights))
    }

    /// The batch on the device; it must have been checked.
    pub fn input(&self, batch: &spec::Batch, device: &Device) -> Input {
        Input::new(batch, self.family, self.padding_id, device)
    }
}
