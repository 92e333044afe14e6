use super::*;

/// `x` above 0, `exp(x) - 1` below, elementwise.
pub(crate) fn elu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fused_elu(x.into_dispatch()))
}

#[backend_extension(Flex, Autodiff)]
trait EluOp: Backend {
    fn fused_elu(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

fn forward(x: &Host) -> Host {
    let y = values(x).iter().map(|&x| if x > 0.0 { x } else { x.exp() - 1.0 });
    tensor(y.collect(), shape(x))
}

impl EluOp for Flex {
    fn fused_elu(x: Host) -> Host {
        forward(&flat(x))
    }
}

impl<C: CheckpointStrategy> EluOp for Autodiff<Flex, C> {
    fn fused_elu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, of_x) = x.into_parts();
        let y = forward(&flat(x));
        match Back.prepare::<C>([of_x]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(y.clone(), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

#[derive(Debug)]
struct Back;

impl Backward<Flex, 1> for Back {
    /// The result, which tells its own slope: 1 above 0, `y + 1` below.
    type State = Host;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = flat(gradients.consume::<Flex>(&ops.node));
        let [to_x] = ops.parents;
        let pairs = values(&dy).iter().zip(values(&ops.state));
        let found = pairs.map(|(dy, y)| if *y > 0.0 { *dy } else { dy * (y + 1.0) });
        give!(gradients, to_x, Some(found.collect()), shape(&ops.state));
    }
}
