use std::path::{Path, PathBuf};

use spec::{DataKey, Language, Name, Split, Task};

use crate::layouts::{self, Found};
use crate::readers::{checked, read_xnli_tsv};
use crate::{DataError, DataFolder, Examples, Format, ManifestEntry, read};

/// Which part of what is found to import; an empty list means everything.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    pub datasets: Vec<Name>,
    pub languages: Vec<Language>,
}

impl Selection {
    fn takes_dataset(&self, dataset: &str) -> bool {
        self.datasets.is_empty() || self.datasets.iter().any(|name| name.as_str() == dataset)
    }

    fn takes_language(&self, language: Language) -> bool {
        self.languages.is_empty() || self.languages.contains(&language)
    }
}

/// One file of the canonical folder, made from files that are named one by one.
#[derive(Debug, Clone)]
pub struct ImportFile {
    /// One file; the shards of a Parquet table; for [`Format::Tatoeba`] the foreign file, then the English one.
    pub paths: Vec<PathBuf>,
    pub format: Format,
    pub dataset: Name,
    pub task: Task,
    pub language: Language,
    pub split: Split,
    pub licence: String,
    /// Where the data come from, for people; the file names if empty.
    pub source: String,
}

/// Imports every public data set whose own file names are found below `source`. Content that is already there is left
/// alone, so a broken import can be repeated. Files without gold labels are left out, and `progress` told so.
///
/// # Errors
/// The first [`DataError`]; what was imported before it stays. [`DataError::File`] if nothing is recognised.
pub fn import(
    source: &Path,
    into: &DataFolder,
    selection: &Selection,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<ManifestEntry>, DataError> {
    let mut entries = Vec::new();
    for (found, (format, paths)) in layouts::recognise(source)? {
        let wanted = selection.takes_dataset(found.dataset)
            && found.language.is_none_or(|language| selection.takes_language(language));
        if !wanted {
            continue;
        }
        let Found { dataset, language, split } = found;
        let dataset_name = Name::new(dataset)?;
        let mut store = |language, examples, progress: &mut dyn FnMut(&str)| {
            let key = DataKey::new(format.task(), &dataset_name, language, split);
            let licence = layouts::licence(dataset).to_owned();
            entries.push(report(into, &key, examples, file_names(&paths), licence, progress)?);
            Ok::<_, DataError>(())
        };
        match language {
            Some(language) => match read(format, &paths, language) {
                Ok(read) => store(language, read, progress)?,
                // Some public copies have their labels taken out; they must not keep the others from being imported.
                Err(error @ DataError::Unlabelled { .. }) => progress(&format!("left out {error}")),
                Err(error) => return Err(error),
            },
            // One file of all languages: read once, not once a language.
            None => {
                for path in &paths {
                    let (all, note) = read_xnli_tsv(path)?;
                    for (language, examples) in all {
                        if selection.takes_language(language) {
                            let examples = checked(path, Examples::Nli(examples))?;
                            store(language, crate::Read { examples, notes: note.iter().cloned().collect() }, progress)?;
                        }
                    }
                }
            }
        }
    }
    if entries.is_empty() {
        let message = "holds no file with the name of a public data set that was asked for; import files one by one, with \
                       their format";
        return Err(DataError::file(source, message));
    }
    Ok(entries)
}

/// Imports files whose format, data set, language and split are given.
///
/// # Errors
/// [`DataError`] of the reader; [`DataError::Options`] if the format is not one of the task.
pub fn import_file(
    file: &ImportFile,
    into: &DataFolder,
    progress: &mut dyn FnMut(&str),
) -> Result<ManifestEntry, DataError> {
    if file.format.task() != file.task {
        let message = format!("format `{}` is for {}, not for {}", file.format, file.format.task(), file.task);
        return Err(DataError::options(message));
    }
    let key = DataKey::new(file.task, &file.dataset, file.language, file.split);
    let source = if file.source.is_empty() { file_names(&file.paths) } else { file.source.clone() };
    report(into, &key, read(file.format, &file.paths, file.language)?, source, file.licence.clone(), progress)
}

fn report(
    into: &DataFolder,
    key: &DataKey,
    read: crate::Read,
    source: String,
    licence: String,
    progress: &mut dyn FnMut(&str),
) -> Result<ManifestEntry, DataError> {
    for note in &read.notes {
        progress(&format!("{key}: {note}"));
    }
    let (entry, written) = into.store(key, read.examples, source, licence)?;
    let what = if written { "imported" } else { "already there" };
    progress(&format!("{key}: {} rows, {what}", entry.rows));
    Ok(entry)
}

/// The files' own names: a path would tell of the machine, not of the data.
fn file_names(paths: &[PathBuf]) -> String {
    let names = paths.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    names.collect::<Vec<_>>().join(", ")
}
