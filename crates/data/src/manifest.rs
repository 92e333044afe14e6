use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use spec::{DataKey, Labels, Language, Name, Split, Task};

use crate::{DataError, Examples};

/// 2 brought label names; files of 1 have the usual ones.
const FORMAT: u32 = 2;
/// Bytes of a manifest. That of the largest public data set (WikiANN, 176 languages) has about 200,000.
const LARGEST: u64 = 1 << 24;

/// What a data set holds: the manifest file in its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the manifest's own layout.
    format: u32,
    pub dataset: Name,
    /// Sorted by task, language and split.
    #[serde(rename = "file", default)]
    pub entries: Vec<ManifestEntry>,
}

/// One canonical file of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestEntry {
    pub task: Task,
    pub language: Language,
    pub split: Split,
    pub rows: usize,
    /// [`crate::Examples::content_hash`] of the whole file.
    pub hash: String,
    /// Where the examples came from, for people.
    pub source: String,
    pub licence: String,
    /// Names of the labels, by index; see [`ManifestEntry::labels`].
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    labels: Labels,
}

impl ManifestEntry {
    pub(crate) fn of(key: &DataKey, examples: &Examples, source: String, licence: String) -> Self {
        Self {
            task: key.task,
            language: key.language,
            split: key.split,
            rows: examples.len(),
            hash: examples.content_hash(),
            source,
            licence,
            labels: examples.labels().clone(),
        }
    }

    /// The names of the file's labels: its own, or the task's usual ones where an old manifest does not say.
    pub fn labels(&self) -> Labels {
        if self.labels.is_empty() { self.task.usual_labels() } else { self.labels.clone() }
    }

    pub fn key(&self, dataset: &Name) -> DataKey {
        DataKey::new(self.task, dataset, self.language, self.split)
    }
}

impl Manifest {
    pub(crate) fn new(dataset: &Name) -> Self {
        Self { format: FORMAT, dataset: dataset.clone(), entries: Vec::new() }
    }

    pub(crate) fn path(folder: &Path) -> PathBuf {
        folder.join("manifest.toml")
    }

    /// Reads the manifest of a data set's folder, `None` where there is none.
    ///
    /// # Errors
    /// [`DataError`] if it cannot be read or is not a manifest of this build's format.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, DataError> {
        let path = Self::path(folder);
        let text = match files::read_text(&path, LARGEST) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(DataError::io("read", &path)(error)),
        };
        let mut manifest: Self =
            toml::from_str(&text).map_err(|error| DataError::file(&path, format!("not a manifest: {error}")))?;
        if !(1..=FORMAT).contains(&manifest.format) {
            let message = format!("manifest format {} is none that this build reads (1 to {FORMAT})", manifest.format);
            return Err(DataError::file(&path, message));
        }
        if folder.file_name().and_then(|name| name.to_str()) != Some(manifest.dataset.as_str()) {
            let message = format!("belongs to data set `{}`, not to this folder", manifest.dataset);
            return Err(DataError::file(&path, message));
        }
        manifest.format = FORMAT;
        manifest.entries.sort_by_key(|entry| (entry.task, entry.language, entry.split));
        Ok(Some(manifest))
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<(), DataError> {
        let path = Self::path(folder);
        let text = toml::to_string(self).map_err(|error| DataError::file(&path, error.to_string()))?;
        files::write(&path, text.as_bytes()).map_err(DataError::io("write", &path))
    }

    /// Adds the entry, or replaces the one of the same task, language and split.
    pub(crate) fn put(&mut self, entry: ManifestEntry) {
        let place = |entry: &ManifestEntry| (entry.task, entry.language, entry.split);
        match self.entries.binary_search_by_key(&place(&entry), place) {
            Ok(index) => self.entries[index] = entry,
            Err(index) => self.entries.insert(index, entry),
        }
    }

    pub fn entry(&self, task: Task, language: Language, split: Split) -> Option<&ManifestEntry> {
        self.entries.iter().find(|entry| (entry.task, entry.language, entry.split) == (task, language, split))
    }
}
