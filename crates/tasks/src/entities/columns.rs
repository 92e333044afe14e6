use data::DataError;
use data::lines::{lines, read_text};
use spec::Task;

use super::OUTSIDE;
use super::tags::{self, Stray};
use crate::files::tagged::sentences;
use crate::format::{Input, Read};

/// Reads columns that are parted by tabs or spaces: CoNLL-2002 and 2003 (token … tag, `-DOCSTART-` lines), MasakhaNER (token
/// tag), GermEval 2014 (number, token, outer tag, inner tag, `#` comments).
pub(crate) fn read(input: &Input, task: Task) -> Result<Read, DataError> {
    let path = input.path();
    let text = read_text(path)?;
    let numbered = is_numbered(&text);
    let width = std::cell::Cell::new(None);
    let found = sentences(&text, |number, line| {
        let fields = fields(line);
        let passed_over = fields[0].starts_with("-DOCSTART-") || numbered && fields[0] == "#";
        let is_word = !passed_over;
        if is_word && width.get().is_some_and(|(_, columns)| columns != fields.len()) {
            let (first, columns) = width.get().unwrap_or_default();
            let message = format!("has {} columns, line {first} has {columns}; the tag may be missing", fields.len());
            return Err(DataError::row(path, format!("line {number}"), message));
        }
        if is_word && width.get().is_none() {
            width.set(Some((number, fields.len())));
        }
        match fields[..] {
            ["#", ..] if numbered => Ok(None),
            [first, ..] if first.starts_with("-DOCSTART-") => Ok(None),
            [_, word, outer, _inner] if numbered && !word.is_empty() => Ok(Some((word, outer))),
            [word] if input.unlabelled => Ok(Some((word, OUTSIDE))),
            [word, .., tag] if !word.is_empty() && !tag.is_empty() => Ok(Some((word, tag))),
            _ => {
                let message = "is not a token and a tag in columns; the tag may be missing";
                Err(DataError::row(path, format!("line {number}"), message))
            }
        }
    })?;
    tags::examples(input, task, &found, Stray::Refused)
}

/// Columns between tabs or, where there are none, between spaces; other white space is a part of a token.
fn fields(line: &str) -> Vec<&str> {
    match line.contains('\t') {
        true => line.split('\t').collect(),
        false => line.split(' ').filter(|field| !field.is_empty()).collect(),
    }
}

/// Whether all words have four columns, of which the first counts them from 1 in each sentence, as in GermEval. A number
/// alone may be a word of CoNLL-2003, whose columns are four too.
fn is_numbered(text: &str) -> bool {
    let mut next = 1;
    lines(text).all(|(_, line)| match fields(line)[..] {
        ["#", ..] => true,
        [at, _, _, _] => {
            next += 1;
            at.parse() == Ok(next - 1)
        }
        _ => {
            next = 1;
            line.trim().is_empty()
        }
    })
}
