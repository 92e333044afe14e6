use kernels::Dropout;
use kernels::layer_norm::{self, Affine, Branch, Saved};

use super::*;

/// LayerNorm(`residual` + dropout(`branch`)), `[.., hidden]`.
pub(crate) fn residual_norm<const D: usize>(
    residual: Tensor<D>,
    branch: Tensor<D>,
    [gamma, beta]: [Tensor<1>; 2],
    epsilon: f64,
    dropout: Option<Dropout>,
) -> Tensor<D> {
    let (residual, branch) = (residual.into_dispatch(), branch.into_dispatch());
    let (gamma, beta) = (gamma.into_dispatch(), beta.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_residual_norm(residual, branch, gamma, beta, epsilon as f32, dropout))
}

/// LayerNorm of `[.., hidden]`.
pub(crate) fn layer_norm<const D: usize>(x: Tensor<D>, [gamma, beta]: [Tensor<1>; 2], epsilon: f64) -> Tensor<D> {
    let (x, gamma, beta) = (x.into_dispatch(), gamma.into_dispatch(), beta.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_norm(x, gamma, beta, epsilon as f32))
}

#[backend_extension(Flex, Autodiff)]
trait NormOp: Backend {
    fn fused_residual_norm(
        residual: FloatTensor<Self>,
        branch: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self>;

    fn fused_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self>;
}

fn forward(x: &Host, branch: Option<Branch>, gamma: &Host, beta: &Host, epsilon: f32) -> (Host, Saved) {
    let affine = Affine { gamma: values(gamma), beta: values(beta), epsilon };
    let (y, saved) = computed(layer_norm::forward(values(x), branch, affine));
    (tensor(y, shape(x)), saved)
}

impl NormOp for Flex {
    fn fused_residual_norm(
        residual: Host,
        branch: Host,
        gamma: Host,
        beta: Host,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> Host {
        let branch = flat(branch);
        let branch = Branch { values: values(&branch), dropout };
        forward(&flat(residual), Some(branch), &flat(gamma), &flat(beta), epsilon).0
    }

    fn fused_norm(x: Host, gamma: Host, beta: Host, epsilon: f32) -> Host {
        forward(&flat(x), None, &flat(gamma), &flat(beta), epsilon).0
    }
}

impl<C: CheckpointStrategy> NormOp for Autodiff<Flex, C> {
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
        let (residual, branch, gamma) = (flat(residual), flat(branch), flat(gamma));
        let added = Branch { values: values(&branch), dropout };
        let (y, saved) = forward(&residual, Some(added), &gamma, &flat(beta), epsilon);
        match ResidualBack.prepare::<C>([of_residual, of_branch, of_gamma, of_beta]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(Arc::new((shape(&residual), gamma, saved)), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn fused_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self> {
        let ((x, of_x), (gamma, of_gamma), (beta, of_beta)) = (x.into_parts(), gamma.into_parts(), beta.into_parts());
        let (x, gamma) = (flat(x), flat(gamma));
        let (y, saved) = forward(&x, None, &gamma, &flat(beta), epsilon);
        match Back.prepare::<C>([of_x, of_gamma, of_beta]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(Arc::new((shape(&x), gamma, saved)), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

/// Shape of the input, gamma, and what the kernel saved.
type State = Arc<(Shape, Host, Saved)>;

#[derive(Debug)]
struct ResidualBack;

impl Backward<Flex, 4> for ResidualBack {
    type State = State;

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

#[derive(Debug)]
struct Back;

impl Backward<Flex, 3> for Back {
    type State = State;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = flat(gradients.consume::<Flex>(&ops.node));
        let (dims, gamma, saved) = &*ops.state;
        let found = computed(layer_norm::backward(values(&dy), values(gamma), saved));
        let [to_x, to_gamma, to_beta] = ops.parents;
        give!(gradients, to_x, Some(found.input), dims.clone());
        give!(gradients, to_gamma, Some(found.gamma), shape(gamma));
        give!(gradients, to_beta, Some(found.beta), shape(gamma));
    }
}
