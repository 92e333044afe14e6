use burn::tensor::{Tensor, activation};

use super::Pass;
use crate::layout::{Layout, Linear};
use crate::{Group, ModelConfig, ops};

/// A classifier of rows by their first token: dense layer with tanh, dropout, dense layer. The first is BERT's pooler, and
/// each head has its own.
#[derive(Debug, Clone)]
pub(super) struct Pooled {
    dense: Linear,
    /// Whether dropout applies in front of the first layer too.
    drops_first: bool,
    pub output: Linear,
}

impl Pooled {
    pub fn new(
        [dense, output]: [&str; 2],
        drops_first: bool,
        outputs: usize,
        config: &ModelConfig,
        layout: &mut Layout,
    ) -> Self {
        let hidden = config.hidden_size;
        let mut linear = |name: &str, outputs: usize| layout.linear(name, Group::Head, hidden, outputs);
        Self { dense: linear(dense, hidden), drops_first, output: linear(output, outputs) }
    }

    /// `[batch, seq, hidden]` to `[batch, outputs]`.
    pub fn forward(&self, hidden: Tensor<3>, pass: &Pass) -> Tensor<2> {
        let probability = pass.dropout(self.output);
        let [batch, _, size] = hidden.dims();
        let mut first = hidden.slice([0..batch, 0..1, 0..size]).reshape([batch, size]);
        if self.drops_first {
            first = ops::dropout(first, probability, pass.weights);
        }
        let first = activation::tanh(ops::linear(first, self.dense, pass.weights));
        ops::linear(ops::dropout(first, probability, pass.weights), self.output, pass.weights)
    }
}
