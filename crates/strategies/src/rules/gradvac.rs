//! Gradient Vaccine. Wang, Tsvetkov, Firat, Cao, ICLR 2021, arXiv 2010.05874.
//!
//! Each gradient is turned until its cosine with every other one reaches a running target:
//!
//! ```text
//! phi = cos(p_i, g_j).  If phi < T_ij:
//!   p_i <- p_i + g_j |p_i| ( T sqrt(1-phi^2) - phi sqrt(1-T^2) ) / ( |g_j| sqrt(1-T^2) )       => cos(p_i, g_j) = T
//! T_ij <- (1-beta) T_ij + beta phi
//! ```
//!
//! With all targets 0 and fixed this is PCGrad. The targets live in [`RuleState::target_cosines`], one a pair of rows:
//! the caller keeps the order of rows, and keeps one state a layer where the rule is applied layer by layer.

use spec::{GradVac, RuleKnobs, TargetOrder};

use super::input::RuleInput;
use super::pcgrad::{reduce, visits};
use super::rule::{Combination, Event, Rule, RuleError, RuleState};

/// The targets of this step, `[m, m]`.
fn targets(knobs: &GradVac, state: &RuleState, m: usize) -> Result<Vec<f64>, RuleError> {
    if let Some(target) = knobs.fixed_target {
        return Ok(vec![target; m * m]);
    }
    match state.target_cosines.len() {
        0 => Ok(vec![knobs.initial_target; m * m]),
        n if n == m * m => Ok(state.target_cosines.clone()),
        n => Err(RuleError::Input(format!(
            "GradVac's state holds {n} target cosines, and {m} gradients need {}: the rows must stay the same",
            m * m
        ))),
    }
}

impl Rule for GradVac {
    fn combine(&self, input: &RuleInput, state: &mut RuleState) -> Result<Combination, RuleError> {
        self.check()?;
        let gram = input.gram;
        let m = gram.len();
        let mut targets = targets(self, state, m)?;
        let mut events = Vec::new();
        let mut coefficients = Vec::with_capacity(m);
        for (row, others) in visits(self.visit, input, "gradvac").into_iter().enumerate() {
            let mut c = vec![0.0; m];
            c[row] = 1.0;
            for other in others {
                let norm = gram.norm(other);
                let length = gram.norm2(&c).sqrt();
                if norm == 0.0 || length == 0.0 {
                    continue;
                }
                let product: f64 = c.iter().enumerate().map(|(k, c)| c * gram.get(k, other)).sum();
                let cosine = (product / (length * norm + self.denominator_epsilon)).clamp(-1.0, 1.0);
                let target = &mut targets[row * m + other];
                let updated = (1.0 - self.beta) * *target + self.beta * cosine;
                let compared = match self.order {
                    _ if self.fixed_target.is_some() => *target,
                    TargetOrder::CompareThenUpdate => std::mem::replace(target, updated),
                    TargetOrder::UpdateThenCompare => {
                        *target = updated;
                        updated
                    }
                };
                // A target can only reach 1 where the two gradients were parallel at every step: nothing to turn then.
                let sine = (1.0 - compared * compared).max(0.0).sqrt();
                if cosine < compared && sine > 0.0 {
                    events.push(Event::Conflict { row, other, cosine });
                    let turn = compared * (1.0 - cosine * cosine).sqrt() - cosine * sine;
                    c[other] += length * turn / (norm * sine + self.denominator_epsilon);
                }
            }
            coefficients.push(c);
        }
        if self.fixed_target.is_none() {
            state.target_cosines = targets;
        }
        Ok(Combination::with(reduce(self.reduction, &coefficients), events))
    }
}
