//! Parts of speech and dependency trees: one row a sentence, shared by the tasks `pos` and `parse`.

use super::Told;
use crate::grammar::Language;

/// A sentence's words with their tags, heads and relations, all of one length.
///
/// Words are orthographic: contractions and clitics are one word, so there are no multiword tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeExample {
    pub id: String,
    pub words: Vec<String>,
    /// Universal parts of speech.
    pub upos: Vec<&'static str>,
    /// The head's position counted from 1; 0 for the root.
    pub heads: Vec<usize>,
    /// Universal dependency relations, some with a subtype after a colon.
    pub relations: Vec<&'static str>,
}

/// The tree of each sentence.
pub fn trees(language: Language, told: &[Told], prefix: &str) -> Vec<TreeExample> {
    let tree = |(row, told): (usize, &Told)| {
        let words = language.say(&told.fact, told.style).words;
        TreeExample {
            id: format!("{prefix}-{row}"),
            upos: words.iter().map(|word| word.upos.as_str()).collect(),
            heads: words.iter().map(|word| word.head).collect(),
            relations: words.iter().map(|word| word.relation).collect(),
            words: words.into_iter().map(|word| word.form).collect(),
        }
    };
    told.iter().enumerate().map(tree).collect()
}
