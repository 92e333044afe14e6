use spec::IGNORED_LABEL;

use super::storage::{Item, NO_TOKEN, Target};
use super::{EncodeOptions, Tokenization};
use crate::{DataError, NerExample};

/// One sequence for a sentence: the label of a word on its first token, [`IGNORED_LABEL`] elsewhere.
pub(super) fn items(
    index: u32,
    example: &NerExample,
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<Vec<Item>, DataError> {
    let encoding = tokenization.words(&example.words)?;
    let frame = &tokenization.single;
    let kept = encoding.len().min(options.max_length - frame.len());
    let mut labels = vec![IGNORED_LABEL as i8; frame.before.len()];
    let mut first_tokens = vec![NO_TOKEN; example.words.len()];
    for word in &encoding.get_word_ids()[..kept] {
        let first = word.and_then(|word| Some((word, first_tokens.get_mut(word as usize)?)));
        match first {
            Some((word, first)) if *first == NO_TOKEN => {
                *first = labels.len() as u32;
                labels.push(example.tags[word as usize] as i8);
            }
            _ => labels.push(IGNORED_LABEL as i8),
        }
    }
    let (ids, segments) = frame.single(&encoding.get_ids()[..kept]);
    labels.resize(ids.len(), IGNORED_LABEL as i8);
    let cut = first_tokens.iter().filter(|&&token| token == NO_TOKEN).count() as u64;
    Ok(vec![Item { example: index, ids, segments, target: Target::Tags { labels, first_tokens }, cut }])
}
