use burn::tensor::Tensor;
use spec::{Batch, Head, Objective as Kind, Targets};

use super::logits::finite;
use super::{Choose, Format, Logits, Objective, OutputLayer, Pass, States, rows, targets};
use crate::layout::{Layout, Linear};
use crate::{Group, ModelConfig, ModelError, ops};

/// First and last token of an answer: a dense layer on every token, without dropout.
#[derive(Debug, Clone)]
pub(super) struct Span {
    output: Linear,
}

pub(super) const FORMAT: Format = Format {
    class: "ForQuestionAnswering",
    tensor: |_| "qa_outputs.weight",
    named: false,
    labels: rows,
    head: |_, _| Ok(Head::Span),
};

impl Span {
    pub fn new(config: &ModelConfig, layout: &mut Layout) -> Self {
        Self { output: layout.linear("qa_outputs", Group::Head, config.hidden_size, 2) }
    }

    /// Logits of starts and of ends, `[batch, seq]` each.
    fn on_host(&self, states: States, pass: &Pass) -> Result<[Vec<f32>; 2], ModelError> {
        let values = finite("logits", ops::linear(states.last, self.output, pass.weights))?;
        Ok([0, 1].map(|column| values.iter().skip(column).step_by(2).copied().collect()))
    }
}

impl Objective for Span {
    fn check_targets(&self, batch: &Batch) -> Result<(), ModelError> {
        for (what, values) in ["start positions", "end positions"].into_iter().zip(of(batch)?) {
            targets::shaped(what, values, batch.len())?;
            for (row, (&position, &length)) in values.iter().zip(&batch.lengths).enumerate() {
                if !targets::below(position, length) {
                    return Err(ModelError::batch(format!(
                        "row {row}: {what} hold {position}, but the row has {length} tokens"
                    )));
                }
            }
        }
        Ok(())
    }

    /// The mean of start's and end's cross-entropy, each a softmax over the row's real tokens, so that no loss depends on
    /// how far a row is padded.
    fn loss(&self, states: States, pass: &Pass) -> Result<Tensor<1>, ModelError> {
        let logits = ops::linear(states.last, self.output, pass.weights);
        let [batch, seq, _] = logits.dims();
        let [starts, ends] = of(pass.batch)?;
        let [start, end] = [(0, starts), (1, ends)].map(|(column, positions)| {
            let logits = logits.clone().slice([0..batch, 0..seq, column..column + 1]).reshape([batch, seq]);
            ops::cross_entropy(ops::mask_padding(logits, &pass.input.mask), positions)
        });
        Ok((start + end) * 0.5)
    }

    fn retarget(&self, states: States, pass: &Pass, choose: &mut Choose) -> Result<Targets, ModelError> {
        let batch = pass.batch;
        let [starts, ends] = self.on_host(states, pass)?.map(|logits| -> Vec<i32> {
            let rows = logits.chunks_exact(batch.seq).zip(&batch.lengths);
            rows.map(|(row, &length)| choose(&row[..length]) as i32).collect()
        });
        Ok(Targets::Spans { starts, ends })
    }
}

impl OutputLayer for Span {
    fn logits(&self, states: States, pass: &Pass) -> Result<Logits, ModelError> {
        let [starts, ends] = self.on_host(states, pass)?;
        Ok(Logits::Spans { starts, ends })
    }
}

fn of(batch: &Batch) -> Result<[&[i32]; 2], ModelError> {
    match &batch.targets {
        Targets::Spans { starts, ends } => Ok([starts, ends]),
        other => Err(targets::mismatch(other, Kind::Span)),
    }
}
