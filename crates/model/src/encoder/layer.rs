use burn::tensor::Tensor;

use super::Dropout;
use crate::adapter::{Active, Place};
use crate::layout::{Layout, Linear, Norm};
use crate::lora::{LoraConfig, Projection};
use crate::ops::{self, PaddingMask};
use crate::weights::Weights;
use crate::{Group, ModelConfig};

/// One encoder layer: self-attention and feed-forward network, each followed by residual and LayerNorm.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    index: usize,
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
    pub fn new(config: &ModelConfig, lora: Option<&LoraConfig>, index: usize, layout: &mut Layout) -> Self {
        let group = Group::Layer(index);
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let dense = |layout: &mut Layout, projection: Projection, input: usize, output: usize| {
            let name = name(projection.name());
            let linear = layout.linear(&name, group, input, output);
            match lora.filter(|lora| lora.projections.contains(&projection)) {
                Some(lora) => layout.low_rank(&name, Group::Adapter(index), linear, lora.rank, lora.scale()),
                None => linear,
            }
        };
        Self {
            index,
            heads: config.num_attention_heads,
            epsilon: config.layer_norm_eps,
            projections: [Projection::Query, Projection::Key, Projection::Value]
                .map(|projection| dense(layout, projection, hidden, hidden)),
            attention_output: dense(layout, Projection::AttentionOutput, hidden, hidden),
            attention_norm: layout.norm(&name("attention.output.LayerNorm"), group, hidden),
            up: dense(layout, Projection::Up, hidden, inner),
            down: dense(layout, Projection::Down, inner, hidden),
            output_norm: layout.norm(&name("output.LayerNorm"), group, hidden),
        }
    }

    /// `[batch, seq, hidden]` to the same.
    pub fn forward(
        &self,
        hidden: Tensor<3>,
        mask: &PaddingMask,
        active: &Active,
        dropout: Dropout,
        weights: &Weights,
    ) -> Tensor<3> {
        let (index, epsilon) = (self.index, self.epsilon);
        let trains = weights.trains(Group::Layer(index));
        let (in_attention, after) = if trains { (dropout.attention, dropout.hidden) } else { (0.0, 0.0) };
        let head_mask = weights.head_mask(index);
        let context =
            ops::attention(hidden.clone(), self.projections, self.heads, head_mask, mask, in_attention, weights);
        let attended = ops::linear(context, self.attention_output, weights);
        let place = (index, Place::Attention);
        let hidden = active.finish(place, attended, hidden, self.attention_norm, epsilon, after, weights);
        let transformed = ops::feed_forward(hidden.clone(), self.up, self.down, weights);
        active.finish((index, Place::Output), transformed, hidden, self.output_norm, epsilon, after, weights)
    }
}
