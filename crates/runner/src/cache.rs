//! What cells find out for each other lies in the cache folder, sealed by its hash. A cache that is damaged or cannot be
//! written costs time, never a number.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use files::sealed;
use serde::Serialize;
use serde::de::DeserializeOwned;

const MAGIC: &sealed::Magic = b"LETHEFND";

/// What lies there, if it is there and whole.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = std::fs::read(path).ok()?;
    ciborium::from_reader(sealed::open(&bytes, MAGIC).ok()?).ok()
}

/// Leaves something for other cells.
pub(crate) fn store<T: Serialize>(path: &Path, found: &T) -> anyhow::Result<()> {
    let mut content = Vec::new();
    ciborium::into_writer(found, &mut content)?;
    Ok(sealed::write(path, MAGIC, &content)?)
}

/// What to tell a person whose cache cannot be written. Many cells meet the same fault, and say it in the same words.
pub(crate) fn unwritten(error: &anyhow::Error) -> String {
    let why = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    unwritten_because(&why.map_or_else(|| format!("{error:#}"), |error| error.kind().to_string()))
}

pub(crate) fn unwritten_because(why: &str) -> String {
    format!("the cache cannot be written ({why}): this costs time and no number")
}

/// The right to find out what other cells wait for. It ends with this value, or with the process.
pub(crate) struct Lock {
    _file: File,
}

pub(crate) enum Tried {
    Locked(Lock),
    /// Another process has it.
    Held,
    /// The folder cannot be written, or its file system knows no locks.
    Impossible,
}

pub(crate) fn try_lock(path: &Path) -> Tried {
    let open = || {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        OpenOptions::new().write(true).create(true).truncate(false).open(path)
    };
    let Ok(file) = open() else { return Tried::Impossible };
    match file.try_lock() {
        Ok(()) => Tried::Locked(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Tried::Held,
        Err(TryLockError::Error(_)) => Tried::Impossible,
    }
}
