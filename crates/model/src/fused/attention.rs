use kernels::Dropout;
use kernels::attention::{self, Attention, Inputs, Saved};

use super::*;

/// Queries, keys and values `[batch, seq, hidden]` to the context of the same shape, each head's probabilities times its
/// entry of `head_mask` `[heads]`; 0 at padded queries.
pub(crate) fn attention(
    [query, key, value]: [Tensor<3>; 3],
    head_mask: Tensor<1>,
    lengths: Arc<[usize]>,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    let (query, key, value) = (query.into_dispatch(), key.into_dispatch(), value.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_attention(query, key, value, head_mask.into_dispatch(), lengths, dropout))
}

#[backend_extension(Flex, Autodiff)]
trait AttentionOp: Backend {
    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        head_mask: FloatTensor<Self>,
        lengths: Arc<[usize]>,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self>;
}

/// What is the same forward and backward.
#[derive(Debug, Clone)]
struct Settings {
    head_mask: Host,
    lengths: Arc<[usize]>,
    dropout: Option<Dropout>,
}

impl Settings {
    fn of(&self, query: &Host) -> Attention<'_> {
        let dims = shape(query);
        let head_mask = values(&self.head_mask);
        Attention {
            batch: dims[0],
            sequence: dims[1],
            hidden: dims[2],
            heads: head_mask.len(),
            lengths: &self.lengths,
            head_mask: Some(head_mask),
            dropout: self.dropout,
        }
    }
}

fn inputs([query, key, value]: [&Host; 3]) -> Inputs<'_> {
    Inputs { query: values(query), key: values(key), value: values(value) }
}

fn forward(tensors: [&Host; 3], settings: &Settings) -> (Host, Saved) {
    let (context, saved) = computed(attention::forward(inputs(tensors), &settings.of(tensors[0])));
    (tensor(context, shape(tensors[0])), saved)
}

impl AttentionOp for Flex {
    fn fused_attention(
        query: Host,
        key: Host,
        value: Host,
        head_mask: Host,
        lengths: Arc<[usize]>,
        dropout: Option<Dropout>,
    ) -> Host {
        let settings = Settings { head_mask: flat(head_mask), lengths, dropout };
        forward([&flat(query), &flat(key), &flat(value)], &settings).0
    }
}

impl<C: CheckpointStrategy> AttentionOp for Autodiff<Flex, C> {
    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        head_mask: FloatTensor<Self>,
        lengths: Arc<[usize]>,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self> {
        let ((query, of_query), (key, of_key)) = (query.into_parts(), key.into_parts());
        let ((value, of_value), (head_mask, of_mask)) = (value.into_parts(), head_mask.into_parts());
        let settings = Settings { head_mask: flat(head_mask), lengths, dropout };
        let tensors = [flat(query), flat(key), flat(value)];
        let (context, saved) = forward([&tensors[0], &tensors[1], &tensors[2]], &settings);
        match Back.prepare::<C>([of_query, of_key, of_value, of_mask]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(Arc::new((tensors, saved, settings)), context),
            OpsKind::UnTracked(prepared) => prepared.finish(context),
        }
    }
}

#[derive(Debug)]
struct Back;

impl Backward<Flex, 4> for Back {
    type State = Arc<([Host; 3], Saved, Settings)>;

    fn backward(self, ops: Ops<Self::State, 4>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = flat(gradients.consume::<Flex>(&ops.node));
        let ([query, key, value], saved, settings) = &*ops.state;
        let found = computed(attention::backward(values(&dy), inputs([query, key, value]), saved, &settings.of(query)));
        let [to_query, to_key, to_value, to_mask] = ops.parents;
        give!(gradients, to_query, Some(found.query), shape(query));
        give!(gradients, to_key, Some(found.key), shape(key));
        give!(gradients, to_value, Some(found.value), shape(value));
        give!(gradients, to_mask, found.head_mask, shape(&settings.head_mask));
    }
}
