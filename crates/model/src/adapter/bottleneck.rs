use burn::tensor::Tensor;

use super::config::{Activation, AdapterConfig, reduced};
use crate::layout::{Layout, Linear};
use crate::weights::Weights;
use crate::{Group, ops};

/// Down-projection, activation, up-projection (Houlsby et al. 2019, section 2.1).
#[derive(Debug, Clone)]
pub(crate) struct Bottleneck {
    down: Linear,
    activation: Activation,
    up: Linear,
    /// Whether it reads the sub-layer's normalised output.
    pub norm_before: bool,
}

impl Bottleneck {
    pub fn new(name: &str, group: Group, hidden: usize, config: &AdapterConfig, layout: &mut Layout) -> Self {
        let inner = reduced(hidden, config.reduction);
        Self {
            down: layout.linear(&format!("{name}.adapter_down.0"), group, hidden, inner),
            activation: config.activation,
            up: layout.linear(&format!("{name}.adapter_up"), group, inner, hidden),
            norm_before: config.norm_before,
        }
    }

    /// Without the residual, `[batch, seq, hidden]` to the same.
    pub fn forward(&self, hidden: Tensor<3>, weights: &Weights) -> Tensor<3> {
        let inner = self.activation.apply(ops::linear(hidden, self.down, weights));
        ops::linear(inner, self.up, weights)
    }
}

impl Activation {
    pub(super) fn apply(self, x: Tensor<3>) -> Tensor<3> {
        match self {
            Activation::Relu => burn::tensor::activation::relu(x),
            Activation::Swish => burn::tensor::activation::silu(x),
            Activation::Gelu => ops::gelu(x),
        }
    }
}
