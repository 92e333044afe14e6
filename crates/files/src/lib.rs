//! Files and folders that are complete or absent at every instant, who has them, and what their content hashes to.

mod atomic;
mod folder;
mod lock;
pub mod sealed;
mod unfinished;

use std::fs::File;
use std::io;
use std::path::Path;

pub use atomic::{write, write_with};
pub use folder::{check_writable, create_below, is_folder, sync_entries, tidy, walk};
pub use lock::{Lock, lock, try_lock};
pub use unfinished::Unfinished;

/// blake3 of a file's content.
///
/// # Errors
/// The file cannot be read.
pub fn hash(path: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize())
}
