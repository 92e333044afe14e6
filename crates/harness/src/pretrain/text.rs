//! The text to pre-train on: a data set, or a folder of text files.

use std::path::Path;

use anyhow::{Context, Result, bail};
use data::{DataFolder, Examples};
use spec::{DataKey, Language, Name, Split, Task};
use tasks::{Input, Read};

/// Text by language, and whether row `i` says the same in all of them.
pub struct Text {
    pub rows: Vec<(Language, Examples)>,
    pub parallel: bool,
    /// What it was, for the record.
    pub source: String,
    pub hash: String,
}

/// The `mlm` training text of a data set; parallel if its rows have the same names in every language.
pub fn of_data_set(folder: &DataFolder, dataset: &Name, languages: &[Language]) -> Result<Text> {
    let manifest = folder.manifest(dataset)?;
    let manifest = manifest.with_context(|| format!("there is no data set `{dataset}`; see `harness data list`"))?;
    let has = |language: &Language| manifest.entry(Task::Mlm, *language, Split::Train).is_some();
    let known: Vec<Language> = manifest.entries.iter().map(|entry| entry.language).collect();
    if let Some(missing) = languages.iter().find(|language| !has(language)) {
        bail!("data set `{dataset}` has no training text (task mlm) in language `{missing}`");
    }
    let mut wanted = if languages.is_empty() { known } else { languages.to_vec() };
    wanted.sort_unstable();
    wanted.dedup();
    wanted.retain(has);
    if wanted.is_empty() {
        bail!("data set `{dataset}` has no training text (task mlm)");
    }
    let mut rows = Vec::new();
    for language in wanted {
        let key = DataKey::new(Task::Mlm, dataset, language, Split::Train);
        rows.push((language, folder.load(&key, None)?));
    }
    let first = &rows[0].1;
    let parallel = rows.len() > 1 && rows.iter().all(|(_, texts)| texts.ids().eq(first.ids()));
    Ok(finish(rows, parallel, format!("data set {dataset}")))
}

/// A folder of `<language>.txt` files, one sentence or paragraph a line.
pub fn of_folder(folder: &Path, languages: &[Language], parallel: bool) -> Result<Text> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read the folder `{}`", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let language = Language::parse(stem).with_context(|| {
                format!("`{}`: text files are named by their language, such as sw.txt", path.display())
            })?;
            files.push((language, path));
        }
    }
    files.sort();
    if let Some(missing) = languages.iter().find(|language| files.iter().all(|(known, _)| known != *language)) {
        bail!("`{}` holds no file {missing}.txt", folder.display());
    }
    files.retain(|(language, _)| languages.is_empty() || languages.contains(language));
    if files.is_empty() {
        bail!("`{}` holds no file named by its language, such as sw.txt", folder.display());
    }
    let mut rows: Vec<(Language, Examples)> = Vec::new();
    for (language, path) in files {
        let Read { examples: texts, notes, .. } =
            tasks::read("text".parse()?, &Input::new(vec![path.clone()], language))?;
        notes.iter().for_each(|note| runner::say(format_args!("{}: {note}", path.display())));
        if let Some((other, first)) = rows.first().filter(|(_, first)| parallel && !texts.ids().eq(first.ids())) {
            bail!(
                "`{}` has {} texts, `{other}.txt` {}, or empty lines at other places: with --parallel line i of every \
                 file says the same",
                path.display(),
                texts.len(),
                first.len()
            );
        }
        rows.push((language, texts));
    }
    Ok(finish(rows, parallel, "text files".to_owned()))
}

fn finish(rows: Vec<(Language, Examples)>, parallel: bool, source: String) -> Text {
    let mut hash = blake3::Hasher::new();
    for (language, texts) in &rows {
        hash.update(language.code().as_bytes());
        hash.update(texts.content_hash().as_bytes());
    }
    Text { rows, parallel, source, hash: hash.finalize().to_hex().to_string() }
}
