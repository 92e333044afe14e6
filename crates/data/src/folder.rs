use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use spec::{DataKey, Language, Name, Portion, Split, Task, nearest};

use crate::canonical::Unlabelled;
use crate::manifest::{Manifest, ManifestEntry};
use crate::{DataError, Examples, canonical};

/// The folder that holds the canonical data: `<data set>/<task>/<language>/<split>.parquet`, with a manifest for each
/// data set. It need not exist until something is imported.
#[derive(Debug, Clone)]
pub struct DataFolder {
    root: PathBuf,
    built_in: Option<BuiltIn>,
    /// Content hashes by key.
    expected: BTreeMap<String, String>,
}

/// Another such folder, only read: its data sets are there unless the first has one of that name.
#[derive(Debug, Clone)]
struct BuiltIn {
    root: PathBuf,
    /// Puts back what is missing there.
    restore: fn(&Path) -> io::Result<()>,
}

/// How often built-in data are read that a deletion of the cache takes away meanwhile.
const TRIES: usize = 5;

/// What [`DataFolder::check`] found about one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckLine {
    pub key: DataKey,
    pub rows: usize,
    /// Why the file cannot be used, `None` if it is whole.
    pub damage: Option<String>,
    /// Examples of a held-out split whose text the train split of the same language holds too.
    pub seen_in_training: usize,
}

impl DataFolder {
    pub fn open(root: &Path) -> Self {
        Self { root: root.to_owned(), built_in: None, expected: BTreeMap::new() }
    }

    /// The same folder, and behind it one that is only read. `restore` is called before each use, to put back what is
    /// missing there: it may be in a cache that is deleted at any time.
    #[must_use]
    pub fn with_built_in(self, root: &Path, restore: fn(&Path) -> io::Result<()>) -> Self {
        Self { built_in: Some(BuiltIn { root: root.to_owned(), restore }), ..self }
    }

    /// Puts back what is missing of what comes inside.
    ///
    /// # Errors
    /// [`DataError::Io`] if it cannot be written.
    pub fn restore(&self) -> Result<(), DataError> {
        let Some(BuiltIn { root, restore }) = &self.built_in else { return Ok(()) };
        restore(root).map_err(DataError::io("restore the built-in data in", root))
    }

    /// The same folder, for one who planned with these content hashes, by key: another content is not read.
    #[must_use]
    pub fn expecting(self, hashes: &BTreeMap<String, String>) -> Self {
        Self { expected: hashes.clone(), ..self }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The manifest of a data set, `None` where there is no such set.
    ///
    /// # Errors
    /// [`DataError`] if it cannot be read.
    pub fn manifest(&self, dataset: &Name) -> Result<Option<Manifest>, DataError> {
        self.restore()?;
        Manifest::read(&self.dataset(dataset))
    }

    /// Every data set's manifest, by name, and what is wrong with those that cannot be read. Folders without one are not ours
    /// and are passed over.
    ///
    /// # Errors
    /// [`DataError`] if the folder cannot be read.
    pub fn list(&self) -> Result<(Vec<Manifest>, Vec<DataError>), DataError> {
        self.restore()?;
        let mut names = Vec::new();
        for root in std::iter::once(&self.root).chain(self.built_in.as_ref().map(|built_in| &built_in.root)) {
            let entries = match fs::read_dir(root) {
                Ok(entries) => entries,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(DataError::io("read the data folder", root)(error)),
            };
            for entry in entries {
                let entry = entry.map_err(DataError::io("read the data folder", root))?;
                names.extend(entry.file_name().to_str().and_then(|name| Name::new(name).ok()));
            }
        }
        names.sort();
        names.dedup();
        let (mut manifests, mut faults) = (Vec::new(), Vec::new());
        for name in &names {
            match Manifest::read(&self.dataset(name)) {
                Ok(manifest) => manifests.extend(manifest),
                Err(fault) => faults.push(fault),
            }
        }
        Ok((manifests, faults))
    }

    /// What the manifest says about one file.
    ///
    /// # Errors
    /// [`DataError::Missing`] with what there is instead, and the nearest name; [`DataError::Changed`] if another content
    /// is expected.
    pub fn entry(&self, key: &DataKey) -> Result<ManifestEntry, DataError> {
        self.repeated(&key.data, || self.find(key))
    }

    /// Reads something of a data set. What is built in may go between two looks, and is put back.
    fn repeated<T>(&self, dataset: &Name, read: impl Fn() -> Result<T, DataError>) -> Result<T, DataError> {
        let own = Manifest::path(&self.root.join(dataset.as_str())).exists();
        let tries = if own || self.built_in.is_none() { 1 } else { TRIES };
        for _ in 1..tries {
            if let (Ok(()), Ok(found)) = (self.restore(), read()) {
                return Ok(found);
            }
        }
        self.restore()?;
        read()
    }

    fn find(&self, key: &DataKey) -> Result<ManifestEntry, DataError> {
        if let Some(manifest) = Manifest::read(&self.dataset(&key.data))? {
            return match manifest.entry(key.task, key.language, key.split) {
                Some(entry) => match self.expected.get(&key.to_string()) {
                    Some(expected) if *expected != entry.hash => Err(DataError::Changed { key: key.to_string() }),
                    _ => Ok(entry.clone()),
                },
                None => Err(missing(key, instead(&manifest, key))),
            };
        }
        let (manifests, _) = self.list()?;
        let names: Vec<&str> = manifests.iter().map(|manifest| manifest.dataset.as_str()).collect();
        let message = if names.is_empty() {
            format!("nothing has been imported into {} yet; use `harness data import`", self.root.display())
        } else {
            let meant = nearest(key.data.as_str(), names.iter().copied());
            let meant = meant.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default();
            format!("there is no data set `{}`{meant}; imported: {}", key.data, names.join(", "))
        };
        Err(missing(key, message))
    }

    /// A portion of one file, or all of it. The whole file is read and its content hash compared with the manifest's.
    ///
    /// # Errors
    /// [`DataError::Missing`] as [`Self::entry`]; [`DataError::Damaged`] if the file is gone, unreadable or changed.
    pub fn load(&self, key: &DataKey, portion: Option<Portion>) -> Result<Examples, DataError> {
        let mut examples = self.repeated(&key.data, || self.verified(&key.data, &self.find(key)?))?;
        match portion {
            Some(Portion::First(count)) => examples.truncate(count),
            Some(Portion::Sample { count, seed }) => examples = examples.sample(count, seed),
            None => {}
        }
        Ok(examples)
    }

    /// Reads and verifies every file; `progress` gets each one's key before it is read.
    ///
    /// # Errors
    /// [`DataError`] only if the folder cannot be read; damage of a file is a line of the result, and manifests that cannot be
    /// read come beside the lines.
    pub fn check(&self, progress: &mut dyn FnMut(&str)) -> Result<(Vec<CheckLine>, Vec<DataError>), DataError> {
        let mut lines = Vec::new();
        let (manifests, faults) = self.list()?;
        for manifest in manifests {
            // Entries are sorted: the train split comes before what is held out.
            let mut trained = (None, HashSet::new());
            for entry in &manifest.entries {
                let key = entry.key(&manifest.dataset);
                progress(&key.to_string());
                let (damage, texts) = match self.verified(&manifest.dataset, entry) {
                    Ok(examples) => (None, examples.text_hashes()),
                    Err(error) => (Some(error.to_string()), Vec::new()),
                };
                let of = Some((entry.task, entry.language));
                let mut seen_in_training = 0;
                if entry.split == Split::Train {
                    trained = (of, texts.into_iter().collect());
                } else if trained.0 == of {
                    seen_in_training = texts.iter().filter(|text| trained.1.contains(*text)).count();
                }
                lines.push(CheckLine { key, rows: entry.rows, damage, seen_in_training });
            }
        }
        Ok((lines, faults))
    }

    /// Stores examples under a key, unless the very same are there and whole. Gives the entry and whether it was written.
    ///
    /// # Errors
    /// [`DataError`] if the folder cannot be written.
    pub fn store(
        &self,
        key: &DataKey,
        examples: Examples,
        source: String,
        licence: String,
    ) -> Result<(ManifestEntry, bool), DataError> {
        let examples = examples.renamed();
        let entry = ManifestEntry::of(key, &examples, source, licence);
        let folder = self.root.join(key.data.as_str());
        if self.dataset(&key.data) != folder {
            let message = format!("`{}` is a built-in data set; choose another name", key.data);
            return Err(DataError::options(message));
        }
        let path = self.path(&key.data, key.task, key.language, key.split);
        let parent = path.parent().unwrap_or(&folder);
        files::create_below(&self.root, parent).map_err(DataError::io("create the folder", parent))?;
        // Two imports at once would lose each other's lines of the manifest.
        let lock = folder.join(".lock");
        let _lock = files::lock(&lock).map_err(DataError::io("lock", &lock))?;
        for folder in [&*folder, parent] {
            files::tidy(folder, Duration::ZERO);
        }
        let mut manifest = Manifest::read(&folder)?.unwrap_or_else(|| Manifest::new(&key.data));
        let old = manifest.entry(key.task, key.language, key.split);
        let whole = old.is_some_and(|old| old.hash == entry.hash && self.verified(&key.data, old).is_ok());
        if !whole {
            files::write(&path, &canonical::to_bytes(&examples, &path)?).map_err(DataError::io("write", &path))?;
        }
        if old != Some(&entry) {
            manifest.put(entry.clone());
            manifest.write(&folder)?;
        }
        Ok((entry, !whole))
    }

    fn verified(&self, dataset: &Name, entry: &ManifestEntry) -> Result<Examples, DataError> {
        let path = self.path(dataset, entry.task, entry.language, entry.split);
        let read = canonical::read_parquet(&[&path], entry.task, &entry.labels(), Unlabelled::Refused, &|_| Ok(()));
        let (examples, _) = read.map_err(|error| match error {
            DataError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                DataError::damaged(&path, source.to_string())
            }
            DataError::File { message, .. } => DataError::damaged(&path, message),
            DataError::Row { place, message, .. } => DataError::damaged(&path, format!("{place}: {message}")),
            other => other,
        })?;
        if examples.len() != entry.rows || examples.content_hash() != entry.hash {
            return Err(DataError::damaged(&path, "the content is not what the manifest says"));
        }
        Ok(examples)
    }

    fn dataset(&self, name: &Name) -> PathBuf {
        let own = self.root.join(name.as_str());
        match &self.built_in {
            Some(built_in) if !Manifest::path(&own).exists() => {
                let there = built_in.root.join(name.as_str());
                if Manifest::path(&there).exists() { there } else { own }
            }
            _ => own,
        }
    }

    fn path(&self, dataset: &Name, task: Task, language: Language, split: Split) -> PathBuf {
        let folder = self.dataset(dataset).join(task.as_str()).join(language.code());
        folder.join(format!("{split}.parquet"))
    }
}

fn missing(key: &DataKey, message: String) -> DataError {
    DataError::Missing { key: key.to_string(), message }
}

/// What a data set has in place of the file that was asked for.
fn instead(manifest: &Manifest, key: &DataKey) -> String {
    let of_task: Vec<_> = manifest.entries.iter().filter(|entry| entry.task == key.task).collect();
    if of_task.is_empty() {
        let mut tasks: Vec<&str> = manifest.entries.iter().map(|entry| entry.task.as_str()).collect();
        tasks.dedup();
        return format!("`{}` is data for {}", manifest.dataset, tasks.join(", "));
    }
    let splits: Vec<&str> =
        of_task.iter().filter(|entry| entry.language == key.language).map(|entry| entry.split.as_str()).collect();
    if splits.is_empty() {
        let mut languages: Vec<&str> = of_task.iter().map(|entry| entry.language.code()).collect();
        languages.dedup();
        return format!("`{}` has the languages {}", manifest.dataset, languages.join(", "));
    }
    format!("`{}` has of this language only {}", manifest.dataset, splits.join(", "))
}
