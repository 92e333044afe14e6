//! Gradient Vaccine. Wang, Tsvetkov, Firat, Cao, ICLR 2021, arXiv 2010.05874.

use serde::{Deserialize, Serialize};

use super::input::RuleInput;
use super::pcgrad::{Reduction, VisitOrder};
use super::rule::{Combination, Event, GradientRule, RuleError, RuleState, check_knob};

/// Each gradient is turned until its cosine with every other one reaches a running target:
///
/// ```text
/// phi = cos(p_i, g_j).  If phi < T_ij:
///   p_i <- p_i + g_j |p_i| ( T sqrt(1-phi^2) - phi sqrt(1-T^2) ) / ( |g_j| sqrt(1-T^2) )       => cos(p_i, g_j) = T
/// T_ij <- (1-beta) T_ij + beta phi
/// ```
///
/// With all targets 0 and fixed this is PCGrad. The targets live in [`RuleState::target_cosines`], one a pair of rows:
/// the caller keeps the order of rows, and keeps one state a layer where the rule is applied layer by layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct GradVac {
    /// Rate of the moving average, in [0, 1]. Default 0.5 (LibMTL); 0.01 is reported as the paper's.
    pub beta: f64,
    /// Targets before the first step, in (-1, 1). Default 0.
    pub initial_target: f64,
    /// One target for all pairs that never moves, in (-1, 1). Default none.
    pub fixed_target: Option<f64>,
    /// Whether a product is compared with the target before or after the target's update. Default before.
    pub order: TargetOrder,
    /// Order in which the other gradients are visited. Default `random`.
    pub visit: VisitOrder,
    /// `mean` (default) or `sum` of the changed gradients; the paper's result is the sum.
    pub reduction: Reduction,
    /// Added to both denominators, `|p_i| |g_j|` and `|g_j| sqrt(1-T^2)`. Default 0, which is exact and does not depend
    /// on the gradients' scale; LibMTL adds 1e-8.
    pub denominator_epsilon: f64,
}

impl Default for GradVac {
    fn default() -> Self {
        Self {
            beta: 0.5,
            initial_target: 0.0,
            fixed_target: None,
            order: TargetOrder::default(),
            visit: VisitOrder::default(),
            reduction: Reduction::default(),
            denominator_epsilon: 0.0,
        }
    }
}

/// The two public implementations of GradVac differ in this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetOrder {
    /// Compare with the old target, then update it.
    #[default]
    CompareThenUpdate,
    /// Update the target, then compare with the new one.
    UpdateThenCompare,
}

impl GradVac {
    fn check(&self) -> Result<(), RuleError> {
        check_knob("beta", self.beta, (0.0..=1.0).contains(&self.beta), "in [0, 1]")?;
        let inside = |target: f64| target.abs() < 1.0;
        check_knob("initial-target", self.initial_target, inside(self.initial_target), "in (-1, 1)")?;
        if let Some(target) = self.fixed_target {
            check_knob("fixed-target", target, inside(target), "in (-1, 1)")?;
        }
        let epsilon = self.denominator_epsilon;
        check_knob("denominator-epsilon", epsilon, epsilon >= 0.0 && epsilon.is_finite(), "finite and not negative")
    }

    fn targets(&self, state: &RuleState, m: usize) -> Result<Vec<f64>, RuleError> {
        if let Some(target) = self.fixed_target {
            return Ok(vec![target; m * m]);
        }
        match state.target_cosines.len() {
            0 => Ok(vec![self.initial_target; m * m]),
            n if n == m * m => Ok(state.target_cosines.clone()),
            n => Err(RuleError::Input(format!(
                "GradVac's state holds {n} target cosines, and {m} gradients need {}: the rows must stay the same",
                m * m
            ))),
        }
    }
}

impl GradientRule for GradVac {
    fn combine(&self, input: &RuleInput, state: &mut RuleState) -> Result<Combination, RuleError> {
        self.check()?;
        let gram = input.gram;
        let m = gram.len();
        let mut targets = self.targets(state, m)?;
        let mut events = Vec::new();
        let mut coefficients = Vec::with_capacity(m);
        for (row, others) in self.visit.orders(input, "gradvac").into_iter().enumerate() {
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
        Ok(Combination::with(self.reduction.weights(&coefficients), events))
    }
}
