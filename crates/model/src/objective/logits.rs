use burn::tensor::Tensor;

use crate::ModelError;
use crate::device::to_host;

/// A head's output on the host, row-major; what stands at padding is left open.
#[derive(Debug, Clone, PartialEq)]
pub enum Logits {
    /// `[batch, seq, labels]`
    Tokens { labels: usize, values: Vec<f32> },
    /// `[batch, labels]`
    Classes { labels: usize, values: Vec<f32> },
    /// `[batch, seq]` each.
    Spans { starts: Vec<f32>, ends: Vec<f32> },
    /// `[batch]`
    Choices { values: Vec<f32> },
    /// Of each word (dependent), over the root and the row's words (heads): `arcs` `[batch, words, words + 1]`, `relations`
    /// `[batch, words, words + 1, labels]`. What a word gives to itself is no candidate.
    Arcs { words: usize, labels: usize, arcs: Vec<f32>, relations: Vec<f32> },
}

/// The values of a tensor.
///
/// # Errors
/// [`ModelError::NonFinite`] if one is not finite, or the device's.
pub(crate) fn finite<const D: usize>(what: &str, tensor: Tensor<D>) -> Result<Vec<f32>, ModelError> {
    let values = to_host(tensor)?;
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(values),
        false => Err(ModelError::NonFinite { what: what.to_owned() }),
    }
}
