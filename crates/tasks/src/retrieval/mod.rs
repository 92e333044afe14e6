//! Sentences and their English translations, each to be found among all: Tatoeba. Probed and remembered, never predicted.

mod tatoeba;

use std::path::Path;

use data::{DataError, EncodeOptions, Encoded, Examples, Item, Tokenization};
use model::Learner;
use serde_json::Value;
use spec::{Language, Split, Task};

use crate::encode::{each, single};
use crate::files::names;
use crate::format::{Description, Files, Found};
use crate::predict::vectors_of;
use crate::{Scored, TaskError, TaskFolder};

pub(super) struct Folder;

impl TaskFolder for Folder {
    fn formats(&self) -> &'static [Description] {
        const FORMATS: &[Description] = &[Description {
            name: "tatoeba",
            task: Task::Retrieval,
            about: "two files of sentences, the foreign one and the English one; line i of one translates line i of the other",
            files: Files::Two,
            given: &[],
            read: tatoeba::read,
            read_all: None,
        }];
        FORMATS
    }

    fn recognise(&self, path: &Path) -> Option<Found> {
        let code = match names::parts(path)[..] {
            ["tatoeba", pair, code] if code != "eng" && pair.strip_suffix("-eng") == Some(code) => code,
            // As XTREME's download script names them.
            [pair, code] if names::parent(path) == "tatoeba" && pair.strip_suffix("-en") == Some(code) => code,
            _ => return None,
        };
        let (language, licence) = (names::language(code), "CC BY 2.0 FR");
        Some(Found { dataset: "tatoeba", language, split: Split::Test, format: "tatoeba", licence })
    }

    /// All sentences, then all translations: item `i` and item `len / 2 + i` are a pair.
    fn items(
        &self,
        examples: &Examples,
        tokenization: &Tokenization,
        options: &EncodeOptions,
    ) -> Result<Vec<Vec<Item>>, DataError> {
        let side = |name: &str| {
            let texts = examples.texts(name);
            each(examples.len(), |row| Ok(vec![single(row, texts.value(row), tokenization, options)?]))
        };
        let mut items = side("source")?;
        items.extend(side("target")?);
        Ok(items)
    }

    fn predict(&self, _learner: &Learner, examples: &Examples, _encoded: &Encoded) -> Result<Vec<Value>, TaskError> {
        Err(no_predictions(examples.task()))
    }

    fn score(&self, gold: &Examples, _predictions: &[Value], _language: Language) -> Result<Scored, TaskError> {
        Err(no_predictions(gold.task()))
    }

    fn evaluate(
        &self,
        learner: &Learner,
        _tokenization: &Tokenization,
        _language: Language,
        _examples: &Examples,
        encoded: &Encoded,
    ) -> Result<Scored, TaskError> {
        let [foreign, english] = [side_vectors(learner, encoded, 0, None)?, side_vectors(learner, encoded, 1, None)?];
        score_sides(&foreign, &english, learner.config().hidden_size)
    }
}

/// Vectors `[pairs, hidden]` of one side of all pairs: 0 for the sentences in the language, 1 for their translations. Means of
/// the hidden states of a layer, from 1, or of the last one.
///
/// # Errors
/// Those of the model.
pub fn side_vectors(
    learner: &Learner,
    encoded: &Encoded,
    side: usize,
    layer: Option<usize>,
) -> Result<Vec<f32>, TaskError> {
    let pairs = encoded.len() / 2;
    vectors_of(learner, encoded, side * pairs..(side + 1) * pairs, layer)
}

/// Scores of ranking each side's vectors for the other's.
///
/// # Errors
/// [`TaskError::Score`] for vectors without a direction.
pub fn score_sides(foreign: &[f32], english: &[f32], width: usize) -> Result<Scored, TaskError> {
    Ok(Scored::of(evaluation::score_retrieval(foreign, english, width)?))
}

fn no_predictions(task: Task) -> TaskError {
    TaskError::NoPredictions { task, advice: "use `harness embed` for sentence vectors" }
}
