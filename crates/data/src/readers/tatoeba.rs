use std::path::Path;

use super::lines::{lines, read_text};
use crate::{DataError, PairExample};

/// Reads two files of sentences, line i of one translating line i of the other. Pairs are named by their line, from 0.
pub(super) fn read(source: &Path, english: &Path) -> Result<Vec<PairExample>, DataError> {
    let (source_text, english_text) = (read_text(source)?, read_text(english)?);
    let counts = (lines(&source_text).count(), lines(&english_text).count());
    if counts.0 != counts.1 {
        let message = format!("has {} lines, but {} has {}", counts.0, english.display(), counts.1);
        return Err(DataError::file(source, message));
    }
    let mut examples = Vec::with_capacity(counts.0);
    for ((number, foreign), (_, sentence)) in lines(&source_text).zip(lines(&english_text)) {
        for (path, line) in [(source, foreign), (english, sentence)] {
            if line.trim().is_empty() {
                return Err(DataError::row(path, format!("line {number}"), "is empty"));
            }
        }
        let id = examples.len().to_string();
        examples.push(PairExample { id, source: foreign.to_owned(), english: sentence.to_owned() });
    }
    Ok(examples)
}
