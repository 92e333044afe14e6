//! Forgetting and transfer over a sequence of training stages.
//!
//! R[i][j] is the score of column j (a task or a language) after stage i, b[j] its score before any training, T the last
//! stage, l(j) the stage at which column j is learnt. Only columns with l(j) < T can be forgotten. Published formulas
//! have one column a stage, l(j) = j.

use crate::error::MeasureError;

/// Scores of every column before training and after every stage, higher is better.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreMatrix {
    columns: Vec<String>,
    learnt: Vec<usize>,
    before: Option<Vec<f64>>,
    /// `[stages, columns]`
    after: Vec<Vec<f64>>,
}

/// The definitions of forgetting in use; positive is loss in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forgetting {
    /// R[l(j)][j] − R[T][j]: Avalanche's `Forgetting`. The negative of backward transfer.
    FirstLast,
    /// max over i < T of R[i][j] − R[T][j]: Chaudhry et al., "Riemannian Walk", ECCV 2018, section 3. Negative where the
    /// last stage is the best.
    MaxLast,
    /// max over all i, T included, of R[i][j] − R[T][j]: Mammoth's `forgetting`. Never negative.
    MaxAllLast,
}

impl Forgetting {
    pub const ALL: [Self; 3] = [Self::FirstLast, Self::MaxLast, Self::MaxAllLast];

    /// The metric's name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstLast => "forgetting.first-last",
            Self::MaxLast => "forgetting.max-last",
            Self::MaxAllLast => "forgetting.max-all-last",
        }
    }
}

/// A measure per column, in the matrix's order, and its mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    pub columns: Vec<(String, f64)>,
    pub mean: f64,
}

impl ScoreMatrix {
    /// `after` is `[stages, columns]`; `learnt[j]` is the stage at which column j is learnt, and stage 0 for what the
    /// model knew from the start (give its first probe as row 0).
    ///
    /// # Errors
    /// No columns or stages, a row or list of another length than `columns`, a stage that does not exist, or a score
    /// that is not finite.
    pub fn new(
        columns: Vec<String>,
        learnt: Vec<usize>,
        before: Option<Vec<f64>>,
        after: Vec<Vec<f64>>,
    ) -> Result<Self, MeasureError> {
        if columns.is_empty() || after.is_empty() {
            return Err(MeasureError::Nothing);
        }
        let expected = columns.len();
        let shape = |what: String, found: usize| {
            if found == expected { Ok(()) } else { Err(MeasureError::Shape { what, found, expected }) }
        };
        shape("the list of learning stages".into(), learnt.len())?;
        let rows = before.iter().map(|row| ("before training".to_owned(), row));
        let rows = rows.chain(after.iter().enumerate().map(|(stage, row)| (format!("after stage {stage}"), row)));
        for (place, row) in rows {
            shape(format!("the row {place}"), row.len())?;
            if let Some((column, &value)) = columns.iter().zip(row).find(|(_, value)| !value.is_finite()) {
                return Err(MeasureError::NotFinite { column: column.clone(), place, value });
            }
        }
        let stages = after.len();
        if let Some((column, &stage)) = columns.iter().zip(&learnt).find(|(_, stage)| **stage >= stages) {
            return Err(MeasureError::LearntAt { column: column.clone(), stage, stages });
        }
        Ok(Self { columns, learnt, before, after })
    }

    /// Forgetting of the columns learnt before the last stage.
    ///
    /// # Errors
    /// No column was learnt before the last stage.
    pub fn forgetting(&self, variant: Forgetting) -> Result<Measure, MeasureError> {
        let last = self.after.len() - 1;
        let best = |stages: &[Vec<f64>], j: usize| stages.iter().map(|row| row[j]).fold(f64::NEG_INFINITY, f64::max);
        self.measure(
            variant.name(),
            |j| self.learnt[j] < last,
            |j| {
                let reference = match variant {
                    Forgetting::FirstLast => self.after[self.learnt[j]][j],
                    Forgetting::MaxLast => best(&self.after[..last], j),
                    Forgetting::MaxAllLast => best(&self.after, j),
                };
                reference - self.after[last][j]
            },
        )
    }

    /// Mean of R[T][j] − R[l(j)][j] over columns learnt before the last stage: Lopez-Paz and Ranzato, "Gradient Episodic
    /// Memory", NeurIPS 2017, eq. 3. Negative is forgetting.
    ///
    /// # Errors
    /// No column was learnt before the last stage.
    pub fn backward_transfer(&self) -> Result<Measure, MeasureError> {
        let last = self.after.len() - 1;
        let gain = |j: usize| self.after[last][j] - self.after[self.learnt[j]][j];
        self.measure("backward transfer", |j| self.learnt[j] < last, gain)
    }

    /// Mean of R[l(j) − 1][j] − b[j] over columns learnt after the first stage: Lopez-Paz and Ranzato 2017, eq. 4.
    ///
    /// # Errors
    /// No row before training, or every column was learnt at the first stage.
    pub fn forward_transfer(&self) -> Result<Measure, MeasureError> {
        let measure = "forward transfer";
        let before = self.before.as_ref();
        let before =
            before.ok_or(MeasureError::Undefined { measure, reason: "there are no scores before training" })?;
        self.measure(measure, |j| self.learnt[j] > 0, |j| self.after[self.learnt[j] - 1][j] - before[j])
    }

    fn measure(
        &self,
        measure: &'static str,
        counts: impl Fn(usize) -> bool,
        value: impl Fn(usize) -> f64,
    ) -> Result<Measure, MeasureError> {
        let columns: Vec<(String, f64)> =
            (0..self.columns.len()).filter(|&j| counts(j)).map(|j| (self.columns[j].clone(), value(j))).collect();
        if columns.is_empty() {
            return Err(MeasureError::Undefined { measure, reason: "no column is learnt at a stage that counts" });
        }
        let mean = columns.iter().map(|(_, value)| value).sum::<f64>() / columns.len() as f64;
        Ok(Measure { columns, mean })
    }
}
