use burn::tensor::Tensor;

use crate::ops;

/// What cosine similarities are multiplied with before the softmax: the inverse of a temperature of 0.05.
const SCALE: f64 = 20.0;

/// In-batch translation ranking (Guo et al. 2018, equation 3, in both directions as Yang et al. 2019, equation 4, without
/// the margin): the mean cross-entropy of finding each sentence's translation among the batch's, from the cosine
/// similarities of `vectors` `[2 · pairs, hidden]`, first all sentences, then their translations; a scalar `[1]`.
pub(crate) fn loss(vectors: Tensor<2>) -> Tensor<1> {
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
