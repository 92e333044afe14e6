//! Masked language modelling: which tokens of a batch are hidden.

use random::below_in_one_draw as below;
use spec::{Batch, IGNORED_LABEL, Targets};

use crate::{DataError, Tokenization};

/// Hides `rate` of each row's ordinary tokens, at least one, drawn from the seed alone: of the hidden ones 80 % become
/// the mask token, 10 % a random token, and 10 % stay (Devlin et al. 2019, section 3.1). Special tokens are never hidden.
///
/// # Errors
/// [`DataError::Options`] if the tokenizer has no mask token, the rate is not in (0, 1], or a row has no ordinary token.
pub fn mask_tokens(mut batch: Batch, tokenization: &Tokenization, rate: f64, seed: u64) -> Result<Batch, DataError> {
    if !(rate > 0.0 && rate <= 1.0) {
        return Err(DataError::options(format!("a masking rate of {rate} is not in (0, 1]")));
    }
    let mask = tokenization.mask_id()?;
    let mut key = blake3::Hasher::new();
    key.update(b"lethe masks 1\n").update(&seed.to_le_bytes());
    let mut random = random::keyed(*key.finalize().as_bytes());
    let mut targets = vec![IGNORED_LABEL; batch.ids.len()];
    for (row, &length) in batch.lengths.iter().enumerate() {
        let start = row * batch.seq;
        let mut ordinary: Vec<usize> =
            (start..start + length).filter(|&place| !tokenization.is_special(batch.ids[place])).collect();
        if ordinary.is_empty() {
            return Err(DataError::options(format!("row {row} of a batch has no token that could be masked")));
        }
        let hidden = ((ordinary.len() as f64 * rate).round() as usize).max(1);
        for index in 0..hidden {
            let other = index + below(&mut random, ordinary.len() - index);
            ordinary.swap(index, other);
            let place = ordinary[index];
            targets[place] = batch.ids[place];
            batch.ids[place] = match below(&mut random, 10) {
                0 => tokenization.ordinary_id(random::bits(&mut random)),
                1 => batch.ids[place],
                _ => mask,
            };
        }
    }
    batch.targets = Targets::MaskedTokens(targets);
    Ok(batch)
}
