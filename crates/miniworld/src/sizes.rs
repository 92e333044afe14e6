use crate::error::MiniworldError;

/// How many rows each task has in each language: train, validation and test, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    pub ner: [usize; 3],
    pub qa: [usize; 3],
    pub nli: [usize; 3],
    /// Validation and test.
    pub retrieval: [usize; 2],
    /// Of the train split the least number of sentences: a paragraph is one row.
    pub mlm: [usize; 3],
    /// Sentences with their trees: the rows of `pos` and of `parse`.
    pub trees: [usize; 3],
    pub choice: [usize; 3],
}

impl Default for Sizes {
    /// The sizes of the embedded data.
    fn default() -> Self {
        Self {
            ner: [2000, 300, 400],
            qa: [4000, 200, 300],
            nli: [6000, 300, 600],
            retrieval: [300, 300],
            mlm: [20_000, 300, 300],
            trees: [2000, 200, 400],
            choice: [4000, 200, 400],
        }
    }
}

/// The most rows that are drawn of anything: beyond, the world repeats itself.
const MOST: usize = 100_000;

impl Sizes {
    /// These sizes times `scale`, each at least 1.
    ///
    /// # Errors
    /// [`MiniworldError::Scale`] for a scale that is not positive.
    pub fn scaled(mut self, scale: f64) -> Result<Self, MiniworldError> {
        if !(scale > 0.0 && scale <= 1000.0) {
            return Err(MiniworldError::Scale { scale });
        }
        let sizes = [
            &mut self.ner[..],
            &mut self.qa,
            &mut self.nli,
            &mut self.retrieval,
            &mut self.mlm,
            &mut self.trees,
            &mut self.choice,
        ];
        sizes.into_iter().flatten().for_each(|size| *size = ((*size as f64 * scale).round() as usize).max(1));
        Ok(self)
    }

    /// # Errors
    /// [`MiniworldError::Size`] for a size that is zero or beyond the world.
    pub(crate) fn check(&self) -> Result<(), MiniworldError> {
        let named = [
            ("ner", &self.ner[..]),
            ("qa", &self.qa[..]),
            ("nli", &self.nli[..]),
            ("retrieval", &self.retrieval[..]),
            ("mlm", &self.mlm[..]),
            ("trees", &self.trees[..]),
            ("choice", &self.choice[..]),
        ];
        for (name, sizes) in named {
            if let Some(&value) = sizes.iter().find(|size| !(1..=MOST).contains(*size)) {
                return Err(MiniworldError::Size { name, value, low: 1, high: MOST });
            }
        }
        Ok(())
    }
}
