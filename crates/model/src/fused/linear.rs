use kernels::linear::{self, Need, Size};

use super::*;

/// `[.., in] · [in, out] + [out]`
pub(crate) fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fused_linear(x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()))
}

#[backend_extension(Flex, Autodiff)]
trait LinearOp: Backend {
    fn fused_linear(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self>;
}

fn forward(x: &Host, weight: &Host, bias: &Host) -> (Host, Size) {
    let size = Size { inputs: shape(weight)[0], outputs: shape(weight)[1] };
    let y = computed(linear::forward(values(x), values(weight), Some(values(bias)), size));
    (tensor(y, with_last(shape(x), size.outputs)), size)
}

impl LinearOp for Flex {
    fn fused_linear(x: Host, weight: Host, bias: Host) -> Host {
        forward(&flat(x), &flat(weight), &flat(bias)).0
    }
}

impl<C: CheckpointStrategy> LinearOp for Autodiff<Flex, C> {
    fn fused_linear(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        let ((x, of_x), (weight, of_weight), (bias, of_bias)) =
            (x.into_parts(), weight.into_parts(), bias.into_parts());
        let (x, weight) = (flat(x), flat(weight));
        let (y, size) = forward(&x, &weight, &flat(bias));
        match Back.prepare::<C>([of_x, of_weight, of_bias]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(Arc::new((x, weight, size)), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

#[derive(Debug)]
struct Back;

impl Backward<Flex, 3> for Back {
    type State = Arc<(Host, Host, Size)>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = flat(gradients.consume::<Flex>(&ops.node));
        let (x, weight, size) = &*ops.state;
        let [to_x, to_weight, to_bias] = ops.parents;
        let need = Need { input: to_x.is_some(), weight: to_weight.is_some(), bias: to_bias.is_some() };
        let found = computed(linear::backward(values(&dy), values(x), values(weight), *size, need));
        give!(gradients, to_x, found.input, shape(x));
        give!(gradients, to_weight, found.weight, shape(weight));
        give!(gradients, to_bias, found.bias, Shape::new([size.outputs]));
    }
}
