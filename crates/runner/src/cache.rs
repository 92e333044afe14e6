//! What cells find out for each other lies in the cache folder, sealed by its hash. A cache that is damaged or cannot be
//! written costs time, never a number.

use std::io;
use std::path::Path;

use files::{Lock, sealed};
use serde::Serialize;
use serde::de::DeserializeOwned;

const MAGIC: &sealed::Magic = b"LETHEFND";
/// Bytes of such a file: the contributions of all examples of a probe, or masks.
const LARGEST: u64 = 1 << 32;

/// What lies there, if it is there and whole.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = files::read(path, LARGEST).ok()?;
    ciborium::from_reader(sealed::open(&bytes, MAGIC).ok()?).ok()
}

/// Leaves something for other cells. The cache itself may be a link; one in it is refused.
pub(crate) fn store<T: Serialize>(cache: &Path, path: &Path, found: &T) -> anyhow::Result<()> {
    let mut content = Vec::new();
    ciborium::into_writer(found, &mut content)?;
    files::create_below(cache, path.parent().unwrap_or(cache))?;
    Ok(sealed::write(path, MAGIC, &content)?)
}

/// What to tell a person whose cache cannot be written. Many cells meet the same fault, and say it in the same words.
pub(crate) fn unwritten(error: &anyhow::Error) -> String {
    let why = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    // Without the name of a file that has another one each time.
    let said = |error: &io::Error| match error.kind() {
        io::ErrorKind::Other | io::ErrorKind::InvalidInput => error.to_string(),
        kind => kind.to_string(),
    };
    unwritten_because(&why.map_or_else(|| format!("{error:#}"), said))
}

pub(crate) fn unwritten_because(why: &str) -> String {
    format!("the cache cannot be written ({why}): this costs time and no number")
}

/// The right to find out what other cells wait for.
pub(crate) enum Tried {
    Locked(Lock),
    /// Another process has it.
    Held,
    /// The folder cannot be written, or its file system knows no locks.
    Impossible,
}

pub(crate) fn try_lock(cache: &Path, path: &Path) -> Tried {
    let made = files::create_below(cache, path.parent().unwrap_or(cache));
    match made.and_then(|()| files::try_lock(path)) {
        Ok(Some(lock)) => Tried::Locked(lock),
        Ok(None) => Tried::Held,
        Err(_) => Tried::Impossible,
    }
}
