use std::path::PathBuf;

use super::squad_json::example;
use super::table::read_columns;
use crate::{DataError, QaExample};

/// Reads the hub's schema: `id`, `context`, `question` (text) and `answers` (`text`: list of text, `answer_start`: list
/// of whole numbers).
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<QaExample>, DataError> {
    let mut examples = Vec::new();
    for path in paths {
        for part in read_columns(path, &["id", "context", "question", "answers"])? {
            let ids = part.column(path, "id")?.texts(path)?;
            let contexts = part.column(path, "context")?.texts(path)?;
            let questions = part.column(path, "question")?.texts(path)?;
            let answers = part.column(path, "answers")?;
            let texts = answers.member(path, "text")?.text_lists(path)?;
            let starts = answers.member(path, "answer_start")?.number_lists(path)?;
            for (index, (texts, starts)) in texts.iter().zip(&starts).enumerate() {
                let (texts, starts) = (texts.iter().flatten().map(str::to_owned), starts.values());
                if texts.clone().count() != starts.len() {
                    let place = format!("row {}, column `answers`", part.first_row + index + 1);
                    return Err(DataError::row(path, place, "has more or fewer texts than starts"));
                }
                examples.push(example(
                    path,
                    ids.value(index).to_owned(),
                    questions.value(index).to_owned(),
                    contexts.value(index).to_owned(),
                    texts.zip(starts.iter().copied()).collect(),
                )?);
            }
        }
    }
    Ok(examples)
}
