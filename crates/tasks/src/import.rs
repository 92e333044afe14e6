use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use data::{DataError, DataFolder, Examples, ManifestEntry};
use spec::{DataKey, Labels, Language, Name, Split, Task, nearest};

use crate::files::names::TREEBANKS;
use crate::format::{Files, Format, Given, Input, Read, Spoken, checked, read};

/// Folders inside folders that are searched.
const DEPTH: usize = 5;

/// How the names of data files end.
const DATA_ENDINGS: [&str; 8] = ["parquet", "json", "jsonl", "csv", "tsv", "txt", "conll", "conllu"];

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

/// The files of public releases below a folder.
#[derive(Default)]
struct Recognised {
    layout: Layout,
    /// Files that look like data and have no name of a public release's.
    others: Vec<PathBuf>,
    /// How many files of a data set have a code of an unknown language.
    unknown: BTreeMap<(&'static str, String), usize>,
}

/// Imports every public data set whose own file names are found below `source`. Content that is already there is left
/// alone, so a broken import can be repeated. Files without gold labels or in unknown languages are left out, and `progress`
/// told so. What cannot be read does not keep the rest from being imported.
///
/// # Errors
/// The first [`DataError`], after all else has been imported; `progress` is told the others. [`DataError::File`] if nothing
/// is recognised.
pub fn import(
    source: &Path,
    into: &DataFolder,
    selection: &Selection,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<ManifestEntry>, DataError> {
    let Recognised { layout, others, unknown } = recognise(source)?;
    let names: BTreeSet<&str> = layout.keys().map(|made| made.dataset).collect();
    let missing: Vec<&str> = selection.datasets.iter().map(Name::as_str).filter(|name| !names.contains(name)).collect();
    if missing.len() < selection.datasets.len() {
        missing.iter().for_each(|name| progress(&absent(name, &names)));
    }
    if !others.is_empty() && selection.datasets.is_empty() {
        let few = file_names(&others[..others.len().min(5)]);
        let more = if others.len() > 5 { ", …" } else { "" };
        progress(&format!("not recognised by their names and left out: {} ({few}{more})", counted(others.len())));
    }
    for ((dataset, code), files) in unknown {
        if selection.takes_dataset(dataset) && selection.languages.is_empty() {
            progress(&format!("left out {} of {dataset}: no language with the code `{code}` is known", counted(files)));
        }
    }
    let (mut entries, mut failed) = (Vec::new(), Vec::new());
    for (made, (format, licence, paths)) in layout {
        let wanted = selection.takes_dataset(made.dataset)
            && made.language.is_none_or(|language| selection.takes_language(language));
        if !wanted {
            continue;
        }
        match import_made(&made, format, licence, &paths, into, selection, progress) {
            Ok(new) => entries.extend(new),
            // Some public copies have their labels taken out.
            Err(error @ DataError::Unlabelled { .. }) => progress(&format!("left out {error}")),
            Err(error) => failed.push(error),
        }
    }
    let mut failed = failed.into_iter();
    if let Some(first) = failed.next() {
        failed.for_each(|error| progress(&format!("not imported: {error}")));
        return Err(first);
    }
    if let Some(name) = missing.first().filter(|_| entries.is_empty() && !names.is_empty()) {
        return Err(DataError::file(source, absent(name, &names)));
    }
    if entries.is_empty() {
        let message = "holds no file with the name of a public data set that was asked for; import files one by one, with \
                       their format";
        return Err(DataError::file(source, message));
    }
    Ok(entries)
}

/// That a data set is not there, and what is.
fn absent(name: &str, there: &BTreeSet<&str>) -> String {
    let meant =
        nearest(name, there.iter().copied()).map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default();
    let there: Vec<&str> = there.iter().copied().collect();
    format!("holds nothing of `{name}`{meant}; recognised: {}", there.join(", "))
}

/// Imports the files that make one file, or one of each of their languages.
fn import_made(
    made: &Made,
    format: Format,
    licence: &str,
    paths: &[PathBuf],
    into: &DataFolder,
    selection: &Selection,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<ManifestEntry>, DataError> {
    let Made { dataset, task, language, split } = *made;
    let name = Name::new(dataset)?;
    // Only treebanks of one language lie in several folders; else it is a copy, or another data set of the same file name.
    if let Some(other) = paths.iter().find(|path| path.parent() != paths[0].parent() && dataset != TREEBANKS) {
        let message = format!(
            "has the name of a file of {dataset}/{task} ({split}), and so has {}: import one of them by its format",
            paths[0].display()
        );
        return Err(DataError::file(other, message));
    }
    let mut store = |language, read: Read| {
        let key = DataKey::new(task, &name, language, split);
        report(into, &key, read, file_names(paths), licence.to_owned(), progress)
    };
    match (language, format.read_all()) {
        (Some(language), _) => Ok(vec![store(language, read(format, &Input::new(paths.to_vec(), language))?)?]),
        // One file of all languages: read once, not once a language.
        (None, Some(read_all)) => {
            let mut entries = Vec::new();
            for path in paths {
                for (language, read) in read_all(path)? {
                    if selection.takes_language(language) {
                        entries.push(store(language, checked(path, read)?)?);
                    }
                }
            }
            Ok(entries)
        }
        (None, None) => Ok(Vec::new()),
    }
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
    let input = &file.input;
    if !input.labels.is_empty() && !file.format.takes(Given::Labels) {
        let message = format!("files of format `{}` say themselves what is right: leave --labels out", file.format);
        return Err(DataError::options(message));
    }
    let key = DataKey::new(file.task, &file.dataset, input.language, file.split);
    let mut found = read(file.format, input)?;
    if input.labels.is_empty() {
        found.examples = numbered_alike(found.examples, &labels_beside(into, &key)?);
    }
    let source = if file.source.is_empty() { file_names(&input.paths) } else { file.source.clone() };
    report(into, &key, found, source, file.licence.clone(), progress)
}

/// The label names of a data set's other files of the task: the set that holds all the others, `None` if there is none.
fn labels_beside(folder: &DataFolder, key: &DataKey) -> Result<Option<Labels>, DataError> {
    let manifest = folder.manifest(&key.data)?;
    let others = manifest
        .iter()
        .flat_map(|manifest| &manifest.entries)
        .filter(|entry| entry.task == key.task && (entry.language, entry.split) != (key.language, key.split));
    let sets: Vec<Labels> = others.map(ManifestEntry::labels).collect();
    let widest = |set: &&Labels| sets.iter().all(|other| other.places_in(set).is_ok());
    Ok(sets.iter().find(widest).cloned())
}

/// Numbers labels as `others` do where one set contains the other; names that those lack go behind theirs.
fn numbered_alike(examples: Examples, others: &Option<Labels>) -> Examples {
    let Some(others) = others else { return examples };
    let own = examples.labels();
    let names = match others.places_in(own) {
        Ok(_) => others.joined(own),
        Err(_) => others.clone(),
    };
    // Where neither contains the other, both stay as they are.
    examples.relabelled(&names).unwrap_or_else(|_| examples.clone())
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
    let before = into.entry(key).ok();
    let (entry, written) = into.store(key, read.examples, source, licence)?;
    let what = match before {
        _ if !written => "already there".to_owned(),
        Some(before) if before.hash != entry.hash => {
            format!("imported in place of other {} rows from {}", before.rows, before.source)
        }
        _ => "imported".to_owned(),
    };
    progress(&format!("{key}: {} rows, {what}", entry.rows));
    Ok(entry)
}

/// `1 file`, `2 files`
fn counted(files: usize) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}

/// The files' own names: a path would tell of the machine, not of the data.
fn file_names(paths: &[PathBuf]) -> String {
    let names = paths.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    names.collect::<Vec<_>>().join(", ")
}

/// Recognises the public releases' own file names anywhere below a folder. Links to files are read, as a hub's download
/// cache consists of them; links to folders are not followed.
fn recognise(source: &Path) -> Result<Recognised, DataError> {
    let mut files = Vec::new();
    walk(source, DEPTH, &mut files)?;
    files.sort();
    let formats = Format::all();
    let mut recognised = Recognised::default();
    for path in files {
        let mut known = false;
        for &task in Task::ALL {
            let Some(found) = crate::folder(task).recognise(&path) else { continue };
            let Some(&format) = formats.iter().find(|format| format.as_str() == found.format) else { continue };
            known = true;
            let language = match found.language {
                Spoken::One(language) => Some(language),
                Spoken::Many => None,
                Spoken::Unknown(code) => {
                    *recognised.unknown.entry((found.dataset, code)).or_default() += 1;
                    // A treebank is read by two tasks.
                    break;
                }
            };
            let made = Made { dataset: found.dataset, task, language, split: found.split };
            let (_, _, paths) = recognised.layout.entry(made).or_insert_with(|| (format, found.licence, Vec::new()));
            paths.push(path.clone());
            if format.files() == Files::Two {
                paths.push(english_beside(&path));
            }
        }
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if !known && DATA_ENDINGS.contains(&ending) {
            recognised.others.push(path);
        }
    }
    Ok(recognised)
}

/// The English file of a pair: `tatoeba.deu-eng.eng`, or `de-en.en`.
fn english_beside(path: &Path) -> PathBuf {
    let code = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.rsplit('-').next());
    path.with_extension(code.unwrap_or("eng"))
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
