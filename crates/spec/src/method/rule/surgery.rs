use serde::{Deserialize, Serialize};

use super::{Memories, RuleKnobs};
use crate::method::knob::{KnobError, not_negative, within};

/// PCGrad (Yu et al., NeurIPS 2020): each gradient is projected on the normal plane of every gradient it conflicts with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct PcGrad {
    /// Order in which the other gradients are visited; `random` (the paper) by default.
    pub visit: VisitOrder,
    /// `mean` by default, so that learning rates mean what they mean for the mean gradient. The paper's result is `sum`.
    pub reduction: Reduction,
    /// Memories that are tasks beside the languages. Default none.
    #[serde(skip_serializing_if = "Memories::is_none")]
    pub memory: Memories,
}

impl RuleKnobs for PcGrad {
    fn memories(&self) -> &Memories {
        &self.memory
    }
}

/// Order in which a gradient meets the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VisitOrder {
    /// A fresh order for every gradient and step, drawn from (seed, step): the paper's.
    #[default]
    Random,
    /// 0, 1, 2, ...: what the official code does, since it drops its shuffle's result.
    Ascending,
    /// ..., 2, 1, 0.
    Descending,
}

/// How the m changed gradients become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reduction {
    /// Divide the sum by m.
    #[default]
    Mean,
    /// The sum, as in the papers of PCGrad and GradVac.
    Sum,
}

/// Gradient Vaccine (Wang et al., ICLR 2021): each gradient is turned until its cosine with every other one reaches a
/// running target. With all targets 0 and fixed this is PCGrad.
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
    /// Memories that are tasks beside the languages. Default none.
    #[serde(skip_serializing_if = "Memories::is_none")]
    pub memory: Memories,
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
            memory: Memories::None,
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

impl RuleKnobs for GradVac {
    fn memories(&self) -> &Memories {
        &self.memory
    }

    fn check(&self) -> Result<(), KnobError> {
        within("beta", self.beta, (0.0..=1.0).contains(&self.beta), "in [0, 1]")?;
        let inside = |target: f64| target.abs() < 1.0;
        within("initial-target", self.initial_target, inside(self.initial_target), "in (-1, 1)")?;
        if let Some(target) = self.fixed_target {
            within("fixed-target", target, inside(target), "in (-1, 1)")?;
        }
        not_negative("denominator-epsilon", self.denominator_epsilon)
    }
}

/// SGS, stochastic gradient surgery (Findings of NAACL 2022, arXiv 2204.13869): the mean gradient loses what conflicts
/// with the gradient of one language, drawn anew at each step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Sgs {
    /// Memories that are tasks beside the languages. Default none.
    #[serde(skip_serializing_if = "Memories::is_none")]
    pub memory: Memories,
}

impl RuleKnobs for Sgs {
    fn memories(&self) -> &Memories {
        &self.memory
    }
}
