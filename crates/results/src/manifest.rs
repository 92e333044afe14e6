//! `files.json`: length and BLAKE3 hash of every file of a folder, so that damage is found before anything is parsed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub(crate) const FILE: &str = "files.json";
/// Bytes of a JSON file of a record: a cell with the distances between all its languages has some 100,000.
pub(crate) const LARGEST: u64 = 1 << 26;

/// The format of everything this build writes, and the newest it reads.
pub(crate) const FORMAT: u32 = 1;

/// Written beside the listed files but not listed: they vary by host and hour.
pub(crate) const UNLISTED: [&str; 3] = [FILE, "timing.json", "log.txt"];

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    files: BTreeMap<String, Entry>,
    /// Of a checkpoint: the folder name of its cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cell: Option<String>,
    /// Hash of the fields above that are there: this rule stays the same in every format.
    check: String,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct Entry {
    bytes: u64,
    blake3: String,
}

/// Why a folder cannot be read or believed.
#[derive(Debug)]
pub(crate) enum Fault {
    Damaged(String),
    /// The system does not give it out, which may pass: no damage that anybody has seen.
    Unreadable(String),
    NewerFormat {
        path: PathBuf,
        found: u32,
    },
}

/// How much of a folder is read to verify it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Depth {
    /// Hashes of the folder's own files, lengths of those in its subfolders (saved models are large).
    Own,
    /// Hashes of all.
    All,
}

impl Fault {
    /// What is not there, or is no file of a likely size, is damage; anything else that keeps a file from being read is not.
    pub fn of(path: &Path, error: &io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, InvalidInput, IsADirectory, NotADirectory, NotFound};
        match error.kind() {
            NotFound | IsADirectory | NotADirectory | InvalidInput | FileTooLarge => {
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
                Fault::Damaged(format!("`{name}` cannot be read: {error}"))
            }
            _ => Fault::Unreadable(format!("`{}` cannot be read: {error}", path.display())),
        }
    }
}

/// The text of `files.json` for a folder as it stands; `cell` of a checkpoint.
pub(crate) fn describe(folder: &Path, cell: Option<&str>) -> io::Result<Vec<u8>> {
    let mut files = BTreeMap::new();
    for (name, path) in walk(folder)? {
        let bytes = fs::metadata(&path)?.len();
        files.insert(name, Entry { bytes, blake3: files::hash(&path)?.to_hex().to_string() });
    }
    let cell = cell.map(str::to_owned);
    let check = check(FORMAT, &files, &cell);
    Ok(serde_json::to_vec(&Manifest { format: FORMAT, files, cell, check })?)
}

/// A regular file's content. A link could lead anywhere, also to a device without end.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let metadata = fs::symlink_metadata(path).map_err(|error| Fault::of(path, &error))?;
    if !metadata.is_file() {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        return Err(Fault::Damaged(format!("`{name}` is not a regular file")));
    }
    files::read(path, LARGEST).map_err(|error| Fault::of(path, &error))
}

/// Compares a folder with its `files.json`. Names in the file are never used as paths.
pub(crate) fn verify(folder: &Path, depth: Depth, cell: Option<&str>) -> Result<(), Fault> {
    let damaged = |why: String| Fault::Damaged(why);
    let path = folder.join(FILE);
    let text = read(&path)?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| damaged(format!("`{FILE}` is not valid: {error}")))?;
    if manifest.check != check(manifest.format, &manifest.files, &manifest.cell) {
        return Err(damaged(format!("`{FILE}` does not match its own check sum")));
    }
    if manifest.format > FORMAT {
        return Err(Fault::NewerFormat { path, found: manifest.format });
    }
    if manifest.cell.as_deref() != cell {
        let of = manifest.cell.map_or("none".to_owned(), |other| format!("`{other}`"));
        return Err(damaged(format!("the cell that it names is {of}")));
    }
    let found = walk(folder).map_err(|error| Fault::of(folder, &error))?;
    if let Some(missing) = manifest.files.keys().find(|name| !found.contains_key(*name)) {
        return Err(damaged(format!("`{missing}` is missing")));
    }
    for (name, path) in found {
        let Some(entry) = manifest.files.get(&name) else {
            return Err(damaged(format!("`{name}` does not belong there")));
        };
        let cannot = |error: io::Error| Fault::of(&path, &error);
        let metadata = fs::symlink_metadata(&path).map_err(cannot)?;
        if !metadata.is_file() {
            return Err(damaged(format!("`{name}` is not a regular file")));
        }
        let bytes = metadata.len();
        if bytes != entry.bytes {
            return Err(damaged(format!("`{name}` has {bytes} bytes instead of {}", entry.bytes)));
        }
        let read = depth == Depth::All || !name.contains('/');
        if read && files::hash(&path).map_err(cannot)?.to_hex().as_str() != entry.blake3 {
            return Err(damaged(format!("`{name}` does not have the content that was written")));
        }
    }
    Ok(())
}

/// Files below a folder by their relative name with `/`, without the unlisted ones. Links are not followed.
pub(crate) fn walk(folder: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut files = files::walk(folder)?;
    files.retain(|name, _| !UNLISTED.contains(&name.as_str()));
    Ok(files)
}

fn check(format: u32, files: &BTreeMap<String, Entry>, cell: &Option<String>) -> String {
    let text = match cell {
        None => serde_json::to_vec(&(format, files)),
        Some(cell) => serde_json::to_vec(&(format, files, cell)),
    };
    blake3::hash(&text.unwrap_or_default()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_does_not_give_out_is_no_damage() {
        let fault = |error: io::Error| Fault::of(Path::new("/results/cells/a/scores.parquet"), &error);
        for error in [io::ErrorKind::NotFound, io::ErrorKind::IsADirectory, io::ErrorKind::NotADirectory] {
            assert!(matches!(fault(error.into()), Fault::Damaged(why) if why.contains("`scores.parquet`")));
        }
        // EIO, EACCES, too many open files.
        for error in [5, 13, 24].map(io::Error::from_raw_os_error) {
            assert!(
                matches!(fault(error), Fault::Unreadable(why) if why.contains("`/results/cells/a/scores.parquet`"))
            );
        }
    }
}
