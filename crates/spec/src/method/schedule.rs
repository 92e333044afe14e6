use serde::{Deserialize, Serialize};

/// Which of the trainable groups are open at a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// All of them, always.
    All,
}
