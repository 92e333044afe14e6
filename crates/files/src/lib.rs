//! Files and folders that are complete or absent at every instant, who has them, what their content hashes to, and how files
//! from outside are read.

mod atomic;
mod folder;
mod guard;
mod lock;
pub mod parquet;
mod regular;
pub mod sealed;
mod unfinished;

use std::io;
use std::path::Path;

pub use atomic::{write, write_with};
pub use folder::{check_writable, create_below, is_folder, sync_entries, tidy, walk};
pub use guard::no_panic;
pub use lock::{Lock, lock, try_lock};
pub use regular::{open, read, read_text};
pub use unfinished::Unfinished;

/// blake3 of a file's content.
///
/// # Errors
/// The file cannot be read, or is no regular file.
pub fn hash(path: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(open(path)?.0)?;
    Ok(hasher.finalize())
}
