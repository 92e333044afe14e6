//! Measurements that several cells have in common, and where they lie in the cache: everything that they depend on, hashed.

use std::path::{Path, PathBuf};

use anyhow::Result;
use results::{ProbeExamples, Score};
use serde::{Deserialize, Serialize};
use spec::{Cell, DataSource, Language, Name, Probe};

use crate::{cache, stages};

/// A probe's scores at a moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub scores: Vec<Score>,
    pub examples: Vec<ProbeExamples>,
}

impl Measured {
    /// What lies in the cache, if a probe's measurement at this moment can be that.
    pub fn load(place: &Path, moment: usize, probe: &Probe) -> Option<Self> {
        let is_this = |of: u32, name: &Name, language: &Language| {
            of as usize == moment && *name == probe.name && probe.languages.contains(language)
        };
        let found: Self = cache::load(place)?;
        let scores = found.scores.iter().all(|score| {
            is_this(score.moment, &score.probe, &score.language) && score.task == probe.task && score.value.is_finite()
        });
        let examples = found.examples.iter().all(|group| {
            let each = group.contributions.values().all(|contributions| contributions.len() == group.ids.len());
            is_this(group.moment, &group.probe, &group.language) && each
        });
        (scores && examples).then_some(found)
    }
}

/// Place of a probe's measurement at a moment of a cell.
pub(crate) fn path(cache: &Path, cell: &Cell, moment: usize, probe: &Probe) -> Result<PathBuf> {
    match moment {
        0 => before_training(cache, cell, probe),
        _ => after_stage(cache, cell, moment, probe),
    }
}

fn before_training(cache: &Path, cell: &Cell, probe: &Probe) -> Result<PathBuf> {
    // A task head is drawn from the seed, with the labels of the first stage's data; retrieval has none, so that its
    // measurements hold for every seed.
    let head = cell.protocol.stages.first().filter(|_| probe.task.has_head());
    let head = head.map(|stage| (cell.seed, &stage.parser, hashes(cell, stage.source())));
    let read = hashes(cell, probe.source());
    let key = serde_json::to_vec(&(cell.numeric_version, &cell.model_hash, cell.backend, probe, read, head))?;
    Ok(cache.join("measured").join(name(&key)))
}

/// With the stage's state, under a hash of what else it depends on.
fn after_stage(cache: &Path, cell: &Cell, moment: usize, probe: &Probe) -> Result<PathBuf> {
    let sources = std::iter::once(probe.source()).chain(probe.support());
    let read: Vec<Option<&String>> = sources.flat_map(|source| hashes(cell, source)).collect();
    // What languages without a subnetwork use.
    let masks = cell.method.subnetworks.as_ref().map(|knobs| (knobs, &cell.distances));
    let key = serde_json::to_vec(&(probe, read, masks))?;
    Ok(stages::folder(cache, &cell.prefix(moment)).join(name(&key)))
}

/// Content hashes of the files that are read.
pub(crate) fn hashes<'a>(cell: &'a Cell, source: DataSource) -> Vec<Option<&'a String>> {
    source.keys().map(|key| cell.data.get(&key.to_string())).collect()
}

/// File name for what a key's content decides.
pub(crate) fn name(key: &[u8]) -> String {
    format!("{}.cbor", blake3::hash(key).to_hex())
}
