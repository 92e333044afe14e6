//! What cells find out for each other lies in the cache folder, sealed by its hash. A cache that is damaged or cannot be
//! written costs time, never a number.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use files::sealed;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::message::say;

const MAGIC: &sealed::Magic = b"LETHEFND";
/// Bytes of such a file: the contributions of all examples of a probe, or masks.
const LARGEST: u64 = 1 << 32;

/// What lies there, if it is there and whole.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = files::read(path, LARGEST).ok()?;
    ciborium::from_reader(sealed::open(&bytes, MAGIC).ok()?).ok()
}

/// Leaves something for other cells.
pub(crate) fn store<T: Serialize>(path: &Path, found: &T) -> anyhow::Result<()> {
    let mut content = Vec::new();
    ciborium::into_writer(found, &mut content)?;
    Ok(sealed::write(path, MAGIC, &content)?)
}

/// As [`store`]; says on standard error why it could not.
pub(crate) fn offer<T: Serialize>(path: &Path, found: &T) {
    if let Err(error) = store(path, found) {
        warn(&error);
    }
}

pub(crate) fn warn(error: &anyhow::Error) {
    say(format_args!("warning: the cache cannot be written: {error:#}"));
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
