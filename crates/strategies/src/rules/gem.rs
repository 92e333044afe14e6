//! GEM, gradient episodic memory. Lopez-Paz & Ranzato, NIPS 2017, arXiv 1706.08840.

use serde::{Deserialize, Serialize};

use super::input::RuleInput;
use super::rule::{Combination, Event, GradientRule, RuleError, RuleState, check_knob};
use super::solver::nonnegative;

/// The nearest gradient that conflicts with no memory. Rows: the current task's g, then the memories (rows of M).
///
/// ```text
/// min_x 1/2 |x - g|^2   s.t.  M x >= 0
/// dual: min_v 1/2 v^T (M M^T + ridge I) v + (M g)^T v   s.t.  v >= margin ;      x = g + M^T v
/// ```
///
/// As in the official code the dual is solved with all memories, but only if some product `m_k.g` is negative, and the
/// margin is a lower bound of the multipliers, not of the products. The multipliers v are `weights[1..]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Gem {
    /// Lower bound of the multipliers, at least 0. Default 0; the official scripts use 0.5.
    pub margin: f64,
    /// Added to the diagonal of `M M^T`, at least 0, in the unit of a squared gradient norm.
    /// Default 1e-3 (the official code), which leaves a small violation; 0 is the exact projection.
    pub ridge: f64,
}

impl Default for Gem {
    fn default() -> Self {
        Self { margin: 0.0, ridge: 1e-3 }
    }
}

impl GradientRule for Gem {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        input.check_memories()?;
        let (margin, ridge) = (self.margin, self.ridge);
        check_knob("margin", margin, margin >= 0.0 && margin.is_finite(), "finite and not negative")?;
        check_knob("ridge", ridge, ridge >= 0.0 && ridge.is_finite(), "finite and not negative")?;

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
        hessian.add_diagonal(ridge);
        let multipliers = nonnegative::minimise(&hessian, &products, margin)?;
        events.push(Event::solved(&multipliers));
        weights[1..].copy_from_slice(&multipliers.x);
        Ok(Combination::with(weights, events))
    }
}
