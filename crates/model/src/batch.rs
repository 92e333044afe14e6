use spec::{Batch, Head, IGNORED_LABEL, Targets};

use crate::{ModelConfig, ModelError};

/// Checks that a batch fits the encoder: shapes, ids, segment ids, lengths.
pub(crate) fn check(batch: &Batch, config: &ModelConfig) -> Result<(), ModelError> {
    let (rows, seq) = (batch.len(), batch.seq);
    if rows == 0 || seq == 0 {
        return Err(ModelError::batch(format!("{rows} rows of {seq} tokens: there is nothing to compute")));
    }
    if seq > config.max_tokens() {
        return Err(ModelError::batch(format!(
            "rows of {seq} tokens, but the model has positions for {} only; truncate or cut into windows",
            config.max_tokens()
        )));
    }
    for (what, values) in [("ids", &batch.ids), ("type_ids", &batch.type_ids)] {
        if Some(values.len()) != rows.checked_mul(seq) {
            return Err(ModelError::batch(format!("{} {what} for {rows} rows of {seq} tokens", values.len())));
        }
    }
    if let Some((row, length)) = batch.lengths.iter().enumerate().find(|(_, length)| !(1..=seq).contains(*length)) {
        return Err(ModelError::batch(format!("row {row}: length {length} is not between 1 and {seq}")));
    }
    in_range("token id", &batch.ids, seq, config.vocab_size)?;
    in_range("segment id", &batch.type_ids, seq, config.type_vocab_size)
}

/// Checks that a batch's targets fit the head and that at least one of them counts.
pub(crate) fn check_targets(batch: &Batch, head: Head) -> Result<(), ModelError> {
    let (rows, seq) = (batch.len(), batch.seq);
    let shaped = |what: &str, values: &[i32], expected: usize| match values.len() == expected {
        true => Ok(()),
        false => Err(ModelError::batch(format!("{} {what}, expected {expected}", values.len()))),
    };
    match (&batch.targets, head) {
        (Targets::TokenLabels(values), Head::TokenLabels { labels }) => {
            shaped("token labels", values, rows * seq)?;
            for (index, &label) in values.iter().enumerate() {
                let (row, position) = (index / seq, index % seq);
                if label == IGNORED_LABEL {
                    continue;
                }
                if !below(label, labels) {
                    return Err(ModelError::batch(format!(
                        "row {row}, token {position}: label {label} is outside the head's {labels} labels"
                    )));
                }
                if position >= batch.lengths[row] {
                    return Err(ModelError::batch(format!("row {row}, token {position}: padding bears a label")));
                }
            }
            match values.iter().any(|&label| label != IGNORED_LABEL) {
                true => Ok(()),
                false => Err(ModelError::batch("no token bears a label, so there is no loss")),
            }
        }
        (Targets::Classes(values), Head::SequenceLabels { labels }) => {
            shaped("class labels", values, rows)?;
            in_range("class label", values, 1, labels)
        }
        (Targets::Spans { starts, ends }, Head::Span) => {
            for (what, values) in [("start positions", starts), ("end positions", ends)] {
                shaped(what, values, rows)?;
                for (row, (&position, &length)) in values.iter().zip(&batch.lengths).enumerate() {
                    if !below(position, length) {
                        return Err(ModelError::batch(format!(
                            "row {row}: {what} hold {position}, but the row has {length} tokens"
                        )));
                    }
                }
            }
            Ok(())
        }
        (Targets::None, _) => Err(ModelError::batch("it bears no targets to learn from")),
        (targets, head) => {
            let kind = match targets {
                Targets::TokenLabels(_) => "token labels",
                Targets::Classes(_) => "class labels",
                _ => "answer spans",
            };
            Err(ModelError::batch(format!("it bears {kind}, but the head is {head:?}")))
        }
    }
}

fn below(value: i32, limit: usize) -> bool {
    usize::try_from(value).is_ok_and(|value| value < limit)
}

fn in_range(what: &str, values: &[i32], width: usize, limit: usize) -> Result<(), ModelError> {
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
