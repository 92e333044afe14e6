//! What checks of targets have in common.

use spec::{Batch, IGNORED_LABEL, Objective, Targets};

use crate::ModelError;

/// Targets `[batch, seq]` below `limit`, none of them on padding, at least one that counts.
pub(super) fn by_token(batch: &Batch, values: &[i32], what: &str, limit: usize, range: &str) -> Result<(), ModelError> {
    let seq = batch.seq;
    shaped(&format!("{what}s by token"), values, batch.len() * seq)?;
    let mut counted = 0;
    for (index, &value) in values.iter().enumerate().filter(|(_, value)| **value != IGNORED_LABEL) {
        let (row, position) = (index / seq, index % seq);
        if !below(value, limit) {
            return Err(ModelError::batch(format!("row {row}, token {position}: {what} {value} is outside {range}")));
        }
        if position >= batch.lengths[row] {
            return Err(ModelError::batch(format!("row {row}, token {position}: padding bears a {what}")));
        }
        counted += 1;
    }
    match counted {
        0 => Err(ModelError::batch(format!("no token bears a {what}, so there is no loss"))),
        _ => Ok(()),
    }
}

pub(super) fn shaped<T>(what: &str, values: &[T], expected: usize) -> Result<(), ModelError> {
    match values.len() == expected {
        true => Ok(()),
        false => Err(ModelError::batch(format!("{} {what}, expected {expected}", values.len()))),
    }
}

/// Whether a value is from 0 up and below a limit.
pub(crate) fn below(value: i32, limit: usize) -> bool {
    usize::try_from(value).is_ok_and(|value| value < limit)
}

/// Checks that all values are below a limit; there are `width` of them a row.
pub(crate) fn in_range(what: &str, values: &[i32], width: usize, limit: usize) -> Result<(), ModelError> {
    match values.iter().position(|&value| !below(value, limit)) {
        None => Ok(()),
        Some(index) => Err(ModelError::batch(format!(
            "row {}, position {}: {what} {} is not between 0 and {}",
            index / width,
            index % width,
            values[index],
            limit - 1
        ))),
    }
}

/// Targets of another objective than the head's.
pub(super) fn mismatch(targets: &Targets, head: Objective) -> ModelError {
    let kind = match targets {
        Targets::None => return untargeted(),
        Targets::TokenLabels(_) => "token labels",
        Targets::Classes(_) => "class labels",
        Targets::Spans { .. } => "answer spans",
        Targets::Choices { .. } => "choices",
        Targets::Arcs { .. } => "arcs",
        Targets::MaskedTokens(_) => "masked tokens",
        Targets::Translations => "translations",
    };
    ModelError::batch(format!("it bears {kind}, but the head is of {head:?}"))
}

pub(super) fn untargeted() -> ModelError {
    ModelError::batch("it bears no targets to learn from")
}
