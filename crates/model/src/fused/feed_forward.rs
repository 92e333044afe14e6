use kernels::feed_forward::{self, Need, Saved, Size, Weights};

use super::*;

/// Dense, exact GELU, dense: `[batch, seq, hidden]` to the same.
pub(crate) fn feed_forward(x: Tensor<3>, up: (Tensor<2>, Tensor<1>), down: (Tensor<2>, Tensor<1>)) -> Tensor<3> {
    let (w1, b1) = (up.0.into_dispatch(), up.1.into_dispatch());
    let (w2, b2) = (down.0.into_dispatch(), down.1.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_feed_forward(x.into_dispatch(), w1, b1, w2, b2))
}

#[backend_extension(Flex, Autodiff)]
trait FeedForwardOp: Backend {
    fn fused_feed_forward(
        x: FloatTensor<Self>,
        w1: FloatTensor<Self>,
        b1: FloatTensor<Self>,
        w2: FloatTensor<Self>,
        b2: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

fn weights([w1, b1, w2, b2]: [&Host; 4]) -> (Weights<'_>, Size) {
    let size = Size { hidden: shape(w1)[0], inner: shape(w1)[1] };
    (Weights { w1: values(w1), b1: values(b1), w2: values(w2), b2: values(b2) }, size)
}

fn forward(x: &Host, tensors: [&Host; 4]) -> (Host, Saved) {
    let (weights, size) = weights(tensors);
    let (y, saved) = computed(feed_forward::forward(values(x), weights, size));
    (tensor(y, shape(x)), saved)
}

impl FeedForwardOp for Flex {
    fn fused_feed_forward(x: Host, w1: Host, b1: Host, w2: Host, b2: Host) -> Host {
        forward(&flat(x), [&flat(w1), &flat(b1), &flat(w2), &flat(b2)]).0
    }
}

impl<C: CheckpointStrategy> FeedForwardOp for Autodiff<Flex, C> {
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
        let (y, saved) = forward(&x, [&weights[0], &weights[1], &weights[2], &weights[3]]);
        match Back.prepare::<C>([of_x, of_w1, of_b1, of_w2, of_b2]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(Arc::new((x, weights, saved)), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

#[derive(Debug)]
struct Back;

impl Backward<Flex, 5> for Back {
    type State = Arc<(Host, [Host; 4], Saved)>;

    fn backward(self, ops: Ops<Self::State, 5>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = flat(gradients.consume::<Flex>(&ops.node));
        let (x, [w1, b1, w2, b2], saved) = &*ops.state;
        let (weights, size) = weights([w1, b1, w2, b2]);
        let [to_x, to_w1, to_b1, to_w2, to_b2] = ops.parents;
        let need = Need {
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
