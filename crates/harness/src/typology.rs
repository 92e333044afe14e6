//! How near the languages of an experiment are to each other, for methods that ask.

use anyhow::{Context, Result, bail};
use data::uriel::Distances;
use spec::{Language, LanguageDistances, Method, MissingVector, Protocol};
use strategies::Modules;
use strategies::laft::LaftError;

use crate::cli::Folders;
use crate::places;

/// The distances that a method needs on a protocol, computed from URIEL's features.
///
/// # Errors
/// There are no such files, or they are damaged; what the method makes of the distances is refused, unless it is a cell
/// to be skipped.
pub fn distances(folders: &Folders, method: &Method, protocol: &Protocol, seed: u64) -> Result<LanguageDistances> {
    let Some(laft) = method.sharing.as_ref().filter(|laft| laft.needs_distances()) else {
        return Ok(LanguageDistances::default());
    };
    let candidates = [Some(folders.uriel.clone()), places::real().map(|real| real.join("data/uriel"))];
    let candidates: Vec<_> = candidates.into_iter().flatten().collect();
    let Some(folder) = candidates.iter().find(|folder| folder.is_dir()) else {
        bail!(
            "method `{}` asks how near languages are, and there is no folder `{}` of URIEL's features\n\
             hint: take the `.npz` files out of the Python package lang2vec (version 1.1.2, folder lang2vec/data) and name \
             their folder with --uriel, or leave the method out: `laft` and `laft-isolated` need no distances",
            method.name,
            folders.uriel.display()
        );
    };
    let languages: Vec<Language> = protocol.languages().into_iter().collect();
    let read = Distances::read(folder, &laft.distance, &languages)
        .with_context(|| format!("method `{}`: distances from `{}`", method.name, folder.display()))?;
    let distances = LanguageDistances::between_all(&languages, |a, b| read.between(a, b));
    match Modules::new(method, protocol, &distances, seed) {
        Err(LaftError::NoVector { .. }) if laft.missing_vector == MissingVector::SkipCell => Ok(distances),
        Err(error) => Err(error).with_context(|| format!("method `{}`", method.name)),
        Ok(_) => Ok(distances),
    }
}
