use serde::{Deserialize, Serialize};

use super::knob::KnobError;
use crate::LanguageDistance;

/// LAFT-URIEL-style updates: what the first stage and later ones train, and how languages share what an update learns.
/// The first stage trains all languages on a task; every later stage is an update with new data of that task in some.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Laft {
    /// There is no default: whoever changes another knob says this one again.
    pub kind: Sharing,
    /// Default `full`.
    #[serde(default)]
    pub stage1: FirstStage,
    /// Default `module`.
    #[serde(default)]
    pub stage2: UpdateStage,
    /// Default `syntax-knn-cosine`.
    #[serde(default)]
    pub distance: LanguageDistance,
    /// Default `exp`.
    #[serde(default)]
    pub kernel: Kernel,
    /// The kernel's width, in units of distance; 0 for `threshold` only. Default: the median distance between the
    /// experiment's languages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tau: Option<f64>,
    /// Default `skip-cell`.
    #[serde(default)]
    pub missing_vector: MissingVector,
}

/// What the first stage trains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstStage {
    /// Encoder and head.
    #[default]
    Full,
    /// A module that all languages share, and the head.
    Adapter,
}

/// What an update trains. Only with `module` is a language that uses no module left exactly as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateStage {
    #[default]
    Module,
    ModuleAndHead,
    /// Module, encoder and head.
    Full,
}

/// Who uses an update's modules, and how strongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// Every language, fully.
    All,
    /// The updated languages, fully; the others not at all.
    UpdatedOnly,
    /// Every language, the more the nearer it is to an updated one.
    Scaled,
    /// As `scaled`, of a module for each updated language, the nearer ones more.
    Mixture,
    /// As `scaled`, with distances between other languages: a control.
    Shuffled,
}

/// kappa(d): from 1 at distance 0 down towards 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// `exp(-d / tau)`
    #[default]
    Exp,
    /// `max(0, 1 - d / tau)`
    Linear,
    /// 1 if `d <= tau`, else 0
    Threshold,
}

/// What becomes of a cell one of whose languages has no vector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingVector {
    /// It is left out, with the reason.
    #[default]
    SkipCell,
    /// The suite is refused.
    Error,
}

impl Laft {
    /// Every other knob at its default.
    pub fn new(kind: Sharing) -> Self {
        Self {
            kind,
            stage1: FirstStage::default(),
            stage2: UpdateStage::default(),
            distance: LanguageDistance::default(),
            kernel: Kernel::default(),
            tau: None,
            missing_vector: MissingVector::default(),
        }
    }

    /// Refuses knobs outside their ranges.
    ///
    /// # Errors
    /// [`KnobError`] naming the knob.
    pub fn check(&self) -> Result<(), KnobError> {
        let error = |knob, value, allowed| Err(KnobError { knob, value, allowed });
        match self.tau {
            Some(0.0) if self.kernel == Kernel::Threshold && self.kind != Sharing::Mixture => {}
            Some(tau) if !(tau > 0.0 && tau.is_finite()) => {
                return error("tau", tau, "finite and above 0, or 0 for the kernel `threshold` without `mixture`");
            }
            _ => {}
        }
        self.distance.check("distance")
    }

    /// Whether strengths depend on distances.
    pub fn needs_distances(&self) -> bool {
        matches!(self.kind, Sharing::Scaled | Sharing::Mixture | Sharing::Shuffled)
    }
}
