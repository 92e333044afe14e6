use std::fmt;

use serde::{Deserialize, Serialize};

use crate::SpecError;

/// What is learnt and scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Named entity recognition on words (WikiANN's seven tags).
    Ner,
    /// Extractive question answering (SQuAD, XQuAD, MLQA, TyDiQA-GoldP).
    Qa,
    /// Natural language inference (MultiNLI, XNLI).
    Nli,
    /// Sentence retrieval between a language and English (Tatoeba); only probed, never trained.
    Retrieval,
    /// Masked language modelling on plain text, by the model's own language-model head.
    Mlm,
}

/// The output layer a task needs on top of the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Head {
    /// Logits `[batch, seq, labels]`.
    TokenLabels { labels: usize },
    /// Start and end logits `[batch, seq, 2]`.
    Span,
    /// Logits `[batch, labels]` from the first token.
    SequenceLabels { labels: usize },
}

impl Task {
    pub const ALL: [Task; 5] = [Task::Ner, Task::Qa, Task::Nli, Task::Retrieval, Task::Mlm];

    pub fn as_str(self) -> &'static str {
        match self {
            Task::Ner => "ner",
            Task::Qa => "qa",
            Task::Nli => "nli",
            Task::Retrieval => "retrieval",
            Task::Mlm => "mlm",
        }
    }

    /// Whether a stage can be of this task.
    pub fn is_trained(self) -> bool {
        self != Task::Retrieval
    }

    /// The head that is added to learn this task, or `None` where the model as it came has what it needs.
    pub fn head(self) -> Option<Head> {
        match self {
            Task::Ner => Some(Head::TokenLabels { labels: self.labels().len() }),
            Task::Qa => Some(Head::Span),
            Task::Nli => Some(Head::SequenceLabels { labels: self.labels().len() }),
            Task::Retrieval | Task::Mlm => None,
        }
    }

    /// Label names by index: WikiANN's tag order, XNLI's class order. Empty where a task has no closed label set.
    pub fn labels(self) -> &'static [&'static str] {
        match self {
            Task::Ner => &["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"],
            Task::Nli => &["entailment", "neutral", "contradiction"],
            Task::Qa | Task::Retrieval | Task::Mlm => &[],
        }
    }

    /// The metric a table shows first; its name says the variant.
    pub fn main_metric(self) -> &'static str {
        match self {
            Task::Ner => "ner.f1.strict",
            Task::Qa => "qa.f1.mlqa",
            Task::Nli => "nli.accuracy",
            Task::Retrieval => "retrieval.p1.to-english",
            Task::Mlm => "mlm.accuracy",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Task {
    type Err = SpecError;
    fn from_str(text: &str) -> Result<Self, SpecError> {
        Self::ALL
            .into_iter()
            .find(|task| task.as_str() == text)
            .ok_or_else(|| SpecError::unknown("task", text, Self::ALL.map(Task::as_str)))
    }
}

/// Which part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    Train,
    Validation,
    Test,
}

impl Split {
    pub const ALL: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

    pub fn as_str(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Validation => "validation",
            Split::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Split {
    type Err = SpecError;
    fn from_str(text: &str) -> Result<Self, SpecError> {
        match text {
            "dev" => Ok(Split::Validation),
            _ => Self::ALL
                .into_iter()
                .find(|split| split.as_str() == text)
                .ok_or_else(|| SpecError::unknown("split", text, Self::ALL.map(Split::as_str))),
        }
    }
}
