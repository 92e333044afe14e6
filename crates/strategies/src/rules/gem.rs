//! GEM, gradient episodic memory. Lopez-Paz & Ranzato, NIPS 2017, arXiv 1706.08840.
//!
//! The nearest gradient that conflicts with no memory. Rows: the current task's g, then the memories (rows of M).
//!
//! ```text
//! min_x 1/2 |x - g|^2   s.t.  M x >= 0
//! dual: min_v 1/2 v^T (M M^T + ridge I) v + (M g)^T v   s.t.  v >= margin ;      x = g + M^T v
//! ```
//!
//! As in the official code the dual is solved with all memories, but only if some product `m_k.g` is negative, and the
//! margin is a lower bound of the multipliers, not of the products. The multipliers v are `weights[1..]`.

use spec::{Gem, RuleKnobs};

use super::input::RuleInput;
use super::rule::{Combination, Event, Rule, RuleError, RuleState};
use super::solver::nonnegative;

impl Rule for Gem {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        input.check_memories()?;
        self.check()?;
        let gram = input.gram;
        let mut weights = vec![0.0; gram.len()];
        weights[0] = 1.0;
        let mut events: Vec<Event> = (1..gram.len())
            .filter(|memory| gram.get(0, *memory) < 0.0)
            .map(|memory| Event::Conflict { row: 0, other: memory, cosine: gram.cosine(0, memory) })
            .collect();
        if events.is_empty() {
            return Ok(Combination::of(weights));
        }
        let memories: Vec<usize> = (1..gram.len()).collect();
        let products: Vec<f64> = memories.iter().map(|memory| gram.get(0, *memory)).collect();
        let mut hessian = gram.products().select(&memories);
        hessian.add_diagonal(self.ridge);
        let multipliers = nonnegative::minimise(&hessian, &products, self.margin)?;
        events.push(Event::solved(&multipliers));
        weights[1..].copy_from_slice(&multipliers.x);
        Ok(Combination::with(weights, events))
    }
}
