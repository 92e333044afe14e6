use serde::{Deserialize, Serialize};
use spec::PruneKnobs;
use thiserror::Error;

use super::{Mask, MaskError, Scores};

/// What pruning wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask<'a> {
    /// The score of this mask, and the importance of all heads under it.
    Measure(&'a Mask),
    /// Nothing: this is the mask.
    Done(&'a Mask),
}

/// A mask's score and importances: one answer to [`Ask::Measure`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Round {
    pub mask: Mask,
    pub score: f64,
    pub importance: Scores,
    /// Whether the score is near enough to the full model's.
    pub satisfied: bool,
}

#[derive(Debug, Clone, PartialEq, Error)]
pub enum PruningError {
    #[error(transparent)]
    Mask(#[from] MaskError),
    #[error("the model scores {score} with all heads: there is nothing to keep a share of")]
    NothingToKeep { score: f64 },
    #[error("the score of a mask is {score}")]
    NotFinite { score: f64 },
    #[error("pruning has ended: there is nothing to answer")]
    Ended,
    #[error("the saved rounds are not those of this pruning")]
    OtherRounds,
}

/// Iterative pruning (Michel et al. 2019): heads are dropped, the least important first, until the score, of which more is
/// better, falls below a share of the full model's. The result is the last mask above it.
///
/// Importance is measured anew under every mask. A mask keeps at least one head.
#[derive(Debug, Clone)]
pub struct Pruning {
    knobs: PruneKnobs,
    /// The last mask that satisfied, all heads at first.
    kept: Mask,
    /// The mask to be measured; none at the end.
    candidate: Option<Mask>,
    rounds: Vec<Round>,
}

impl Pruning {
    /// # Errors
    /// [`MaskError::Shape`] without layers or heads.
    pub fn new(layers: usize, heads: usize, knobs: &PruneKnobs) -> Result<Self, MaskError> {
        let full = Mask::full(layers, heads)?;
        Ok(Self { knobs: knobs.clone(), kept: full.clone(), candidate: Some(full), rounds: Vec::new() })
    }

    /// Goes on after the saved rounds of an equal pruning.
    ///
    /// # Errors
    /// [`PruningError::OtherRounds`] if they are of another one, and those of [`Pruning::answer`].
    pub fn resume(layers: usize, heads: usize, knobs: &PruneKnobs, rounds: &[Round]) -> Result<Self, PruningError> {
        let mut pruning = Self::new(layers, heads, knobs)?;
        for round in rounds {
            match pruning.ask() {
                Ask::Measure(mask) if *mask == round.mask => {}
                _ => return Err(PruningError::OtherRounds),
            }
            pruning.answer(round.score, round.importance.clone())?;
            if pruning.rounds.last() != Some(round) {
                return Err(PruningError::OtherRounds);
            }
        }
        Ok(pruning)
    }

    /// What comes next.
    pub fn ask(&self) -> Ask<'_> {
        self.candidate.as_ref().map_or(Ask::Done(&self.kept), Ask::Measure)
    }

    /// Takes the score of the mask asked for and the importance of all heads under it.
    ///
    /// # Errors
    /// [`PruningError`]; nothing has changed then.
    pub fn answer(&mut self, score: f64, importance: Scores) -> Result<(), PruningError> {
        let mask = self.candidate.as_ref().ok_or(PruningError::Ended)?;
        mask.check_like(importance.layers(), importance.heads())?;
        if !score.is_finite() {
            return Err(PruningError::NotFinite { score });
        }
        let full = self.rounds.first().map_or(score, |first| first.score);
        if full <= 0.0 {
            return Err(PruningError::NothingToKeep { score: full });
        }
        let satisfied = score >= self.knobs.threshold * full;
        // Of all heads, so that every round drops as many; rounded down as the public code does.
        let count = ((self.knobs.fraction * (mask.layers() * mask.heads()) as f64) as usize).max(1);
        let next = match satisfied && mask.size() > count {
            true => Some(mask.without_least(&importance, count)?),
            false => None,
        };
        let mask = mask.clone();
        if satisfied {
            self.kept = mask.clone();
        }
        self.rounds.push(Round { mask, score, importance, satisfied });
        self.candidate = next;
        Ok(())
    }

    /// All answers so far: the pruning trace, and what [`Pruning::resume`] needs.
    pub fn rounds(&self) -> &[Round] {
        &self.rounds
    }
}
