//! The operations of the CPU back end: the fused kernels, with backward passes of their own, as extensions of Burn's
//! autodiff. Other back ends take the compositions in `ops`, which are also what the tests compare with.
//!
//! Each file is one operation: the function that `ops` calls, the extension trait, and the backward pass.

mod attention;
mod cross_entropy;
mod dropout;
mod elu;
mod feed_forward;
mod gelu;
mod linear;
mod lookup;
mod norm;
mod tied;

pub(crate) use attention::attention;
pub(crate) use cross_entropy::cross_entropy;
pub(crate) use dropout::dropout;
pub(crate) use elu::elu;
pub(crate) use feed_forward::feed_forward;
pub(crate) use gelu::gelu;
pub(crate) use linear::linear;
pub(crate) use lookup::lookup;
pub(crate) use norm::{layer_norm, residual_norm};
pub(crate) use tied::tied;

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Shape, Tensor, TensorData};
use kernels::KernelError;

type Host = FloatTensor<Flex>;

/// The tensor with its values in one row-major piece.
fn flat(tensor: Host) -> Host {
    if tensor.as_slice::<f32>().is_some() { tensor } else { tensor.to_contiguous() }
}

fn values(tensor: &Host) -> &[f32] {
    tensor.as_slice::<f32>().unwrap_or_else(|| panic!("a tensor was not made contiguous"))
}

fn shape(tensor: &Host) -> Shape {
    tensor.layout().shape().clone()
}

fn tensor(values: Vec<f32>, shape: Shape) -> Host {
    Host::from_data(TensorData::new(values, shape))
}

/// The shape with another last dimension.
fn with_last(mut shape: Shape, size: usize) -> Shape {
    let last = shape.num_dims() - 1;
    shape[last] = size;
    shape
}

/// Shapes were checked with the batch and the configuration: what is left is a fault of this crate, which the learner
/// reports as an error of the device.
fn computed<T>(result: Result<T, KernelError>) -> T {
    result.unwrap_or_else(|error| panic!("a fused operation was called wrongly: {error}"))
}

/// Registers a gradient for a parent that wants one.
fn register<N>(
    gradients: &mut Gradients,
    parent: Option<N>,
    gradient: Option<Vec<f32>>,
    shape: Shape,
    register: impl FnOnce(&mut Gradients, N, Host),
) {
    if let (Some(node), Some(gradient)) = (parent, gradient) {
        register(gradients, node, tensor(gradient, shape));
    }
}

macro_rules! give {
    ($gradients:expr, $parent:expr, $gradient:expr, $shape:expr) => {
        register($gradients, $parent, $gradient, $shape, |gradients, node, value| {
            gradients.register::<Flex>(node.id, value)
        })
    };
}
use give;
