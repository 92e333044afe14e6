use kernels::linear::Need;
use kernels::tied::{self, Size};

use super::*;

/// `[rows, hidden] · [words, hidden]ᵀ + [words]`
pub(crate) fn tied(x: Tensor<2>, table: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::fused_tied(x.into_dispatch(), table.into_dispatch(), bias.into_dispatch()))
}

#[backend_extension(Flex, Autodiff)]
trait TiedOp: Backend {
    fn fused_tied(x: FloatTensor<Self>, table: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self>;
}

fn forward(x: &Host, table: &Host, bias: &Host) -> (Host, Size) {
    let size = Size { words: shape(table)[0], hidden: shape(table)[1] };
    let y = computed(tied::forward(values(x), values(table), values(bias), size));
    (tensor(y, with_last(shape(x), size.words)), size)
}

impl TiedOp for Flex {
    fn fused_tied(x: Host, table: Host, bias: Host) -> Host {
        forward(&flat(x), &flat(table), &flat(bias)).0
    }
}

impl<C: CheckpointStrategy> TiedOp for Autodiff<Flex, C> {
    fn fused_tied(x: FloatTensor<Self>, table: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        let ((x, of_x), (table, of_table), (bias, of_bias)) = (x.into_parts(), table.into_parts(), bias.into_parts());
        let (x, table) = (flat(x), flat(table));
        let (y, size) = forward(&x, &table, &flat(bias));
        match Back.prepare::<C>([of_x, of_table, of_bias]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(Arc::new((x, table, size)), y),
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
        let (x, table, size) = &*ops.state;
        let [to_x, to_table, to_bias] = ops.parents;
        let need = Need { input: to_x.is_some(), weight: to_table.is_some(), bias: to_bias.is_some() };
        let found = computed(tied::backward(values(&dy), values(x), values(table), *size, need));
        give!(gradients, to_x, found.input, shape(x));
        give!(gradients, to_table, found.weight, shape(table));
        give!(gradients, to_bias, found.bias, Shape::new([size.words]));
    }
}
