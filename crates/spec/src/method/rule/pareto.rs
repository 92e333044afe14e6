use serde::{Deserialize, Serialize};

use super::{Memories, RuleKnobs};
use crate::method::knob::{KnobError, not_negative, within};

/// MGDA (Desideri 2012; Sener & Koltun, NeurIPS 2018): the shortest convex combination of the gradients.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Mgda {
    /// What each gradient is divided by before its weight is sought. Default `none`. As in the official code, the weights
    /// are then used on the gradients as they were given, so MGDA's guarantee holds with `none` only.
    pub gradient_normalise: Normaliser,
    /// Memories that are tasks beside the languages. Default none.
    #[serde(skip_serializing_if = "Memories::is_none")]
    pub memory: Memories,
}

impl RuleKnobs for Mgda {
    fn memories(&self) -> &Memories {
        &self.memory
    }
}

/// What a gradient may be divided by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normaliser {
    /// 1.
    #[default]
    None,
    /// Its norm; 1 for a zero gradient.
    L2,
    /// The loss.
    Loss,
    /// Loss times norm; the loss for a zero gradient.
    LossL2,
}

/// CAGrad (Liu et al., NeurIPS 2021): the direction near the mean gradient that helps the worst-off task most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct CaGrad {
    /// Radius around the mean gradient relative to its norm, in [0, 1). Default 0.5; 0 is the mean gradient.
    pub c: f64,
    /// What d is divided by. Default `one-plus-c2`.
    pub rescale: CaGradRescale,
    /// Memories that are tasks beside the languages. Default none.
    #[serde(skip_serializing_if = "Memories::is_none")]
    pub memory: Memories,
}

impl Default for CaGrad {
    fn default() -> Self {
        Self { c: 0.5, rescale: CaGradRescale::default(), memory: Memories::None }
    }
}

/// The authors' files rescale in different ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaGradRescale {
    /// 1.
    None,
    /// 1 + c^2.
    #[default]
    OnePlusC2,
    /// 1 + c.
    OnePlusC,
    /// 1 + lambda with `lambda = c |g0| / |g_w|`.
    OnePlusLambda,
}

impl RuleKnobs for CaGrad {
    fn memories(&self) -> &Memories {
        &self.memory
    }

    fn check(&self) -> Result<(), KnobError> {
        within("c", self.c, (0.0..1.0).contains(&self.c), "in [0, 1)")
    }
}

/// Nash-MTL (Navon et al., ICML 2022): the Nash bargaining solution between the tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct NashMtl {
    /// Longest direction, clipped as in the official code. Default 1; 0 keeps the length sqrt(m) of m gradients.
    pub max_norm: f64,
    /// Steps between two bargains; in between the last one's weights are used on new gradients. Default 1.
    #[serde(skip_serializing_if = "is_one")]
    pub update_every: u64,
    /// Memories that are tasks beside the languages. Default none.
    #[serde(skip_serializing_if = "Memories::is_none")]
    pub memory: Memories,
}

impl Default for NashMtl {
    fn default() -> Self {
        Self { max_norm: 1.0, update_every: 1, memory: Memories::None }
    }
}

impl RuleKnobs for NashMtl {
    fn memories(&self) -> &Memories {
        &self.memory
    }

    fn check(&self) -> Result<(), KnobError> {
        not_negative("max-norm", self.max_norm)?;
        within("update-every", self.update_every as f64, self.update_every > 0, "at least 1")
    }
}

/// Cells from before there was an interval keep their ids.
fn is_one(interval: &u64) -> bool {
    *interval == 1
}
