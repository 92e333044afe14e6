//! Parts of speech and dependency trees, as CoNLL-U.

use std::fmt::Write;

use super::Told;
use crate::grammar::Language;

/// The sentences in CoNLL-U: form, universal part of speech, head and relation; the other columns are `_`.
pub fn conllu(language: Language, told: &[Told], prefix: &str) -> String {
    let mut text = String::new();
    for (number, told) in told.iter().enumerate() {
        let sentence = language.say(&told.fact, told.style);
        // Writing to a string cannot fail.
        let _ = write!(text, "# sent_id = {prefix}-{number}\n# text = {}\n", sentence.text());
        for (at, word) in sentence.words.iter().enumerate() {
            let last = at + 1 == sentence.words.len();
            let misc = if last || sentence.space_after(at) { "_" } else { "SpaceAfter=No" };
            let _ = writeln!(
                text,
                "{}\t{}\t_\t{}\t_\t_\t{}\t{}\t_\t{misc}",
                at + 1,
                word.form,
                word.upos.as_str(),
                word.head,
                word.relation
            );
        }
        text.push('\n');
    }
    text
}
