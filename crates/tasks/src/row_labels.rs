//! Tasks that class one text or two.

use data::{Cells, DataError, EncodeOptions, Encoded, Examples, Item, Tokenization, column};
use model::{Learner, Logits};
use serde_json::Value;
use spec::Kind;

use crate::encode::{each, pair, single};
use crate::files::the;
use crate::predict::{best, each_batch, head_labels, wrong_head};
use crate::{Scored, TaskError};

/// One sequence an example: two texts, or one where the task has but one column of text or the second is empty.
pub(crate) fn items(
    examples: &Examples,
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<Vec<Vec<Item>>, DataError> {
    let texts: Vec<_> = examples.task().columns_of(Kind::Text).map(|name| examples.texts(name)).collect();
    let classes = examples.numbers(the(examples.task(), Kind::Label));
    each(examples.len(), |row| {
        let item = match texts.iter().map(|texts| texts.value(row)).collect::<Vec<_>>()[..] {
            [first, second] if !second.is_empty() => pair(row, [first, second], tokenization, options)?,
            [first, ..] => single(row, first, tokenization, options)?,
            [] => single(row, "", tokenization, options)?,
        };
        Ok(vec![classed(item, classes.value(row))])
    })
}

/// The item with its class.
pub(crate) fn classed(mut item: Item, label: i64) -> Item {
    item.columns = vec![(column::CLASS, Cells::Number(label as i32))];
    item
}

/// The class of every example, by name.
pub(crate) fn predict(learner: &Learner, encoded: &Encoded) -> Result<Vec<Value>, TaskError> {
    let names = head_labels(learner, encoded.task())?;
    let mut classes = vec![Value::Null; encoded.examples()];
    each_batch(learner, encoded, |items, _, logits| {
        let Logits::Classes { labels, values } = logits else { return Err(wrong_head(learner, encoded.task())) };
        for (&item, logits) in items.iter().zip(values.chunks_exact(labels)) {
            classes[encoded.example(item)] = names.name(best(logits)).into();
        }
        Ok(())
    })?;
    Ok(classes)
}

/// Gold classes by name.
pub(crate) fn gold(examples: &Examples) -> Vec<&str> {
    let (labels, numbers) = (examples.labels(), examples.numbers(the(examples.task(), Kind::Label)));
    (0..examples.len()).map(|row| labels.name(numbers.value(row) as usize).unwrap_or_default()).collect()
}

/// Predicted classes.
///
/// # Errors
/// [`TaskError::Prediction`] for what is no text.
pub(crate) fn predicted<'a>(examples: &Examples, predictions: &'a [Value]) -> Result<Vec<&'a str>, TaskError> {
    let one = |(id, value): (&str, &'a Value)| {
        let bad =
            || TaskError::Prediction { id: id.to_owned(), message: format!("is {value}, not the name of a class") };
        value.as_str().ok_or_else(bad)
    };
    examples.ids().zip(predictions).map(one).collect()
}

/// Accuracy, and macro F1 beside it.
///
/// # Errors
/// [`TaskError::Prediction`] for what is no name of a class, [`TaskError::Score`].
pub(crate) fn score(examples: &Examples, predictions: &[Value]) -> Result<Scored, TaskError> {
    let predicted = predicted(examples, predictions)?;
    let scored = Scored::of_labels(evaluation::score_classes(examples.task().as_str(), &gold(examples), &predicted)?)?;
    Ok(scored.telling_unknown(examples.labels(), predicted.into_iter()))
}
