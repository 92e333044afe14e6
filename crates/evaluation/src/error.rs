//! What the input of a metric or test can have wrong. Examples, tokens and rows count from 0, stages from 1.

use std::fmt;

use crate::tree::TreeError;

/// Which of two inputs an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Gold,
    Predicted,
    Foreign,
    English,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gold => "gold",
            Self::Predicted => "predicted",
            Self::Foreign => "foreign",
            Self::English => "English",
        })
    }
}

/// Gold and predictions that cannot be scored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScoreError {
    #[error("there are no examples to score")]
    NoExamples,
    #[error(
        "{gold} gold examples but {predicted} predictions: example {} lacks its {}",
        (*gold).min(*predicted),
        if gold < predicted { "gold" } else { "prediction" }
    )]
    ExampleCount { gold: usize, predicted: usize },
    #[error("example {example} has {gold} gold tags but {predicted} predicted tags: give one tag for every word")]
    TagCount { example: usize, gold: usize, predicted: usize },
    #[error("the {side} tag `{tag}` of example {example}, token {token} is not `O`, `B-TYPE` or `I-TYPE`")]
    Tag { side: Side, example: usize, token: usize, tag: String },
    #[error("example {example} has {gold} gold words but {predicted} predicted ones: parse the gold words")]
    WordCount { example: usize, gold: usize, predicted: usize },
    #[error("the {side} dependencies of example {example} are no tree: {error}")]
    Tree { side: Side, example: usize, error: TreeError },
    #[error("example {example} has no gold answer: remove the question or give its answers")]
    NoAnswer { example: usize },
    #[error(
        "the hidden tokens of example {example} were scored wrongly: more restored than hidden, or a loss that is not finite"
    )]
    MaskedText { example: usize },
    #[error("the {side} label {label} of example {example} is out of range: there are {classes} classes")]
    Label { side: Side, example: usize, label: usize, classes: usize },
    #[error(
        "all {count} gold labels are `{label}`: these look like placeholders of a split with hidden labels; \
         score a split whose labels are public"
    )]
    PlaceholderLabels { count: usize, label: String },
    #[error("the {side} vectors hold {values} values, which is no multiple of their dimension {dimension}")]
    VectorShape { side: Side, values: usize, dimension: usize },
    #[error("the {side} sentence vector {row} is zero or not finite, so it has no direction to compare")]
    VectorDirection { side: Side, row: usize },
}

/// Scores from which a continual-learning measure or an average cannot be formed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MeasureError {
    #[error("no average over a hole: no score for {}", .missing.join(", "))]
    MissingLanguages { missing: Vec<String> },
    #[error("there is nothing to average")]
    Nothing,
    #[error("the score of `{column}` {place} is {value}, not a finite number")]
    NotFinite { column: String, place: String, value: f64 },
    #[error("column `{column}` has {found} scores where the first one has {expected}: give one a moment")]
    Shape { column: String, found: usize, expected: usize },
    #[error("column `{column}` is said to be learnt at stage {stage}, but there are {stages} stages")]
    LearntAt { column: String, stage: usize, stages: usize },
    #[error("the relative change of `{language}` is undefined: its score before the update is 0")]
    ZeroBefore { language: String },
    #[error("`{language}` is said to be updated but has no score")]
    UnknownUpdated { language: String },
}

/// Samples on which an interval or a test cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatisticsError {
    #[error("there are no examples to resample{}", .language.as_ref().map(|l| format!(" for `{l}`")).unwrap_or_default())]
    NoExamples { language: Option<String> },
    #[error(
        "example {example}{} has a score that is not finite",
        .language.as_ref().map(|l| format!(" of `{l}`")).unwrap_or_default()
    )]
    NotFinite { language: Option<String>, example: usize },
    #[error("one {unit}{} says nothing about others: give at least two", .language.as_ref().map(|l| format!(" of `{l}`")).unwrap_or_default())]
    OneUnit { unit: &'static str, language: Option<String> },
    #[error("resampling 0 times gives nothing: ask for at least one resample")]
    NoResamples,
    #[error(
        "a paired test needs the same examples on both sides{}: {first} against {second}",
        .language.as_ref().map(|l| format!(" of `{l}`")).unwrap_or_default()
    )]
    NotPaired { language: Option<String>, first: usize, second: usize },
    #[error("`{language}` is on one side of the comparison only")]
    OneSided { language: String },
    #[error("p-value {index} is {value}, not in 0..=1")]
    NotProbability { index: usize, value: f64 },
}

impl ScoreError {
    /// Refuses an empty set and examples without their prediction.
    pub fn check_counts(gold: usize, predicted: usize) -> Result<(), Self> {
        if gold != predicted {
            Err(Self::ExampleCount { gold, predicted })
        } else if gold == 0 {
            Err(Self::NoExamples)
        } else {
            Ok(())
        }
    }
}
