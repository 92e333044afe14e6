//! Gradient rules: how the gradients of several losses become one direction.

mod episodic;
mod lf_mlf;
mod memories;
mod pareto;
mod surgery;

use serde::{Deserialize, Serialize};

use super::knob::KnobError;

pub use episodic::{AGem, Gem, Multitask};
pub use lf_mlf::{AnchorRescale, Forgetting, LfMlf, LfMlfForm, Mu, MuRule};
pub use memories::Memories;
pub use pareto::{CaGrad, CaGradRescale, Mgda, NashMtl, Normaliser};
pub use surgery::{GradVac, PcGrad, Reduction, Sgs, TargetOrder, VisitOrder};

/// How gradients of several losses become one direction.
///
/// Every source language gives one gradient a step, and so does every memory that the rule asks for. All of them are held
/// at once, except for [`GradientRule::Mean`] and [`GradientRule::Multitask`], which add them up as they come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GradientRule {
    /// The gradient of the mean loss over the batch, languages mixed in equal parts.
    #[default]
    Mean,
    Multitask(Multitask),
    #[serde(rename = "pcgrad")]
    PcGrad(PcGrad),
    #[serde(rename = "gradvac")]
    GradVac(GradVac),
    Mgda(Mgda),
    #[serde(rename = "cagrad")]
    CaGrad(CaGrad),
    NashMtl(NashMtl),
    Sgs(Sgs),
    AGem(AGem),
    Gem(Gem),
    LfMlf(LfMlf),
}

/// What a rule makes of the gradients of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Languages and memories alike: one loss each.
    Tasks,
    /// The mean over the languages is one, and the memories protect it.
    CurrentThenMemories,
    /// Languages only; memories give the direction that forgets.
    LanguagesAndAnchor,
}

impl GradientRule {
    /// As suites write it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Multitask(_) => "multitask",
            Self::PcGrad(_) => "pcgrad",
            Self::GradVac(_) => "gradvac",
            Self::Mgda(_) => "mgda",
            Self::CaGrad(_) => "cagrad",
            Self::NashMtl(_) => "nash-mtl",
            Self::Sgs(_) => "sgs",
            Self::AGem(_) => "a-gem",
            Self::Gem(_) => "gem",
            Self::LfMlf(_) => "lf-mlf",
        }
    }

    /// The memories of a stage that this rule asks for gradients.
    pub fn memories(&self) -> &Memories {
        match self {
            Self::Mean => &Memories::None,
            Self::Multitask(rule) => &rule.memory,
            Self::PcGrad(rule) => &rule.memory,
            Self::GradVac(rule) => &rule.memory,
            Self::Mgda(rule) => &rule.memory,
            Self::CaGrad(rule) => &rule.memory,
            Self::NashMtl(rule) => &rule.memory,
            Self::Sgs(rule) => &rule.memory,
            Self::AGem(rule) => &rule.memory,
            Self::Gem(rule) => &rule.memory,
            Self::LfMlf(rule) if rule.forgetting == Forgetting::L2 => &Memories::None,
            Self::LfMlf(rule) => &rule.memory,
        }
    }

    /// What the rows of the Gram matrix are.
    pub fn rows(&self) -> Rows {
        match self {
            Self::AGem(_) | Self::Gem(_) => Rows::CurrentThenMemories,
            Self::LfMlf(_) => Rows::LanguagesAndAnchor,
            _ => Rows::Tasks,
        }
    }

    /// Refuses knobs outside their ranges.
    ///
    /// # Errors
    /// [`KnobError`] naming the knob.
    pub fn check(&self) -> Result<(), KnobError> {
        match self {
            Self::GradVac(rule) => rule.check(),
            Self::CaGrad(rule) => rule.check(),
            Self::NashMtl(rule) => rule.check(),
            Self::Gem(rule) => rule.check(),
            Self::LfMlf(rule) => rule.check(),
            Self::Mean | Self::Multitask(_) | Self::PcGrad(_) | Self::Mgda(_) | Self::Sgs(_) | Self::AGem(_) => Ok(()),
        }
    }
}
