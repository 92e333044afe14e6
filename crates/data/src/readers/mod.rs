//! Readers of the public formats, one file a format. Each gives typed examples, or one error that names file and row.

// Only its tests read it, until a task asks for parts of speech or trees.
#[cfg(test)]
mod conllu;
mod lines;
mod multinli_tsv;
mod nli_parquet;
mod squad_json;
mod squad_parquet;
mod table;
mod tatoeba;
mod tatoeba_parquet;
mod text;
mod text_parquet;
mod wikiann_parquet;
mod wikiann_text;
mod xnli_tsv;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use spec::{Language, SpecError, Task};

use crate::{DataError, Examples};

pub(crate) use nli_parquet::read as read_nli_parquet;
pub(crate) use squad_parquet::read as read_squad_parquet;
pub(crate) use tatoeba_parquet::read as read_tatoeba_parquet;
pub(crate) use text_parquet::read as read_text_parquet;
pub(crate) use wikiann_parquet::read as read_wikiann_parquet;
pub(crate) use xnli_tsv::read_all as read_xnli_tsv;

/// The file formats that people have these data sets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// WikiANN in the hub's Parquet schema (`tokens`, `ner_tags`); several files are read one after the other.
    WikiannParquet,
    /// `token<TAB>tag` or `language:token<TAB>tag` lines, a blank line between sentences.
    WikiannText,
    /// XNLI's tab-separated file with a header and all languages in it.
    XnliTsv,
    /// `premise`, `hypothesis` and label in three tab-separated columns with a header.
    MultinliTsv,
    /// XNLI or MultiNLI in the hub's Parquet schema (`premise`, `hypothesis`, `label`).
    NliParquet,
    /// SQuAD 1.1's JSON, which XQuAD, MLQA and TyDiQA-GoldP share.
    SquadJson,
    /// SQuAD or XQuAD in the hub's Parquet schema (`id`, `context`, `question`, `answers`).
    SquadParquet,
    /// Two files of sentences, the foreign one and the English one; line i of one translates line i of the other.
    Tatoeba,
    /// Plain text, one sentence or paragraph a line.
    Text,
}

impl Format {
    pub const ALL: [Format; 9] = [
        Format::WikiannParquet,
        Format::WikiannText,
        Format::XnliTsv,
        Format::MultinliTsv,
        Format::NliParquet,
        Format::SquadJson,
        Format::SquadParquet,
        Format::Tatoeba,
        Format::Text,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Format::WikiannParquet => "wikiann-parquet",
            Format::WikiannText => "wikiann-text",
            Format::XnliTsv => "xnli-tsv",
            Format::MultinliTsv => "multinli-tsv",
            Format::NliParquet => "nli-parquet",
            Format::SquadJson => "squad-json",
            Format::SquadParquet => "squad-parquet",
            Format::Tatoeba => "tatoeba",
            Format::Text => "text",
        }
    }

    pub fn task(self) -> Task {
        match self {
            Format::WikiannParquet | Format::WikiannText => Task::Ner,
            Format::XnliTsv | Format::MultinliTsv | Format::NliParquet => Task::Nli,
            Format::SquadJson | Format::SquadParquet => Task::Qa,
            Format::Tatoeba => Task::Retrieval,
            Format::Text => Task::Mlm,
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Format {
    type Err = SpecError;
    fn from_str(text: &str) -> Result<Self, SpecError> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| SpecError::unknown("format", text, Self::ALL.map(Self::as_str)))
    }
}

/// What a reader found.
#[derive(Debug)]
pub struct Read {
    pub examples: Examples,
    /// Rows left out on purpose and the like, for people.
    pub notes: Vec<String>,
}

/// Reads one language's examples from the files of one format.
///
/// # Errors
/// [`DataError`] naming the file and row: an unreadable or foreign file, text that is not UTF-8 or holds a null character,
/// a label outside the task's set, words and tags of different number, an answer that is not where the file says, an
/// identifier twice, no examples at all.
pub fn read(format: Format, paths: &[PathBuf], language: Language) -> Result<Read, DataError> {
    let [first, rest @ ..] = paths else {
        return Err(DataError::options("no file was given to read"));
    };
    if !rest.is_empty() && matches!(format, Format::XnliTsv | Format::MultinliTsv | Format::WikiannText | Format::Text)
    {
        return Err(DataError::options(format!("format `{format}` reads one file, {} were given", paths.len())));
    }
    let mut notes = Vec::new();
    let examples = match format {
        Format::WikiannParquet => Examples::Ner(wikiann_parquet::read(paths)?),
        Format::WikiannText => Examples::Ner(wikiann_text::read(first, language)?),
        Format::XnliTsv => {
            let (mut all, skipped) = xnli_tsv::read_all(first)?;
            notes.extend(skipped);
            let found: Vec<&str> = all.keys().map(|language| language.code()).collect();
            let message = format!("holds no rows of language `{language}`; it has {}", found.join(", "));
            Examples::Nli(all.remove(&language).ok_or_else(|| DataError::file(first, message))?)
        }
        Format::MultinliTsv => {
            let (examples, skipped) = multinli_tsv::read(first)?;
            notes.extend(skipped);
            Examples::Nli(examples)
        }
        Format::NliParquet => Examples::Nli(nli_parquet::read(paths)?),
        Format::SquadJson => Examples::Qa(squad_json::read(paths)?),
        Format::SquadParquet => Examples::Qa(squad_parquet::read(paths)?),
        Format::Text => Examples::Text(text::read(first)?),
        Format::Tatoeba => match rest {
            [english] => Examples::Pairs(tatoeba::read(first, english)?),
            _ => {
                return Err(DataError::options(
                    "format `tatoeba` reads two files: the foreign one, then the English one",
                ));
            }
        },
    };
    checked(first, examples).map(|examples| Read { examples, notes })
}

/// Refuses an empty split and an identifier that occurs twice.
pub(crate) fn checked(path: &Path, examples: Examples) -> Result<Examples, DataError> {
    if examples.is_empty() {
        return Err(DataError::file(path, "holds no examples: an empty split can be neither trained on nor scored"));
    }
    let mut seen = HashSet::with_capacity(examples.len());
    if let Some((row, id)) = examples.ids().into_iter().enumerate().find(|(_, id)| !seen.insert(*id)) {
        return Err(DataError::row(path, format!("example {}", row + 1), format!("identifier `{id}` occurs twice")));
    }
    Ok(examples)
}

/// The class of a label's name, as XNLI and MultiNLI spell it.
fn nli_label(text: &str) -> Option<u8> {
    match text {
        "entailment" => Some(0),
        "neutral" => Some(1),
        // The translated MultiNLI files spell it so.
        "contradiction" | "contradictory" => Some(2),
        _ => None,
    }
}
