use data::lines::{lines, read_text};
use data::{DataError, ExamplesBuilder, Value};
use spec::{Labels, Task};

use crate::files::push;
use crate::format::{Input, Read};

/// Reads two files of sentences, line i of one translating line i of the other. Pairs are named by their line, from 0.
pub(super) fn read(input: &Input) -> Result<Read, DataError> {
    let [source, english] = input.paths.as_slice() else {
        return Err(DataError::options("format `tatoeba` reads two files"));
    };
    let (source_text, english_text) = (read_text(source)?, read_text(english)?);
    let counts = (lines(&source_text).count(), lines(&english_text).count());
    if counts.0 != counts.1 {
        let message = format!("has {} lines, but {} has {}", counts.0, english.display(), counts.1);
        return Err(DataError::file(source, message));
    }
    let mut builder = ExamplesBuilder::new(Task::Retrieval, Labels::default());
    for ((number, foreign), (_, sentence)) in lines(&source_text).zip(lines(&english_text)) {
        let place = || format!("line {number}");
        for (path, line) in [(source, foreign), (english, sentence)] {
            if line.trim().is_empty() {
                return Err(DataError::row(path, place(), "is empty"));
            }
        }
        let id = builder.len().to_string();
        let texts = [foreign, sentence].map(|text| Value::Text(text.to_owned()));
        push(&mut builder, source, place, &id, texts.into())?;
    }
    Ok(builder.finish().into())
}
