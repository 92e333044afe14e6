//! The data folder: every task, language and split as a file, with a manifest and a data card.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::card::card;
use crate::error::MiniworldError;
use crate::giveaway;
use crate::grammar::Language;
use crate::rows;
use crate::tasks::{
    Inference, ParallelPlan, Question, Tagged, conllu, inferences, parallel, questions, sentences, tagged,
};
use crate::tree::Span;
use crate::world::Split;

/// How many rows each task has in each language: train, validation and test, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    pub ner: [usize; 3],
    pub qa: [usize; 3],
    pub nli: [usize; 3],
    pub pos: [usize; 3],
    /// Retrieval pairs: validation and test.
    pub retrieval: [usize; 2],
    /// Sentences of pre-training text.
    pub text: usize,
}

impl Default for Sizes {
    /// The sizes of the embedded data.
    fn default() -> Self {
        Self {
            ner: [2000, 300, 400],
            qa: [1500, 200, 300],
            nli: [6000, 300, 600],
            pos: [400, 100, 200],
            retrieval: [300, 300],
            text: 20_000,
        }
    }
}

/// The most rows that are drawn of anything: beyond, the world repeats itself.
const MOST: usize = 100_000;

impl Sizes {
    /// # Errors
    /// [`MiniworldError::Size`] for a size that is zero or beyond the world.
    fn check(&self) -> Result<(), MiniworldError> {
        let named = [
            ("ner", &self.ner[..]),
            ("qa", &self.qa[..]),
            ("nli", &self.nli[..]),
            ("pos", &self.pos[..]),
            ("retrieval", &self.retrieval[..]),
            ("text", std::slice::from_ref(&self.text)),
        ];
        for (name, sizes) in named {
            if let Some(&value) = sizes.iter().find(|size| !(1..=MOST).contains(*size)) {
                return Err(MiniworldError::Size { name, value, low: 1, high: MOST });
            }
        }
        Ok(())
    }
}

/// One data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Relative to the data folder, with forward slashes.
    pub path: String,
    pub task: String,
    pub language: String,
    pub split: String,
    pub rows: usize,
    /// Hexadecimal BLAKE3 of the file.
    pub blake3: String,
}

/// What a data folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The layout of this file.
    pub version: u32,
    pub seed: u64,
    pub files: Vec<FileEntry>,
}

/// What models reach that cannot have understood anything, in one language.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    pub language: Language,
    /// Accuracy; chance is 1/3.
    pub hypothesis_only: f64,
    /// Accuracy; chance is 1/3.
    pub word_overlap: f64,
    /// Exact match.
    pub first_entity: f64,
    /// Exact match.
    pub longest_entity: f64,
    /// Strict F1.
    pub majority_tag: f64,
}

/// Writes the mini world in `languages` into `folder`: `<task>/<language>/<split>.parquet` (`.conllu` for `pos`), `manifest.toml` and
/// `README.md`. The same arguments give the same bytes.
///
/// # Errors
/// [`MiniworldError::Size`], [`MiniworldError::NoLanguage`] and [`MiniworldError::TooMany`] for what cannot be drawn; else what writing meets.
pub fn generate(folder: &Path, languages: &[Language], seed: u64, sizes: &Sizes) -> Result<Manifest, MiniworldError> {
    sizes.check()?;
    if languages.is_empty() {
        return Err(MiniworldError::NoLanguage);
    }
    let plans = Plans::draw(seed, sizes)?;
    let mut folder = Folder { root: folder.to_owned(), files: Vec::new() };
    let mut scores = Vec::new();
    for &language in languages {
        scores.push(plans.write(&mut folder, language)?);
    }
    let manifest = Manifest { version: 1, seed, files: folder.files.clone() };
    let listing = toml::to_string(&manifest).map_err(|error| MiniworldError::Write {
        path: folder.root.join("manifest.toml"),
        source: std::io::Error::other(error),
    })?;
    folder.put("manifest.toml", listing.as_bytes())?;
    folder.put("README.md", card(&manifest, &scores).as_bytes())?;
    Ok(manifest)
}

/// Facts and patterns for everything, before any language.
struct Plans {
    ner: Vec<Vec<crate::tasks::Told>>,
    pos: Vec<Vec<crate::tasks::Told>>,
    qa: Vec<Vec<crate::tasks::QuestionPlan>>,
    nli: Vec<Vec<crate::tasks::InferencePlan>>,
    parallel: ParallelPlan,
}

impl Plans {
    fn draw(seed: u64, sizes: &Sizes) -> Result<Self, MiniworldError> {
        let each = |sizes: [usize; 3]| Split::ALL.into_iter().zip(sizes);
        let purpose = |task: &str, split: Split| format!("{task} {}", split.as_str());
        Ok(Self {
            ner: each(sizes.ner)
                .map(|(split, count)| sentences(seed, &purpose("ner", split), split, count))
                .collect::<Result<_, _>>()?,
            pos: each(sizes.pos)
                .map(|(split, count)| sentences(seed, &purpose("pos", split), split, count))
                .collect::<Result<_, _>>()?,
            qa: each(sizes.qa)
                .map(|(split, count)| questions(seed, &purpose("qa", split), split, count))
                .collect::<Result<_, _>>()?,
            nli: each(sizes.nli)
                .map(|(split, count)| inferences(seed, &purpose("nli", split), split, count))
                .collect::<Result<_, _>>()?,
            parallel: parallel(seed, sizes.retrieval[0], sizes.retrieval[1], sizes.text)?,
        })
    }

    fn write(&self, folder: &mut Folder, language: Language) -> Result<Scores, MiniworldError> {
        let code = language.code();
        let ner: Vec<Vec<Tagged>> = self.ner.iter().map(|told| tagged(language, told)).collect();
        let nli: Vec<Vec<Inference>> =
            self.nli.iter().map(|plans| plans.iter().map(|plan| plan.say(language)).collect()).collect();
        let mut answered: Vec<(Question, Vec<Span>)> = Vec::new();
        for (at, split) in Split::ALL.into_iter().enumerate() {
            folder.table("ner", language, split.as_str(), || rows::ner(&ner[at], code))?;
            folder.table("nli", language, split.as_str(), || rows::nli(&nli[at]))?;
            let plans = self.qa[at].iter();
            let asked: Vec<_> = plans
                .filter_map(|plan| plan.say(language).map(|question| (question, plan.mentions(language))))
                .collect();
            folder.table("qa", language, split.as_str(), || rows::qa(asked.iter().map(|(question, _)| question)))?;
            if split == Split::Test {
                answered = asked;
            }
            let trees = conllu(language, &self.pos[at], split.as_str());
            folder.file("pos", language, split.as_str(), "conllu", self.pos[at].len(), trees.as_bytes())?;
        }
        for (split, told) in [(Split::Validation, &self.parallel.validation), (Split::Test, &self.parallel.test)] {
            let (source, target) = (ParallelPlan::pairs(told, language), ParallelPlan::pairs(told, Language::English));
            let ids = numbered(split.as_str(), source.len());
            folder.table("retrieval", language, split.as_str(), || rows::retrieval(&ids, &source, &target))?;
        }
        let text = self.parallel.text(language);
        folder.table("text", language, Split::Train.as_str(), || rows::text(&numbered("text", text.len()), &text))?;
        Ok(Scores {
            language,
            hypothesis_only: giveaway::hypothesis_only(&nli[0], &nli[2]),
            word_overlap: giveaway::word_overlap(&nli[0], &nli[2]),
            first_entity: giveaway::first_entity(&answered),
            longest_entity: giveaway::longest_entity(&answered),
            majority_tag: giveaway::majority_tag(&ner[0], &ner[2]),
        })
    }
}

fn numbered(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}-{number:05}")).collect()
}

/// The folder being filled, and what it holds so far.
struct Folder {
    root: PathBuf,
    files: Vec<FileEntry>,
}

impl Folder {
    fn put(&self, path: &str, bytes: &[u8]) -> Result<(), MiniworldError> {
        let path = self.root.join(path);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, bytes));
        written.map_err(|source| MiniworldError::Write { path, source })
    }

    fn table(
        &mut self,
        task: &str,
        language: Language,
        split: &str,
        table: impl FnOnce() -> Result<arrow::array::RecordBatch, arrow::error::ArrowError>,
    ) -> Result<(), MiniworldError> {
        let path = self.root.join(task).join(language.code()).join(format!("{split}.parquet"));
        let table = table().map_err(|source| MiniworldError::Rows { path: path.clone(), source })?;
        let bytes = rows::encode(&path, &table)?;
        self.file(task, language, split, "parquet", table.num_rows(), &bytes)
    }

    fn file(
        &mut self,
        task: &str,
        language: Language,
        split: &str,
        extension: &str,
        rows: usize,
        bytes: &[u8],
    ) -> Result<(), MiniworldError> {
        let path = format!("{task}/{}/{split}.{extension}", language.code());
        self.put(&path, bytes)?;
        self.files.push(FileEntry {
            path,
            task: task.to_owned(),
            language: language.code().to_owned(),
            split: split.to_owned(),
            rows,
            blake3: blake3::hash(bytes).to_hex().to_string(),
        });
        Ok(())
    }
}
