//! Files that are complete or absent at every instant, what their content hashes to, and how those from outside are read.

mod atomic;
mod guard;
pub mod parquet;
mod regular;
pub mod sealed;

use std::io;
use std::path::Path;

pub use atomic::{write, write_with};
pub use guard::no_panic;
pub use regular::{open, read, read_text};

/// blake3 of a file's content.
///
/// # Errors
/// The file cannot be read, or is no regular file.
pub fn hash(path: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(open(path)?.0)?;
    Ok(hasher.finalize())
}
