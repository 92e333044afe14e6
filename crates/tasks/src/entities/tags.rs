use std::collections::BTreeSet;
use std::path::Path;

use data::{DataError, ExamplesBuilder, Value};
use evaluation::tags::{Notation, Place, TagError, recognise, to_iob2};
use spec::{Labels, Task};

use super::OUTSIDE;
use crate::files::tagged::Tagged;
use crate::files::{index_all, push};
use crate::format::{Input, Read};

/// What becomes of an `I-` tag that continues nothing, in files of the task's usual labels alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stray {
    /// It stays, and what scores leniently lets it begin an entity.
    Kept,
    /// It makes the file another notation, or a bad one.
    Refused,
}

/// Examples of tagged sentences, in IOB2 whatever notation the file has. Label names are those given, the task's usual ones
/// where they are enough, or those found: `O`, then `B-` and `I-` of every type by name.
///
/// # Errors
/// [`DataError::Row`] with the line of a tag that continues nothing or is none of the labels.
pub(crate) fn examples(input: &Input, task: Task, sentences: &[Tagged], stray: Stray) -> Result<Read, DataError> {
    let (path, labels, usual) = (input.path(), &input.labels, task.usual_labels());
    let tags: Vec<&Vec<&str>> = sentences.iter().map(|sentence| &sentence.tags).collect();
    let all = || tags.iter().flat_map(|tags| tags.iter().copied());
    let mut notes = Vec::new();
    let converted = match stray == Stray::Kept && labels.is_empty() && all().all(|tag| usual.index(tag).is_some()) {
        true => None,
        false => Some(in_iob2(path, sentences, &tags, &mut notes)?),
    };
    let row = |row: usize| -> Vec<&str> {
        match &converted {
            Some(converted) => converted[row].iter().map(String::as_str).collect(),
            None => sentences[row].tags.clone(),
        }
    };
    let enough = (0..sentences.len()).all(|at| row(at).into_iter().all(|tag| usual.index(tag).is_some()));
    let labels = match (labels.is_empty(), enough) {
        (false, _) => labels.clone(),
        (true, true) => usual,
        (true, false) => {
            let types: BTreeSet<String> = (0..sentences.len())
                .flat_map(|at| {
                    row(at).into_iter().filter_map(|tag| Some(tag.split_once('-')?.1.to_owned())).collect::<Vec<_>>()
                })
                .collect();
            let names = types.iter().flat_map(|kind| [format!("B-{kind}"), format!("I-{kind}")]);
            Labels::new(std::iter::once(OUTSIDE.to_owned()).chain(names))
                .map_err(|error| DataError::file(path, error.to_string()))?
        }
    };
    let mut builder = ExamplesBuilder::new(task, labels.clone());
    for (at, sentence) in sentences.iter().enumerate() {
        let place = || format!("line {}", sentence.lines[0]);
        let tags = index_all(&labels, row(at)).map_err(|message| {
            let word = row(at).iter().position(|tag| labels.index(tag).is_none()).unwrap_or_default();
            DataError::row(path, format!("line {}", sentence.lines[word]), message)
        })?;
        let words = sentence.words.iter().map(|&word| word.to_owned()).collect();
        push(&mut builder, path, place, &at.to_string(), vec![Value::Texts(words), Value::Labels(tags)])?;
    }
    Ok(Read { examples: builder.finish(), notes, left_out: 0 })
}

/// The tags in IOB2, and a note where they were not.
fn in_iob2(
    path: &Path,
    sentences: &[Tagged],
    tags: &[&Vec<&str>],
    notes: &mut Vec<String>,
) -> Result<Vec<Vec<String>>, DataError> {
    let bad = |error: TagError| {
        let Place { sentence, word, .. } = *error.place();
        let message = format!("word `{}`: {error}", sentences[sentence].words[word]);
        DataError::row(path, format!("line {}", sentences[sentence].lines[word]), message)
    };
    let tags: Vec<Vec<&str>> = tags.iter().map(|tags| (*tags).clone()).collect();
    let notation = recognise(&tags).map_err(bad)?;
    if notation != Notation::Iob2 {
        notes.push(format!("tags in {notation} were turned into IOB2"));
    }
    to_iob2(&tags, notation).map_err(bad)
}
