use super::{Objective, Task};
use crate::SpecError;

/// What the table of tasks says about one.
#[derive(Debug)]
pub struct TaskDescription {
    /// In one line, for lists.
    pub summary: &'static str,
    pub objective: Objective,
    /// Whether a stage can be of this task.
    pub trained: bool,
    pub rows: ExampleRows,
    /// Tokens of a row in the public data sets, roughly: for estimates of time.
    pub tokens: usize,
    pub ids: Ids,
    /// Columns of the examples beside `id`, in the order in which their content is hashed.
    pub columns: &'static [Column],
    /// Names that everybody takes for granted: those of manifests that name no labels, and of files that hold no others.
    /// Empty if the data bring their own.
    pub labels: &'static [&'static str],
    /// Whether everybody numbers labels in the order of `labels`, so that tables that do not name theirs mean these.
    pub one_order: bool,
    /// The first is what tables show.
    pub metrics: &'static [Metric],
}

/// What the rows of a batch are that one example gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExampleRows {
    /// One text.
    Single,
    /// Two texts in one row.
    Pair,
    /// One or more windows of a long text, a text in front of each.
    Windows,
    /// One row a choice, the context in front of each.
    Choices,
    /// Two rows, a sentence and its translation; in a batch first all sentences, then their translations.
    Sides,
}

/// How examples are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// By their row in the file, from 0.
    Row,
    /// By a column `id`.
    Column,
}

/// A column of a task's examples, under the name that it has in the hub's files and in ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// A list of texts: words, choices.
    Texts,
    /// An index into the label names.
    Label,
    /// A list of such indices.
    Labels,
    Number,
    Numbers,
    /// SQuAD's answers: a record of the lists `text` and `answer_start`, starts counted in characters.
    Answers,
}

/// A number that is measured; its name says the variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    pub name: &'static str,
    pub unit: Unit,
    pub better: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A fraction, 0 to 1; shown in percent.
    Share,
    /// Negative log-likelihood to the base e.
    Nats,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Higher,
    Lower,
}

impl Column {
    pub(super) const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind }
    }
}

impl Metric {
    /// The metric of that name, of any task, or the one of which it is a variant (`ner.f1.strict.mask-de`).
    ///
    /// # Errors
    /// [`SpecError::UnknownWord`] with the nearest name.
    pub fn of(name: &str) -> Result<Self, SpecError> {
        let metrics = || Task::ALL.iter().flat_map(|task| task.description().metrics).copied();
        let is =
            |metric: &Self| name.strip_prefix(metric.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let found = metrics().find(is);
        found.ok_or_else(|| SpecError::unknown("metric", name, metrics().map(|metric| metric.name)))
    }

    /// A share of which more is better.
    pub(super) const fn share(name: &'static str) -> Self {
        Self { name, unit: Unit::Share, better: Direction::Higher }
    }

    /// A loss in nats.
    pub(super) const fn loss(name: &'static str) -> Self {
        Self { name, unit: Unit::Nats, better: Direction::Lower }
    }
}
