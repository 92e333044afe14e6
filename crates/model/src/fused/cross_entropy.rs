use kernels::cross_entropy::{self, Saved};

use super::*;

/// Mean over the counted rows of `logits` `[rows, classes]`, a scalar `[1]`; a negative target does not count.
pub(crate) fn cross_entropy(logits: Tensor<2>, targets: &[i32]) -> Tensor<1> {
    let kernel_target = |&target: &i32| if target < 0 { cross_entropy::IGNORED } else { i64::from(target) };
    let targets: Arc<[i64]> = targets.iter().map(kernel_target).collect();
    Tensor::from_dispatch(Dispatch::fused_cross_entropy(logits.into_dispatch(), targets))
}

#[backend_extension(Flex, Autodiff)]
trait CrossEntropyOp: Backend {
    fn fused_cross_entropy(logits: FloatTensor<Self>, targets: Arc<[i64]>) -> FloatTensor<Self>;
}

fn forward(logits: &Host, targets: &[i64]) -> (Host, Saved) {
    let (loss, saved) = computed(cross_entropy::forward(values(logits), targets, shape(logits)[1]));
    (tensor(vec![loss], Shape::new([1])), saved)
}

impl CrossEntropyOp for Flex {
    fn fused_cross_entropy(logits: Host, targets: Arc<[i64]>) -> Host {
        forward(&flat(logits), &targets).0
    }
}

impl<C: CheckpointStrategy> CrossEntropyOp for Autodiff<Flex, C> {
    fn fused_cross_entropy(logits: FloatTensor<Self>, targets: Arc<[i64]>) -> FloatTensor<Self> {
        let (logits, of_logits) = logits.into_parts();
        let logits = flat(logits);
        let (loss, saved) = forward(&logits, &targets);
        match Back.prepare::<C>([of_logits]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(Arc::new((logits, targets, saved)), loss),
            OpsKind::UnTracked(prepared) => prepared.finish(loss),
        }
    }
}

#[derive(Debug)]
struct Back;

impl Backward<Flex, 1> for Back {
    type State = Arc<(Host, Arc<[i64]>, Saved)>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let d_loss = flat(gradients.consume::<Flex>(&ops.node));
        let (logits, targets, saved) = &*ops.state;
        let [to_logits] = ops.parents;
        let d_loss = values(&d_loss)[0];
        let found = computed(cross_entropy::backward(d_loss, values(logits), targets, shape(logits)[1], saved));
        give!(gradients, to_logits, Some(found), shape(logits));
    }
}
