//! What subnetworks of languages share, and how often their gradients disagree.

use thiserror::Error;

/// Masks or gradients that cannot be compared.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum OverlapError {
    #[error("masks of {first} and {second} layers, or of layers of different sizes, do not belong to one model")]
    Shape { first: usize, second: usize },
    #[error("the products of {tasks} gradients are {expected} numbers, not {found}")]
    Products { tasks: usize, expected: usize, found: usize },
    #[error("the product of gradients {first} and {second} is {value}")]
    NotFinite { first: usize, second: usize, value: f64 },
}

/// How much of two masks is the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlap {
    /// `|A and B| / |A or B|` of all heads; none if both masks are empty.
    pub jaccard: Option<f64>,
    /// The same of every layer.
    pub layers: Vec<Option<f64>>,
    /// `|A and B|` by the number of heads, kept or not.
    pub shared: f64,
}

/// Compares masks `[layers][heads]`.
///
/// # Errors
/// [`OverlapError::Shape`] if they are of different shapes or empty.
pub fn overlap(first: &[Vec<bool>], second: &[Vec<bool>]) -> Result<Overlap, OverlapError> {
    let alike = first.len() == second.len() && first.iter().zip(second).all(|(a, b)| a.len() == b.len());
    let heads: usize = first.iter().map(Vec::len).sum();
    if !alike || heads == 0 {
        return Err(OverlapError::Shape { first: first.len(), second: second.len() });
    }
    let counts: Vec<(usize, usize)> = first
        .iter()
        .zip(second)
        .map(|(a, b)| {
            let both = a.iter().zip(b).filter(|(a, b)| **a && **b).count();
            let either = a.iter().zip(b).filter(|(a, b)| **a || **b).count();
            (both, either)
        })
        .collect();
    let jaccard = |(both, either): (usize, usize)| (either > 0).then(|| both as f64 / either as f64);
    let total = counts.iter().fold((0, 0), |(both, either), layer| (both + layer.0, either + layer.1));
    Ok(Overlap {
        jaccard: jaccard(total),
        layers: counts.into_iter().map(jaccard).collect(),
        shared: total.0 as f64 / heads as f64,
    })
}

/// How the gradients of several tasks stand to each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflicts {
    /// Cosine of each pair (first, second, cosine), first < second; pairs with a zero gradient have none and are left out.
    pub cosines: Vec<(usize, usize, f64)>,
    /// Share of these pairs whose cosine is below 0; none without a pair.
    pub share: Option<f64>,
    /// Mean cosine.
    pub mean: Option<f64>,
}

/// From the inner products `[tasks, tasks]` of gradients, row-major.
///
/// # Errors
/// [`OverlapError::Products`] or [`OverlapError::NotFinite`].
pub fn conflicts(tasks: usize, products: &[f64]) -> Result<Conflicts, OverlapError> {
    if tasks.checked_mul(tasks) != Some(products.len()) {
        let expected = tasks.saturating_mul(tasks);
        return Err(OverlapError::Products { tasks, expected, found: products.len() });
    }
    if let Some(place) = products.iter().position(|product| !product.is_finite()) {
        return Err(OverlapError::NotFinite { first: place / tasks, second: place % tasks, value: products[place] });
    }
    let mut cosines = Vec::new();
    for first in 0..tasks {
        for second in first + 1..tasks {
            // One root, so that equal gradients give exactly 1; squared norms of f32 stay far inside f64's range.
            let norms = (products[first * tasks + first] * products[second * tasks + second]).sqrt();
            if norms > 0.0 {
                cosines.push((first, second, (products[first * tasks + second] / norms).clamp(-1.0, 1.0)));
            }
        }
    }
    let pairs = cosines.len() as f64;
    let of_pairs = |sum: f64| (pairs > 0.0).then(|| sum / pairs);
    Ok(Conflicts {
        share: of_pairs(cosines.iter().filter(|(.., cosine)| *cosine < 0.0).count() as f64),
        mean: of_pairs(cosines.iter().map(|(.., cosine)| cosine).sum()),
        cosines,
    })
}
