use std::path::Path;

use spec::{Language, Task};

use super::lines::{lines, read_text};
use crate::{DataError, NerExample};

/// Reads `token<TAB>tag` lines with a blank line after each sentence. Where every token of the file has the prefix of
/// the language (`yo:`), as in the original release of WikiANN, the prefix is taken off.
pub(super) fn read(path: &Path, language: Language) -> Result<Vec<NerExample>, DataError> {
    let text = read_text(path)?;
    let labels = Task::Ner.labels();
    let mut examples = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut tags = Vec::new();
    for (number, line) in lines(&text).chain([(0, "")]) {
        if line.is_empty() {
            if !words.is_empty() {
                let id = examples.len().to_string();
                examples.push(NerExample { id, words: std::mem::take(&mut words), tags: std::mem::take(&mut tags) });
            }
            continue;
        }
        let at = || format!("line {number}");
        let Some((word, tag)) = line.rsplit_once('\t') else {
            let message = "has no tag; some copies hold test files without tags: get the official one";
            return Err(DataError::unlabelled(path, at(), message));
        };
        let Some(index) = labels.iter().position(|label| *label == tag) else {
            return Err(DataError::row(path, at(), format!("tag `{tag}` is not one of {}", labels.join(" "))));
        };
        if word.is_empty() || word.contains('\t') {
            return Err(DataError::row(path, at(), "is not one token, a tab and a tag"));
        }
        words.push(word.to_owned());
        tags.push(index as u8);
    }
    let prefixes = [format!("{}:", language.code()), format!("{}:", language.code3())];
    for prefix in &prefixes {
        if examples.iter().flat_map(|example| &example.words).all(|word| word.starts_with(prefix)) {
            let words = examples.iter_mut().flat_map(|example| &mut example.words);
            words.for_each(|word| *word = word.split_off(prefix.len()));
        }
    }
    Ok(examples)
}
