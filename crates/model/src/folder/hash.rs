use std::path::Path;

use super::{CONFIG, WEIGHTS, added_parts};
use crate::ModelError;

/// What a model's numbers depend on.
const FILES: [&str; 3] = [CONFIG, WEIGHTS, "tokenizer.json"];

/// blake3 over the files that make a model, by name and content.
///
/// # Errors
/// [`ModelError::Io`] naming the file that is missing or cannot be read.
pub fn content_hash(folder: &Path) -> Result<String, ModelError> {
    let mut whole = blake3::Hasher::new();
    for name in FILES {
        let path = folder.join(name);
        let hash = files::hash(&path).map_err(|error| ModelError::io(&path, error))?;
        whole.update(name.as_bytes()).update(hash.as_bytes());
    }
    // Heads were once left out: cells that go on with one are others.
    if added_parts(folder)?.heads {
        whole.update(b"goes on with its heads");
    }
    Ok(whole.finalize().to_hex().to_string())
}
