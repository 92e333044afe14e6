//! What is found out on the untouched model and shared by all cells that would find the same: measurements, and subnetworks of
//! languages. And whose turn it is where several cells would work on the same at once.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use results::{ProbeExamples, Score};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use spec::{Cell, DataKey, Language, MaskKind, Probe, Stage, Subnetworks};

use super::control::Events;
use super::runner::Running;
use crate::events::Event;

/// How often a cell looks whether the one it waits for is there.
const TICK: Duration = Duration::from_millis(100);

/// The right to find out what other cells wait for. It ends with this value, or with the process.
pub struct Turn {
    _lock: File,
}

impl Running<'_> {
    /// The turn that this file stands for, once no other cell has it. Without a lock, `None`: each works for itself.
    ///
    /// # Errors
    /// [`super::runner::Interrupted`], if the cell is asked to stop while it waits.
    pub fn turn(&mut self, path: &Path, waiting: &str) -> Result<Option<Turn>> {
        let open = || {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            OpenOptions::new().write(true).create(true).truncate(false).open(path)
        };
        let Ok(lock) = open() else { return Ok(None) };
        let mut waited = false;
        loop {
            match lock.try_lock() {
                Ok(()) => {
                    if waited {
                        self.tell("going on from what another cell found", None);
                    }
                    return Ok(Some(Turn { _lock: lock }));
                }
                Err(TryLockError::WouldBlock) => {
                    waited = true;
                    Events.send(&Event::Waiting { phase: waiting.to_owned() });
                    std::thread::sleep(TICK);
                    if self.stop.asked() {
                        self.checkpoint_if_due()?;
                    }
                }
                Err(TryLockError::Error(_)) => return Ok(None),
            }
        }
    }
}

/// A probe's scores before training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub scores: Vec<Score>,
    pub examples: Vec<ProbeExamples>,
}

/// Place of a measurement in the cache: everything it depends on, hashed.
pub fn path(cache: &Path, cell: &Cell, probe: &Probe) -> Result<PathBuf> {
    let hashes: Vec<Option<&String>> = probe
        .languages
        .iter()
        .map(|&language| cell.data.get(&DataKey::new(probe.task, &probe.data, language, probe.split).to_string()))
        .collect();
    // A task head is drawn from the seed, with the labels of the first stage's data; retrieval has none, so that its
    // measurements hold for every seed.
    let head = cell.protocol.stages.first().filter(|_| probe.task.has_head()).map(|stage| {
        let key = |&language: &Language| DataKey::new(stage.task, &stage.data, language, stage.split).to_string();
        let labels: Vec<Option<&String>> =
            stage.languages.iter().map(|language| cell.data.get(&key(language))).collect();
        (cell.seed, &stage.parser, labels)
    });
    let key = serde_json::to_vec(&(cell.numeric_version, &cell.model_hash, cell.backend, probe, hashes, head))?;
    Ok(cache.join("measured").join(format!("{}.cbor", blake3::hash(&key).to_hex())))
}

/// Place of what a search for the subnetwork of a language finds before a cell's first stage.
pub fn path_of_subnetwork(cache: &Path, cell: &Cell, language: Language) -> Result<Option<PathBuf>> {
    let (Some(knobs), Some(stage)) = (&cell.method.subnetworks, cell.protocol.stages.first()) else { return Ok(None) };
    let stage = Stage { memories: Vec::new(), probes: Vec::new(), ..stage.clone() };
    let read = |split| stage.languages.iter().map(move |&other| (other, split));
    let hashes: Vec<Option<&String>> = read(stage.split)
        .chain(read(knobs.discovery.split))
        .map(|(other, split)| cell.data.get(&DataKey::new(stage.task, &stage.data, other, split).to_string()))
        .collect();
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
    let key = serde_json::to_vec(&(of_cell, &stage, hashes, &knobs, language))?;
    Ok(Some(cache.join("subnetworks").join(format!("{}.cbor", blake3::hash(&key).to_hex()))))
}

/// What is kept there, if it is there and whole.
pub fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = std::fs::read(path).ok()?;
    let (sum, body) = bytes.split_at_checked(64)?;
    (blake3::hash(body).to_hex().as_bytes() == sum).then(|| ciborium::from_reader(body).ok()).flatten()
}

/// Keeps something for other cells. A cache that cannot be written only costs time.
pub fn store<T: Serialize>(path: &Path, found: &T) -> Result<()> {
    let mut body = Vec::new();
    ciborium::into_writer(found, &mut body)?;
    let mut bytes = blake3::hash(&body).to_hex().to_string().into_bytes();
    bytes.extend(body);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&fresh, bytes)?;
    std::fs::rename(&fresh, path)?;
    Ok(())
}
