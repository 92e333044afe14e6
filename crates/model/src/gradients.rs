use burn::tensor::{Device, Tensor};

use crate::device::{self, HostTensor, host, is_host};
use crate::layout::Layout;
use crate::{ModelError, state::check_count};

/// The gradient of one loss with respect to every parameter that was trained when it was computed.
#[derive(Debug, Clone)]
pub struct Gradients {
    /// One flat tensor a parameter, in the layout's order; `None` where the parameter was frozen.
    pub(crate) tensors: Vec<Option<Tensor<1>>>,
}

impl Gradients {
    fn trains_like(&self, other: &Gradients) -> bool {
        self.tensors.len() == other.tensors.len()
            && self.tensors.iter().zip(&other.tensors).all(|(a, b)| a.is_some() == b.is_some())
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
        set.tensors.into_iter().map(move |tensor| tensor.map(times)).collect::<Vec<_>>()
    });
    let first = scaled.next().ok_or_else(|| ModelError::state("no gradients to combine"))?;
    let tensors = scaled.fold(first, |sum, set| {
        sum.into_iter().zip(set).map(|(sum, term)| sum.zip(term).map(|(sum, term)| sum + term)).collect()
    });
    Ok(Gradients { tensors })
}

fn check_alike(sets: &[Gradients]) -> Result<(), ModelError> {
    match sets.windows(2).all(|pair| pair[0].trains_like(&pair[1])) {
        true => Ok(()),
        false => Err(ModelError::state("gradients of different sets of trained parameters cannot be combined")),
    }
}

fn host_dots(a: &[Option<HostTensor>], b: &[Option<HostTensor>]) -> Result<Vec<f64>, ModelError> {
    a.iter()
        .flatten()
        .zip(b.iter().flatten())
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
    Ok(device::to_host(Tensor::cat(sums, 0))?.into_iter().map(f64::from).collect())
}
