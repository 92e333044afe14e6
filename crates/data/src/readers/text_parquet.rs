use std::path::PathBuf;

use super::table::read_columns;
use crate::{DataError, TextExample};

/// Reads our own canonical text: `id` and `text`.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<TextExample>, DataError> {
    let mut examples = Vec::new();
    for path in paths {
        for part in read_columns(path, &["id", "text"])? {
            let ids = part.column(path, "id")?.texts(path)?;
            let texts = part.column(path, "text")?.texts(path)?;
            examples.extend(
                (0..part.rows())
                    .map(|index| TextExample { id: ids.value(index).to_owned(), text: texts.value(index).to_owned() }),
            );
        }
    }
    Ok(examples)
}
