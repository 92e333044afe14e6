//! How public releases name their files.

use std::path::Path;

use spec::{Language, Split};

use crate::format::{Found, Spoken};

/// The file's name, cut at its dots.
pub(crate) fn parts(path: &Path) -> Vec<&str> {
    path.file_name().and_then(|name| name.to_str()).map(|name| name.split('.').collect()).unwrap_or_default()
}

/// The name of the folder that the file is in.
pub(crate) fn parent(path: &Path) -> &str {
    path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default()
}

/// The split of a shard of a hub's table (`train-00000-of-00001.parquet`), if the file is one of this data set: in a folder
/// of its name, or of that which the hub's download cache gives it (`datasets--owner--name`).
pub(crate) fn hub_shard(path: &Path, dataset: &str) -> Option<Split> {
    let name = path.file_name()?.to_str()?;
    let (split, _) = name.strip_suffix(".parquet").and_then(|shard| shard.split_once('-'))?;
    let mut folders = path.ancestors().skip(1).filter_map(|folder| folder.file_name()?.to_str());
    folders.any(|folder| folder.rsplit("--").next() == Some(dataset)).then(|| split.parse().ok())?
}

/// Split and language of a file as XTREME's download script names them: `panx/test-de.tsv`.
pub(crate) fn xtreme<'a>(path: &'a Path, folder: &str, ending: &str) -> Option<(Split, &'a str)> {
    let [stem, end] = parts(path)[..] else { return None };
    let (split, language) = stem.split_once('-').filter(|_| end == ending && parent(path) == folder)?;
    Some((split.parse().ok()?, language))
}

/// Whether the file lies in a folder whose name holds this word.
pub(crate) fn lies_in(path: &Path, word: &str) -> bool {
    let mut folders = path.ancestors().skip(1).filter_map(|folder| folder.file_name()?.to_str());
    folders.any(|folder| folder.to_lowercase().contains(word))
}

/// A language by its code.
pub(crate) fn language(code: &str) -> Spoken {
    Language::parse(code).map_or_else(|_| Spoken::Unknown(code.to_owned()), Spoken::One)
}

pub(crate) const TREEBANKS_LICENCE: &str =
    "by treebank, see each one's README; most are CC BY-SA 4.0, some non-commercial";

/// The data set of all treebanks.
pub(crate) const TREEBANKS: &str = "ud";

/// A treebank of Universal Dependencies (`UD_English-EWT/en_ewt-ud-train.conllu`). All treebanks of a language are read one
/// after the other into the data set `ud`, as XTREME does.
pub(crate) fn treebank(path: &Path, format: &'static str) -> Option<Found> {
    let [stem, "conllu"] = parts(path)[..] else { return None };
    let (treebank, split) = stem.rsplit_once("-ud-")?;
    let (code, _) = treebank.split_once('_')?;
    let split = split.parse().ok()?;
    Some(Found { dataset: TREEBANKS, language: language(code), split, format, licence: TREEBANKS_LICENCE })
}
