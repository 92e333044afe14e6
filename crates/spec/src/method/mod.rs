//! How a model is updated, one file an axis.

mod anchor;
mod anchored;
pub(crate) mod knob;
mod outer;
mod per_language;
mod preset;
mod rule;
mod schedule;
mod settings;
mod sharing;
mod structure;
mod subnetworks;
mod validation;

use serde::{Deserialize, Serialize};

use crate::Name;

pub use anchor::{Anchor, Ewc, FisherSquare, L2Sp, Mixout, MixoutBackward, MixoutDropout, RecAdam};
pub use knob::KnobError;
pub use outer::{Fomaml, OuterLoop, Reptile};
pub use preset::{Preset, preset, presets};
pub use rule::*;
pub use schedule::{
    ChainThaw, FixedOrder, Fun, Schedule, TraceScores, Ulmfit, Unfreezing, UnfreezingOrder, UnfreezingVariant,
};
pub use settings::{PerStage, StageSettings};
pub use sharing::{FirstStage, Kernel, Laft, MissingVector, Sharing, UpdateStage};
pub use structure::{Adapter, AdapterPlacement, Lora, MadX, StackedResidual, Structure};
pub use subnetworks::{
    Discovery, DynamicKnobs, DynamicStart, ImportanceSource, MaskKind, MaskUpdate, Merge, Normalise, PruneKnobs,
    Subnetworks, TargetMask,
};

/// How a model is updated: structure × gradient rule × schedule × outer loop, and what anchors the parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Method {
    pub name: Name,
    pub structure: Structure,
    pub rule: GradientRule,
    pub schedule: Schedule,
    pub outer: OuterLoop,
    // Absent where there is none, so that cells from before anchors keep their ids.
    #[serde(default, skip_serializing_if = "Anchor::is_none")]
    pub anchor: Anchor,
    /// Which heads each source language trains and uses; without it all use all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnetworks: Option<Subnetworks>,
    /// How the languages share what an update learns; without it they share everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Laft>,
    /// What it does differently from its protocol's stages.
    #[serde(default, skip_serializing_if = "StageSettings::is_empty")]
    pub settings: StageSettings,
}

impl Method {
    /// Every parameter follows the mean gradient.
    pub fn plain(name: Name) -> Self {
        Self {
            name,
            structure: Structure::Full,
            rule: GradientRule::Mean,
            schedule: Schedule::All,
            outer: OuterLoop::Plain,
            anchor: Anchor::None,
            subnetworks: None,
            sharing: None,
            settings: StageSettings::default(),
        }
    }
}
