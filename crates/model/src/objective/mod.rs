//! What is computed from an encoder's hidden states, and how it is trained: one file an objective.
//!
//! Of all other files none knows which objectives there are. From a batch, a head, or the class that a Hugging Face folder
//! names, the ways to an objective's file are here.

mod arcs;
mod choices;
mod logits;
mod masked_tokens;
mod outputs;
mod pooled;
mod ranking;
mod row_labels;
mod span;
mod targets;
mod token_labels;

use std::fmt::Debug;
use std::sync::Arc;

use burn::tensor::Tensor;
use serde_json::{Map, Value};
use spec::{Batch, Head, Labels, Targets};

use crate::adapter::Active;
use crate::encoder::{Dropout, Input};
use crate::layout::{Entry, Layout, Linear};
use crate::owner::OwnedHead;
use crate::weights::Weights;
use crate::{Family, ModelConfig, ModelError};

pub use logits::Logits;
pub(crate) use logits::finite;
pub use masked_tokens::MaskedScore;
pub(crate) use masked_tokens::{LanguageModel, Names};
pub(crate) use outputs::Outputs;
pub(crate) use targets::in_range;

/// What an encoder gives, `[batch, seq, hidden]` each.
pub(crate) struct States {
    /// Of the last layer.
    pub last: Tensor<3>,
    /// What enters the first layer and what each layer gives, for objectives that read them; otherwise empty.
    pub all: Vec<Tensor<3>>,
}

/// What an objective sees of a pass beside hidden states.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    /// Checked.
    pub batch: &'a Batch,
    pub input: &'a Input,
    pub active: &'a Active<'a>,
    pub dropout: Dropout,
    pub weights: &'a Weights,
}

impl Pass<'_> {
    /// Probability of dropout in a head with this layer: 0 unless it trains.
    fn dropout(&self, of: Linear) -> f64 {
        if self.weights.is_trained(of.weight) { self.dropout.classifier } else { 0.0 }
    }
}

/// Chooses among logits.
pub(crate) type Choose<'a> = dyn FnMut(&[f32]) -> usize + Send + 'a;

/// How a loss is computed.
pub(crate) trait Objective: Debug + Send + Sync {
    /// Whether it reads the hidden states of all layers.
    fn reads_all_layers(&self) -> bool {
        false
    }

    /// Checks what it reads of a batch beside tokens and targets.
    fn check_input(&self, _: &Batch) -> Result<(), ModelError> {
        Ok(())
    }

    /// Checks that the targets of a batch, whose input has been checked, fit, and that at least one of them counts.
    fn check_targets(&self, batch: &Batch) -> Result<(), ModelError>;

    /// Mean over the targets that count, a scalar `[1]`.
    fn loss(&self, states: States, pass: &Pass) -> Result<Tensor<1>, ModelError>;

    /// The batch's targets, those that count replaced by what `choose` makes of their logits.
    fn retarget(&self, states: States, pass: &Pass, choose: &mut Choose) -> Result<Targets, ModelError>;

    fn check(&self, batch: &Batch) -> Result<(), ModelError> {
        self.check_input(batch)?;
        self.check_targets(batch)
    }
}

/// A head.
pub(crate) trait OutputLayer: Objective {
    fn logits(&self, states: States, pass: &Pass) -> Result<Logits, ModelError>;
}

/// How a head stands in Hugging Face's folders.
pub(crate) struct Format {
    /// The end of its class's name in `architectures`.
    class: &'static str,
    /// The tensor that shows how many labels there are.
    tensor: fn(Family) -> &'static str,
    /// Whether these labels have names.
    named: bool,
    /// How many, by that tensor's shape.
    labels: fn(&[usize]) -> Option<usize>,
    /// The head of these labels, with what `config.json` says beside.
    head: fn(Labels, &Map<String, Value>) -> Result<Head, String>,
}

const FORMATS: [&Format; 5] =
    [&token_labels::FORMAT, &row_labels::FORMAT, &span::FORMAT, &choices::FORMAT, &arcs::FORMAT];

/// A dense layer's tensor has a row a label.
fn rows(shape: &[usize]) -> Option<usize> {
    match shape {
        &[rows, _] => Some(rows),
        _ => None,
    }
}

impl Format {
    /// What a class's name says about the head; `None` for encoders without one.
    pub fn named(class: &str) -> Option<&'static Self> {
        let class = ["Bert", "XLMRoberta"].iter().find_map(|family| class.strip_prefix(family))?;
        FORMATS.into_iter().find(|format| format.class == class)
    }

    fn of(head: &Head) -> &'static Self {
        match head {
            Head::TokenLabels { .. } => &token_labels::FORMAT,
            Head::RowLabels { .. } => &row_labels::FORMAT,
            Head::Span => &span::FORMAT,
            Head::Choices => &choices::FORMAT,
            Head::Arcs { .. } => &arcs::FORMAT,
        }
    }

    pub fn tensor(&self, family: Family) -> &'static str {
        (self.tensor)(family)
    }

    /// Whether its labels have names.
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// How many labels a tensor of this shape shows; at least 1.
    pub fn labels(&self, shape: &[usize]) -> Option<usize> {
        (self.labels)(shape).filter(|&labels| labels > 0)
    }

    /// The head of these labels in a folder with this `config.json`.
    pub fn head(&self, labels: Labels, config: &Map<String, Value>) -> Result<Head, String> {
        (self.head)(labels, config)
    }
}

/// The end of the name of Hugging Face's class for an encoder with this head.
pub(crate) fn class(head: &Head) -> &'static str {
    Format::of(head).class
}

/// Puts into a `config.json` what a class for this head reads there beside labels, and takes out what other classes do.
pub(crate) fn describe(head: Option<&Head>, config: &mut Map<String, Value>) {
    let sizes = match head {
        Some(Head::Arcs { sizes, .. }) => Some(sizes),
        _ => None,
    };
    arcs::describe(sizes, config);
}

/// Declares a head's parameters behind the encoder's, under Hugging Face's names with the owner's prefix.
pub(crate) fn declare(owned: &OwnedHead, config: &ModelConfig, layout: &mut Layout) -> Arc<dyn OutputLayer> {
    let start = layout.entries.len();
    let head: Arc<dyn OutputLayer> = match &owned.head {
        Head::TokenLabels { labels } => Arc::new(token_labels::TokenLabels::new(labels, config, layout)),
        Head::RowLabels { labels } => Arc::new(row_labels::RowLabels::new(labels, config, layout)),
        Head::Span => Arc::new(span::Span::new(config, layout)),
        Head::Choices => Arc::new(choices::Choices::new(config, layout)),
        Head::Arcs { labels, sizes } => Arc::new(arcs::Arcs::new(labels, sizes, config, layout)),
    };
    for entry in &mut layout.entries[start..] {
        entry.name.insert_str(0, &owned.owner.prefix());
        entry.owner = Some(owned.owner);
    }
    head
}

/// Refuses heads that no model can have.
pub(crate) fn check_head(head: &Head) -> Result<(), ModelError> {
    match head {
        Head::TokenLabels { labels } | Head::RowLabels { labels } | Head::Arcs { labels, .. } if labels.is_empty() => {
            Err(ModelError::state("a head needs at least one label"))
        }
        Head::Arcs { sizes, .. } => sizes.check().map_err(|error| ModelError::state(format!("the parser's {error}"))),
        Head::TokenLabels { .. } | Head::RowLabels { .. } | Head::Span | Head::Choices => Ok(()),
    }
}

/// A head's parameter before training. Weights are normal with this deviation and biases 0, but for those of parsers.
pub(crate) fn fresh(head: &Head, entry: &Entry, deviation: f64, seed: u64) -> Vec<f32> {
    match head {
        Head::Arcs { .. } => arcs::fresh(entry, seed),
        Head::TokenLabels { .. } | Head::RowLabels { .. } | Head::Span | Head::Choices => {
            entry.fresh("head", deviation, seed)
        }
    }
}
