//! A-GEM. Chaudhry et al., "Efficient Lifelong Learning with A-GEM", ICLR 2019, arXiv 1812.00420.
//!
//! One constraint, on the gradient r of the loss of all memories together. Rows: the current task's g, then r, the gradient of
//! the mean loss over the memories' examples; with `reference = "average"` the memories one by one, and r is their average.
//!
//! ```text
//! g.r >= 0:  result = g          else:  result = g - (g.r / |r|^2) r
//! ```

use spec::AGem;

use super::input::RuleInput;
use super::rule::{Combination, Event, Rule, RuleError, RuleState};

impl Rule for AGem {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        input.check_memories()?;
        let gram = input.gram;
        let memories = gram.len() - 1;
        let mut reference = vec![1.0 / memories as f64; gram.len()];
        reference[0] = 0.0;
        let mut weights = vec![0.0; gram.len()];
        weights[0] = 1.0;
        let product = gram.times(&reference)[0];
        let norm = gram.norm2(&reference).sqrt();
        if product >= 0.0 || norm == 0.0 {
            return Ok(Combination::of(weights));
        }
        for (weight, share) in weights.iter_mut().zip(&reference) {
            *weight -= product / norm / norm * share;
        }
        // Row m stands for the averaged memory, which is none of the rows.
        let cosine = (product / norm / gram.norm(0)).max(-1.0);
        Ok(Combination::with(weights, vec![Event::Conflict { row: 0, other: gram.len(), cosine }]))
    }
}
