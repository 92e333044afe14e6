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

/// Checks that a batch's targets fit the head or the vocabulary and that at least one of them counts.
pub(crate) fn check_targets(batch: &Batch, head: Option<Head>, words: usize) -> Result<(), ModelError> {
    let rows = batch.len();
    match (&batch.targets, head) {
        (Targets::None, _) => Err(ModelError::batch("it bears no targets to learn from")),
        (Targets::MaskedTokens(tokens), _) => {
            by_token(batch, tokens, "masked token", words, &format!("the vocabulary of {words}"))
        }
        (Targets::Translations, _) => match rows.is_multiple_of(2) && rows >= 4 {
            true => Ok(()),
            false => Err(ModelError::batch(format!(
                "{rows} rows of translations: there must be an even number, and at least two pairs to rank among"
            ))),
        },
        (Targets::TokenLabels(values), Some(Head::TokenLabels { labels })) => {
            by_token(batch, values, "label", labels, &format!("the head's {labels} labels"))
        }
        (Targets::Classes(values), Some(Head::SequenceLabels { labels })) => {
            shaped("class labels", values, rows)?;
            in_range("class label", values, 1, labels)
        }
        (Targets::Spans { starts, ends }, Some(Head::Span)) => {
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
        (targets, head) => {
            let kind = match targets {
                Targets::TokenLabels(_) => "token labels",
                Targets::Classes(_) => "class labels",
                _ => "answer spans",
            };
            let head = head.map_or("missing".to_owned(), |head| format!("{head:?}"));
            Err(ModelError::batch(format!("it bears {kind}, but the head is {head}")))
        }
    }
}

/// Targets `[batch, seq]` below `limit`, none of them on padding, at least one that counts.
fn by_token(batch: &Batch, values: &[i32], what: &str, limit: usize, range: &str) -> Result<(), ModelError> {
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

/// Flat positions of the targets that count, and these targets.
pub(crate) fn bearing(targets: &[i32]) -> (Vec<u32>, Vec<i32>) {
    let counted = targets.iter().enumerate().filter(|(_, target)| **target != IGNORED_LABEL);
    counted.map(|(position, &target)| (position as u32, target)).unzip()
}

fn shaped(what: &str, values: &[i32], expected: usize) -> Result<(), ModelError> {
    match values.len() == expected {
        true => Ok(()),
        false => Err(ModelError::batch(format!("{} {what}, expected {expected}", values.len()))),
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
