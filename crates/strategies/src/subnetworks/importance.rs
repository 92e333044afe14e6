use serde::{Deserialize, Serialize};
use spec::{Language, Normalise};

use super::MaskError;
use crate::draw;

/// Importance of heads as it is gathered over batches.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    layers: usize,
    heads: usize,
    /// `[layers, heads]`
    sums: Vec<f64>,
    tokens: u64,
}

impl Importance {
    /// # Errors
    /// [`MaskError::Shape`] without layers or heads.
    pub fn new(layers: usize, heads: usize) -> Result<Self, MaskError> {
        if layers == 0 || heads == 0 {
            return Err(MaskError::Shape);
        }
        Ok(Self { layers, heads, sums: vec![0.0; layers * heads], tokens: 0 })
    }

    /// Adds `|d loss / d mask|` of one batch of `tokens` real tokens. The absolute value is of the batch's gradient, as in
    /// the public code, not of each example's.
    ///
    /// # Errors
    /// [`MaskError::Count`] or [`MaskError::NotFinite`]; nothing is added then.
    pub fn add(&mut self, gradient: &[f64], tokens: u64) -> Result<(), MaskError> {
        check(gradient, self.layers, self.heads)?;
        for (sum, value) in self.sums.iter_mut().zip(gradient) {
            *sum += value.abs();
        }
        self.tokens += tokens;
        Ok(())
    }

    /// Scores per token; all 0 if nothing was added.
    pub fn scores(&self, normalise: Normalise) -> Scores {
        let tokens = self.tokens.max(1) as f64;
        let values = self.sums.iter().map(|sum| sum / tokens).collect();
        Scores { heads: self.heads, values }.normalised(normalise)
    }
}

/// How important every head is, `[layers, heads]`. Written as one list a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<f64>>", into = "Vec<Vec<f64>>")]
pub struct Scores {
    heads: usize,
    values: Vec<f64>,
}

/// Added to a layer's norm, as in the public code: a layer without any gradient stays at 0.
const NORM_FLOOR: f64 = 1e-20;

impl Scores {
    /// Scores as they are, `[layers, heads]` row-major.
    ///
    /// # Errors
    /// [`MaskError::Shape`], [`MaskError::Count`] or [`MaskError::NotFinite`].
    pub fn new(layers: usize, heads: usize, values: Vec<f64>) -> Result<Self, MaskError> {
        if layers == 0 || heads == 0 {
            return Err(MaskError::Shape);
        }
        check(&values, layers, heads)?;
        Ok(Self { heads, values })
    }

    /// A control: uniform in `[0, 1)`, drawn by (seed, language, round).
    ///
    /// # Errors
    /// [`MaskError::Shape`].
    pub fn random(layers: usize, heads: usize, seed: u64, language: Language, round: u64) -> Result<Self, MaskError> {
        let mut generator = draw::generator(seed, &format!("score.{language}"), round);
        let steps = 1usize << 53;
        let values = (0..layers * heads).map(|_| random::below(&mut generator, steps) as f64 / steps as f64);
        Self::new(layers, heads, values.collect())
    }

    /// Of values that were checked as they came.
    pub(super) fn of_checked(heads: usize, values: Vec<f64>) -> Self {
        Self { heads, values }
    }

    /// Each layer divided by its L2 norm, then all moved and scaled into `[0, 1]`; equal scores become 0.
    #[must_use]
    pub fn normalised(mut self, normalise: Normalise) -> Self {
        if normalise == Normalise::None {
            return self;
        }
        for layer in self.values.chunks_mut(self.heads) {
            let norm = layer.iter().map(|value| value * value).sum::<f64>().sqrt() + NORM_FLOOR;
            layer.iter_mut().for_each(|value| *value /= norm);
        }
        let least = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let range = if most > least { most - least } else { 1.0 };
        self.values.iter_mut().for_each(|value| *value = (*value - least) / range);
        self
    }

    pub fn layers(&self) -> usize {
        self.values.len() / self.heads
    }

    pub fn heads(&self) -> usize {
        self.heads
    }

    /// `[layers, heads]` row-major.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// (layer, head) from the least to the most important; equal ones from the bottom up.
    pub(super) fn ascending(&self) -> Vec<(usize, usize)> {
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        order.sort_by(|&a, &b| self.values[a].total_cmp(&self.values[b]));
        order.into_iter().map(|place| (place / self.heads, place % self.heads)).collect()
    }
}

impl TryFrom<Vec<Vec<f64>>> for Scores {
    type Error = MaskError;
    fn try_from(rows: Vec<Vec<f64>>) -> Result<Self, MaskError> {
        let heads = rows.first().map_or(0, Vec::len);
        if rows.iter().any(|row| row.len() != heads) {
            return Err(MaskError::Shape);
        }
        Self::new(rows.len(), heads, rows.concat())
    }
}

impl From<Scores> for Vec<Vec<f64>> {
    fn from(scores: Scores) -> Self {
        scores.values.chunks(scores.heads).map(<[f64]>::to_vec).collect()
    }
}

/// One finite value for each head.
pub(super) fn check(values: &[f64], layers: usize, heads: usize) -> Result<(), MaskError> {
    if values.len() != layers * heads {
        return Err(MaskError::Count { found: values.len(), expected: layers * heads });
    }
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(place) => Err(MaskError::NotFinite { layer: place / heads, head: place % heads, value: values[place] }),
    }
}
