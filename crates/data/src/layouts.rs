use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use spec::{Language, Split};

use crate::{DataError, Format};

/// Folders inside folders that are searched.
const DEPTH: usize = 5;

/// A file of the canonical folder that can be made, and what from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub dataset: &'static str,
    /// `None` for a file that holds many languages.
    pub language: Option<Language>,
    pub split: Split,
}

/// Files by what they make; the parts of one table in the order of their names.
pub(crate) type Layout = BTreeMap<Found, (Format, Vec<PathBuf>)>;

/// Recognises the public releases' own file names anywhere below a folder. Links to files are read, as a hub's download
/// cache consists of them; links to folders are not followed.
///
/// # Errors
/// [`DataError::Io`] if the folder cannot be read.
pub(crate) fn recognise(source: &Path) -> Result<Layout, DataError> {
    let mut files = Vec::new();
    walk(source, DEPTH, &mut files)?;
    files.sort();
    let mut layout = Layout::new();
    for path in files {
        if let Some((found, format)) = recognise_file(&path) {
            let (_, paths) = layout.entry(found).or_insert_with(|| (format, Vec::new()));
            if format == Format::Tatoeba {
                let english = path.with_extension("eng");
                paths.extend([path, english]);
            } else {
                paths.push(path);
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

fn recognise_file(path: &Path) -> Option<(Found, Format)> {
    let name = path.file_name()?.to_str()?;
    let parent = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    let found = |dataset, language: &str, split, format| {
        let language = Some(Language::parse(language).ok()?);
        Some((Found { dataset, language, split }, format))
    };
    if let Some((split, _)) = name.strip_suffix(".parquet").and_then(|shard| shard.split_once('-')) {
        let split: Split = split.parse().ok()?;
        return match hub_dataset(path)? {
            "wikiann" => found("wikiann", parent, split, Format::WikiannParquet),
            "xnli" => found("xnli", parent, split, Format::NliParquet),
            "xquad" => found("xquad", parent.strip_prefix("xquad.")?, split, Format::SquadParquet),
            _ => found("squad", "en", split, Format::SquadParquet),
        };
    }
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["xquad", language, "json"] => found("xquad", language, Split::Test, Format::SquadJson),
        ["train-v1", "1", .., "json"] => found("squad", "en", Split::Train, Format::SquadJson),
        ["dev-v1", "1", "json"] => found("squad", "en", Split::Validation, Format::SquadJson),
        ["dev-v1", "1", "minus-xquad", "json"] => found("squad-dev", "en", Split::Train, Format::SquadJson),
        ["tydiqa", "goldp", language, split @ ("train" | "dev"), "json"] => {
            found("tydiqa", language, split.parse().ok()?, Format::SquadJson)
        }
        ["xnli", split @ ("dev" | "test"), "tsv"] => {
            Some((Found { dataset: "xnli", language: None, split: split.parse().ok()? }, Format::XnliTsv))
        }
        ["multinli", "train", language, .., "tsv"] => found("multinli", language, Split::Train, Format::MultinliTsv),
        ["tatoeba", pair, code] if code != "eng" && pair.strip_suffix("-eng") == Some(code) => {
            found("tatoeba", code, Split::Test, Format::Tatoeba)
        }
        [stem, "json"] => match stem.split('-').collect::<Vec<_>>()[..] {
            [split @ ("dev" | "test"), "context", context, "question", question] if context == question => {
                found("mlqa", context, split.parse().ok()?, Format::SquadJson)
            }
            _ => None,
        },
        _ => None,
    }
}

/// The data set whose folder a hub's file is in: by its own name, or as the hub's download cache writes it
/// (`datasets--owner--name`).
fn hub_dataset(path: &Path) -> Option<&'static str> {
    path.ancestors().skip(1).filter_map(|folder| folder.file_name()?.to_str()).find_map(|folder| {
        let name = folder.rsplit("--").next().unwrap_or(folder);
        ["wikiann", "xnli", "xquad", "squad"].into_iter().find(|known| *known == name)
    })
}

/// The licence under which a public data set is given out.
pub(crate) fn licence(dataset: &str) -> &'static str {
    match dataset {
        "squad" | "squad-dev" | "xquad" => "CC BY-SA 4.0",
        "mlqa" => "CC BY-SA 3.0",
        "tydiqa" => "Apache-2.0",
        "xnli" => "CC BY-NC 4.0",
        "multinli" => "OANC and others, see the MultiNLI paper",
        "tatoeba" => "CC BY 2.0 FR",
        "wikiann" => "not stated by its authors; text of Wikipedia, CC BY-SA",
        _ => "not stated",
    }
}
