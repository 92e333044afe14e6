use std::sync::Arc;

use burn::tensor::Tensor;
use kernels::rows::{RowSparse, Vector};
use kernels::{KernelError, embedding};

use crate::ModelError;
use crate::device::{self, HostTensor, from_host, host};
use crate::layout::Entry;

/// The gradient of one parameter.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a few hundred at most, nearly all of them tensors")]
pub(crate) enum Gradient {
    /// Flat.
    Dense(Tensor<1>),
    /// Of a table that was only looked up: zero outside of the rows that were. On the CPU back end only.
    Rows(Arc<RowSparse>),
}

/// A gradient as readable memory.
pub(super) enum Readable {
    Dense(HostTensor),
    Rows(Arc<RowSparse>),
}

impl Readable {
    pub fn vector(&self) -> Vector<'_> {
        match self {
            Self::Dense(tensor) => Vector::Dense(tensor.storage()),
            Self::Rows(rows) => Vector::Rows(rows),
        }
    }
}

impl Gradient {
    /// On the CPU back end only.
    pub(super) fn readable(&self) -> Readable {
        match self {
            Self::Dense(tensor) => Readable::Dense(host(tensor.clone())),
            Self::Rows(rows) => Readable::Rows(Arc::clone(rows)),
        }
    }

    /// Of a table some of whose rows were looked up, from that of the rows `[ids, hidden]`.
    pub fn of_lookup(dy: Tensor<2>, ids: &[u32]) -> Result<Self, ModelError> {
        let [_, hidden] = dy.dims();
        let dy = host(dy.reshape([-1]));
        Ok(Self::Rows(Arc::new(embedding::backward(dy.storage(), ids, hidden).map_err(misfit)?)))
    }

    /// Whether it is of this parameter's shape.
    pub fn fits(&self, entry: &Entry) -> bool {
        match self {
            Self::Dense(tensor) => tensor.dims() == [entry.len()],
            Self::Rows(found) => entry.table().is_some_and(|[rows, hidden]| {
                found.hidden == hidden && found.rows.last().is_none_or(|&last| (last as usize) < rows)
            }),
        }
    }

    /// All values, zeros included.
    pub fn to_host(&self, entry: &Entry) -> Result<Vec<f32>, ModelError> {
        match self {
            Self::Dense(tensor) => device::to_host(tensor.clone()),
            Self::Rows(rows) => rows.to_dense(entry.len()).map_err(misfit),
        }
    }

    pub fn square(&self) -> Self {
        match self {
            Self::Dense(tensor) => Self::Dense(tensor.clone() * tensor.clone()),
            Self::Rows(rows) => Self::Rows(Arc::new(rows.map(|x| x * x))),
        }
    }

    pub fn multiply(&self, other: &Self) -> Result<Self, ModelError> {
        Ok(match (self, other) {
            (Self::Dense(a), Self::Dense(b)) => Self::Dense(a.clone() * b.clone()),
            (Self::Rows(rows), other) | (other, Self::Rows(rows)) => {
                Self::Rows(Arc::new(rows.multiply(other.readable().vector()).map_err(misfit)?))
            }
        })
    }

    /// `self + weight · other`.
    pub fn add_scaled(self, other: &Self, weight: f64) -> Result<Self, ModelError> {
        Ok(match (self, other) {
            (Self::Dense(a), Self::Dense(b)) => Self::Dense(a + b.clone() * weight),
            (Self::Dense(a), Self::Rows(rows)) => Self::Dense(add_rows(a, rows, weight)?),
            (Self::Rows(rows), Self::Dense(b)) => Self::Dense(add_rows(b.clone() * weight, &rows, 1.0)?),
            (Self::Rows(a), Self::Rows(b)) => {
                let sum = RowSparse::combine(&[(&a, 1.0), (b, weight as f32)]).map_err(misfit)?;
                Self::Rows(Arc::new(sum))
            }
        })
    }

    pub fn scale(self, weight: f64) -> Self {
        match self {
            // A single loss has weight 1: its gradient is not copied.
            scaled if weight == 1.0 => scaled,
            Self::Dense(tensor) => Self::Dense(tensor * weight),
            Self::Rows(rows) => Self::Rows(Arc::new(rows.map(|x| x * weight as f32))),
        }
    }
}

/// `tensor + weight · rows`, in place where nobody else holds the tensor.
pub(crate) fn add_rows(tensor: Tensor<1>, rows: &RowSparse, weight: f64) -> Result<Tensor<1>, ModelError> {
    let mut sum = host(tensor);
    rows.add_to(sum.storage_mut(), weight as f32).map_err(misfit)?;
    Ok(from_host(sum))
}

/// Gradients of the same parameters have the same shapes: anything else is one taken before the parameters changed.
pub(super) fn misfit(error: KernelError) -> ModelError {
    ModelError::state(error.to_string())
}
