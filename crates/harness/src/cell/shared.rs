//! Measurements on the untouched model, shared by all cells that would make the same ones.

use std::path::{Path, PathBuf};

use anyhow::Result;
use results::{ProbeExamples, Score};
use serde::{Deserialize, Serialize};
use spec::{Cell, DataKey, Probe};

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
    // A task head is drawn from the seed; retrieval has none, so that its measurements hold for every seed.
    let seed = probe.task.head().map(|_| cell.seed);
    let key = serde_json::to_vec(&(cell.numeric_version, &cell.model_hash, cell.backend, probe, hashes, seed))?;
    Ok(cache.join("measured").join(format!("{}.cbor", blake3::hash(&key).to_hex())))
}

/// The measurement, if it is there and whole.
pub fn load(path: &Path) -> Option<Measured> {
    let bytes = std::fs::read(path).ok()?;
    let (sum, body) = bytes.split_at_checked(64)?;
    (blake3::hash(body).to_hex().as_bytes() == sum).then(|| ciborium::from_reader(body).ok()).flatten()
}

/// Keeps a measurement for other cells. A cache that cannot be written only costs time.
pub fn store(path: &Path, measured: &Measured) -> Result<()> {
    let mut body = Vec::new();
    ciborium::into_writer(measured, &mut body)?;
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
