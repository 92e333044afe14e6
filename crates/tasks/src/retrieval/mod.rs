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
use crate::predict::sentence_vectors;
use crate::{Scored, TaskError, TaskFolder};

pub(super) struct Folder;

impl TaskFolder for Folder {
    fn formats(&self) -> &'static [Description] {
        const FORMATS: &[Description] = &[Description {
            name: "tatoeba",
            task: Task::Retrieval,
            about: "two files of sentences, the foreign one and the English one; line i of one translates line i of the other",
            files: Files::Two,
            read: tatoeba::read,
            read_all: None,
        }];
        FORMATS
    }

    fn recognise(&self, path: &Path) -> Option<Found> {
        match names::parts(path)[..] {
            ["tatoeba", pair, code] if code != "eng" && pair.strip_suffix("-eng") == Some(code) => Some(Found {
                dataset: "tatoeba",
                language: names::language(code),
                split: Split::Test,
                format: "tatoeba",
                licence: "CC BY 2.0 FR",
            }),
            _ => None,
        }
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
        let vectors = sentence_vectors(learner, encoded)?;
        let (foreign, english) = vectors.split_at(vectors.len() / 2);
        Ok(Scored::of(evaluation::score_retrieval(foreign, english, learner.config().hidden_size)?))
    }
}

fn no_predictions(task: Task) -> TaskError {
    TaskError::NoPredictions { task, advice: "use `harness embed` for sentence vectors" }
}
