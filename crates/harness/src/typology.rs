//! How near the languages of an experiment are to each other, for methods that ask.

use anyhow::{Context, Result, bail};
use data::uriel::Distances;
use spec::{Language, LanguageDistance, LanguageDistances, Method, MissingVector, Protocol, Subnetworks, TargetMask};
use strategies::laft::LaftError;
use strategies::{Modules, subnetworks};

use crate::cli::Folders;
use crate::places;

/// The distances that a method needs on a protocol, computed from URIEL's features.
///
/// # Errors
/// There are no such files, or they are damaged; what the method makes of the distances is refused, unless it is a cell
/// to be skipped.
pub fn distances(folders: &Folders, method: &Method, protocol: &Protocol, seed: u64) -> Result<LanguageDistances> {
    let Some(distance) = asked(method) else { return Ok(LanguageDistances::default()) };
    let candidates = [Some(folders.uriel.clone()), places::real().map(|real| real.join("data/uriel"))];
    let candidates: Vec<_> = candidates.into_iter().flatten().collect();
    let Some(folder) = candidates.iter().find(|folder| folder.is_dir()) else {
        bail!(
            "method `{}` asks how near languages are, and there is no folder `{}` of URIEL's features\n\
             hint: take the `.npz` files out of the Python package lang2vec (version 1.1.2, folder lang2vec/data) and name \
             their folder with --uriel, or leave the method out: `laft`, `laft-isolated` and subnetworks with another `target` need no distances",
            method.name,
            folders.uriel.display()
        );
    };
    let languages: Vec<Language> = protocol.languages().into_iter().collect();
    let read = Distances::read(folder, distance, &languages)
        .with_context(|| format!("method `{}`: distances from `{}`", method.name, folder.display()))?;
    let distances = LanguageDistances::between_all(&languages, |a, b| read.between(a, b));
    serve(method, protocol, &distances, seed).with_context(|| format!("method `{}`", method.name))?;
    Ok(distances)
}

/// Which distance a method asks for.
fn asked(method: &Method) -> Option<&LanguageDistance> {
    let sharing = method.sharing.as_ref().filter(|laft| laft.needs_distances()).map(|laft| &laft.distance);
    let masks = method.subnetworks.as_ref().filter(|knobs| knobs.target == TargetMask::NearestSource);
    sharing.or(masks.map(|knobs| &knobs.target_distance))
}

/// Whether the method can work with these distances, or is to be skipped without them.
fn serve(method: &Method, protocol: &Protocol, distances: &LanguageDistances, seed: u64) -> Result<()> {
    let skips = method.sharing.as_ref().is_some_and(|laft| laft.missing_vector == MissingVector::SkipCell);
    match Modules::new(method, protocol, distances, seed) {
        Err(LaftError::NoVector { .. }) if skips => {}
        Err(error) => return Err(error.into()),
        Ok(_) => {}
    }
    if method.subnetworks.is_none() {
        return Ok(());
    }
    for stage in protocol.stages.iter().filter(|stage| Subnetworks::masks(stage)) {
        let probed = stage.probes.iter().flat_map(|probe| &probe.languages);
        for &target in probed.filter(|language| !stage.languages.contains(language)) {
            subnetworks::nearest(target, stage.languages.iter().copied(), &|a, b| distances.between(a, b))?;
        }
    }
    Ok(())
}
