//! Where subnetworks lie in the cache that are found before a first stage: only this stage begins with a model that other
//! methods have too.

use std::path::{Path, PathBuf};

use anyhow::Result;
use spec::{Cell, Language, MaskKind, Stage, Subnetworks};

use crate::measured::{hashes, name};

/// Place of what a search for the subnetwork of a language finds before a cell's first stage.
pub(crate) fn path(cache: &Path, cell: &Cell, language: Language) -> Result<Option<PathBuf>> {
    let protocol = cell.method.goes_through(&cell.protocol);
    let (Some(knobs), Some(stage)) = (&cell.method.subnetworks, protocol.stages.first()) else { return Ok(None) };
    let stage = Stage { memories: Vec::new(), probes: Vec::new(), ..stage.clone() };
    let mut read = hashes(cell, stage.source());
    read.extend(hashes(cell, knobs.discovery.source(&stage)));
    // What comes of the mask later is of no account here.
    let knobs = Subnetworks {
        discovery: knobs.discovery.clone(),
        importance: knobs.importance,
        normalise: knobs.normalise,
        merge: knobs.merge,
        prune: knobs.prune.clone(),
        ..Subnetworks::new(MaskKind::Static)
    };
    let of_cell = (cell.numeric_version, &cell.model_hash, cell.backend, &cell.method.structure, cell.seed);
    let key = serde_json::to_vec(&(of_cell, &stage, read, &knobs, language))?;
    Ok(Some(cache.join("subnetworks").join(name(&key))))
}
