//! A model's outputs over encoded examples.

use std::ops::Range;

use data::{Encoded, evaluation_batches};
use model::{Learner, Logits};
use spec::{Backend, Labels, Task};

use crate::TaskError;

/// Real and padding tokens of one evaluation batch: large enough to keep the processor busy, small enough to stay in
/// its caches.
pub const BATCH_TOKENS: usize = 2048;
/// Lengths are rounded up to a multiple of this on a GPU, where every new shape means kernels to compile and tune.
const GPU_LENGTHS: usize = 32;

/// What padded lengths are multiples of.
pub fn pad_multiple(backend: Backend) -> usize {
    match backend {
        Backend::Cpu | Backend::Ndarray => 1,
        Backend::Wgpu | Backend::Vulkan | Backend::Cuda => GPU_LENGTHS,
    }
}

/// Logits of all items, batch by batch: (items, padded length, logits).
///
/// # Errors
/// Those of the model, and of `take`.
pub fn each_batch<E: From<model::ModelError>>(
    learner: &Learner,
    encoded: &Encoded,
    mut take: impl FnMut(&[usize], usize, Logits) -> Result<(), E>,
) -> Result<(), E> {
    for items in evaluation_batches(&encoded.lengths(), BATCH_TOKENS) {
        let batch = encoded.batch(&items, pad_multiple(learner.backend()));
        take(&items, batch.seq, learner.logits(&batch)?)?;
    }
    Ok(())
}

/// One vector an item `[items, hidden]`, in the items' order.
///
/// # Errors
/// Those of the model.
pub fn sentence_vectors(learner: &Learner, encoded: &Encoded) -> Result<Vec<f32>, TaskError> {
    vectors_of(learner, encoded, 0..encoded.len(), None)
}

/// The vectors of some of the items, of a layer or of the last one.
pub(crate) fn vectors_of(
    learner: &Learner,
    encoded: &Encoded,
    of: Range<usize>,
    layer: Option<usize>,
) -> Result<Vec<f32>, TaskError> {
    let width = learner.config().hidden_size;
    let mut vectors = vec![0.0; of.len() * width];
    for mut items in evaluation_batches(&encoded.lengths()[of.clone()], BATCH_TOKENS) {
        items.iter_mut().for_each(|item| *item += of.start);
        let batch = encoded.batch(&items, pad_multiple(learner.backend()));
        let vectors_of_batch = match layer {
            Some(layer) => learner.sentence_vectors_of_layer(&batch, layer)?,
            None => learner.sentence_vectors(&batch)?,
        };
        for (&item, vector) in items.iter().zip(vectors_of_batch.chunks_exact(width)) {
            let place = (item - of.start) * width;
            vectors[place..place + width].copy_from_slice(vector);
        }
    }
    Ok(vectors)
}

/// The label names of the head that serves a task.
pub(crate) fn head_labels(learner: &Learner, task: Task) -> Result<Labels, TaskError> {
    let head = learner.head(Some(task)).filter(|head| head.objective() == task.objective());
    head.map(spec::Head::labels).ok_or_else(|| wrong_head(learner, task))
}

/// For logits of another kind than the task's.
pub(crate) fn wrong_head(learner: &Learner, task: Task) -> TaskError {
    let has = learner.head(None).map_or("none".to_owned(), |head| format!("one for {:?}", head.objective()));
    TaskError::Head { task, has }
}

/// Index of the largest logit, the first of equal ones.
pub(crate) fn best(logits: &[f32]) -> usize {
    let first = (0, f32::NEG_INFINITY);
    logits.iter().copied().enumerate().fold(first, |best, next| if next.1 > best.1 { next } else { best }).0
}
