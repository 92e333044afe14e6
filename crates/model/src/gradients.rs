use burn::tensor::{Device, Tensor};

use crate::device::{self, HostTensor, host, is_host};
use crate::layout::Layout;
use crate::{ModelError, state::check_count};

/// The gradient of one loss with respect to every parameter that was trained when it was computed. Gradients of the same
/// trained parameters form a vector space, whose coordinates are the entries of these parameters.
#[derive(Debug, Clone)]
pub struct Gradients {
    /// One flat tensor a parameter, in the layout's order; `None` where the parameter was frozen or takes no part in the
    /// loss, and where the gradient is therefore 0.
    pub(crate) tensors: Vec<Option<Tensor<1>>>,
    /// Parameters that were trained, in the layout's order.
    pub(crate) open: Vec<bool>,
}

impl Gradients {
    /// The elementwise square.
    pub fn square(&self) -> Self {
        let square = |tensor: &Option<Tensor<1>>| tensor.clone().map(|tensor| tensor.clone() * tensor);
        Self { tensors: self.tensors.iter().map(square).collect(), open: self.open.clone() }
    }

    /// The elementwise product.
    ///
    /// # Errors
    /// [`ModelError::State`] if they are not of the same trained parameters.
    pub fn multiply(&self, other: &Self) -> Result<Self, ModelError> {
        check_alike([self, other])?;
        let pairs = self.tensors.iter().zip(&other.tensors);
        let tensors = pairs.map(|(a, b)| Some(a.clone()? * b.clone()?)).collect();
        Ok(Self { tensors, open: self.open.clone() })
    }

    /// `self + weight · other`.
    ///
    /// # Errors
    /// [`ModelError::State`] if they are not of the same trained parameters.
    pub fn add_scaled(self, other: &Self, weight: f64) -> Result<Self, ModelError> {
        check_alike([&self, other])?;
        let scaled = other.tensors.iter().map(|tensor| tensor.clone().map(|tensor| tensor * weight));
        Ok(Self { tensors: self.tensors.into_iter().zip(scaled).map(|(a, b)| add(a, b)).collect(), open: self.open })
    }

    /// The gradients as readable memory, by parameter.
    fn hosts(&self) -> Vec<Option<HostTensor>> {
        self.tensors.iter().map(|tensor| tensor.clone().map(host)).collect()
    }

    /// Squared Euclidean norm of each trained parameter's gradient, in the layout's order.
    pub(crate) fn squared_norms(&self, layout: &Layout, device: &Device) -> Result<Vec<(usize, f64)>, ModelError> {
        let indices = self.tensors.iter().enumerate().filter_map(|(index, tensor)| tensor.as_ref().map(|_| index));
        let norms = match is_host(device) {
            true => self.hosts().iter().flatten().map(|x| kernels::reduce::sum_of_squares(x.storage())).collect(),
            false => read_sums(device_dots(self, self, layout))?,
        };
        Ok(indices.zip(norms).collect())
    }
}

/// Inner products of `m` gradient sets, `[m, m]` row-major, added up in `f64` in a fixed order.
pub(crate) fn gram(sets: &[Gradients], layout: &Layout, device: &Device) -> Result<Vec<f64>, ModelError> {
    let m = sets.len();
    check_alike(sets)?;
    let hosts: Vec<_> = if is_host(device) { sets.iter().map(Gradients::hosts).collect() } else { Vec::new() };
    let mut gram = vec![0.0; m * m];
    for i in 0..m {
        for j in i..m {
            let dots = match hosts.is_empty() {
                false => host_dots(&hosts[i], &hosts[j])?,
                true => read_sums(device_dots(&sets[i], &sets[j], layout))?,
            };
            let dot = dots.iter().sum();
            gram[i * m + j] = dot;
            gram[j * m + i] = dot;
        }
    }
    Ok(gram)
}

/// `Σ weight · gradient`.
pub(crate) fn combine(sets: Vec<Gradients>, weights: &[f64]) -> Result<Gradients, ModelError> {
    check_count("weights", weights.len(), sets.len())?;
    check_alike(&sets)?;
    if let Some(index) = weights.iter().position(|weight| !weight.is_finite()) {
        return Err(ModelError::NonFinite { what: format!("weight {index} of a gradient combination") });
    }
    // A single loss has weight 1: its gradient is not copied.
    let mut scaled = sets.into_iter().zip(weights).map(|(set, &weight)| {
        let times = move |tensor: Tensor<1>| if weight == 1.0 { tensor } else { tensor * weight };
        Gradients { tensors: set.tensors.into_iter().map(move |tensor| tensor.map(times)).collect(), open: set.open }
    });
    let first = scaled.next().ok_or_else(|| ModelError::state("no gradients to combine"))?;
    Ok(scaled.fold(first, |sum, set| {
        let tensors = sum.tensors.into_iter().zip(set.tensors).map(|(sum, term)| add(sum, term)).collect();
        Gradients { tensors, open: sum.open }
    }))
}

/// The sum, where a missing tensor is 0.
fn add(a: Option<Tensor<1>>, b: Option<Tensor<1>>) -> Option<Tensor<1>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    }
}

fn check_alike<'a>(sets: impl IntoIterator<Item = &'a Gradients>) -> Result<(), ModelError> {
    let mut sets = sets.into_iter().map(|set| &set.open);
    let first = sets.next();
    match sets.all(|open| Some(open) == first) {
        true => Ok(()),
        false => Err(ModelError::state("gradients of different sets of trained parameters cannot be combined")),
    }
}

fn host_dots(a: &[Option<HostTensor>], b: &[Option<HostTensor>]) -> Result<Vec<f64>, ModelError> {
    a.iter()
        .zip(b)
        .filter_map(|(a, b)| a.as_ref().zip(b.as_ref()))
        .map(|(a, b)| {
            kernels::reduce::dot(a.storage(), b.storage()).map_err(|error| ModelError::state(error.to_string()))
        })
        .collect()
}

/// Inner product by parameter on the device, rows first, so that no sum runs over more than one row or column.
fn device_dots(a: &Gradients, b: &Gradients, layout: &Layout) -> Vec<Tensor<1>> {
    let pairs = a.tensors.iter().zip(&b.tensors).zip(&layout.entries);
    pairs
        .filter_map(|((a, b), entry)| {
            let rows = entry.file_shape.first().copied().unwrap_or(1);
            let product = (a.clone()? * b.clone()?).reshape([rows, entry.len() / rows]);
            Some(product.sum_dim(1).sum_dim(0).reshape([1]))
        })
        .collect()
}

fn read_sums(sums: Vec<Tensor<1>>) -> Result<Vec<f64>, ModelError> {
    match sums.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(device::to_host(Tensor::cat(sums, 0))?.into_iter().map(f64::from).collect()),
    }
}
