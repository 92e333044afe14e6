use std::path::Path;

use serde_json::Value;

use super::CONFIG;
use super::description::Description;
use crate::objective::Format;
use crate::{ModelConfig, ModelError};

/// What a model folder holds beside encoder and language model, told from its `config.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddedParts {
    /// Whether it has a head for a task.
    pub heads: bool,
    /// Parts of an update, as messages name them: adapters, low-rank factors, masks of heads.
    pub of_update: Vec<&'static str>,
}

/// What a model folder holds beside encoder and language model.
///
/// # Errors
/// [`ModelError::Config`] or [`ModelError::Io`].
pub fn added_parts(folder: &Path) -> Result<AddedParts, ModelError> {
    let path = folder.join(CONFIG);
    let config = ModelConfig::read(&path)?;
    let described = Description::read(&config.raw, &path)?;
    let architecture = config.raw.get("architectures").and_then(|list| list.get(0)).and_then(Value::as_str);
    let heads = architecture.is_some_and(|name| Format::named(name).is_some()) || !described.heads(&path)?.is_empty();
    let masks = described.head_mask.is_some() || described.languages.iter().any(|one| one.head_mask.is_some());
    let parts =
        [(!described.adapters.is_empty(), "adapters"), (described.lora, "low-rank factors"), (masks, "masks of heads")];
    let of_update = parts.into_iter().filter(|(there, _)| *there).map(|(_, name)| name).collect();
    Ok(AddedParts { heads, of_update })
}
