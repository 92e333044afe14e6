mod gradient;

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use kernels::combine::Combination;
use kernels::reduce;
use kernels::rows::{RowSparse, Vector};

use crate::ModelError;
use crate::device::{self, HostTensor, from_host, host, is_host};
use crate::layout::Layout;

use gradient::misfit;
pub(crate) use gradient::{Gradient, add_rows};

/// The gradient of one loss with respect to every parameter that was trained when it was computed. Gradients of the same
/// trained parameters form a vector space, whose coordinates are the entries of these parameters.
///
/// On the CPU back end the gradient of a table that is only looked up, such as the word embeddings, takes memory for the
/// rows that were looked up.
#[derive(Debug, Clone)]
pub struct Gradients {
    /// One a parameter, in the layout's order; `None` where the parameter was frozen or takes no part in the loss, and
    /// where the gradient is therefore 0.
    pub(crate) of: Vec<Option<Gradient>>,
    /// Parameters that were trained, in the layout's order.
    pub(crate) open: Vec<bool>,
}

impl Gradients {
    /// The elementwise square.
    pub fn square(&self) -> Self {
        let square = |gradient: &Option<Gradient>| gradient.as_ref().map(Gradient::square);
        Self { of: self.of.iter().map(square).collect(), open: self.open.clone() }
    }

    /// The elementwise product.
    ///
    /// # Errors
    /// [`ModelError::State`] if they are not of the same trained parameters.
    pub fn multiply(&self, other: &Self) -> Result<Self, ModelError> {
        check_alike([self, other])?;
        let pairs = self.of.iter().zip(&other.of);
        let product = pairs.map(|(a, b)| a.as_ref().zip(b.as_ref()).map(|(a, b)| a.multiply(b)).transpose());
        Ok(Self { of: product.collect::<Result<_, _>>()?, open: self.open.clone() })
    }

    /// `self + weight · other`.
    ///
    /// # Errors
    /// [`ModelError::State`] if they are not of the same trained parameters.
    pub fn add_scaled(self, other: &Self, weight: f64) -> Result<Self, ModelError> {
        check_alike([&self, other])?;
        let pairs = self.of.into_iter().zip(&other.of);
        let sum = pairs.map(|(a, b)| match (a, b) {
            (Some(a), Some(b)) => a.add_scaled(b, weight).map(Some),
            (None, Some(b)) => Ok(Some(b.clone().scale(weight))),
            (a, None) => Ok(a),
        });
        Ok(Self { of: sum.collect::<Result<_, _>>()?, open: self.open })
    }

    /// Whether it is of parameters of these shapes that are open.
    pub(crate) fn fits(&self, layout: &Layout, open: &[bool]) -> bool {
        let mut entries = self.of.iter().zip(open).zip(&layout.entries);
        self.of.len() == open.len()
            && entries
                .all(|((gradient, open), entry)| gradient.as_ref().is_none_or(|gradient| *open && gradient.fits(entry)))
    }

    /// Bytes of the numbers that it holds.
    pub fn bytes(&self) -> usize {
        let of_one = |gradient: &Gradient| match gradient {
            Gradient::Dense(tensor) => tensor.dims()[0] * size_of::<f32>(),
            Gradient::Rows(rows) => rows.values.len() * size_of::<f32>() + rows.rows.len() * size_of::<u32>(),
        };
        self.of.iter().flatten().map(of_one).sum()
    }

    /// Squared Euclidean norm of each trained parameter's gradient, in the layout's order.
    pub(crate) fn squared_norms(&self, layout: &Layout, device: &Device) -> Result<Vec<(usize, f64)>, ModelError> {
        let indices = self.of.iter().enumerate().filter_map(|(index, gradient)| gradient.as_ref().map(|_| index));
        let norms = match is_host(device) {
            true => {
                let readable: Vec<_> = self.of.iter().flatten().map(Gradient::readable).collect();
                let parameters: Vec<_> = readable.iter().map(|readable| vec![Some(readable.vector())]).collect();
                reduce::gram(&parameters).map_err(misfit)?.into_iter().flatten().collect()
            }
            false => read_sums(device_dots(self, self, layout))?,
        };
        Ok(indices.zip(norms).collect())
    }
}

/// Inner products of `m` gradient sets, `[m, m]` row-major, added up in `f64` in a fixed order.
pub(crate) fn gram(sets: &[Gradients], layout: &Layout, device: &Device) -> Result<Vec<f64>, ModelError> {
    let m = sets.len();
    check_alike(sets)?;
    let mut gram = vec![0.0; m * m];
    if is_host(device) {
        let readable: Vec<Vec<_>> = sets
            .iter()
            .map(|set| set.of.iter().map(|gradient| gradient.as_ref().map(Gradient::readable)).collect())
            .collect();
        let vectors = |index: usize| readable.iter().map(move |set| set[index].as_ref().map(|one| one.vector()));
        let parameters: Vec<Vec<Option<Vector>>> =
            (0..layout.entries.len()).map(|index| vectors(index).collect()).collect();
        for products in reduce::gram(&parameters).map_err(misfit)? {
            gram.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
        }
        return Ok(gram);
    }
    for i in 0..m {
        for j in i..m {
            let dot = read_sums(device_dots(&sets[i], &sets[j], layout))?.iter().sum();
            gram[i * m + j] = dot;
            gram[j * m + i] = dot;
        }
    }
    Ok(gram)
}

/// `Σ weight · gradient`.
pub(crate) fn combine(sets: Vec<Gradients>, weights: &[f64], device: &Device) -> Result<Gradients, ModelError> {
    check_count("weights", weights.len(), sets.len())?;
    check_alike(&sets)?;
    if let Some(index) = weights.iter().position(|weight| !weight.is_finite()) {
        return Err(ModelError::NonFinite { what: format!("weight {index} of a gradient combination") });
    }
    let open = sets.first().ok_or_else(|| ModelError::state("no gradients to combine"))?.open.clone();
    let mut terms: Vec<Vec<(Gradient, f64)>> = open.iter().map(|_| Vec::with_capacity(sets.len())).collect();
    for (set, &weight) in sets.into_iter().zip(weights) {
        for (terms, gradient) in terms.iter_mut().zip(set.of) {
            terms.extend(gradient.map(|gradient| (gradient, weight)));
        }
    }
    let of = if is_host(device) {
        combine_on_host(terms)?
    } else {
        terms.into_iter().map(fold).collect::<Result<_, _>>()?
    };
    Ok(Gradients { of, open })
}

/// One parameter's combination, one term after the other.
fn fold(terms: Vec<(Gradient, f64)>) -> Result<Option<Gradient>, ModelError> {
    let mut terms = terms.into_iter();
    let Some((first, weight)) = terms.next() else { return Ok(None) };
    terms.try_fold(first.scale(weight), |sum, (term, weight)| sum.add_scaled(&term, weight)).map(Some)
}

/// The combinations of all parameters, those of flat tensors in one pass over the CPU's memory and into the first term's
/// where nobody else holds it.
fn combine_on_host(parameters: Vec<Vec<(Gradient, f64)>>) -> Result<Vec<Option<Gradient>>, ModelError> {
    let mut combined: Vec<Option<Gradient>> = vec![None; parameters.len()];
    /// Parameter, first term and its weight, the other terms.
    type Flat = (usize, HostTensor, f32, Vec<(HostTensor, f32)>);
    let mut flat: Vec<Flat> = Vec::new();
    for (index, terms) in parameters.into_iter().enumerate() {
        let dense = terms.iter().filter(|(term, _)| matches!(term, Gradient::Dense(_))).count();
        if dense == terms.len() {
            let mut tensors = terms.into_iter().filter_map(|(term, weight)| match term {
                Gradient::Dense(tensor) => Some((host(tensor), weight as f32)),
                Gradient::Rows(_) => None,
            });
            if let Some((first, weight)) = tensors.next() {
                flat.push((index, first, weight, tensors.collect()));
            }
        } else if dense == 0 {
            let terms = terms.iter().filter_map(|(term, weight)| match term {
                Gradient::Rows(rows) => Some((&**rows, *weight as f32)),
                Gradient::Dense(_) => None,
            });
            let sum = RowSparse::combine(&terms.collect::<Vec<_>>()).map_err(misfit)?;
            combined[index] = Some(Gradient::Rows(Arc::new(sum)));
        } else {
            combined[index] = fold(terms)?;
        }
    }
    let combinations = flat.iter_mut().map(|(_, sum, first, terms)| Combination {
        sum: sum.storage_mut(),
        first: *first,
        terms: terms.iter().map(|(term, weight)| (term.storage(), *weight)).collect(),
    });
    kernels::combine::combine(combinations.collect()).map_err(misfit)?;
    for (index, sum, ..) in flat {
        combined[index] = Some(Gradient::Dense(from_host(sum)));
    }
    Ok(combined)
}

fn check_alike<'a>(sets: impl IntoIterator<Item = &'a Gradients>) -> Result<(), ModelError> {
    let mut sets = sets.into_iter().map(|set| &set.open);
    let first = sets.next();
    match sets.all(|open| Some(open) == first) {
        true => Ok(()),
        false => Err(ModelError::state("gradients of different sets of trained parameters cannot be combined")),
    }
}

/// Inner product by parameter on the device, rows first, so that no sum runs over more than one row or column.
fn device_dots(a: &Gradients, b: &Gradients, layout: &Layout) -> Vec<Tensor<1>> {
    let pairs = a.of.iter().zip(&b.of).zip(&layout.entries);
    pairs
        .filter_map(|((a, b), entry)| {
            // Other devices have no row-sparse gradients.
            let (Some(Gradient::Dense(a)), Some(Gradient::Dense(b))) = (a, b) else { return None };
            let rows = entry.file_shape.first().copied().unwrap_or(1);
            let product = (a.clone() * b.clone()).reshape([rows, entry.len() / rows]);
            Some(product.sum_dim(1).sum_dim(0).reshape([1]))
        })
        .collect()
}

fn check_count(what: &str, found: usize, expected: usize) -> Result<(), ModelError> {
    match found == expected {
        true => Ok(()),
        false => Err(ModelError::state(format!("{found} {what}, expected {expected}"))),
    }
}

fn read_sums(sums: Vec<Tensor<1>>) -> Result<Vec<f64>, ModelError> {
    match sums.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(device::to_host(Tensor::cat(sums, 0))?.into_iter().map(f64::from).collect()),
    }
}
