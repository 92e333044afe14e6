use burn::tensor::{Tensor, TensorData};
use spec::{Batch, Head, Objective as Kind, Targets};

use super::logits::finite;
use super::pooled::Pooled;
use super::{Choose, Format, Logits, Objective, OutputLayer, Pass, States, rows, targets};
use crate::layout::Layout;
use crate::{ModelConfig, ModelError, ops};

/// One logit a row, from its first token by the pooler and a dense layer; a softmax over the rows of an example. Both
/// families have the classifier's dropout in front of the dense layer.
#[derive(Debug, Clone)]
pub(super) struct Choices(Pooled);

pub(super) const FORMAT: Format = Format {
    class: "ForMultipleChoice",
    tensor: |_| "classifier.weight",
    named: false,
    labels: rows,
    head: |_, _| Ok(Head::Choices),
};

impl Choices {
    pub fn new(config: &ModelConfig, layout: &mut Layout) -> Self {
        Self(Pooled::new(["pooler.dense", "classifier"], false, 1, config, layout))
    }
}

impl Objective for Choices {
    fn check_targets(&self, batch: &Batch) -> Result<(), ModelError> {
        let (rows, right) = of(batch)?;
        targets::shaped("right choices", right, rows.len())?;
        for (example, (&rows, &right)) in rows.iter().zip(right).enumerate() {
            if !targets::below(right, rows) {
                return Err(ModelError::batch(format!("example {example}: choice {right} of {rows} cannot be right")));
            }
        }
        let counted = rows.iter().try_fold(0usize, |sum, &rows| sum.checked_add(rows));
        match counted == Some(batch.len()) {
            true => Ok(()),
            false => Err(ModelError::batch(format!("its examples have {rows:?} rows, the batch {}", batch.len()))),
        }
    }

    /// Mean over the examples of the cross-entropy over their rows.
    fn loss(&self, states: States, pass: &Pass) -> Result<Tensor<1>, ModelError> {
        let (rows, right) = of(pass.batch)?;
        Ok(ops::cross_entropy(by_example(self.0.forward(states.last, pass), rows), right))
    }

    fn retarget(&self, states: States, pass: &Pass, choose: &mut Choose) -> Result<Targets, ModelError> {
        let (rows, _) = of(pass.batch)?;
        let values = finite("logits", self.0.forward(states.last, pass))?;
        let mut rest = values.as_slice();
        let right = rows.iter().map(|&rows| {
            let (own, behind) = rest.split_at(rows);
            rest = behind;
            choose(own) as i32
        });
        Ok(Targets::Choices { right: right.collect(), rows: rows.to_vec() })
    }
}

impl OutputLayer for Choices {
    fn logits(&self, states: States, pass: &Pass) -> Result<Logits, ModelError> {
        Ok(Logits::Choices { values: finite("logits", self.0.forward(states.last, pass))? })
    }
}

fn of(batch: &Batch) -> Result<(&[usize], &[i32]), ModelError> {
    match &batch.targets {
        Targets::Choices { rows, right } => Ok((rows, right)),
        other => Err(targets::mismatch(other, Kind::Choices)),
    }
}

/// Logits `[batch, 1]` of rows as `[examples, most rows]`; where an example has fewer, so low that a softmax gives 0.
fn by_example(logits: Tensor<2>, rows: &[usize]) -> Tensor<2> {
    let (examples, most) = (rows.len(), rows.iter().copied().max().unwrap_or(0));
    if rows.iter().all(|&rows| rows == most) {
        return logits.reshape([examples, most]);
    }
    let [batch, _] = logits.dims();
    let low = Tensor::from_data(TensorData::new(vec![ops::MASKED_SCORE], [1, 1]), &logits.device().inner());
    let mut start = 0;
    let places = rows.iter().flat_map(|&rows| {
        start += rows;
        (0..most).map(move |row| if row < rows { start - rows + row } else { batch } as u32)
    });
    let places: Vec<u32> = places.collect();
    ops::rows(ops::cat([logits, low]), &places).reshape([examples, most])
}
