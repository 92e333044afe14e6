use std::path::Path;

use super::lines::{lines, read_text};
use crate::{DataError, TextExample};

/// Reads plain text, one sentence or paragraph a line. Texts are named by their line, from 0.
pub(super) fn read(path: &Path) -> Result<Vec<TextExample>, DataError> {
    let text = read_text(path)?;
    let mut examples = Vec::new();
    for (number, line) in lines(&text) {
        if line.trim().is_empty() {
            return Err(DataError::row(path, format!("line {number}"), "is empty"));
        }
        examples.push(TextExample { id: examples.len().to_string(), text: line.to_owned() });
    }
    Ok(examples)
}
