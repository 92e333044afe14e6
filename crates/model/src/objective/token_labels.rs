use burn::tensor::Tensor;
use spec::{Batch, Head, IGNORED_LABEL, Labels, Objective as Kind, Targets};

use super::logits::finite;
use super::{Choose, Format, Logits, Objective, OutputLayer, Pass, States, rows, targets};
use crate::layout::{Layout, Linear};
use crate::{Group, ModelConfig, ModelError, ops};

/// A label for each word, at its first token: dropout and a dense layer on every token.
#[derive(Debug, Clone)]
pub(super) struct TokenLabels {
    output: Linear,
}

pub(super) const FORMAT: Format = Format {
    class: "ForTokenClassification",
    tensor: |_| "classifier.weight",
    named: true,
    labels: rows,
    head: |labels, _| Ok(Head::TokenLabels { labels }),
};

impl TokenLabels {
    pub fn new(labels: &Labels, config: &ModelConfig, layout: &mut Layout) -> Self {
        Self { output: layout.linear("classifier", Group::Head, config.hidden_size, labels.len()) }
    }

    fn labels(&self) -> usize {
        self.output.weight.shape[1]
    }

    /// `[batch, seq, labels]`
    fn forward(&self, hidden: Tensor<3>, pass: &Pass) -> Tensor<3> {
        let dropped = ops::dropout(hidden, pass.dropout(self.output), pass.weights);
        ops::linear(dropped, self.output, pass.weights)
    }
}

impl Objective for TokenLabels {
    fn check_targets(&self, batch: &Batch) -> Result<(), ModelError> {
        let (labels, limit) = (of(batch)?, self.labels());
        targets::by_token(batch, labels, "label", limit, &format!("the head's {limit} labels"))
    }

    /// Mean cross-entropy over the tokens that bear a label.
    fn loss(&self, states: States, pass: &Pass) -> Result<Tensor<1>, ModelError> {
        let logits = self.forward(states.last, pass);
        let [batch, seq, classes] = logits.dims();
        Ok(ops::cross_entropy(logits.reshape([batch * seq, classes]), of(pass.batch)?))
    }

    fn retarget(&self, states: States, pass: &Pass, choose: &mut Choose) -> Result<Targets, ModelError> {
        let values = finite("logits", self.forward(states.last, pass))?;
        let pairs = of(pass.batch)?.iter().zip(values.chunks_exact(self.labels()));
        let choose = |(&old, logits)| if old == IGNORED_LABEL { old } else { choose(logits) as i32 };
        Ok(Targets::TokenLabels(pairs.map(choose).collect()))
    }
}

impl OutputLayer for TokenLabels {
    fn logits(&self, states: States, pass: &Pass) -> Result<Logits, ModelError> {
        let values = finite("logits", self.forward(states.last, pass))?;
        Ok(Logits::Tokens { labels: self.labels(), values })
    }
}

fn of(batch: &Batch) -> Result<&[i32], ModelError> {
    match &batch.targets {
        Targets::TokenLabels(labels) => Ok(labels),
        other => Err(targets::mismatch(other, Kind::TokenLabels)),
    }
}
