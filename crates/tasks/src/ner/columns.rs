use data::DataError;
use data::lines::read_text;

use super::tags;
use crate::files::tagged::sentences;
use crate::format::{Input, Read};

/// Reads columns that are parted by tabs or spaces: CoNLL-2002 and 2003 (token … tag, `-DOCSTART-` lines), MasakhaNER (token
/// tag), GermEval 2014 (number, token, outer tag, inner tag, `#` comments).
pub(super) fn read(input: &Input) -> Result<Read, DataError> {
    let path = input.path();
    let text = read_text(path)?;
    let found = sentences(&text, |number, line| {
        let fields: Vec<&str> = match line.contains('\t') {
            true => line.split('\t').collect(),
            false => line.split_whitespace().collect(),
        };
        match fields[..] {
            ["#", ..] => Ok(None),
            [first, ..] if first.starts_with("-DOCSTART-") => Ok(None),
            [at, word, outer, _inner] if at.parse::<u32>().is_ok() && !word.is_empty() => Ok(Some((word, outer))),
            [word, .., tag] if !word.is_empty() && !tag.is_empty() => Ok(Some((word, tag))),
            _ => {
                let message = "is not a token and a tag in columns; the tag may be missing";
                Err(DataError::row(path, format!("line {number}"), message))
            }
        }
    })?;
    tags::examples(path, &found, &input.labels)
}
