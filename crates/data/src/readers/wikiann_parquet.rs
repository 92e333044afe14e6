use std::path::{Path, PathBuf};

use spec::Task;

use super::table::read_columns;
use crate::{DataError, NerExample};

/// Reads WikiANN in the hub's schema: `tokens` (list of text) and `ner_tags` (list of whole numbers). Examples are named
/// by their row, counted from 0 over all files.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<NerExample>, DataError> {
    let mut examples = Vec::new();
    for path in paths {
        for part in read_columns(path, &["tokens", "ner_tags"])? {
            let words = part.column(path, "tokens")?.text_lists(path)?;
            let tags = part.column(path, "ner_tags")?.number_lists(path)?;
            for (index, (words, tags)) in words.iter().zip(&tags).enumerate() {
                let row = part.first_row + index + 1;
                let words: Vec<String> = words.iter().flatten().map(str::to_owned).collect();
                let tags =
                    tags.values().iter().map(|&tag| tag_index(path, row, tag)).collect::<Result<Vec<u8>, _>>()?;
                if words.len() != tags.len() {
                    let message =
                        format!("has {} words in `tokens` and {} tags in `ner_tags`", words.len(), tags.len());
                    return Err(DataError::row(path, format!("row {row}"), message));
                }
                examples.push(NerExample { id: examples.len().to_string(), words, tags });
            }
        }
    }
    Ok(examples)
}

fn tag_index(path: &Path, row: usize, tag: i64) -> Result<u8, DataError> {
    let labels = Task::Ner.labels();
    u8::try_from(tag).ok().filter(|&tag| usize::from(tag) < labels.len()).ok_or_else(|| {
        let message = format!("tag {tag} is not one of 0 to {} ({})", labels.len() - 1, labels.join(" "));
        DataError::row(path, format!("row {row}, column `ner_tags`"), message)
    })
}
