use serde::{Deserialize, Serialize};

use super::{Memories, Rows, RuleKnobs};
use crate::method::knob::{KnobError, not_negative};

/// The gradient of the mean loss over languages and memories, one equal part each: joint training, the control of GEM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Multitask {
    /// Default all.
    pub memory: Memories,
}

impl Default for Multitask {
    fn default() -> Self {
        Self { memory: Memories::all() }
    }
}

impl RuleKnobs for Multitask {
    fn memories(&self) -> &Memories {
        &self.memory
    }
}

/// A-GEM (Chaudhry et al., ICLR 2019): one constraint, on the loss of all memories together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct AGem {
    /// Default `union`.
    pub reference: AGemReference,
    /// Default all.
    pub memory: Memories,
}

impl Default for AGem {
    fn default() -> Self {
        Self { reference: AGemReference::default(), memory: Memories::all() }
    }
}

/// What A-GEM's one constraint is on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AGemReference {
    /// The mean loss over the examples of one batch, which the memories' batches make together: the paper's.
    #[default]
    Union,
    /// The mean of the memories' gradients, each counting once however many examples its batch has.
    Average,
}

impl RuleKnobs for AGem {
    fn memories(&self) -> &Memories {
        &self.memory
    }

    fn rows(&self) -> Rows {
        match self.reference {
            AGemReference::Union => Rows::CurrentThenUnion,
            AGemReference::Average => Rows::CurrentThenMemories,
        }
    }
}

/// GEM (Lopez-Paz & Ranzato, NIPS 2017): the nearest gradient that conflicts with no memory.
///
/// Task heads that a memory does not use have no part in its gradient, so that only what task and memory share decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Gem {
    /// Lower bound of the multipliers, at least 0. Default 0; the official scripts use 0.5.
    pub margin: f64,
    /// Added to the diagonal of `M M^T`, at least 0, in the unit of a squared gradient norm.
    /// Default 1e-3 (the official code), which leaves a small violation; 0 is the exact projection.
    pub ridge: f64,
    /// Default all.
    pub memory: Memories,
}

impl Default for Gem {
    fn default() -> Self {
        Self { margin: 0.0, ridge: 1e-3, memory: Memories::all() }
    }
}

impl RuleKnobs for Gem {
    fn memories(&self) -> &Memories {
        &self.memory
    }

    fn rows(&self) -> Rows {
        Rows::CurrentThenMemories
    }

    fn check(&self) -> Result<(), KnobError> {
        not_negative("margin", self.margin)?;
        not_negative("ridge", self.ridge)
    }
}
