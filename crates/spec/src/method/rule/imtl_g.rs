use serde::{Deserialize, Serialize};

use super::{Memories, RuleKnobs};

/// IMTL-G (Liu et al., ICLR 2021): the combination, of weights that sum to 1, whose projections on all gradients are equal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct ImtlG {
    /// Memories that are tasks beside the languages. Default none.
    #[serde(skip_serializing_if = "Memories::is_none")]
    pub memory: Memories,
}

impl RuleKnobs for ImtlG {
    fn memories(&self) -> &Memories {
        &self.memory
    }
}
