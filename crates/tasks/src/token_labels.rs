//! Tasks that tag words: sentences of `tokens`, a label for each.

use data::{Cells, DataError, EncodeOptions, Encoded, Examples, Item, Tokenization, column};
use model::{Learner, Logits};
use serde_json::Value;
use spec::IGNORED_LABEL;

use crate::TaskError;
use crate::encode::{each, words};
use crate::predict::{best, each_batch, head_labels, wrong_head};

/// The column with the words.
const WORDS: &str = "tokens";

/// One sequence for a sentence: the label of a word on its first token, [`IGNORED_LABEL`] elsewhere. `tags` is the column of
/// labels.
pub(crate) fn items(
    examples: &Examples,
    tags: &str,
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<Vec<Vec<Item>>, DataError> {
    let (sentences, tags) = (examples.text_lists(WORDS), examples.number_lists(tags));
    each(examples.len(), |row| {
        let mut found = words(row, &sentences.get(row), tokenization, options)?;
        let mut labels = vec![IGNORED_LABEL; found.item.ids.len()];
        for (&token, &tag) in found.first.iter().zip(tags.get(row)).filter(|(token, _)| **token != IGNORED_LABEL) {
            labels[token as usize] = tag as i32;
        }
        found.item.columns =
            vec![(column::TOKEN_LABELS, Cells::Tokens(labels)), (column::FIRST_TOKENS, Cells::List(found.first))];
        Ok(vec![found.item])
    })
}

/// The tags of every sentence: the best label at each word's first token; `missing` for words that the length limit has
/// cut away.
pub(crate) fn predict(learner: &Learner, encoded: &Encoded, missing: &str) -> Result<Vec<Value>, TaskError> {
    let names = head_labels(learner, encoded.task())?;
    let mut tags: Vec<Vec<&str>> = vec![Vec::new(); encoded.examples()];
    each_batch(learner, encoded, |items, seq, logits| {
        let Logits::Tokens { labels, values } = logits else { return Err(wrong_head(learner, encoded.task())) };
        for (row, &item) in items.iter().enumerate() {
            let of_word = |&token: &i32| {
                let token = usize::try_from(token).ok()?;
                names.name(best(&values[(row * seq + token) * labels..][..labels]))
            };
            let first = encoded.list(column::FIRST_TOKENS, item);
            tags[encoded.example(item)] = first.iter().map(|token| of_word(token).unwrap_or(missing)).collect();
        }
        Ok(())
    })?;
    Ok(tags.into_iter().map(Value::from).collect())
}

/// Gold tags by name, sentence by sentence.
pub(crate) fn gold<'a>(examples: &'a Examples, tags: &str) -> Vec<Vec<&'a str>> {
    let (labels, tags) = (examples.labels(), examples.number_lists(tags));
    let name = |&tag: &i64| labels.name(tag as usize).unwrap_or_default();
    (0..examples.len()).map(|row| tags.get(row).iter().map(name).collect()).collect()
}

/// Predicted tags, sentence by sentence.
///
/// # Errors
/// [`TaskError::Prediction`] for what is no list of as many tags as the sentence has words.
pub(crate) fn predicted<'a>(examples: &Examples, predictions: &'a [Value]) -> Result<Vec<Vec<&'a str>>, TaskError> {
    let sentences = examples.text_lists(WORDS);
    let one = |(row, (id, value)): (usize, (&str, &'a Value))| {
        let bad = |message: String| TaskError::Prediction { id: id.to_owned(), message };
        let tags = value.as_array().and_then(|tags| tags.iter().map(Value::as_str).collect::<Option<Vec<&str>>>());
        let tags = tags.ok_or_else(|| bad(format!("is {value}, not a list of tags")))?;
        match (tags.len(), sentences.get(row).len()) {
            (found, words) if found != words => Err(bad(format!("has {found} tags for {words} words"))),
            _ => Ok(tags),
        }
    };
    examples.ids().zip(predictions).enumerate().map(one).collect()
}
