//! Tasks whose tags of words make entities: a type for each, spans by IOB2.

mod columns;
mod tags;

use std::path::Path;

use data::table::Table;
use data::{DataError, Examples};
use evaluation::tags::{Notation, TagError, recognise, to_iob2};
use serde_json::Value;
use spec::Task;

use crate::files::hub_table;
use crate::format::{Input, Read};
use crate::{Scored, TaskError, token_labels};

pub(crate) use columns::read as read_columns;
pub(crate) use tags::{Stray, examples};

/// Of words that are no part of an entity, and of those that the length limit has cut away.
pub(crate) const OUTSIDE: &str = "O";

/// F1, precision and recall of entities; F1 of each type beside them, unless the labels are the usual ones.
///
/// # Errors
/// [`TaskError::Prediction`] for what are no tags of the sentence's words, [`TaskError::Score`].
pub(crate) fn score(gold: &Examples, predictions: &[Value]) -> Result<Scored, TaskError> {
    let (tags, predicted) = (token_labels::gold(gold), token_labels::predicted(gold, predictions)?);
    let task = gold.task();
    let mut scored = Scored::of(evaluation::score_entities(task.as_str(), &tags, &predicted)?);
    // The few types of the usual labels have their scores in one number, as they always had.
    if *gold.labels() != task.usual_labels() {
        scored.contributions.extend(evaluation::score_entities_by_type(task.as_str(), &tags, &predicted)?);
    }
    Ok(scored.telling_unknown(gold.labels(), predicted.into_iter().flatten()))
}

/// The file that an example is in, and its row there: no row of tags is left out.
fn place(input: &Input, mut row: usize) -> (&Path, usize) {
    for path in &input.paths {
        match Table::open(path).map_or(0, |table| table.rows()) {
            rows if row < rows => return (path, row),
            rows => row -= rows,
        }
    }
    (input.path(), row)
}

/// Reads tables of the hub's schema. Labels of one's own have to be in IOB2.
pub(crate) fn read_table(input: &Input, task: Task) -> Result<Read, DataError> {
    let read = hub_table(input, task, &|_, _| Ok(()))?;
    if *read.examples.labels() == task.usual_labels() || input.unlabelled {
        return Ok(read);
    }
    let names = token_labels::gold(&read.examples);
    let bad = |error: TagError| {
        let column = task.label_column().unwrap_or_default();
        let (path, row) = place(input, error.place().sentence);
        DataError::row(path, format!("row {}, column `{column}`", row + 1), error.to_string())
    };
    let notation = recognise(&names).map_err(bad)?;
    to_iob2(&names, notation).map_err(bad)?;
    match notation {
        Notation::Iob2 => Ok(read),
        other => Err(DataError::file(
            input.path(),
            format!(
                "has tags in {other}, not in IOB2: write it as tokens and tags in columns, the format of which converts"
            ),
        )),
    }
}
