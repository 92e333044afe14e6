use burn::tensor::Tensor;

use super::Dropout;
use crate::layout::{Layout, Linear, Norm};
use crate::ops::{self, PaddingMask};
use crate::weights::Weights;
use crate::{Group, ModelConfig};

/// One encoder layer: self-attention and feed-forward network, each followed by residual and LayerNorm.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    group: Group,
    heads: usize,
    epsilon: f64,
    /// Query, key, value.
    projections: [Linear; 3],
    attention_output: Linear,
    attention_norm: Norm,
    up: Linear,
    down: Linear,
    output_norm: Norm,
}

impl Layer {
    pub fn new(config: &ModelConfig, index: usize, layout: &mut Layout) -> Self {
        let group = Group::Layer(index);
        let hidden = config.hidden_size;
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        Self {
            group,
            heads: config.num_attention_heads,
            epsilon: config.layer_norm_eps,
            projections: ["query", "key", "value"]
                .map(|part| layout.linear(&name(&format!("attention.self.{part}")), group, hidden, hidden)),
            attention_output: layout.linear(&name("attention.output.dense"), group, hidden, hidden),
            attention_norm: layout.norm(&name("attention.output.LayerNorm"), group, hidden),
            up: layout.linear(&name("intermediate.dense"), group, hidden, config.intermediate_size),
            down: layout.linear(&name("output.dense"), group, config.intermediate_size, hidden),
            output_norm: layout.norm(&name("output.LayerNorm"), group, hidden),
        }
    }

    /// `[batch, seq, hidden]` to the same.
    pub fn forward(&self, hidden: Tensor<3>, mask: &PaddingMask, dropout: Dropout, weights: &Weights) -> Tensor<3> {
        let (in_attention, after) =
            if weights.trains(self.group) { (dropout.attention, dropout.hidden) } else { (0.0, 0.0) };
        let context = ops::attention(hidden.clone(), self.projections, self.heads, mask, in_attention, weights);
        let attended = ops::linear(context, self.attention_output, weights);
        let hidden = ops::residual_layer_norm(attended, hidden, self.attention_norm, self.epsilon, after, weights);
        let transformed = ops::feed_forward(hidden.clone(), self.up, self.down, weights);
        ops::residual_layer_norm(transformed, hidden, self.output_norm, self.epsilon, after, weights)
    }
}
