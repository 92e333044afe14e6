use spec::{Batch, Targets};
use strategies::{BatchError, BatchSource, SubBatch};

/// Rows and tokens of a plain step's batch.
pub const ROWS: usize = 32;
pub const SEQ: usize = 64;
pub const LABELS: usize = 7;

/// Made-up text: frequent words and rare ones, each language with its own.
pub struct Text {
    pub rows: usize,
    pub vocabulary: usize,
    /// Learnt languages; a memory's language comes after them.
    pub languages: usize,
}

impl Text {
    fn batch(&self, language: usize, draw: u64) -> SubBatch {
        let mut state = (draw as u32).wrapping_mul(2_654_435_761).wrapping_add(language as u32);
        let ids: Vec<i32> = (0..self.rows * SEQ)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let uniform = f64::from(state >> 8) / f64::from(1 << 24);
                // Half of the tokens are among 6 % of the words.
                let rank = (uniform.powi(4) * (self.vocabulary - 16) as f64) as usize;
                5 + ((rank + language * 1_000) % (self.vocabulary - 5)) as i32
            })
            .collect();
        let labels = ids.iter().map(|id| id % LABELS as i32).collect();
        let batch = Batch {
            type_ids: vec![0; ids.len()],
            ids,
            lengths: vec![SEQ; self.rows],
            seq: SEQ,
            targets: Targets::TokenLabels(labels),
            ..Batch::default()
        };
        SubBatch { batch, dropout_seed: draw * 10 + language as u64 }
    }
}

impl BatchSource for Text {
    fn source(&mut self, source: usize, draw: u64) -> Result<SubBatch, BatchError> {
        Ok(self.batch(source, draw))
    }

    fn memory(&mut self, memory: usize, draw: u64) -> Result<Vec<SubBatch>, BatchError> {
        Ok(vec![self.batch(self.languages + memory, draw)])
    }
}
