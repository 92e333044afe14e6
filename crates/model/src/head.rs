use burn::tensor::{Tensor, activation};
use spec::{Head, Targets};

use crate::encoder::Dropout;
use crate::layout::{Layout, Linear};
use crate::network::Parts;
use crate::ops::{self, PaddingMask};
use crate::weights::Weights;
use crate::{Family, Group, ModelConfig, ModelError};

/// The output layer in the shape that Hugging Face's classes for the two families give it.
#[derive(Debug, Clone)]
pub(crate) struct HeadModel {
    pub kind: Head,
    family: Family,
    /// Dense layer with tanh on the first token, only for sequence labels: BERT's pooler, XLM-R's `classifier.dense`.
    dense: Option<Linear>,
    output: Linear,
}

/// Logits as they leave the head.
pub(crate) enum Output {
    /// `[batch, seq, labels]`
    Tokens(Tensor<3>),
    /// `[batch, labels]`
    Classes(Tensor<2>),
    /// Start and end, `[batch, seq, 2]`.
    Spans(Tensor<3>),
}

impl HeadModel {
    /// Declares the head's parameters behind the encoder's.
    pub fn new(kind: Head, config: &ModelConfig, layout: &mut Layout) -> Self {
        let hidden = config.hidden_size;
        let mut linear = |name: &str, outputs: usize| layout.linear(name, Group::Head, hidden, outputs);
        let (dense, output) = match (kind, config.family) {
            (Head::TokenLabels { labels }, _) => (None, linear("classifier", labels)),
            (Head::Span, _) => (None, linear("qa_outputs", 2)),
            (Head::SequenceLabels { labels }, Family::Bert) => {
                (Some(linear("pooler.dense", hidden)), linear("classifier", labels))
            }
            (Head::SequenceLabels { labels }, Family::XlmRoberta) => {
                (Some(linear("classifier.dense", hidden)), linear("classifier.out_proj", labels))
            }
        };
        Self { kind, family: config.family, dense, output }
    }

    /// Logits for the encoder's last hidden states `[batch, seq, hidden]`.
    pub fn forward(&self, hidden: Tensor<3>, dropout: Dropout, weights: &Weights) -> Output {
        let probability = if weights.trains(Group::Head) { dropout.classifier } else { 0.0 };
        match self.kind {
            Head::TokenLabels { .. } => {
                Output::Tokens(ops::linear(ops::dropout(hidden, probability, weights), self.output, weights))
            }
            Head::Span => Output::Spans(ops::linear(hidden, self.output, weights)),
            Head::SequenceLabels { .. } => {
                let [batch, _, size] = hidden.dims();
                let mut first = hidden.slice([0..batch, 0..1, 0..size]).reshape([batch, size]);
                if let Some(dense) = self.dense {
                    if self.family == Family::XlmRoberta {
                        first = ops::dropout(first, probability, weights);
                    }
                    first = activation::tanh(ops::linear(first, dense, weights));
                }
                Output::Classes(ops::linear(ops::dropout(first, probability, weights), self.output, weights))
            }
        }
    }
}

impl Output {
    /// Mean cross-entropy over the targets that count, `[1]`. Spans: the mean of start and end, each a softmax over the
    /// row's real tokens, so that no loss depends on how far a row is padded.
    ///
    /// # Errors
    /// [`ModelError::Batch`] if the targets are of another kind.
    pub fn loss(self, targets: &Targets, mask: &PaddingMask) -> Result<Tensor<1>, ModelError> {
        match (self, targets) {
            (Output::Tokens(logits), Targets::TokenLabels(labels)) => {
                let [batch, seq, classes] = logits.dims();
                Ok(ops::cross_entropy(logits.reshape([batch * seq, classes]), labels))
            }
            (Output::Classes(logits), Targets::Classes(classes)) => Ok(ops::cross_entropy(logits, classes)),
            (Output::Spans(logits), Targets::Spans { starts, ends }) => {
                let [batch, seq, _] = logits.dims();
                let [start, end] = [(0, starts), (1, ends)].map(|(column, positions)| {
                    let logits = logits.clone().slice([0..batch, 0..seq, column..column + 1]).reshape([batch, seq]);
                    ops::cross_entropy(ops::mask_padding(logits, mask), positions)
                });
                Ok((start + end) * 0.5)
            }
            _ => Err(ModelError::batch("the targets are not of the head's kind")),
        }
    }
}

/// What a configuration's `architectures` says about the head; `None` for encoders without one.
pub(crate) fn named_head(architecture: &str) -> Option<HeadName> {
    let class = ["Bert", "XLMRoberta"].iter().find_map(|family| architecture.strip_prefix(family))?;
    match class {
        "ForTokenClassification" => Some(HeadName::Tokens),
        "ForQuestionAnswering" => Some(HeadName::Span),
        "ForSequenceClassification" => Some(HeadName::Sequence),
        _ => None,
    }
}

/// A head's kind before its number of labels is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeadName {
    Tokens,
    Span,
    Sequence,
}

impl HeadName {
    /// The tensor whose rows are the labels.
    pub fn label_tensor(self, family: Family) -> &'static str {
        match (self, family) {
            (HeadName::Tokens, _) | (HeadName::Sequence, Family::Bert) => "classifier.weight",
            (HeadName::Sequence, Family::XlmRoberta) => "classifier.out_proj.weight",
            (HeadName::Span, _) => "qa_outputs.weight",
        }
    }

    pub fn with_labels(self, labels: usize) -> Head {
        match self {
            HeadName::Tokens => Head::TokenLabels { labels },
            HeadName::Span => Head::Span,
            HeadName::Sequence => Head::SequenceLabels { labels },
        }
    }
}

/// The name of Hugging Face's class for an encoder with these output layers.
pub(crate) fn architecture(family: Family, parts: &Parts) -> String {
    let suffix = match parts.head {
        None if parts.language_model => "ForMaskedLM",
        None => "Model",
        Some(Head::TokenLabels { .. }) => "ForTokenClassification",
        Some(Head::Span) => "ForQuestionAnswering",
        Some(Head::SequenceLabels { .. }) => "ForSequenceClassification",
    };
    format!("{}{suffix}", family.class())
}
