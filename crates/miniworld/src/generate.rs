//! Stores the mini world as a data set.

use std::path::PathBuf;

use data::{DataFolder, ManifestEntry};
use spec::{DataKey, Name, Split, Task};

use crate::card::card;
use crate::error::MiniworldError;
use crate::examples::{Row, examples};
use crate::giveaway::Scores;
use crate::grammar::Language;
use crate::plans::{HELD_OUT, Plans};
use crate::sizes::Sizes;

const LICENCE: &str = "MIT OR Apache-2.0";

/// Stores the mini world in `languages` as the data set `name`: `ner`, `qa`, `nli`, `retrieval` (not in English) and `mlm` with
/// their manifest, and beside them `README.md`.
/// The same arguments give the same bytes, in whatever order the languages are named. `progress` gets each language before it is written.
///
/// # Errors
/// [`MiniworldError`] before anything is written for what cannot be drawn, or a data set that holds other files than those
/// that would be written; then what storing meets.
pub fn generate(
    sizes: &Sizes,
    seed: u64,
    languages: &[spec::Language],
    folder: &DataFolder,
    name: &Name,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<ManifestEntry>, MiniworldError> {
    sizes.check()?;
    let languages = spoken(languages)?;
    let set = DataSet { folder, name, source: format!("miniworld, seed {seed}") };
    set.vacant(&languages)?;
    let plans = Plans::draw(seed, sizes)?;
    let mut entries = Vec::new();
    let mut scores = Vec::new();
    for language in languages {
        progress(spec::Language::from(language).english_name());
        let (ner, nli, qa) = (plans.ner(language), plans.nli(language), plans.qa(language)?);
        let (trees, choice) = (plans.trees(language), plans.choice(language));
        scores.push((language, Scores::of(&ner, &nli, &qa, &trees, &choice)));
        let qa = qa.map(|questions| questions.into_iter().map(|(question, _)| question).collect::<Vec<_>>());
        entries.extend(set.store(Task::Ner, language, Split::ALL, ner)?);
        entries.extend(set.store(Task::Qa, language, Split::ALL, qa)?);
        entries.extend(set.store(Task::Nli, language, Split::ALL, nli)?);
        if language != Language::English {
            entries.extend(set.store(Task::Retrieval, language, HELD_OUT, plans.retrieval(language))?);
        }
        entries.extend(set.store(Task::Mlm, language, Split::ALL, plans.mlm(language)?)?);
        entries.extend(set.store(Task::Pos, language, Split::ALL, trees.clone())?);
        entries.extend(set.store(Task::Parse, language, Split::ALL, trees)?);
        entries.extend(set.store(Task::Choice, language, Split::ALL, choice)?);
    }
    set.put("README.md", &card(seed, &entries, &scores))?;
    Ok(entries)
}

fn spoken(languages: &[spec::Language]) -> Result<Vec<Language>, MiniworldError> {
    if languages.is_empty() {
        return Err(MiniworldError::NoLanguage);
    }
    if let Some((_, &language)) = languages.iter().enumerate().find(|(at, other)| languages[..*at].contains(other)) {
        return Err(MiniworldError::RepeatedLanguage { language });
    }
    let mut languages =
        languages.iter().map(|&language| Language::try_from(language)).collect::<Result<Vec<_>, _>>()?;
    languages.sort();
    Ok(languages)
}

/// The data set being filled.
struct DataSet<'a> {
    folder: &'a DataFolder,
    name: &'a Name,
    source: String,
}

impl DataSet<'_> {
    /// Refuses a data set with files that would stay beside the new ones, or that are not from the same world.
    fn vacant(&self, languages: &[Language]) -> Result<(), MiniworldError> {
        let manifest = self.folder.manifest(self.name)?;
        let ours = |entry: &ManifestEntry| {
            entry.source == self.source && languages.iter().any(|&language| entry.language == language.into())
        };
        let mut entries = manifest.iter().flat_map(|manifest| &manifest.entries);
        match entries.find(|entry| !ours(entry)) {
            None => Ok(()),
            Some(entry) => Err(MiniworldError::Occupied {
                held: format!("{} from `{}`", entry.key(self.name), entry.source),
                dataset: self.name.clone(),
                path: self.root(),
            }),
        }
    }

    fn store<R: Row, const N: usize>(
        &self,
        task: Task,
        language: Language,
        splits: [Split; N],
        rows: [Vec<R>; N],
    ) -> Result<Vec<ManifestEntry>, MiniworldError> {
        let store = |(split, rows): (Split, Vec<R>)| {
            let key = DataKey::new(task, self.name, language.into(), split);
            let examples = examples(task, rows)?;
            Ok(self.folder.store(&key, examples, self.source.clone(), LICENCE.to_owned())?.0)
        };
        splits.into_iter().zip(rows).map(store).collect()
    }

    fn put(&self, path: &str, text: &str) -> Result<(), MiniworldError> {
        let path = self.root().join(path);
        files::write(&path, text.as_bytes()).map_err(|source| MiniworldError::Write { path, source })
    }

    fn root(&self) -> PathBuf {
        self.folder.root().join(self.name.as_str())
    }
}
