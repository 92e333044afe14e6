use std::collections::BTreeSet;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{Adapter, Bottleneck, Coupling};
use crate::layout::Norm;
use crate::ops;
use crate::weights::Weights;

/// Which of a model's adapters take part, from the bottom of the stack, and which of them train.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterStack {
    /// First the language's, then the task's. The invertible adapter is the first one's.
    pub adapters: Vec<String>,
    pub trained: BTreeSet<String>,
    pub residual: StackResidual,
}

/// What the upper adapters of a stack read, and what is added to their output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StackResidual {
    /// Each adapter's place is that of a single one, with the output of the one below for the sub-layer's: AdapterHub's
    /// library.
    #[default]
    Chained,
    /// Each adapter reads the output of the one below as it is, and adds the sub-layer's output: the MAD-X paper
    /// (Pfeiffer et al. 2020, section 3.2).
    Shared,
}

/// Where in a layer an adapter's module is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Attention,
    Output,
}

/// The adapters that take part in a forward pass, from the bottom of the stack.
#[derive(Debug, Clone, Default)]
pub(crate) struct Active<'a> {
    pub adapters: Vec<&'a Adapter>,
    pub residual: StackResidual,
}

impl Active<'_> {
    fn at(&self, layer: usize, place: Place) -> impl Iterator<Item = &Bottleneck> {
        self.adapters.iter().filter_map(move |adapter| adapter.layers[layer][place as usize].as_ref())
    }

    /// The invertible adapter of the first adapter.
    pub fn coupling(&self) -> Option<&Coupling> {
        self.adapters.first().and_then(|adapter| adapter.coupling.as_ref())
    }

    /// The end of a sub-layer: adapters on its output `branch`, residual connection from its `input`, LayerNorm, all
    /// `[batch, seq, hidden]`. With f = `branch` and a = `input`, an adapter is
    ///
    /// ```text
    /// o = U s(D z) + f,  z = LN(f + a) or f;    y = LN(o + a)
    /// ```
    #[allow(clippy::too_many_arguments, reason = "one for each symbol")]
    pub fn finish(
        &self,
        (layer, place): (usize, Place),
        branch: Tensor<3>,
        input: Tensor<3>,
        norm: Norm,
        epsilon: f64,
        dropout: f64,
        weights: &Weights,
    ) -> Tensor<3> {
        let mut modules = self.at(layer, place).peekable();
        if modules.peek().is_none() {
            return ops::residual_layer_norm(branch, input, norm, epsilon, dropout, weights);
        }
        let branch = ops::dropout(branch, dropout, weights);
        let normed = |hidden: Tensor<3>| ops::residual_layer_norm(hidden, input.clone(), norm, epsilon, 0.0, weights);
        let mut hidden = branch.clone();
        for (position, module) in modules.enumerate() {
            let chained = position == 0 || self.residual == StackResidual::Chained;
            let read = if chained && module.norm_before { normed(hidden.clone()) } else { hidden.clone() };
            let residual = if chained { hidden } else { branch.clone() };
            hidden = module.forward(read, weights) + residual;
        }
        normed(hidden)
    }
}
