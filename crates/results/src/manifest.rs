//! `files.json`: length and BLAKE3 hash of every file of a folder, so that damage is found before anything is parsed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
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
    /// Hash of the two fields above: this rule stays the same in every format.
    check: String,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct Entry {
    bytes: u64,
    blake3: String,
}

/// Why a folder cannot be believed.
#[derive(Debug)]
pub(crate) enum Fault {
    Damaged(String),
    NewerFormat { path: PathBuf, found: u32 },
}

/// How much of a folder is read to verify it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Depth {
    /// Hashes of the folder's own files, lengths of those in its subfolders (saved models are large).
    Own,
    /// Hashes of all.
    All,
}

/// The text of `files.json` for a folder as it stands.
pub(crate) fn describe(folder: &Path) -> io::Result<Vec<u8>> {
    let mut files = BTreeMap::new();
    for (name, path) in walk(folder)? {
        let (bytes, blake3) = hash(&path)?;
        files.insert(name, Entry { bytes, blake3 });
    }
    let check = check(FORMAT, &files);
    Ok(serde_json::to_vec(&Manifest { format: FORMAT, files, check })?)
}

/// Compares a folder with its `files.json`. Names in the file are never used as paths.
pub(crate) fn verify(folder: &Path, depth: Depth) -> Result<(), Fault> {
    let damaged = |why: String| Fault::Damaged(why);
    let path = folder.join(FILE);
    let text = files::read(&path, LARGEST).map_err(|error| damaged(format!("`{FILE}` cannot be read: {error}")))?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| damaged(format!("`{FILE}` is not valid: {error}")))?;
    if manifest.check != check(manifest.format, &manifest.files) {
        return Err(damaged(format!("`{FILE}` does not match its own check sum")));
    }
    if manifest.format > FORMAT {
        return Err(Fault::NewerFormat { path, found: manifest.format });
    }
    let found = walk(folder).map_err(|error| damaged(format!("its files cannot be listed: {error}")))?;
    if let Some(missing) = manifest.files.keys().find(|name| !found.contains_key(*name)) {
        return Err(damaged(format!("`{missing}` is missing")));
    }
    for (name, path) in found {
        let Some(entry) = manifest.files.get(&name) else {
            return Err(damaged(format!("`{name}` does not belong there")));
        };
        let cannot = |error: io::Error| damaged(format!("`{name}` cannot be read: {error}"));
        // A link could lead anywhere, also to a device without end.
        let metadata = fs::symlink_metadata(&path).map_err(cannot)?;
        if !metadata.is_file() {
            return Err(damaged(format!("`{name}` is not a regular file")));
        }
        let bytes = metadata.len();
        if bytes != entry.bytes {
            return Err(damaged(format!("`{name}` has {bytes} bytes instead of {}", entry.bytes)));
        }
        if (depth == Depth::All || !name.contains('/')) && hash(&path).map_err(cannot)?.1 != entry.blake3 {
            return Err(damaged(format!("`{name}` does not have the content that was written")));
        }
    }
    Ok(())
}

/// Files below a folder by their relative name with `/`, without the unlisted ones. Links are not followed.
pub(crate) fn walk(folder: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    let mut open = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                open.push((format!("{name}/"), entry.path()));
            } else if !UNLISTED.contains(&name.as_str()) {
                files.insert(name, entry.path());
            }
        }
    }
    Ok(files)
}

fn hash(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, _) = files::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, hasher.finalize().to_hex().to_string()));
        }
        bytes += read as u64;
        hasher.update(&buffer[..read]);
    }
}

fn check(format: u32, files: &BTreeMap<String, Entry>) -> String {
    let text = serde_json::to_vec(&(format, files)).unwrap_or_default();
    blake3::hash(&text).to_hex().to_string()
}
