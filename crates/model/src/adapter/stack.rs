use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{Adapter, Bottleneck, Coupling};
use crate::layout::Norm;
use crate::ops;
use crate::weights::Weights;

/// Which of a model's adapters take part, from the bottom of the stack, and which of them train.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterStack {
    /// First the language's, then the task's. The invertible adapter is that of the first one whose strength is not 0.
    pub adapters: Vec<String>,
    pub trained: BTreeSet<String>,
    pub residual: StackResidual,
    /// What an adapter's output is multiplied by before its residual is added; 1 where nothing is said. With 0 the
    /// adapter takes no part: the model is, bit for bit, the one without it. An invertible adapter knows only 0 and the
    /// rest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub strengths: BTreeMap<String, f64>,
}

impl AdapterStack {
    pub(crate) fn strength(&self, adapter: &str) -> f64 {
        self.strengths.get(adapter).copied().unwrap_or(1.0)
    }
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
    /// All adapters read what a single one would, and their outputs are added to the sub-layer's.
    Parallel,
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
    /// With their strengths, which are not 0.
    pub adapters: Vec<(&'a Adapter, f64)>,
    pub residual: StackResidual,
}

impl Active<'_> {
    fn at(&self, layer: usize, place: Place) -> impl Iterator<Item = (&Bottleneck, f64)> {
        let modules = self.adapters.iter();
        modules.filter_map(move |(of, strength)| Some((of.layers[layer][place as usize].as_ref()?, *strength)))
    }

    /// The invertible adapter of the first adapter.
    pub fn coupling(&self) -> Option<&Coupling> {
        self.adapters.first().and_then(|(adapter, _)| adapter.coupling.as_ref())
    }

    /// The end of a sub-layer: adapters on its output `branch`, residual connection from its `input`, LayerNorm, all
    /// `[batch, seq, hidden]`. With f = `branch`, a = `input` and the strength s, an adapter is
    ///
    /// ```text
    /// o = s U act(D z) + f,  z = LN(f + a) or f;    y = LN(o + a)
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
        for (position, (module, strength)) in modules.enumerate() {
            let normed = |hidden: Tensor<3>| if module.norm_before { normed(hidden) } else { hidden };
            let (read, residual) = match self.residual {
                StackResidual::Shared if position > 0 => (hidden, branch.clone()),
                StackResidual::Chained | StackResidual::Shared => (normed(hidden.clone()), hidden),
                StackResidual::Parallel => (normed(branch.clone()), hidden),
            };
            let output = module.forward(read, weights);
            hidden = if strength == 1.0 { output } else { output * strength } + residual;
        }
        normed(hidden)
    }
}
