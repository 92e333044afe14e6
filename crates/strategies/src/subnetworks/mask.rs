use std::fmt;

use model::{HeadMask, ModelError};
use serde::{Deserialize, Serialize};
use spec::{Language, Merge};
use thiserror::Error;

use super::Scores;
use crate::draw;

/// The heads that a language keeps, `[layers, heads]`. Written as one text of `1` and `0` a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Mask {
    /// Not empty, and all of one length above 0.
    rows: Vec<Vec<bool>>,
}

/// Masks that fit neither a model nor each other.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum MaskError {
    #[error("a mask needs at least one layer, and the same number of heads, at least one, in each")]
    Shape,
    #[error("the mask `{text}` of a layer is no sequence of 1 and 0")]
    Letters { text: String },
    #[error("masks of {first} and {second} heads (layers x heads) do not belong to one model")]
    Different { first: String, second: String },
    #[error("there are no masks")]
    Nothing,
    #[error("there is no mask of `{language}`")]
    NoMask { language: Language },
    #[error("the saved masks are of other languages")]
    OtherLanguages,
    #[error("{found} importances for {expected} heads")]
    Count { found: usize, expected: usize },
    #[error("the importance of head {head} of layer {layer} is {value}")]
    NotFinite { layer: usize, head: usize, value: f64 },
}

impl Mask {
    /// # Errors
    /// [`MaskError::Shape`].
    pub fn new(rows: Vec<Vec<bool>>) -> Result<Self, MaskError> {
        let heads = rows.first().map_or(0, Vec::len);
        if heads == 0 || rows.iter().any(|row| row.len() != heads) {
            return Err(MaskError::Shape);
        }
        Ok(Self { rows })
    }

    /// All heads.
    ///
    /// # Errors
    /// [`MaskError::Shape`] without layers or heads.
    pub fn full(layers: usize, heads: usize) -> Result<Self, MaskError> {
        Self::new(vec![vec![true; heads]; layers])
    }

    pub fn layers(&self) -> usize {
        self.rows.len()
    }

    /// Heads of a layer, kept or not.
    pub fn heads(&self) -> usize {
        self.rows[0].len()
    }

    /// `[layers][heads]`
    pub fn rows(&self) -> &[Vec<bool>] {
        &self.rows
    }

    /// Number of heads kept.
    pub fn size(&self) -> usize {
        self.rows.iter().flatten().filter(|kept| **kept).count()
    }

    /// 1 for a head that is kept and 0 for others, `[layers, heads]` row-major.
    pub fn values(&self) -> Vec<f32> {
        self.rows.iter().flatten().map(|&kept| f32::from(u8::from(kept))).collect()
    }

    /// As the learner takes it; all heads are no mask.
    ///
    /// # Errors
    /// None for a mask of this type.
    pub fn of_learner(&self) -> Result<Option<HeadMask>, ModelError> {
        match self.size() == self.layers() * self.heads() {
            true => Ok(None),
            false => HeadMask::new(self.layers(), self.heads(), self.values()).map(Some),
        }
    }

    /// Without its `count` least important heads. Of equally important heads the lower goes first.
    ///
    /// # Errors
    /// [`MaskError::Different`] if the scores are of another model.
    pub fn without_least(&self, scores: &Scores, count: usize) -> Result<Self, MaskError> {
        self.check_like(scores.layers(), scores.heads())?;
        let mut mask = self.clone();
        let kept = |(layer, head): &(usize, usize)| self.rows[*layer][*head];
        for (layer, head) in scores.ascending().into_iter().filter(kept).take(count) {
            mask.rows[layer][head] = false;
        }
        Ok(mask)
    }

    /// The `count` most important heads of all. Of equally important heads the higher stays.
    pub fn most_important(scores: &Scores, count: usize) -> Self {
        let mut rows = vec![vec![false; scores.heads()]; scores.layers()];
        for (layer, head) in scores.ascending().into_iter().rev().take(count) {
            rows[layer][head] = true;
        }
        Self { rows }
    }

    /// A control for a language's mask: as many heads in every layer, drawn by (seed, language, draw).
    #[must_use]
    pub fn random_like(&self, seed: u64, language: Language, draw: u64) -> Self {
        let mut generator = draw::generator(seed, &format!("mask.{language}"), draw);
        let shuffled = |row: &Vec<bool>| {
            let mut order: Vec<usize> = (0..row.len()).collect();
            random::shuffle(&mut generator, &mut order);
            order.into_iter().map(|from| row[from]).collect()
        };
        Self { rows: self.rows.iter().map(shuffled).collect() }
    }

    /// One mask of several.
    ///
    /// # Errors
    /// [`MaskError::Nothing`] without masks, [`MaskError::Different`] if they are not of one model.
    pub fn merged(masks: &[&Mask], merge: Merge) -> Result<Self, MaskError> {
        let (first, others) = masks.split_first().ok_or(MaskError::Nothing)?;
        others.iter().try_for_each(|mask| first.check_like(mask.layers(), mask.heads()))?;
        let keep = |layer: usize, head: usize| {
            let votes = masks.iter().filter(|mask| mask.rows[layer][head]).count();
            match merge {
                Merge::Single => first.rows[layer][head],
                Merge::Intersection => votes == masks.len(),
                Merge::Majority => 2 * votes > masks.len(),
                Merge::Union => votes > 0,
            }
        };
        let row = |layer| (0..first.heads()).map(|head| keep(layer, head)).collect();
        Ok(Self { rows: (0..first.layers()).map(row).collect() })
    }

    pub(super) fn check_like(&self, layers: usize, heads: usize) -> Result<(), MaskError> {
        match (self.layers(), self.heads()) == (layers, heads) {
            true => Ok(()),
            false => Err(MaskError::Different { first: self.shape(), second: format!("{layers}x{heads}") }),
        }
    }

    fn shape(&self) -> String {
        format!("{}x{}", self.layers(), self.heads())
    }
}

impl TryFrom<Vec<String>> for Mask {
    type Error = MaskError;
    fn try_from(texts: Vec<String>) -> Result<Self, MaskError> {
        let row = |text: String| -> Result<Vec<bool>, MaskError> {
            let bit = |letter| match letter {
                '1' => Some(true),
                '0' => Some(false),
                _ => None,
            };
            text.chars().map(bit).collect::<Option<_>>().ok_or(MaskError::Letters { text })
        };
        Self::new(texts.into_iter().map(row).collect::<Result<_, _>>()?)
    }
}

impl From<Mask> for Vec<String> {
    fn from(mask: Mask) -> Self {
        let row = |row: Vec<bool>| row.into_iter().map(|kept| if kept { '1' } else { '0' }).collect();
        mask.rows.into_iter().map(row).collect()
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Vec::<String>::from(self.clone()).join("/"))
    }
}
