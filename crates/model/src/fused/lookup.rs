use kernels::embedding::{self, Lookup};

use super::*;

/// Rows of `table` `[rows, hidden]`: `[ids, hidden]`.
pub(crate) fn lookup(table: Tensor<2>, ids: Arc<[u32]>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::fused_lookup(table.into_dispatch(), ids))
}

#[backend_extension(Flex, Autodiff)]
trait LookupOp: Backend {
    fn fused_lookup(table: FloatTensor<Self>, ids: Arc<[u32]>) -> FloatTensor<Self>;
}

fn forward(table: &Host, ids: &[u32]) -> Host {
    let hidden = shape(table)[1];
    let y = computed(embedding::forward(&[Lookup { table: values(table), ids }], hidden));
    tensor(y, Shape::new([ids.len(), hidden]))
}

impl LookupOp for Flex {
    fn fused_lookup(table: Host, ids: Arc<[u32]>) -> Host {
        forward(&flat(table), &ids)
    }
}

impl<C: CheckpointStrategy> LookupOp for Autodiff<Flex, C> {
    fn fused_lookup(table: FloatTensor<Self>, ids: Arc<[u32]>) -> FloatTensor<Self> {
        let (table, of_table) = table.into_parts();
        let table = flat(table);
        let y = forward(&table, &ids);
        match Back.prepare::<C>([of_table]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((shape(&table), ids), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

#[derive(Debug)]
struct Back;

impl Backward<Flex, 1> for Back {
    type State = (Shape, Arc<[u32]>);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = flat(gradients.consume::<Flex>(&ops.node));
        let [to_table] = ops.parents;
        let (dims, ids) = ops.state;
        if let Some(node) = to_table {
            let hidden = dims[1];
            let found = computed(embedding::backward(values(&dy), &ids, hidden));
            let mut dense = vec![0.0; dims.num_elements()];
            for (&row, values) in found.rows.iter().zip(found.values.chunks_exact(hidden)) {
                dense[row as usize * hidden..][..hidden].copy_from_slice(values);
            }
            gradients.register::<Flex>(node.id, tensor(dense, dims));
        }
    }
}
