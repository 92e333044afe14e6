use burn::tensor::Tensor;
use spec::{Batch, Head, Labels, Objective as Kind, Targets};

use super::logits::finite;
use super::pooled::Pooled;
use super::{Choose, Format, Logits, Objective, OutputLayer, Pass, States, rows, targets};
use crate::layout::Layout;
use crate::{Family, ModelConfig, ModelError, ops};

/// A label for each row, from its first token.
#[derive(Debug, Clone)]
pub(super) struct RowLabels(Pooled);

pub(super) const FORMAT: Format = Format {
    class: "ForSequenceClassification",
    tensor: |family| match family {
        Family::Bert => "classifier.weight",
        Family::XlmRoberta => "classifier.out_proj.weight",
    },
    named: true,
    labels: rows,
    head: |labels, _| Ok(Head::RowLabels { labels }),
};

impl RowLabels {
    pub fn new(labels: &Labels, config: &ModelConfig, layout: &mut Layout) -> Self {
        let (names, drops_first) = match config.family {
            Family::Bert => (["pooler.dense", "classifier"], false),
            Family::XlmRoberta => (["classifier.dense", "classifier.out_proj"], true),
        };
        Self(Pooled::new(names, drops_first, labels.len(), config, layout))
    }

    fn labels(&self) -> usize {
        self.0.output.weight.shape[1]
    }
}

impl Objective for RowLabels {
    fn check_targets(&self, batch: &Batch) -> Result<(), ModelError> {
        let classes = of(batch)?;
        targets::shaped("class labels", classes, batch.len())?;
        targets::in_range("class label", classes, 1, self.labels())
    }

    /// Mean cross-entropy over the rows.
    fn loss(&self, states: States, pass: &Pass) -> Result<Tensor<1>, ModelError> {
        Ok(ops::cross_entropy(self.0.forward(states.last, pass), of(pass.batch)?))
    }

    fn retarget(&self, states: States, pass: &Pass, choose: &mut Choose) -> Result<Targets, ModelError> {
        let values = finite("logits", self.0.forward(states.last, pass))?;
        Ok(Targets::Classes(values.chunks_exact(self.labels()).map(|logits| choose(logits) as i32).collect()))
    }
}

impl OutputLayer for RowLabels {
    fn logits(&self, states: States, pass: &Pass) -> Result<Logits, ModelError> {
        let values = finite("logits", self.0.forward(states.last, pass))?;
        Ok(Logits::Classes { labels: self.labels(), values })
    }
}

fn of(batch: &Batch) -> Result<&[i32], ModelError> {
    match &batch.targets {
        Targets::Classes(classes) => Ok(classes),
        other => Err(targets::mismatch(other, Kind::RowLabels)),
    }
}
