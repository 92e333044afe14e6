//! The data set and the encoder that come inside the program.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use include_dir::{Dir, include_dir};

static DATA_SET: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../datasets/mini");
static ENCODER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../encoders/mini");
/// What both are called.
const NAME: &str = "mini";

/// The folders of built-in data sets and models, unpacked into the cache once for each version of their content.
#[derive(Debug, Clone)]
pub struct BuiltIn {
    pub data: PathBuf,
    pub models: PathBuf,
}

impl BuiltIn {
    /// Unpacks what is not there yet: everything, or after a crash nothing, appears by one rename.
    pub fn unpacked(cache: &Path) -> Result<Self> {
        let place = cache.join("built-in").join(&content_hash()[..16]);
        if !place.is_dir() {
            let failed = || format!("cannot unpack the built-in data into `{}`", place.display());
            let fresh = place.with_extension(std::process::id().to_string());
            let _ = std::fs::remove_dir_all(&fresh);
            for (kind, folder) in [("data", &DATA_SET), ("models", &ENCODER)] {
                let into = fresh.join(kind).join(NAME);
                std::fs::create_dir_all(&into).and_then(|()| folder.extract(&into)).with_context(failed)?;
            }
            if let Err(error) = std::fs::rename(&fresh, &place) {
                let _ = std::fs::remove_dir_all(&fresh);
                // Another process may have been quicker.
                if !place.is_dir() {
                    return Err(error).with_context(failed);
                }
            }
        }
        Ok(Self { data: place.join("data"), models: place.join("models") })
    }
}

/// Computed once a process: a plan and a cell ask for folders several times.
fn content_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(hash_content)
}

fn hash_content() -> String {
    fn add(folder: &Dir, hash: &mut blake3::Hasher) {
        for file in folder.files() {
            hash.update(file.path().to_string_lossy().as_bytes());
            hash.update(&(file.contents().len() as u64).to_le_bytes());
            hash.update(file.contents());
        }
        folder.dirs().for_each(|folder| add(folder, hash));
    }
    let mut hash = blake3::Hasher::new();
    [&DATA_SET, &ENCODER].into_iter().for_each(|folder| add(folder, &mut hash));
    hash.finalize().to_hex().to_string()
}
