//! Files that are complete or absent at every instant, and what their content hashes to.

mod atomic;
pub mod sealed;

use std::fs::File;
use std::io;
use std::path::Path;

pub use atomic::{write, write_with};

/// blake3 of a file's content.
///
/// # Errors
/// The file cannot be read.
pub fn hash(path: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize())
}
