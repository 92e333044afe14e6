//! What only one task has, a folder a task: the files it is read from, how examples become token sequences, what is predicted,
//! and how predictions are scored. Training, probes, `predict` and `score` all come here.
//!
//! The table of tasks is [`spec::tasks!`]; each of its lines names a folder here, which has one [`TaskFolder`] called
//! `Folder`. What several tasks share is by objective ([`token_labels`], [`row_labels`]), by what is tagged (`entities`) or by
//! format (`files`).

mod encode;
mod entities;
mod error;
mod files;
mod folder;
mod format;
mod import;
mod predict;
mod row_labels;
mod token_labels;

use std::path::Path;

use data::{CacheUse, DataFolder, EncodeOptions, Encoded, Examples, Tokenization};
use model::Learner;
use serde_json::Value;
use spec::{DataKey, Language, Portion, Task};

pub use encode::encode_sentences;
pub use error::TaskError;
pub use folder::{Scored, TaskFolder, WholeScore};
pub use format::{Columns, Format, Given, Input, Read, read};
pub use import::{ImportFile, Selection, import, import_file};
pub use predict::{BATCH_TOKENS, each_batch, pad_multiple, sentence_vectors};
pub use retrieval::{score_sides, side_vectors};

/// Declares every folder of the table, and finds a task's.
macro_rules! folders {
    ($($member:ident = $name:ident: $description:expr,)*) => {
        $(mod $name;)*

        fn folder(task: Task) -> &'static dyn TaskFolder {
            match task {
                $(Task::$member => &$name::Folder,)*
            }
        }
    };
}

spec::tasks!(folders);

/// Token sequences of examples, the order kept.
///
/// # Errors
/// [`data::DataError::Options`] for lengths that cannot work with this model, [`data::DataError::Tokenizer`] if a text cannot be
/// tokenised.
pub fn encode(
    examples: &Examples,
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<Encoded, data::DataError> {
    encode::check(examples.task(), tokenization, options)?;
    let items = folder(examples.task()).items(examples, tokenization, options)?;
    Ok(Encoded::new(examples.task(), examples.labels(), tokenization.pad_id(), options.max_length, items))
}

/// Token sequences of a portion of one file, from the cache where possible.
///
/// # Errors
/// [`data::DataError`] of loading or encoding; never because of the cache.
pub fn encoded(
    cache: &Path,
    folder: &DataFolder,
    key: &DataKey,
    portion: Option<Portion>,
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<(Encoded, CacheUse), data::DataError> {
    data::encoded(cache, folder, key, portion, tokenization, options, encode)
}

/// One prediction an example, as a JSON value in the task's own form: tags, a class, an answer, a tree.
///
/// # Errors
/// [`TaskError`], also for a task that predicts nothing by itself.
pub fn predict(learner: &Learner, examples: &Examples, encoded: &Encoded) -> Result<Vec<Value>, TaskError> {
    folder(examples.task()).predict(learner, examples, encoded)
}

/// Scores predictions of examples in the order of the examples.
///
/// # Errors
/// [`TaskError::Prediction`] naming the example whose prediction is of no use; [`TaskError::Score`].
pub fn score(gold: &Examples, predictions: &[Value], language: Language) -> Result<Scored, TaskError> {
    evaluation::ScoreError::check_counts(gold.len(), predictions.len())?;
    folder(gold.task()).score(gold, predictions, language).map_err(|error| error.of(gold))
}

/// Scores of a model on one language's examples.
///
/// # Errors
/// [`TaskError`].
pub fn evaluate(
    learner: &Learner,
    tokenization: &Tokenization,
    language: Language,
    examples: &Examples,
    encoded: &Encoded,
) -> Result<Scored, TaskError> {
    let scored = folder(examples.task()).evaluate(learner, tokenization, language, examples, encoded);
    scored.map_err(|error| error.of(examples))
}
