use std::path::PathBuf;

use super::table::read_columns;
use crate::{DataError, PairExample};

/// Reads our own canonical pairs: `id`, `source` and `target` (text), the target being English.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<PairExample>, DataError> {
    let mut examples = Vec::new();
    for path in paths {
        for part in read_columns(path, &["id", "source", "target"])? {
            let ids = part.column(path, "id")?.texts(path)?;
            let sources = part.column(path, "source")?.texts(path)?;
            let targets = part.column(path, "target")?.texts(path)?;
            examples.extend((0..part.rows()).map(|index| PairExample {
                id: ids.value(index).to_owned(),
                source: sources.value(index).to_owned(),
                english: targets.value(index).to_owned(),
            }));
        }
    }
    Ok(examples)
}
