use spec::Batch;

use crate::objective::in_range;
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
