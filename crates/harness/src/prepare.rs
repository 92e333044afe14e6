//! Data that a suite needs and that lies, not yet imported, in `$LETHE_REAL`.

use std::collections::BTreeSet;

use anyhow::Result;
use spec::{DataKey, Language, Name};
use tasks::Selection;

use crate::cli::Folders;
use crate::{places, screen};

/// Imports the data sets of which a file is missing, once, if `$LETHE_REAL/data` is there.
pub fn import_missing(folders: &Folders, keys: &[DataKey]) -> Result<()> {
    let folder = places::data(&folders.data, &folders.cache)?;
    let missing: Vec<&DataKey> = keys.iter().filter(|key| folder.entry(key).is_err()).collect();
    let Some(real) = places::real().filter(|_| !missing.is_empty()) else { return Ok(()) };
    let source = real.join("data");
    let datasets: BTreeSet<Name> = missing.iter().map(|key| key.data.clone()).collect();
    let languages: BTreeSet<Language> = missing.iter().map(|key| key.language).collect();
    let names: Vec<&str> = datasets.iter().map(Name::as_str).collect();
    runner::say(format_args!(
        "importing {} from `{}` into `{}`, once",
        names.join(", "),
        source.display(),
        folders.data.display()
    ));
    let selection =
        Selection { datasets: datasets.iter().cloned().collect(), languages: languages.into_iter().collect() };
    // What is missing then is told by the plan, with what there is instead.
    match tasks::import(&source, &folder, &selection, &mut |_| {}) {
        Ok(entries) => runner::say(format_args!("{} imported", screen::counted(entries.len(), "file"))),
        Err(error) => runner::say(format_args!("not imported: {error}")),
    }
    Ok(())
}
