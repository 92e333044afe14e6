use std::collections::BTreeMap;
use std::path::Path;

use data::{DataError, EncodeOptions, Encoded, Examples, Item, Tokenization};
use evaluation::{Contribution, NamedScores};
use model::Learner;
use serde_json::Value;
use spec::{Labels, Language};

use crate::TaskError;
use crate::format::{Description, Found};

/// A task at work. Its name, objective, columns and metrics are its line in [`spec::tasks!`].
pub trait TaskFolder: Sync {
    /// The file formats that it is read from.
    fn formats(&self) -> &'static [Description];

    /// Recognises a file of a public release by its own name.
    fn recognise(&self, _path: &Path) -> Option<Found> {
        None
    }

    /// Token sequences of each example, in the examples' order.
    ///
    /// # Errors
    /// [`DataError::Tokenizer`].
    fn items(
        &self,
        examples: &Examples,
        tokenization: &Tokenization,
        options: &EncodeOptions,
    ) -> Result<Vec<Vec<Item>>, DataError>;

    /// One prediction an example, as `harness predict` writes it.
    ///
    /// # Errors
    /// [`TaskError`].
    fn predict(&self, learner: &Learner, examples: &Examples, encoded: &Encoded) -> Result<Vec<Value>, TaskError>;

    /// Scores predictions, one an example in the examples' order.
    ///
    /// # Errors
    /// [`TaskError::Prediction`] for a value of another form, [`TaskError::Score`].
    fn score(&self, gold: &Examples, predictions: &[Value], language: Language) -> Result<Scored, TaskError>;

    /// Scores of a model. Tasks without predictions of their own measure the model here.
    ///
    /// # Errors
    /// [`TaskError`].
    fn evaluate(
        &self,
        learner: &Learner,
        _tokenization: &Tokenization,
        language: Language,
        examples: &Examples,
        encoded: &Encoded,
    ) -> Result<Scored, TaskError> {
        self.score(examples, &self.predict(learner, examples, encoded)?, language)
    }
}

/// The scores of some examples by metric.
#[derive(Debug, Clone, Default)]
pub struct Scored {
    /// One contribution an example, in the examples' order.
    pub contributions: NamedScores,
    /// Metrics that are no ratio of sums over examples.
    pub whole: Vec<WholeScore>,
    /// What is odd about the predictions, for people.
    pub notes: Vec<String>,
}

/// A metric of all examples together.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeScore {
    pub metric: String,
    pub value: f64,
    /// A 95 % interval over examples, where there is one.
    pub interval: Option<(f64, f64)>,
}

impl Scored {
    /// Of metrics that are all ratios of sums.
    pub fn of<M: Into<String>>(scores: impl IntoIterator<Item = (M, Vec<Contribution>)>) -> Self {
        let contributions = scores.into_iter().map(|(metric, found)| (metric.into(), found)).collect();
        Self { contributions, ..Self::default() }
    }

    /// Tells of predicted labels that the gold data's names do not have, which are no fault: a model may have learnt more of
    /// them. They count as wrong.
    #[must_use]
    pub(crate) fn telling_unknown<'a>(mut self, labels: &Labels, predicted: impl Iterator<Item = &'a str>) -> Self {
        const SHOWN: usize = 5;
        let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
        predicted.filter(|name| labels.index(name).is_none()).for_each(|name| *unknown.entry(name).or_default() += 1);
        if !unknown.is_empty() {
            let count: usize = unknown.values().sum();
            let few = unknown.keys().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let more = if unknown.len() > SHOWN { ", …" } else { "" };
            let message = "predicted labels are none of the gold data's and count as wrong";
            self.notes.push(format!("{count} {message}: {few}{more}"));
        }
        self
    }

    /// Accuracy, and macro F1 beside it.
    ///
    /// # Errors
    /// [`TaskError::Score`] if there is no interval.
    pub fn of_labels(scores: evaluation::LabelScores) -> Result<Self, TaskError> {
        /// As for every other metric.
        const SEED: u64 = 0;
        let whole = scores.macro_f1.into_iter().map(|(metric, macro_f1)| {
            let interval = macro_f1.interval(SEED, evaluation::RESAMPLES).ok();
            let interval = interval.map(|interval| (interval.low, interval.high));
            WholeScore { metric, value: macro_f1.value(), interval }
        });
        Ok(Self { whole: whole.collect(), contributions: scores.scores, notes: Vec::new() })
    }
}
