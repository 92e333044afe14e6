use data::DataError;
use data::lines::read_text;
use spec::Task;

use crate::entities::{OUTSIDE, Stray, examples};
use crate::files::tagged::{sentences, token_tab_tag};
use crate::format::{Input, Read};

/// Reads `token<TAB>tag` lines with a blank line after each sentence. Where every token of the file has the prefix of
/// the language (`yo:`), as in the original release of WikiANN, the prefix is taken off.
pub(super) fn read(input: &Input) -> Result<Read, DataError> {
    let path = input.path();
    let text = read_text(path)?;
    let outside = input.unlabelled.then_some(OUTSIDE);
    let mut found = sentences(&text, |number, line| token_tab_tag(path, number, line, outside).map(Some))?;
    for prefix in [input.language.code(), input.language.code3()].map(|code| format!("{code}:")) {
        if found.iter().flat_map(|sentence| &sentence.words).all(|word| word.starts_with(&prefix)) {
            let words = found.iter_mut().flat_map(|sentence| &mut sentence.words);
            words.for_each(|word| *word = &word[prefix.len()..]);
        }
    }
    // The public files have stray I- tags.
    examples(input, Task::Ner, &found, Stray::Kept)
}
