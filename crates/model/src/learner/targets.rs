use spec::Batch;

use super::Learner;
use crate::objective::Choose;
use crate::random::Uniform;
use crate::{ModelError, batch};

impl Learner {
    /// The batch with targets drawn from the model's own distributions, without dropout, wherever it bears targets: what
    /// the Fisher information is an expectation over (Martens 2020, section 5).
    ///
    /// # Errors
    /// As [`Learner::logits`]; [`ModelError::Batch`] for targets that no distribution is over.
    pub fn sample_targets(&self, batch: &Batch, seed: u64) -> Result<Batch, ModelError> {
        let mut uniform = Uniform::new(seed, "targets", "sample");
        self.retarget(batch, |logits| sample(logits, uniform.draw()))
    }

    /// The batch with the model's most likely targets, the first of equals, wherever it bears targets.
    ///
    /// # Errors
    /// As [`Learner::sample_targets`].
    pub fn argmax_targets(&self, batch: &Batch) -> Result<Batch, ModelError> {
        self.retarget(batch, |logits| {
            let best = logits.iter().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best });
            best.map_or(0, |(index, _)| index)
        })
    }

    /// Replaces every target that counts by what `choose` makes of its logits.
    fn retarget(&self, batch: &Batch, mut choose: impl FnMut(&[f32]) -> usize + Send) -> Result<Batch, ModelError> {
        let objective = self.state.objective(batch)?;
        batch::check(batch, &self.config)?;
        objective.check(batch)?;
        let choose: &mut Choose = &mut choose;
        let targets =
            self.objective_states(batch, objective, |states, pass| objective.retarget(states, pass, choose))?;
        Ok(Batch { targets, ..batch.clone() })
    }
}

/// An index drawn from the softmax of `logits`, by inversion of the distribution function at `uniform`.
fn sample(logits: &[f32], uniform: f64) -> usize {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - max).exp()).collect();
    let mut rest = uniform * weights.iter().sum::<f64>();
    let passed = weights.iter().take_while(|&&weight| {
        rest -= weight;
        rest >= 0.0
    });
    passed.count().min(logits.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_follow_the_softmax() {
        let logits = [0.0, 2.0f32.ln(), f32::NEG_INFINITY.max(-1e30), 5.0f32.ln()];
        let mut uniform = Uniform::new(3, "test", "sample");
        let mut counts = [0usize; 4];
        for _ in 0..8000 {
            counts[sample(&logits, uniform.draw())] += 1;
        }
        // 1000, 2000, 0 and 5000 expected; the standard deviations are 30, 39, 0 and 43.
        assert!(counts[2] == 0 && counts[0].abs_diff(1000) < 120 && counts[1].abs_diff(2000) < 160, "{counts:?}");
        assert_eq!([sample(&logits, 0.0), sample(&logits, 0.124), sample(&logits, 0.126)], [0, 0, 1]);
        assert_eq!(sample(&logits, 1.0), 3);
    }
}
