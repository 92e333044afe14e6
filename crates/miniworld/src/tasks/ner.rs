//! Entity tags: one tag a word; in languages without spaces, one tag a character.

use super::Told;
use crate::examples::NerExample;
use crate::grammar::Language;
use crate::tree::EntityType;

/// Tells and tags each fact.
pub fn tagged(language: Language, told: &[Told]) -> Vec<NerExample> {
    told.iter().enumerate().map(|(row, told)| tag(language, row, told)).collect()
}

fn tag(language: Language, row: usize, told: &Told) -> NerExample {
    let sentence = language.say(&told.fact, told.style);
    let split = |form: &str| match language.sentence_gap() {
        "" => form.chars().map(String::from).collect(),
        _ => vec![form.to_owned()],
    };
    let (mut words, mut tags) = (Vec::new(), Vec::new());
    for word in &sentence.words {
        for (at, token) in split(&word.form).into_iter().enumerate() {
            words.push(token);
            tags.push(match word.mention {
                None => 0,
                Some(mention) => begin(mention.entity) + u8::from(!mention.begins || at > 0),
            });
        }
    }
    NerExample { id: row.to_string(), words, tags }
}

/// The place of the B tag in `Task::Ner.labels()`; the I tag follows it.
fn begin(entity: EntityType) -> u8 {
    match entity {
        EntityType::Person => 1,
        EntityType::Organisation => 3,
        EntityType::Location => 5,
    }
}
