use kernels::{Dropout, dropout};

use super::*;

/// Zeroes entries and scales the others, `[.., columns]`.
pub(crate) fn dropout<const D: usize>(x: Tensor<D>, dropout: Dropout) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fused_dropout(x.into_dispatch(), dropout))
}

#[backend_extension(Flex, Autodiff)]
trait DropoutOp: Backend {
    fn fused_dropout(x: FloatTensor<Self>, dropout: Dropout) -> FloatTensor<Self>;
}

fn apply(x: &Host, dropout: Dropout) -> Host {
    let dims = shape(x);
    tensor(computed(dropout::apply(values(x), dims[dims.num_dims() - 1], dropout)), dims)
}

impl DropoutOp for Flex {
    fn fused_dropout(x: Host, dropout: Dropout) -> Host {
        apply(&flat(x), dropout)
    }
}

impl<C: CheckpointStrategy> DropoutOp for Autodiff<Flex, C> {
    fn fused_dropout(x: FloatTensor<Self>, dropout: Dropout) -> FloatTensor<Self> {
        let (x, of_x) = x.into_parts();
        let y = apply(&flat(x), dropout);
        match Back.prepare::<C>([of_x]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(dropout, y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

#[derive(Debug)]
struct Back;

impl Backward<Flex, 1> for Back {
    type State = Dropout;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = flat(gradients.consume::<Flex>(&ops.node));
        let [to_x] = ops.parents;
        if let Some(node) = to_x {
            gradients.register::<Flex>(node.id, apply(&dy, ops.state));
        }
    }
}
