//! Tasks that tag words: a column of words, and one of labels.

use data::{Cells, DataError, EncodeOptions, Encoded, Examples, Item, Tokenization, column};
use model::{Learner, Logits};
use serde_json::Value;
use spec::{IGNORED_LABEL, Kind, Labels};

use crate::encode::{each, words};
use crate::files::the;
use crate::predict::{best, each_batch, head_labels, wrong_head};
use crate::{Scored, TaskError};

/// One sequence for a sentence: the label of a word on its first token, [`IGNORED_LABEL`] elsewhere.
pub(crate) fn items(
    examples: &Examples,
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<Vec<Vec<Item>>, DataError> {
    let task = examples.task();
    let sentences = examples.text_lists(the(task, Kind::Texts));
    let tags = examples.number_lists(the(task, Kind::Labels));
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
        for (&item, values) in items.iter().zip(values.chunks_exact(seq * labels)) {
            tags[encoded.example(item)] =
                of_words(encoded.list(column::FIRST_TOKENS, item), values, labels, &names, missing);
        }
        Ok(())
    })?;
    Ok(tags.into_iter().map(Value::from).collect())
}

/// The tags of one sentence by its logits `[seq, labels]`.
fn of_words<'a>(first: &[i32], logits: &[f32], labels: usize, names: &'a Labels, missing: &'a str) -> Vec<&'a str> {
    let tag = |&token: &i32| names.name(best(&logits[usize::try_from(token).ok()? * labels..][..labels]));
    first.iter().map(|token| tag(token).unwrap_or(missing)).collect()
}

/// Gold tags by name, sentence by sentence.
pub(crate) fn gold(examples: &Examples) -> Vec<Vec<&str>> {
    let (labels, tags) = (examples.labels(), examples.number_lists(the(examples.task(), Kind::Labels)));
    let name = |&tag: &i64| labels.name(tag as usize).unwrap_or_default();
    (0..examples.len()).map(|row| tags.get(row).iter().map(name).collect()).collect()
}

/// Predicted tags, sentence by sentence.
///
/// # Errors
/// [`TaskError::Prediction`] for what is no list of as many tags as the sentence has words.
pub(crate) fn predicted<'a>(examples: &Examples, predictions: &'a [Value]) -> Result<Vec<Vec<&'a str>>, TaskError> {
    let sentences = examples.text_lists(the(examples.task(), Kind::Texts));
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

/// Accuracy of words, and macro F1 beside it.
///
/// # Errors
/// [`TaskError::Prediction`] for what are no tags of the sentence's words, [`TaskError::Score`].
pub(crate) fn score(examples: &Examples, predictions: &[Value]) -> Result<Scored, TaskError> {
    let predicted = predicted(examples, predictions)?;
    let scored = Scored::of_labels(evaluation::score_tags(examples.task().as_str(), &gold(examples), &predicted)?)?;
    Ok(scored.telling_unknown(examples.labels(), predicted.into_iter().flatten()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use data::{ExamplesBuilder, Value as Field};
    use spec::{Targets, Task};

    use super::*;
    use crate::encode;

    const COUNT: usize = 7;

    fn encoded(sentences: &[(Vec<&str>, Vec<usize>)], name: &str, max_length: usize) -> Encoded {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name);
        let mut builder = ExamplesBuilder::new(Task::Ner, Task::Ner.usual_labels());
        for (words, tags) in sentences {
            let words = Field::Texts(words.iter().map(|&word| word.to_owned()).collect());
            builder.push("", vec![words, Field::Labels(tags.clone())]).unwrap();
        }
        let options = EncodeOptions { max_length, stride: 0, prefix: String::new() };
        encode(&builder.finish(), &Tokenization::load(&folder).unwrap(), &options).unwrap()
    }

    /// Logits `[seq, labels]` that put `label(token)` first.
    fn favour(seq: usize, label: impl Fn(usize) -> usize) -> Vec<f32> {
        let mut logits = vec![0.0; seq * COUNT];
        (0..seq).for_each(|token| logits[token * COUNT + label(token)] = 1.0);
        logits
    }

    #[test]
    fn words_cut_away_are_predicted_as_missing() {
        for name in ["tiny-bert", "tiny-xlmr"] {
            let words = ["Maria", "harbour", "\u{200b}", "Kazan", "vollständig", "Nairobi", "Lisbon"];
            let gold = [1, 2, 3, 4, 5, 6, 1];
            let encoded = encoded(&[(words.to_vec(), gold.to_vec())], name, 12);
            let Targets::TokenLabels(labels) = encoded.batch(&[0], 1).targets else { panic!("labels of tokens") };
            let names = Task::Ner.usual_labels();
            let logits = favour(labels.len(), |token| labels[token].max(0) as usize);
            let tags = of_words(encoded.list(column::FIRST_TOKENS, 0), &logits, COUNT, &names, "missing");
            assert_eq!(tags.len(), words.len());
            let right = tags.iter().zip(gold).filter(|&(&tag, gold)| Some(tag) == names.name(gold)).count();
            let missing = tags.iter().filter(|&&tag| tag == "missing").count();
            assert_eq!((right + missing, missing as u64), (words.len(), encoded.cut()), "{tags:?}");
            assert!(right > 1 && missing > 1);
        }
    }

    #[test]
    fn tags_do_not_depend_on_padding() {
        let sentences: Vec<(Vec<&str>, Vec<usize>)> =
            (1..9).map(|count| (vec!["Lisbon"; count], vec![5; count])).collect();
        let encoded = encoded(&sentences, "tiny-bert", 64);
        let names = Task::Ner.usual_labels();
        for item in 0..encoded.len() {
            let tags = |seq: usize| {
                let logits = favour(seq, |token| (item * 5 + token) % COUNT);
                of_words(encoded.list(column::FIRST_TOKENS, item), &logits, COUNT, &names, "missing")
            };
            let length = encoded.lengths()[item];
            assert_eq!(tags(length), tags(length + 13));
            assert_eq!(tags(length).len(), item + 1);
            // The first word stands behind the special token.
            assert_eq!(Some(tags(length)[0]), names.name((item * 5 + 1) % COUNT));
        }
    }
}
