//! How a model is updated, one file an axis.

mod outer;
mod preset;
mod rule;
mod schedule;
mod structure;

use serde::{Deserialize, Serialize};

use crate::Name;

pub use outer::OuterLoop;
pub use preset::{Preset, preset, presets};
pub use rule::GradientRule;
pub use schedule::Schedule;
pub use structure::Structure;

/// How a model is updated: structure × gradient rule × schedule × outer loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Method {
    pub name: Name,
    pub structure: Structure,
    pub rule: GradientRule,
    pub schedule: Schedule,
    pub outer: OuterLoop,
}
