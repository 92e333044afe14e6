use serde::{Deserialize, Serialize};

use super::Labels;
use crate::method::KnobError;
use crate::method::knob::at_least_one;

/// What an output layer computes, and how it is trained. Several tasks may share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// A label for each word, at its first token.
    TokenLabels,
    /// A label for each row, from its first token.
    RowLabels,
    /// First and last token of an answer.
    Span,
    /// One logit a row; a softmax over the rows of an example.
    Choices,
    /// For each word a head among the words and the root, and a relation to it.
    Arcs,
    /// The tokens that stood where some are masked, by the model's own language model.
    MaskedTokens,
    /// Each sentence's translation among those of a batch; no output layer.
    Ranking,
}

impl Objective {
    /// Whether a head is added to the model to learn it.
    pub fn has_head(self) -> bool {
        !matches!(self, Self::MaskedTokens | Self::Ranking)
    }
}

/// An output layer on top of the encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "objective")]
pub enum Head {
    /// Logits `[batch, seq, labels]`.
    TokenLabels { labels: Labels },
    /// Logits `[batch, labels]` from the first token.
    RowLabels { labels: Labels },
    /// Start and end logits `[batch, seq, 2]`.
    Span,
    /// Logits `[batch]` from the first token.
    Choices,
    /// Logits of arcs `[batch, words, words + 1]` and of their relations `[batch, words, words + 1, labels]`.
    Arcs { labels: Labels, sizes: ParserSizes },
}

impl Head {
    /// The head of an objective; `None` for those without one. `sizes` count for [`Objective::Arcs`] only.
    pub fn of(objective: Objective, labels: Labels, sizes: ParserSizes) -> Option<Self> {
        match objective {
            Objective::TokenLabels => Some(Self::TokenLabels { labels }),
            Objective::RowLabels => Some(Self::RowLabels { labels }),
            Objective::Span => Some(Self::Span),
            Objective::Choices => Some(Self::Choices),
            Objective::Arcs => Some(Self::Arcs { labels, sizes }),
            Objective::MaskedTokens | Objective::Ranking => None,
        }
    }

    pub fn objective(&self) -> Objective {
        match self {
            Self::TokenLabels { .. } => Objective::TokenLabels,
            Self::RowLabels { .. } => Objective::RowLabels,
            Self::Span => Objective::Span,
            Self::Choices => Objective::Choices,
            Self::Arcs { .. } => Objective::Arcs,
        }
    }

    /// The label names; empty where the head has none.
    pub fn labels(&self) -> Labels {
        match self {
            Self::TokenLabels { labels } | Self::RowLabels { labels } | Self::Arcs { labels, .. } => labels.clone(),
            Self::Span | Self::Choices => Labels::default(),
        }
    }
}

/// Shape of a deep biaffine parser (Dozat and Manning 2017, section 3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct ParserSizes {
    /// Width of the layers in front of the arcs' scores. Default 768.
    pub arc: usize,
    /// Width of the layers in front of the relations' scores. Default 256.
    pub label: usize,
    /// What stands for a word.
    pub pooling: Pooling,
    /// Whether words are taken from a learnt mix of all layers' hidden states (Peters et al. 2018, equation 1), not from
    /// the last layer's.
    pub mix: bool,
}

/// What stands for a word of several tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// Its first token.
    #[default]
    First,
    /// The mean of its tokens.
    Mean,
}

impl Default for ParserSizes {
    fn default() -> Self {
        Self { arc: 768, label: 256, pooling: Pooling::First, mix: false }
    }
}

impl ParserSizes {
    /// Refuses widths that no parser has.
    ///
    /// # Errors
    /// [`KnobError`] naming the knob.
    pub fn check(&self) -> Result<(), KnobError> {
        at_least_one("arc", self.arc)?;
        at_least_one("label", self.label)
    }
}
