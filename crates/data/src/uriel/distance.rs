use std::f64::consts::FRAC_2_PI;
use std::path::Path;

use serde::Serialize;
use spec::{Language, LanguageDistance, TypologicalDistance};

use super::{code, vectors};
use crate::DataError;

/// The distances between some languages: symmetric, 0 between a language and itself, in [0, 1] or missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distances {
    /// URIEL's codes, as used.
    codes: Vec<String>,
    /// `[codes, codes]`
    values: Vec<Option<f64>>,
}

impl Distances {
    /// Reads lang2vec's feature files in `folder`.
    ///
    /// # Errors
    /// [`DataError::Missing`] for a language that URIEL does not have, [`DataError::Options`] for weights that have no
    /// mean, [`DataError::Io`] or [`DataError::File`] for the files.
    pub fn read(folder: &Path, distance: &LanguageDistance, languages: &[Language]) -> Result<Self, DataError> {
        let codes: Vec<String> = languages.iter().map(|&language| code(language).to_owned()).collect();
        let parts = distance.parts();
        let total: f64 = parts.iter().map(|(_, weight)| weight).sum();
        let weigh = parts.iter().all(|(_, weight)| *weight >= 0.0) && total > 0.0 && total.is_finite();
        if !weigh {
            return Err(DataError::options("the weights of distances must not be negative, and not all be 0"));
        }
        let mut values = vec![Some(0.0); codes.len() * codes.len()];
        for (distance, weight) in parts {
            let part = Self::of_codes(folder, distance, &codes)?;
            for (mean, value) in values.iter_mut().zip(part.values) {
                *mean = mean.zip(value).map(|(mean, value)| mean + weight / total * value);
            }
        }
        Ok(Self { codes, values })
    }

    /// One distance between languages by URIEL's own codes.
    ///
    /// # Errors
    /// As [`Distances::read`].
    pub fn of_codes(folder: &Path, distance: TypologicalDistance, codes: &[String]) -> Result<Self, DataError> {
        let vectors = vectors::read(folder, &vectors::features(distance), codes)?;
        let between = match distance {
            TypologicalDistance::SyntaxKnnCosine
            | TypologicalDistance::PhonologyKnnCosine
            | TypologicalDistance::InventoryKnnCosine
            | TypologicalDistance::FamCosine
            | TypologicalDistance::GeoCosine => cosine,
            TypologicalDistance::GeoMaxabs => maxabs,
            TypologicalDistance::SyntaxUnionAngular => angular,
        };
        let mut values = Vec::with_capacity(codes.len() * codes.len());
        for x in &vectors {
            values.extend(vectors.iter().map(|y| between(x, y)));
        }
        Ok(Self { codes: codes.to_vec(), values })
    }

    /// URIEL's codes of the languages, in the order given.
    pub fn codes(&self) -> &[String] {
        &self.codes
    }

    /// The distance; `None` if one of the languages has no features of this kind, or is not of the set.
    pub fn between(&self, a: Language, b: Language) -> Option<f64> {
        self.between_codes(code(a), code(b))
    }

    /// As [`Distances::between`], by URIEL's own codes.
    pub fn between_codes(&self, a: &str, b: &str) -> Option<f64> {
        let place = |code| self.codes.iter().position(|known| known == code);
        self.values[place(a)? * self.codes.len() + place(b)?]
    }
}

/// `x.y / (|x| |y|)`; `None` if a vector is zero. One root, so that equal binary vectors give exactly 1.
fn similarity(x: &[f64], y: &[f64]) -> Option<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norms = (dot(x, x) * dot(y, y)).sqrt();
    (norms > 0.0).then(|| (dot(x, y) / norms).min(1.0))
}

fn cosine(x: &[f64], y: &[f64]) -> Option<f64> {
    similarity(x, y).map(|cosine| 1.0 - cosine)
}

fn angular(x: &[f64], y: &[f64]) -> Option<f64> {
    similarity(x, y).map(|cosine| FRAC_2_PI * cosine.acos())
}

fn maxabs(x: &[f64], y: &[f64]) -> Option<f64> {
    Some(x.iter().zip(y).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max))
}
