//! Entity tags, as in WikiANN: one tag a word; in languages without spaces, one tag a character.

use crate::grammar::Language;
use crate::tree::EntityType;

use super::Told;

/// WikiANN's tags; a tag's number is its position.
pub const TAGS: [&str; 7] = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"];

/// A row of WikiANN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    pub tokens: Vec<String>,
    /// Positions in [`TAGS`].
    pub tags: Vec<i64>,
    /// `"TYPE: words"`, one a mention.
    pub spans: Vec<String>,
}

/// Tells and tags each fact.
pub fn tagged(language: Language, told: &[Told]) -> Vec<Tagged> {
    told.iter().map(|told| tag(language, told)).collect()
}

fn tag(language: Language, told: &Told) -> Tagged {
    let sentence = language.say(&told.fact, told.style);
    let split = |form: &str| match language.sentence_gap() {
        "" => form.chars().map(String::from).collect(),
        _ => vec![form.to_owned()],
    };
    let (mut tokens, mut tags) = (Vec::new(), Vec::new());
    for word in &sentence.words {
        for (at, token) in split(&word.form).into_iter().enumerate() {
            tokens.push(token);
            tags.push(match word.mention {
                None => 0,
                Some(mention) => begin(mention.entity) + i64::from(!mention.begins || at > 0),
            });
        }
    }
    let spans = sentence
        .mentions()
        .into_iter()
        .map(|(entity, words)| {
            let words: Vec<String> = sentence.words[words].iter().flat_map(|word| split(&word.form)).collect();
            format!("{}: {}", entity.as_str(), words.join(" "))
        })
        .collect();
    Tagged { tokens, tags, spans }
}

fn begin(entity: EntityType) -> i64 {
    match entity {
        EntityType::Person => 1,
        EntityType::Organisation => 3,
        EntityType::Location => 5,
    }
}
