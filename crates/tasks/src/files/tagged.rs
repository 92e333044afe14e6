//! Words and tags in lines, a blank line after each sentence.

use std::path::Path;

use data::{DataError, lines};

/// A sentence of words, each with a tag and the number of its line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tagged<'a> {
    pub words: Vec<&'a str>,
    pub tags: Vec<&'a str>,
    pub lines: Vec<usize>,
}

/// Cuts a text into sentences; `word` gives word and tag of a line, `None` for one that is neither (a comment).
///
/// # Errors
/// Those of `word`.
pub(crate) fn sentences<'a>(
    text: &'a str,
    word: impl Fn(usize, &'a str) -> Result<Option<(&'a str, &'a str)>, DataError>,
) -> Result<Vec<Tagged<'a>>, DataError> {
    let mut sentences = Vec::new();
    let mut sentence = Tagged::default();
    for (number, line) in lines::lines(text).chain([(0, "")]) {
        if line.trim().is_empty() {
            if !sentence.words.is_empty() {
                sentences.push(std::mem::take(&mut sentence));
            }
            continue;
        }
        if let Some((word, tag)) = word(number, line)? {
            sentence.words.push(word);
            sentence.tags.push(tag);
            sentence.lines.push(number);
        }
    }
    Ok(sentences)
}

/// Word and tag of a `token<TAB>tag` line; `stand_in` is the tag of a word without one, where that is allowed.
///
/// # Errors
/// [`DataError::Unlabelled`] without a tag; [`DataError::Row`] for more than two columns, or columns of another format.
pub(crate) fn token_tab_tag<'a>(
    path: &Path,
    number: usize,
    line: &'a str,
    stand_in: Option<&'a str>,
) -> Result<(&'a str, &'a str), DataError> {
    let at = || format!("line {number}");
    let (word, tag) = line.rsplit_once('\t').unwrap_or((line, ""));
    let tag = stand_in.filter(|_| tag.is_empty()).unwrap_or(tag);
    if tag.is_empty() {
        if !line.contains('\t') && line.trim().contains(' ') {
            let message = "has no tab between token and tag; columns parted by spaces are read by format `conll`";
            return Err(DataError::row(path, at(), message));
        }
        let message = "has no tag; some copies hold test files without tags: get the official one";
        return Err(DataError::unlabelled(path, at(), message));
    }
    if word.is_empty() || word.contains('\t') {
        return Err(DataError::row(path, at(), "is not one token, a tab and a tag"));
    }
    Ok((word, tag))
}
