//! The data set and the encoder that come inside the program.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result};
use include_dir::{Dir, File, include_dir};

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
    /// Unpacks what is not there yet, and puts back what is there and not as it should be: every file is compared.
    pub fn unpacked(cache: &Path) -> Result<Self> {
        let place = cache.join("built-in").join(&content_hash()[..16]);
        put(cache, &place, has_content)
            .with_context(|| format!("cannot unpack the built-in data into `{}`", place.display()))?;
        Ok(Self { data: place.join("data"), models: place.join("models") })
    }

    /// Puts back what is missing of what was unpacked: the cache may be deleted while a cell runs.
    ///
    /// # Errors
    /// The system's.
    pub fn restore(data: &Path) -> io::Result<()> {
        let mut above = data.ancestors().skip(1);
        match (above.next(), above.nth(1)) {
            (Some(place), Some(cache)) => put(cache, place, has_length),
            _ => Ok(()),
        }
    }
}

/// How often files are put back that go while others are, and how long a deletion is given to end before each time.
const TRIES: usize = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// Writes the files that are not `whole`.
fn put(cache: &Path, place: &Path, whole: fn(&Path, &[u8]) -> bool) -> io::Result<()> {
    for _ in 1..TRIES {
        match put_once(cache, place, whole) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::thread::sleep(PAUSE),
            put => return put,
        }
    }
    put_once(cache, place, whole)
}

fn put_once(cache: &Path, place: &Path, whole: fn(&Path, &[u8]) -> bool) -> io::Result<()> {
    for (kind, folder) in [("data", &DATA_SET), ("models", &ENCODER)] {
        let into = place.join(kind).join(NAME);
        for file in files_of(folder) {
            let path = into.join(file.path());
            if !whole(&path, file.contents()) {
                files::create_below(cache, path.parent().unwrap_or(&into))?;
                files::write(&path, file.contents())?;
            }
        }
    }
    Ok(())
}

fn has_length(path: &Path, content: &[u8]) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() == content.len() as u64)
}

fn has_content(path: &Path, content: &[u8]) -> bool {
    has_length(path, content) && std::fs::read(path).is_ok_and(|found| found == content)
}

fn files_of(folder: &'static Dir<'static>) -> Vec<&'static File<'static>> {
    folder.files().chain(folder.dirs().flat_map(files_of)).collect()
}

/// Computed once a process: a plan and a cell ask for folders several times.
fn content_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(hash_content)
}

fn hash_content() -> String {
    let mut hash = blake3::Hasher::new();
    for file in [&DATA_SET, &ENCODER].into_iter().flat_map(files_of) {
        hash.update(file.path().to_string_lossy().as_bytes());
        hash.update(&(file.contents().len() as u64).to_le_bytes());
        hash.update(file.contents());
    }
    hash.finalize().to_hex().to_string()
}
