use kernels::gelu;

use super::*;

/// The exact GELU, elementwise.
pub(crate) fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fused_gelu(x.into_dispatch()))
}

#[backend_extension(Flex, Autodiff)]
trait GeluOp: Backend {
    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

fn forward(x: &Host) -> Host {
    tensor(gelu::forward(values(x)), shape(x))
}

impl GeluOp for Flex {
    fn fused_gelu(x: Host) -> Host {
        forward(&flat(x))
    }
}

impl<C: CheckpointStrategy> GeluOp for Autodiff<Flex, C> {
    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, of_x) = x.into_parts();
        let x = flat(x);
        let y = forward(&x);
        match Back.prepare::<C>([of_x]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(x, y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

#[derive(Debug)]
struct Back;

impl Backward<Flex, 1> for Back {
    type State = Host;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = flat(gradients.consume::<Flex>(&ops.node));
        let [to_x] = ops.parents;
        let found = computed(gelu::backward(values(&dy), values(&ops.state)));
        give!(gradients, to_x, Some(found), shape(&ops.state));
    }
}
