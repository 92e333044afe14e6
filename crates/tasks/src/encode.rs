//! Frames that tasks share: words, one text, two texts.

use data::{DataError, EncodeOptions, Encoded, Item, Tokenization};
use rayon::prelude::*;
use spec::{ExampleRows, IGNORED_LABEL, Labels, Task};

/// Refuses lengths that cannot work with this model.
pub(crate) fn check(task: Task, tokenization: &Tokenization, options: &EncodeOptions) -> Result<(), DataError> {
    let refuse = |message: String| Err(DataError::options(message));
    if let Some(longest) = tokenization.longest().filter(|&longest| options.max_length > longest) {
        let asked = options.max_length;
        return refuse(format!(
            "max_length {asked} is more than the {longest} positions of the model; lower max_length"
        ));
    }
    let special = tokenization.pair.special().max(tokenization.single.special());
    if options.max_length < special + 4 {
        let least = special + 4;
        return refuse(format!(
            "max_length {} leaves no room for text; it must be at least {least}",
            options.max_length
        ));
    }
    let windows = task.description().rows == ExampleRows::Windows;
    if windows && options.stride + special + 8 > options.max_length {
        let (stride, most) = (options.stride, options.max_length.saturating_sub(special + 8));
        let advice = format!("windows of {} tokens can share at most {most}; lower stride", options.max_length);
        return refuse(format!("stride {stride} is too large: {advice}"));
    }
    Ok(())
}

/// Encodes plain sentences for their vectors, one item each, the order kept; of `options` the stride is not used.
///
/// # Errors
/// As [`crate::encode`].
pub fn encode_sentences(
    sentences: &[String],
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<Encoded, DataError> {
    check(Task::Retrieval, tokenization, options)?;
    let items = each(sentences.len(), |row| Ok(vec![single(row, &sentences[row], tokenization, options)?]))?;
    Ok(Encoded::new(Task::Retrieval, &Labels::default(), tokenization.pad_id(), options.max_length, items))
}

/// The items of each example, side by side, in the order of the examples.
pub(crate) fn each(
    examples: usize,
    items: impl Fn(usize) -> Result<Vec<Item>, DataError> + Sync + Send,
) -> Result<Vec<Vec<Item>>, DataError> {
    (0..examples).into_par_iter().map(items).collect()
}

/// One sequence for one sentence or paragraph, the prefix in front of it.
pub(crate) fn single(
    example: usize,
    text: &str,
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<Item, DataError> {
    let text = tokenization.ids(&format!("{}{text}", options.prefix))?;
    let kept = text.len().min(options.max_length - tokenization.single.special());
    let (ids, segments) = tokenization.single.single(&text[..kept]);
    let cut = u64::from(kept < text.len());
    Ok(Item { example: example as u32, ids, segments, columns: Vec::new(), cut })
}

/// One sequence for two texts, cut longest first.
pub(crate) fn pair(
    example: usize,
    texts: [&str; 2],
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<Item, DataError> {
    let [one, other] = [tokenization.ids(texts[0])?, tokenization.ids(texts[1])?];
    let room = options.max_length - tokenization.pair.special();
    let (first, second) = longest_first(one.len(), other.len(), room);
    let cut = u64::from((first, second) != (one.len(), other.len()));
    let (ids, segments) = tokenization.pair.pair(&one[..first], &other[..second]);
    Ok(Item { example: example as u32, ids, segments, columns: Vec::new(), cut })
}

/// Tokens kept of two texts: only the longer one is cut as long as that is enough, else both to halves, the odd token
/// going to the longer one (the second, if they are equal). The rule of the `tokenizers` library's `longest_first`.
fn longest_first(first: usize, second: usize, room: usize) -> (usize, usize) {
    if first + second <= room {
        return (first, second);
    }
    let short = first.min(second);
    let (short, long) = if 2 * short > room { (room / 2, room - room / 2) } else { (short, room - short) };
    if first > second { (long, short) } else { (short, long) }
}

/// One sequence for a sentence of words, and where each word is.
pub(crate) struct WordItem {
    pub item: Item,
    /// First and last token of each word; [`IGNORED_LABEL`] for a word none of whose tokens is in the sequence.
    pub first: Vec<i32>,
    pub last: Vec<i32>,
}

/// Tokenises each word by itself; what does not fit is cut at the end.
pub(crate) fn words(
    example: usize,
    words: &[&str],
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<WordItem, DataError> {
    let encoding = tokenization.words(words)?;
    let frame = &tokenization.single;
    let kept = encoding.len().min(options.max_length - frame.special());
    let mut first = vec![IGNORED_LABEL; words.len()];
    let mut last = first.clone();
    for (token, word) in encoding.get_word_ids()[..kept].iter().enumerate() {
        let place = (frame.before.len() + token) as i32;
        let Some(word) = word.map(|word| word as usize).filter(|&word| word < words.len()) else { continue };
        if first[word] == IGNORED_LABEL {
            first[word] = place;
        }
        last[word] = place;
    }
    let (ids, segments) = frame.single(&encoding.get_ids()[..kept]);
    let cut = first.iter().filter(|&&token| token == IGNORED_LABEL).count() as u64;
    let item = Item { example: example as u32, ids, segments, columns: Vec::new(), cut };
    Ok(WordItem { item, first, last })
}

#[cfg(test)]
mod tests {
    use super::longest_first;

    #[test]
    fn cuts_the_longer_text_first() {
        assert_eq!(longest_first(3, 4, 7), (3, 4));
        assert_eq!(longest_first(3, 9, 7), (3, 4));
        assert_eq!(longest_first(9, 3, 7), (4, 3));
        assert_eq!(longest_first(9, 9, 7), (3, 4));
        assert_eq!(longest_first(10, 9, 7), (4, 3));
        assert_eq!(longest_first(0, 9, 7), (0, 7));
    }
}
