//! Forgetting and transfer over a sequence of training stages.
//!
//! R[i][j] is the score of column j (a task, or a language of one) after stage i, b[j] its score before any training, T the
//! last stage, l(j) the stage at which column j is learnt. Stages count from 1. What the model knew from the start has
//! l(j) = 0 and R[0][j] = b[j]. Only columns with l(j) < T can be forgotten. Published formulas have one column a stage,
//! l(j) = j, and all scores; here a column may lack some, and takes part in the measures that need none of these.

use crate::error::MeasureError;

/// What is learnt at one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    /// Stage at which it is learnt; 0 for what the model knew from the start.
    pub learnt: usize,
    /// Before training, then after each stage; higher is better. `None` where it was not measured.
    pub scores: Vec<Option<f64>>,
}

/// Scores of every column before training and after every stage.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreMatrix {
    columns: Vec<Column>,
    last: usize,
}

/// What is computed of every column, and averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// R[T][j].
    AverageFinal,
    /// R[T][j] − R[l(j)][j] where l(j) < T: Lopez-Paz and Ranzato, "Gradient Episodic Memory", NeurIPS 2017, eq. 3.
    /// Negative is forgetting.
    TransferBackward,
    /// R[l(j) − 1][j] − b[j] where l(j) > 1: Lopez-Paz and Ranzato 2017, eq. 4.
    TransferForward,
    /// R[l(j)][j] − R[T][j] where l(j) < T: Avalanche's `Forgetting`. The negative of backward transfer. Positive is loss,
    /// as in all definitions of forgetting.
    ForgettingFirstLast,
    /// max over i < T of R[i][j] − R[T][j] where l(j) < T: Chaudhry et al., "Riemannian Walk", ECCV 2018, section 3.
    /// Negative where the last stage is the best.
    ForgettingMaxLast,
    /// max over all i, T included, of R[i][j] − R[T][j] where l(j) < T: Mammoth's `forgetting`. Never negative.
    ForgettingMaxAllLast,
}

/// A measure of the columns that take part, in the matrix's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub columns: Vec<(String, f64)>,
    /// Columns that the measure is about, but that lack a score it needs: no part of the mean.
    pub lacking: Vec<String>,
    /// `None` if no column takes part.
    pub mean: Option<f64>,
}

impl Measure {
    pub const ALL: [Self; 6] = [
        Self::AverageFinal,
        Self::TransferBackward,
        Self::TransferForward,
        Self::ForgettingFirstLast,
        Self::ForgettingMaxLast,
        Self::ForgettingMaxAllLast,
    ];

    /// The metric's name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::AverageFinal => "average.final",
            Self::TransferBackward => "transfer.backward",
            Self::TransferForward => "transfer.forward",
            Self::ForgettingFirstLast => "forgetting.first-last",
            Self::ForgettingMaxLast => "forgetting.max-last",
            Self::ForgettingMaxAllLast => "forgetting.max-all-last",
        }
    }

    /// The moments (0 before training, i after stage i) whose scores a column learnt at this stage must have; `None` if
    /// the measure is not about such a column.
    pub fn needs(self, learnt: usize, last: usize) -> Option<Vec<usize>> {
        let mut moments = self.reads(learnt, last)?;
        // A maximum can do without scores from before the column was learnt: often there was no head to score.
        if self != Self::TransferForward {
            moments.retain(|&moment| moment >= learnt);
        }
        Some(moments)
    }

    /// All moments whose scores count where they are there.
    pub fn reads(self, learnt: usize, last: usize) -> Option<Vec<usize>> {
        match self {
            Self::AverageFinal => Some(vec![last]),
            Self::TransferForward => (learnt > 1).then(|| vec![0, learnt - 1]),
            Self::TransferBackward | Self::ForgettingFirstLast => (learnt < last).then(|| vec![learnt, last]),
            // The score before training is a row of what was known from the start alone.
            Self::ForgettingMaxLast | Self::ForgettingMaxAllLast => {
                (learnt < last).then(|| (learnt.min(1)..=last).collect())
            }
        }
    }

    /// Of a column that has what it needs.
    fn of(self, column: &Column, last: usize) -> Option<f64> {
        let best = |mut moments: Vec<usize>| {
            moments.retain(|&moment| moment < last || self == Self::ForgettingMaxAllLast);
            moments.into_iter().filter_map(|moment| column.scores[moment]).fold(f64::NEG_INFINITY, f64::max)
        };
        let (learnt, end) = (column.learnt, column.scores[last]);
        Some(match self {
            Self::AverageFinal => end?,
            Self::TransferBackward => end? - column.scores[learnt]?,
            Self::TransferForward => column.scores[learnt.checked_sub(1)?]? - column.scores[0]?,
            Self::ForgettingFirstLast => column.scores[learnt]? - end?,
            Self::ForgettingMaxLast | Self::ForgettingMaxAllLast => best(self.reads(learnt, last)?) - end?,
        })
    }
}

impl ScoreMatrix {
    /// # Errors
    /// No columns or scores, columns of different lengths, a stage that does not exist, or a score that is not finite.
    pub fn new(columns: Vec<Column>) -> Result<Self, MeasureError> {
        let expected = columns.first().map_or(0, |column| column.scores.len());
        let last = expected.checked_sub(1).ok_or(MeasureError::Nothing)?;
        for column in &columns {
            let (name, found) = (|| column.name.clone(), column.scores.len());
            if found != expected {
                return Err(MeasureError::Shape { column: name(), found, expected });
            }
            if column.learnt > last {
                return Err(MeasureError::LearntAt { column: name(), stage: column.learnt, stages: last });
            }
            for (moment, value) in column.scores.iter().enumerate() {
                if let Some(value) = value.filter(|value| !value.is_finite()) {
                    let place = if moment == 0 { "before training".into() } else { format!("after stage {moment}") };
                    return Err(MeasureError::NotFinite { column: name(), place, value });
                }
            }
        }
        Ok(Self { columns, last })
    }

    pub fn measure(&self, measure: Measure) -> Measured {
        let (mut columns, mut lacking) = (Vec::new(), Vec::new());
        for column in &self.columns {
            let Some(needs) = measure.needs(column.learnt, self.last) else { continue };
            let whole = needs.iter().all(|&moment| column.scores[moment].is_some());
            match measure.of(column, self.last).filter(|_| whole) {
                Some(value) => columns.push((column.name.clone(), value)),
                None => lacking.push(column.name.clone()),
            }
        }
        let sum = columns.iter().map(|(_, value)| value).sum::<f64>();
        let mean = (!columns.is_empty()).then(|| sum / columns.len() as f64);
        Measured { columns, lacking, mean }
    }
}
