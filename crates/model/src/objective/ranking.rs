use burn::tensor::Tensor;
use spec::{Batch, Targets};

use super::{Choose, Objective, Pass, States};
use crate::{ModelError, ops};

/// What cosine similarities are multiplied with before the softmax: the inverse of a temperature of 0.05.
const SCALE: f64 = 20.0;

/// In-batch translation ranking, from sentence vectors; it has no parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranking;

impl Objective for Ranking {
    fn check_targets(&self, batch: &Batch) -> Result<(), ModelError> {
        let rows = batch.len();
        match rows.is_multiple_of(2) && rows >= 4 {
            true => Ok(()),
            false => Err(ModelError::batch(format!(
                "{rows} rows of translations: there must be an even number, and at least two pairs to rank among"
            ))),
        }
    }

    fn loss(&self, states: States, pass: &Pass) -> Result<Tensor<1>, ModelError> {
        Ok(loss(pass.input.mask.mean(states.last)))
    }

    fn retarget(&self, _: States, _: &Pass, _: &mut Choose) -> Result<Targets, ModelError> {
        Err(ModelError::batch("its targets are none that the model has a distribution over"))
    }
}

/// Guo et al. 2018, equation 3, in both directions as Yang et al. 2019, equation 4, without the margin: the mean
/// cross-entropy of finding each sentence's translation among the batch's, from the cosine similarities of `vectors`
/// `[2 · pairs, hidden]`, first all sentences, then their translations; a scalar `[1]`.
fn loss(vectors: Tensor<2>) -> Tensor<1> {
    let [rows, hidden] = vectors.dims();
    let pairs = rows / 2;
    let length = vectors.clone().powf_scalar(2.0).sum_dim(1).sqrt().clamp_min(1e-12);
    let unit = vectors / length;
    let half = |start: usize| unit.clone().slice([start..start + pairs, 0..hidden]);
    let similarities = half(0).matmul(half(pairs).transpose()) * SCALE;
    let partners: Vec<i32> = (0..pairs as i32).collect();
    let there = ops::cross_entropy(similarities.clone(), &partners);
    let back = ops::cross_entropy(similarities.transpose(), &partners);
    (there + back) * 0.5
}
