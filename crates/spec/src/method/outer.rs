use serde::{Deserialize, Serialize};

/// What surrounds the steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OuterLoop {
    Plain,
}
