use super::storage::{Item, Target};
use super::{EncodeOptions, Tokenization};
use crate::DataError;

/// One sequence for one sentence or paragraph, the prefix in front of it.
pub(super) fn items(
    index: u32,
    sentence: &str,
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<Vec<Item>, DataError> {
    let sentence = tokenization.ids(&format!("{}{sentence}", options.prefix))?;
    let kept = sentence.len().min(options.max_length - tokenization.single.len());
    let (ids, segments) = tokenization.single.single(&sentence[..kept]);
    let cut = u64::from(kept < sentence.len());
    Ok(vec![Item { example: index, ids, segments, target: Target::None, cut }])
}
