//! The operations that the encoder and the heads are made of. Each is one block with its weights: the CPU back end
//! computes it by a fused kernel, the others by a composition of Burn's own operations.

use std::sync::Arc;

use burn::tensor::{Bool, Device, Distribution, Int, Tensor, TensorData, activation, module};

use crate::device::is_host;
use crate::fused;
use crate::layout::{Linear, LowRank, Norm};
use crate::lookup::lookup;
use crate::weights::Weights;

/// Added to the scores of padded keys: far below any real score, so that their probability is exactly 0, yet finite
/// because not every shading language knows infinities.
pub(crate) const MASKED_SCORE: f32 = -1.0e30;

/// Attention mask of a padded batch.
#[derive(Debug, Clone)]
pub(crate) struct PaddingMask {
    /// `[batch, 1, 1, seq]`, true where the key is padding.
    padded: Tensor<4, Bool>,
    /// Real tokens of each row, `[batch]`.
    lengths: Arc<[usize]>,
}

impl PaddingMask {
    /// From the number of real tokens in each of the rows.
    pub fn new(lengths: &[usize], seq: usize, device: &Device) -> Self {
        let padded: Vec<bool> =
            lengths.iter().flat_map(|&length| (0..seq).map(move |position| position >= length)).collect();
        let data = TensorData::new(padded, [lengths.len(), 1, 1, seq]);
        Self { padded: Tensor::from_data(data, device), lengths: lengths.into() }
    }

    /// Mean of `hidden` `[batch, seq, hidden]` over the real tokens: `[batch, hidden]`.
    pub fn mean(&self, hidden: Tensor<3>) -> Tensor<2> {
        let [batch, seq, size] = hidden.dims();
        let real = self.padded.clone().bool_not().float().reshape([batch, 1, seq]);
        let sum = real.clone().matmul(hidden).reshape([batch, size]);
        sum / real.sum_dim(2).reshape([batch, 1])
    }
}

/// `logits` `[batch, seq]` with those of padded positions so low that a softmax gives them exactly 0.
pub(crate) fn mask_padding(logits: Tensor<2>, mask: &PaddingMask) -> Tensor<2> {
    let padded = mask.padded.clone().reshape(logits.dims());
    logits.mask_fill(padded, MASKED_SCORE)
}

/// Whether the CPU's kernels compute on this tensor.
fn on_host<const D: usize>(tensor: &Tensor<D>) -> bool {
    is_host(&tensor.device().inner())
}

/// `x · W + b` on the last dimension: `[batch, seq, in]` to `[batch, seq, out]`.
pub(crate) fn linear<const D: usize>(input: Tensor<D>, linear: Linear, weights: &Weights) -> Tensor<D> {
    let (weight, bias) = (weights.get(linear.weight), weights.get(linear.bias));
    let on_host = on_host(&input);
    let dense =
        |input| if on_host { fused::linear(input, weight, bias) } else { module::linear(input, weight, Some(bias)) };
    let Some(LowRank { down, up, scale }) = linear.low_rank else { return dense(input) };
    let dims = input.dims();
    let rows = dims[..D - 1].iter().product();
    let low = input.clone().reshape([rows, dims[D - 1]]).matmul(weights.get(down)).matmul(weights.get(up));
    let dense = dense(input);
    let shape = dense.dims();
    dense + (low * scale).reshape(shape)
}

/// `x · W`: `[rows, in]` to `[rows, out]`.
pub(crate) fn product(input: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
    if on_host(&input) {
        let [_, outputs] = weight.dims();
        let zeros = Tensor::zeros([outputs], &input.device().inner());
        return fused::linear(input, weight, zeros);
    }
    input.matmul(weight)
}

/// The rows of `table` `[rows, size]` with these numbers: `[numbers, size]`.
pub(crate) fn rows(table: Tensor<2>, numbers: &[u32]) -> Tensor<2> {
    lookup(table, &numbers.into())
}

/// The rows of `hidden` `[batch, seq, hidden]` at flat positions: `[positions, hidden]`.
pub(crate) fn positions(hidden: Tensor<3>, positions: &[u32]) -> Tensor<2> {
    let [batch, seq, size] = hidden.dims();
    rows(hidden.reshape([batch * seq, size]), positions)
}

/// One matrix above the other.
pub(crate) fn cat(matrices: [Tensor<2>; 2]) -> Tensor<2> {
    Tensor::cat(alike(matrices), 0)
}

/// One matrix beside the other.
pub(crate) fn cat_columns(matrices: [Tensor<2>; 2]) -> Tensor<2> {
    Tensor::cat(alike(matrices), 1)
}

/// All recorded, if one is: Burn puts no others together.
fn alike(matrices: [Tensor<2>; 2]) -> Vec<Tensor<2>> {
    let recorded = matrices.iter().any(Tensor::is_autodiff);
    let lift = |matrix: Tensor<2>| if recorded && !matrix.is_autodiff() { matrix.autodiff() } else { matrix };
    matrices.map(lift).into()
}

/// `[rows, hidden] · [words, hidden]ᵀ + [words]`: the decoder of a language model.
pub(crate) fn tied(input: Tensor<2>, table: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    if on_host(&input) { fused::tied(input, table, bias) } else { input.matmul(table.transpose()) + bias.unsqueeze() }
}

/// Multi-head scaled dot-product self-attention (Vaswani et al. 2017, equation 1) without the output projection:
/// `[batch, seq, hidden]` to the context `[batch, seq, hidden]`. Padded keys get a probability of exactly 0; what padded
/// queries give is left open, since nothing reads it. `head_mask` `[heads]` multiplies each head's probabilities.
#[allow(clippy::too_many_arguments, reason = "one for each symbol")]
pub(crate) fn attention(
    hidden: Tensor<3>,
    projections: [Linear; 3],
    heads: usize,
    head_mask: Option<Tensor<1>>,
    mask: &PaddingMask,
    dropout: f64,
    weights: &Weights,
) -> Tensor<3> {
    let [batch, seq, size] = hidden.dims();
    let width = size / heads;
    let projected = projections.map(|projection| linear(hidden.clone(), projection, weights));
    if on_host(&hidden) {
        let head_mask = head_mask.unwrap_or_else(|| Tensor::ones([heads], &hidden.device().inner()));
        return fused::attention(projected, head_mask, Arc::clone(&mask.lengths), weights.dropout(dropout));
    }
    let [query, key, value] = projected.map(|projected| projected.reshape([batch, seq, heads, width]).swap_dims(1, 2));
    let scores = query.matmul(key.swap_dims(2, 3)) * (1.0 / (width as f64).sqrt());
    let padded = mask.padded.clone().expand([batch, heads, seq, seq]);
    let probabilities = activation::softmax(scores.mask_fill(padded, MASKED_SCORE), 3);
    let mut probabilities = self::dropout(probabilities, dropout, weights);
    if let Some(head_mask) = head_mask {
        probabilities = probabilities * head_mask.reshape([1, heads, 1, 1]);
    }
    let context = probabilities.matmul(value);
    context.swap_dims(1, 2).reshape([batch, seq, size])
}

/// LayerNorm(dropout(`output`) + `residual`), all `[.., hidden]`.
pub(crate) fn residual_layer_norm<const D: usize>(
    output: Tensor<D>,
    residual: Tensor<D>,
    norm: Norm,
    epsilon: f64,
    dropout: f64,
    weights: &Weights,
) -> Tensor<D> {
    if on_host(&output) {
        let affine = [weights.get(norm.scale), weights.get(norm.shift)];
        return fused::residual_norm(residual, output, affine, epsilon, weights.dropout(dropout));
    }
    layer_norm(self::dropout(output, dropout, weights) + residual, norm, epsilon, weights)
}

/// LayerNorm over the last dimension (Ba et al. 2016, equation 4), variance without Bessel's correction.
pub(crate) fn layer_norm<const D: usize>(input: Tensor<D>, norm: Norm, epsilon: f64, weights: &Weights) -> Tensor<D> {
    let (scale, shift) = (weights.get(norm.scale), weights.get(norm.shift));
    if on_host(&input) {
        return fused::layer_norm(input, [scale, shift], epsilon);
    }
    module::layer_norm(input, scale, Some(shift), epsilon)
}

/// Dense, exact GELU, dense: `[batch, seq, hidden]` to `[batch, seq, hidden]`.
pub(crate) fn feed_forward(hidden: Tensor<3>, up: Linear, down: Linear, weights: &Weights) -> Tensor<3> {
    if on_host(&hidden) && up.low_rank.is_none() && down.low_rank.is_none() {
        let dense = |linear: Linear| (weights.get(linear.weight), weights.get(linear.bias));
        return fused::feed_forward(hidden, dense(up), dense(down));
    }
    linear(gelu(linear(hidden, up, weights)), down, weights)
}

/// `x · Φ(x)` (Hendrycks and Gimpel 2016). Burn's own GELU is differentiated here as its tanh approximation, hence the
/// composition.
pub(crate) fn gelu<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    if on_host(&input) {
        return fused::gelu(input);
    }
    let phi = ((input.clone() * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
    input * phi
}

/// `x` above 0, `exp(x) - 1` below (Clevert et al. 2016, equation 15). Burn's own has gradients of NaN where `exp(x)`
/// overflows.
pub(crate) fn elu<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    if on_host(&input) {
        return fused::elu(input);
    }
    activation::relu(input.clone()) + (input.clamp_max(0.0).exp() - 1.0)
}

/// Zeroes each entry with `probability` and scales the others to keep the mean.
pub(crate) fn dropout<const D: usize>(input: Tensor<D>, probability: f64, weights: &Weights) -> Tensor<D> {
    if probability == 0.0 {
        return input;
    }
    if on_host(&input) {
        return match weights.dropout(probability) {
            Some(dropout) => fused::dropout(input, dropout),
            None => input,
        };
    }
    let kept = Tensor::<D>::random(input.dims(), Distribution::Bernoulli(1.0 - probability), &input.device().inner());
    input * (kept * (1.0 / (1.0 - probability)))
}

/// Mean cross-entropy over the rows of `logits` `[rows, classes]` whose `target` is not negative; a scalar `[1]`.
///
/// # Panics
/// If no target counts; batches are checked before.
pub(crate) fn cross_entropy(logits: Tensor<2>, targets: &[i32]) -> Tensor<1> {
    if on_host(&logits) {
        return fused::cross_entropy(logits, targets);
    }
    let device = logits.device().inner();
    let counted = targets.iter().filter(|&&target| target >= 0).count();
    assert!(counted > 0, "no target counts");
    let rows = targets.len();
    let classes: Vec<i32> = targets.iter().map(|&target| target.max(0)).collect();
    let counts: Vec<f32> = targets.iter().map(|&target| if target >= 0 { 1.0 } else { 0.0 }).collect();
    let classes = Tensor::<2, Int>::from_data(TensorData::new(classes, [rows, 1]), &device);
    let counts = Tensor::<2>::from_data(TensorData::new(counts, [rows, 1]), &device);
    let log_likelihood = activation::log_softmax(logits, 1).gather(1, classes);
    (log_likelihood * counts).sum() * (-1.0 / counted as f64)
}
