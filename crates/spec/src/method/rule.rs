use serde::{Deserialize, Serialize};

/// How gradients of several losses become one direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GradientRule {
    /// The gradient of the mean loss over the batch, languages mixed in equal parts.
    Mean,
}
