//! The encoder's operations on the CPU back end: the fused kernels, with backward passes of their own, as extensions of
//! Burn's autodiff. Other back ends take the compositions in `ops`, which are also what the tests compare with.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Shape, Tensor, TensorData};
use kernels::{Dropout, KernelError, attention, feed_forward, layer_norm, linear};

type Host = FloatTensor<Flex>;

#[backend_extension(Flex, Autodiff)]
pub(crate) trait FusedOps: Backend {
    /// `[.., in] · [in, out] + [out]`
    fn fused_linear(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Queries, keys and values `[batch, seq, hidden]` to the context of the same shape; 0 at padded queries.
    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        heads: usize,
        lengths: Arc<[usize]>,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self>;

    /// LayerNorm(`residual` + dropout(`branch`)), `[batch, seq, hidden]`.
    fn fused_residual_norm(
        residual: FloatTensor<Self>,
        branch: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self>;

    /// Dense, exact GELU, dense: `[batch, seq, hidden]` to the same.
    fn fused_feed_forward(
        x: FloatTensor<Self>,
        w1: FloatTensor<Self>,
        b1: FloatTensor<Self>,
        w2: FloatTensor<Self>,
        b2: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

pub(crate) fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fused_linear(x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()))
}

pub(crate) fn attention(
    [query, key, value]: [Tensor<3>; 3],
    heads: usize,
    lengths: Arc<[usize]>,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    let (query, key, value) = (query.into_dispatch(), key.into_dispatch(), value.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_attention(query, key, value, heads, lengths, dropout))
}

pub(crate) fn residual_norm(
    residual: Tensor<3>,
    branch: Tensor<3>,
    [gamma, beta]: [Tensor<1>; 2],
    epsilon: f64,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    let (residual, branch) = (residual.into_dispatch(), branch.into_dispatch());
    let (gamma, beta) = (gamma.into_dispatch(), beta.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_residual_norm(residual, branch, gamma, beta, epsilon as f32, dropout))
}

pub(crate) fn feed_forward(x: Tensor<3>, up: (Tensor<2>, Tensor<1>), down: (Tensor<2>, Tensor<1>)) -> Tensor<3> {
    let (w1, b1) = (up.0.into_dispatch(), up.1.into_dispatch());
    let (w2, b2) = (down.0.into_dispatch(), down.1.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_feed_forward(x.into_dispatch(), w1, b1, w2, b2))
}

/// The tensor with its values in one row-major piece.
fn flat(tensor: Host) -> Host {
    if tensor.as_slice::<f32>().is_some() { tensor } else { tensor.to_contiguous() }
}

fn values(tensor: &Host) -> &[f32] {
    tensor.as_slice::<f32>().unwrap_or_else(|| panic!("a tensor was not made contiguous"))
}

fn shape(tensor: &Host) -> Shape {
    tensor.layout().shape().clone()
}

fn tensor(values: Vec<f32>, shape: Shape) -> Host {
    Host::from_data(TensorData::new(values, shape))
}

/// Shapes were checked with the batch and the configuration: what is left is a fault of this crate, which the learner
/// reports as an error of the device.
fn computed<T>(result: Result<T, KernelError>) -> T {
    result.unwrap_or_else(|error| panic!("a fused operation was called wrongly: {error}"))
}

/// Registers a gradient for a parent that wants one.
fn give<N>(
    gradients: &mut Gradients,
    parent: Option<N>,
    gradient: Option<Vec<f32>>,
    shape: Shape,
    register: impl FnOnce(&mut Gradients, N, Host),
) {
    if let (Some(node), Some(gradient)) = (parent, gradient) {
        register(gradients, node, tensor(gradient, shape));
    }
}

macro_rules! give {
    ($gradients:expr, $parent:expr, $gradient:expr, $shape:expr) => {
        give($gradients, $parent, $gradient, $shape, |gradients, node, value| {
            gradients.register::<Flex>(node.id, value)
        })
    };
}

mod linear_op {
    use super::*;

    pub fn forward(x: &Host, weight: &Host, bias: &Host) -> (Host, linear::Size) {
        let mut dims = shape(x);
        let size = linear::Size { inputs: shape(weight)[0], outputs: shape(weight)[1] };
        let y = computed(linear::forward(values(x), values(weight), Some(values(bias)), size));
        let last = dims.num_dims() - 1;
        dims[last] = size.outputs;
        (tensor(y, dims), size)
    }

    #[derive(Debug)]
    pub struct Back;

    impl Backward<Flex, 3> for Back {
        type State = Arc<(Host, Host, linear::Size)>;

        fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
            let dy = flat(gradients.consume::<Flex>(&ops.node));
            let (x, weight, size) = &*ops.state;
            let [to_x, to_weight, to_bias] = ops.parents;
            let need = linear::Need { input: to_x.is_some(), weight: to_weight.is_some(), bias: to_bias.is_some() };
            let found = computed(linear::backward(values(&dy), values(x), values(weight), *size, need));
            give!(gradients, to_x, found.input, shape(x));
            give!(gradients, to_weight, found.weight, shape(weight));
            give!(gradients, to_bias, found.bias, Shape::new([size.outputs]));
        }
    }
}

mod attention_op {
    use super::*;

    /// What is the same forward and backward.
    #[derive(Debug, Clone)]
    pub struct Settings {
        pub heads: usize,
        pub lengths: Arc<[usize]>,
        pub dropout: Option<Dropout>,
    }

    impl Settings {
        fn of(&self, query: &Host) -> attention::Attention<'_> {
            let dims = shape(query);
            attention::Attention {
                batch: dims[0],
                sequence: dims[1],
                hidden: dims[2],
                heads: self.heads,
                lengths: &self.lengths,
                head_mask: None,
                dropout: self.dropout,
            }
        }
    }

    fn inputs([query, key, value]: [&Host; 3]) -> attention::Inputs<'_> {
        attention::Inputs { query: values(query), key: values(key), value: values(value) }
    }

    pub fn forward(tensors: [&Host; 3], settings: &Settings) -> (Host, attention::Saved) {
        let (context, saved) = computed(attention::forward(inputs(tensors), &settings.of(tensors[0])));
        (tensor(context, shape(tensors[0])), saved)
    }

    #[derive(Debug)]
    pub struct Back;

    impl Backward<Flex, 3> for Back {
        type State = Arc<([Host; 3], attention::Saved, Settings)>;

        fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
            let dy = flat(gradients.consume::<Flex>(&ops.node));
            let ([query, key, value], saved, settings) = &*ops.state;
            let found =
                computed(attention::backward(values(&dy), inputs([query, key, value]), saved, &settings.of(query)));
            let [to_query, to_key, to_value] = ops.parents;
            give!(gradients, to_query, Some(found.query), shape(query));
            give!(gradients, to_key, Some(found.key), shape(key));
            give!(gradients, to_value, Some(found.value), shape(value));
        }
    }
}

mod norm_op {
    use super::*;

    pub fn forward(
        residual: &Host,
        branch: &Host,
        gamma: &Host,
        beta: &Host,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> (Host, layer_norm::Saved) {
        let affine = layer_norm::Affine { gamma: values(gamma), beta: values(beta), epsilon };
        let branch = layer_norm::Branch { values: values(branch), dropout };
        let (y, saved) = computed(layer_norm::forward(values(residual), Some(branch), affine));
        (tensor(y, shape(residual)), saved)
    }

    #[derive(Debug)]
    pub struct Back;

    impl Backward<Flex, 4> for Back {
        type State = Arc<(Shape, Host, layer_norm::Saved)>;

        fn backward(self, ops: Ops<Self::State, 4>, gradients: &mut Gradients, _: &mut Checkpointer) {
            let dy = flat(gradients.consume::<Flex>(&ops.node));
            let (dims, gamma, saved) = &*ops.state;
            let found = computed(layer_norm::backward(values(&dy), values(gamma), saved));
            let [to_residual, to_branch, to_gamma, to_beta] = ops.parents;
            let branch = match (&to_branch, found.branch) {
                (None, _) => None,
                (Some(_), Some(branch)) => Some(branch),
                (Some(_), None) => Some(found.input.clone()),
            };
            give!(gradients, to_residual, Some(found.input), dims.clone());
            give!(gradients, to_branch, branch, dims.clone());
            give!(gradients, to_gamma, Some(found.gamma), shape(gamma));
            give!(gradients, to_beta, Some(found.beta), shape(gamma));
        }
    }
}

mod feed_forward_op {
    use super::*;

    fn weights([w1, b1, w2, b2]: [&Host; 4]) -> (feed_forward::Weights<'_>, feed_forward::Size) {
        let size = feed_forward::Size { hidden: shape(w1)[0], inner: shape(w1)[1] };
        (feed_forward::Weights { w1: values(w1), b1: values(b1), w2: values(w2), b2: values(b2) }, size)
    }

    pub fn forward(x: &Host, tensors: [&Host; 4]) -> (Host, feed_forward::Saved) {
        let (weights, size) = weights(tensors);
        let (y, saved) = computed(feed_forward::forward(values(x), weights, size));
        (tensor(y, shape(x)), saved)
    }

    #[derive(Debug)]
    pub struct Back;

    impl Backward<Flex, 5> for Back {
        type State = Arc<(Host, [Host; 4], feed_forward::Saved)>;

        fn backward(self, ops: Ops<Self::State, 5>, gradients: &mut Gradients, _: &mut Checkpointer) {
            let dy = flat(gradients.consume::<Flex>(&ops.node));
            let (x, [w1, b1, w2, b2], saved) = &*ops.state;
            let (weights, size) = weights([w1, b1, w2, b2]);
            let [to_x, to_w1, to_b1, to_w2, to_b2] = ops.parents;
            let need = feed_forward::Need {
                input: to_x.is_some(),
                w1: to_w1.is_some(),
                b1: to_b1.is_some(),
                w2: to_w2.is_some(),
                b2: to_b2.is_some(),
            };
            let found = computed(feed_forward::backward(values(&dy), values(x), weights, saved, size, need));
            give!(gradients, to_x, found.input, shape(x));
            give!(gradients, to_w1, found.w1, shape(w1));
            give!(gradients, to_b1, found.b1, shape(b1));
            give!(gradients, to_w2, found.w2, shape(w2));
            give!(gradients, to_b2, found.b2, shape(b2));
        }
    }
}

impl FusedOps for Flex {
    fn fused_linear(x: Host, weight: Host, bias: Host) -> Host {
        linear_op::forward(&flat(x), &flat(weight), &flat(bias)).0
    }

    fn fused_attention(
        query: Host,
        key: Host,
        value: Host,
        heads: usize,
        lengths: Arc<[usize]>,
        dropout: Option<Dropout>,
    ) -> Host {
        let settings = attention_op::Settings { heads, lengths, dropout };
        attention_op::forward([&flat(query), &flat(key), &flat(value)], &settings).0
    }

    fn fused_residual_norm(
        residual: Host,
        branch: Host,
        gamma: Host,
        beta: Host,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> Host {
        norm_op::forward(&flat(residual), &flat(branch), &flat(gamma), &flat(beta), epsilon, dropout).0
    }

    fn fused_feed_forward(x: Host, w1: Host, b1: Host, w2: Host, b2: Host) -> Host {
        feed_forward_op::forward(&flat(x), [&flat(w1), &flat(b1), &flat(w2), &flat(b2)]).0
    }
}

impl<C: CheckpointStrategy> FusedOps for Autodiff<Flex, C> {
    fn fused_linear(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        let ((x, of_x), (weight, of_weight), (bias, of_bias)) =
            (x.into_parts(), weight.into_parts(), bias.into_parts());
        let (x, weight) = (flat(x), flat(weight));
        let (y, size) = linear_op::forward(&x, &weight, &flat(bias));
        match linear_op::Back.prepare::<C>([of_x, of_weight, of_bias]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(Arc::new((x, weight, size)), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        heads: usize,
        lengths: Arc<[usize]>,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self> {
        let ((query, of_query), (key, of_key), (value, of_value)) =
            (query.into_parts(), key.into_parts(), value.into_parts());
        let settings = attention_op::Settings { heads, lengths, dropout };
        let tensors = [flat(query), flat(key), flat(value)];
        let (context, saved) = attention_op::forward([&tensors[0], &tensors[1], &tensors[2]], &settings);
        match attention_op::Back.prepare::<C>([of_query, of_key, of_value]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(Arc::new((tensors, saved, settings)), context),
            OpsKind::UnTracked(prepared) => prepared.finish(context),
        }
    }

    fn fused_residual_norm(
        residual: FloatTensor<Self>,
        branch: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self> {
        let ((residual, of_residual), (branch, of_branch)) = (residual.into_parts(), branch.into_parts());
        let ((gamma, of_gamma), (beta, of_beta)) = (gamma.into_parts(), beta.into_parts());
        let (residual, gamma) = (flat(residual), flat(gamma));
        let (y, saved) = norm_op::forward(&residual, &flat(branch), &gamma, &flat(beta), epsilon, dropout);
        match norm_op::Back.prepare::<C>([of_residual, of_branch, of_gamma, of_beta]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(Arc::new((shape(&residual), gamma, saved)), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn fused_feed_forward(
        x: FloatTensor<Self>,
        w1: FloatTensor<Self>,
        b1: FloatTensor<Self>,
        w2: FloatTensor<Self>,
        b2: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let ((x, of_x), (w1, of_w1), (b1, of_b1)) = (x.into_parts(), w1.into_parts(), b1.into_parts());
        let ((w2, of_w2), (b2, of_b2)) = (w2.into_parts(), b2.into_parts());
        let (x, weights) = (flat(x), [flat(w1), flat(b1), flat(w2), flat(b2)]);
        let (y, saved) = feed_forward_op::forward(&x, [&weights[0], &weights[1], &weights[2], &weights[3]]);
        match feed_forward_op::Back.prepare::<C>([of_x, of_w1, of_b1, of_w2, of_b2]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(Arc::new((x, weights, saved)), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}
