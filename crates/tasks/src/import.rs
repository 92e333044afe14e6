use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use data::{DataError, DataFolder, ManifestEntry};
use spec::{DataKey, Labels, Language, Name, Split, Task};

use crate::format::{Files, Format, Input, Read, checked, read};

/// Folders inside folders that are searched.
const DEPTH: usize = 5;

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
    pub format: Format,
    pub input: Input,
    pub dataset: Name,
    pub task: Task,
    pub split: Split,
    pub licence: String,
    /// Where the data come from, for people; the file names if empty.
    pub source: String,
}

/// A file of the canonical folder that can be made, and what from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Made {
    dataset: &'static str,
    /// Sorted as the table of tasks.
    task: Task,
    /// `None` for a file that holds many languages.
    language: Option<Language>,
    split: Split,
}

/// What makes a file: the format, the licence and the files in the order of their names.
type Layout = BTreeMap<Made, (Format, &'static str, Vec<PathBuf>)>;

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
    for (Made { dataset, language, split, .. }, (format, licence, paths)) in recognise(source)? {
        let wanted =
            selection.takes_dataset(dataset) && language.is_none_or(|language| selection.takes_language(language));
        if !wanted {
            continue;
        }
        let name = Name::new(dataset)?;
        let mut store = |language, read: Read, progress: &mut dyn FnMut(&str)| {
            let key = DataKey::new(format.task(), &name, language, split);
            entries.push(report(into, &key, read, file_names(&paths), licence.to_owned(), progress)?);
            Ok::<_, DataError>(())
        };
        match (language, format.read_all()) {
            (Some(language), _) => match read(format, &Input::new(paths.clone(), language)) {
                Ok(read) => store(language, read, progress)?,
                // Some public copies have their labels taken out; they must not keep the others from being imported.
                Err(error @ DataError::Unlabelled { .. }) => progress(&format!("left out {error}")),
                Err(error) => return Err(error),
            },
            // One file of all languages: read once, not once a language.
            (None, Some(read_all)) => {
                for path in &paths {
                    for (language, read) in read_all(path)? {
                        if selection.takes_language(language) {
                            store(language, checked(path, read)?, progress)?;
                        }
                    }
                }
            }
            (None, None) => {}
        }
    }
    if entries.is_empty() {
        let message = "holds no file with the name of a public data set that was asked for; import files one by one, with \
                       their format";
        return Err(DataError::file(source, message));
    }
    Ok(entries)
}

/// Imports files whose format, data set, language and split are given. Labels are numbered as in the data set's other files
/// of the task, if those have them all.
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
    let mut input = file.input.clone();
    let mut found = read(file.format, &input)?;
    let siblings = labels_of(into, &file.dataset, file.task)?;
    let own = found.examples.labels();
    if input.labels.is_empty() && *own != siblings && own.places_in(&siblings).is_ok() {
        input.labels = siblings;
        found = read(file.format, &input)?;
    }
    let key = DataKey::new(file.task, &file.dataset, input.language, file.split);
    let source = if file.source.is_empty() { file_names(&input.paths) } else { file.source.clone() };
    report(into, &key, found, source, file.licence.clone(), progress)
}

/// The label names of a data set's files of a task; none if there are none, or several sets.
fn labels_of(folder: &DataFolder, dataset: &Name, task: Task) -> Result<Labels, DataError> {
    let manifest = folder.list()?.into_iter().find(|manifest| manifest.dataset == *dataset);
    let entries = manifest.iter().flat_map(|manifest| &manifest.entries).filter(|entry| entry.task == task);
    let mut sets: Vec<Labels> = entries.map(ManifestEntry::labels).collect();
    sets.dedup();
    Ok(if let [one] = sets.as_slice() { one.clone() } else { Labels::default() })
}

fn report(
    into: &DataFolder,
    key: &DataKey,
    read: Read,
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

/// Recognises the public releases' own file names anywhere below a folder. Links to files are read, as a hub's download
/// cache consists of them; links to folders are not followed.
fn recognise(source: &Path) -> Result<Layout, DataError> {
    let mut files = Vec::new();
    walk(source, DEPTH, &mut files)?;
    files.sort();
    let formats = Format::all();
    let mut layout = Layout::new();
    for path in files {
        for &task in Task::ALL {
            let Some(found) = crate::folder(task).recognise(&path) else { continue };
            let Some(&format) = formats.iter().find(|format| format.as_str() == found.format) else { continue };
            let made = Made { dataset: found.dataset, task, language: found.language, split: found.split };
            let (_, _, paths) = layout.entry(made).or_insert_with(|| (format, found.licence, Vec::new()));
            paths.push(path.clone());
            if format.files() == Files::Two {
                paths.push(path.with_extension("eng"));
            }
        }
    }
    Ok(layout)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    for entry in fs::read_dir(folder).map_err(DataError::io("read the folder", folder))? {
        let entry = entry.map_err(DataError::io("read the folder", folder))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(DataError::io("read", &path))?;
        if kind.is_dir() && depth > 0 {
            walk(&path, depth - 1, files)?;
        } else if kind.is_file() || (kind.is_symlink() && path.is_file()) {
            files.push(path);
        }
    }
    Ok(())
}
