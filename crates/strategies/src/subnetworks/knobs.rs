use serde::{Deserialize, Serialize};
use spec::{KnobError, LanguageDistance};

/// The knobs of subnetworks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Subnetworks {
    /// Default `static`.
    pub mode: MaskMode,
    /// Default `abs-grad-mask`.
    pub importance: ImportanceSource,
    /// Default `layer-l2-then-minmax`.
    pub normalise: Normalise,
    /// Seeds of the copies that masks are found on; none is the cell's own seed.
    pub seeds: Vec<u64>,
    /// Default `majority`, which of one mask is that mask.
    pub merge: Merge,
    /// Default `mask-update`.
    pub update: MaskUpdate,
    pub prune: PruneKnobs,
    pub dynamic: DynamicKnobs,
    /// Default `none`.
    pub target: TargetMask,
    /// Of `target = "nearest-source"`. Default `syntax-knn-cosine`.
    pub target_distance: LanguageDistance,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskMode {
    /// Masks stay as they were found.
    #[default]
    Static,
    /// Masks follow the model.
    Dynamic,
    /// Static masks with as many random heads in every layer: a control.
    Random,
}

/// Where the importance of a head comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportanceSource {
    /// `|d loss / d mask|`
    #[default]
    AbsGradMask,
    /// Uniform draws: a control.
    Random,
}

/// How importances of several layers are brought together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalise {
    /// Each layer divided by its L2 norm, then all moved into `[0, 1]`.
    #[default]
    LayerL2ThenMinmax,
    None,
}

/// Which heads of several masks of one language are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Merge {
    /// Those of the first mask.
    Single,
    /// Those of all masks.
    Intersection,
    /// Those of more than half of the masks.
    #[default]
    Majority,
    /// Those of any mask.
    Union,
}

/// What a mask keeps from being trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskUpdate {
    /// Heads that no language of a step has are left as they are, bit for bit.
    #[default]
    MaskUpdate,
    /// They get no gradient, and yet move by the optimiser's momentum and decay.
    GradientOnly,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct PruneKnobs {
    /// Share of all heads that a round drops, in (0, 1); at least one head. Default 0.1.
    pub fraction: f64,
    /// Share of the full model's score that must be left, in (0, 1]. Default 0.9.
    pub threshold: f64,
}

impl Default for PruneKnobs {
    fn default() -> Self {
        Self { fraction: 0.1, threshold: 0.9 }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct DynamicKnobs {
    /// Steps between two choices of heads. Default 100.
    pub every: u64,
    /// Share of the past in the moving average, in [0, 1). Default 0.9.
    pub ema: f64,
    /// Default `static`.
    pub init: DynamicStart,
    /// Heads of a mask. Default: as many as the language's static mask has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
}

impl Default for DynamicKnobs {
    fn default() -> Self {
        Self { every: 100, ema: 0.9, init: DynamicStart::default(), size: None }
    }
}

/// The masks until the first choice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DynamicStart {
    /// The static masks.
    #[default]
    Static,
    /// All heads.
    Ones,
}

/// The mask of a language that was not trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetMask {
    /// All heads.
    #[default]
    None,
    /// That of the nearest trained language.
    NearestSource,
    /// The most important heads on its support examples.
    FromSupport,
}

impl Subnetworks {
    /// Refuses knobs outside their ranges.
    ///
    /// # Errors
    /// [`KnobError`] naming the knob.
    pub fn check(&self) -> Result<(), KnobError> {
        let within = |knob, value: f64, ok, allowed| if ok { Ok(()) } else { Err(KnobError { knob, value, allowed }) };
        let PruneKnobs { fraction, threshold } = self.prune;
        within("prune.fraction", fraction, fraction > 0.0 && fraction < 1.0, "in (0, 1)")?;
        within("prune.threshold", threshold, threshold > 0.0 && threshold <= 1.0, "in (0, 1]")?;
        let DynamicKnobs { every, ema, size, .. } = &self.dynamic;
        within("dynamic.every", *every as f64, *every > 0, "at least 1")?;
        within("dynamic.ema", *ema, (0.0..1.0).contains(ema), "in [0, 1)")?;
        within("dynamic.size", 0.0, *size != Some(0), "at least 1")
    }
}
