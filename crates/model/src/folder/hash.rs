//! Content hashes of model folders.

use std::path::Path;

use anyhow::{Context, Result};

/// What a model's numbers depend on.
const MODEL_FILES: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];

/// blake3 over the files that make a model, by name and content.
///
/// # Errors
/// A file is missing or cannot be read.
pub fn model_folder(folder: &Path) -> Result<String> {
    let mut whole = blake3::Hasher::new();
    for name in MODEL_FILES {
        let path = folder.join(name);
        let hash =
            files::hash(&path).with_context(|| format!("model folder `{}`: cannot read `{name}`", folder.display()))?;
        whole.update(name.as_bytes()).update(hash.as_bytes());
    }
    // Heads were once left out: cells that go on with one are others.
    if model::added_parts(folder)?.heads {
        whole.update(b"goes on with its heads");
    }
    Ok(whole.finalize().to_hex().to_string())
}
