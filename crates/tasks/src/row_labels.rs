//! Tasks that class one text or two.

use data::{Cells, Encoded, Examples, Item, column};
use model::{Learner, Logits};
use serde_json::Value;

use crate::TaskError;
use crate::predict::{best, each_batch, head_labels, wrong_head};

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
    let (labels, numbers) = (examples.labels(), examples.numbers("label"));
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
