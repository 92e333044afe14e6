use serde::{Deserialize, Serialize};

use crate::HeadMask;
use crate::adapter::AdapterStack;
use crate::layout::Role;
use crate::owner::HeadUse;

/// How a network's parts are used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setup {
    pub heads: HeadUse,
    pub stack: AdapterStack,
    pub tuned: Tuned,
    pub head_mask: Option<HeadMask>,
    /// Heads whose own parameters stay where they are: those with a factor of 0.
    pub update_mask: Option<HeadMask>,
}

/// Which parameters of embeddings and layers train where these are not frozen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tuned {
    #[default]
    All,
    /// Biases, those of LayerNorms included: BitFit (Ben Zaken et al. 2022, section 3).
    Biases,
    /// LayerNorms: what Houlsby et al. 2019 train beside adapters and head.
    LayerNorms,
}

impl Tuned {
    pub(crate) fn contains(self, role: Role) -> bool {
        match self {
            Tuned::All => true,
            Tuned::Biases => matches!(role, Role::Bias | Role::NormShift),
            Tuned::LayerNorms => matches!(role, Role::NormScale | Role::NormShift),
        }
    }
}
