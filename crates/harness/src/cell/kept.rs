//! States after stages that several cells have in common: the first cell to get there keeps its own in the cache, with
//! what it measures there, and the others go on from it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use spec::{Cell, DataKey, PrefixId, Probe};

use super::progress::{LEARNER, Progress};
use super::runner::Running;
use super::shared::{self, Turn};
use crate::{cost, hash};

/// The file of a kept state that is written last.
const STATE: &str = "state.cbor";

#[derive(Serialize, Deserialize)]
struct Kept {
    /// Without what was measured.
    progress: Progress,
    /// Hash of the learner's checkpoint beside it.
    learner: String,
}

/// How a cell comes to the state after its next stage.
pub enum Way {
    /// It is there: another cell's.
    Taken,
    /// By training; with a turn, where others want the state too.
    Training(Option<Turn>),
}

fn folder(cache: &Path, prefix: &PrefixId) -> PathBuf {
    cache.join("stages").join(prefix.as_str())
}

fn lock(cache: &Path, prefix: &PrefixId) -> PathBuf {
    folder(cache, prefix).with_extension("lock")
}

/// Whether a state with this past is kept.
pub fn is_kept(cache: &Path, prefix: &PrefixId) -> bool {
    folder(cache, prefix).join(STATE).is_file()
}

/// Frees the space of a state that no cell wants any more.
pub fn forget(cache: &Path, prefix: &PrefixId) {
    // What is left costs space, never a result.
    let _ = fs::remove_dir_all(folder(cache, prefix));
    let _ = fs::remove_file(lock(cache, prefix));
}

/// Place of a measurement after a stage: with the state, under a hash of what else it depends on.
pub fn path_of_measurement(cache: &Path, cell: &Cell, moment: usize, probe: &Probe) -> Result<PathBuf> {
    let splits = [Some(probe.split), probe.adapt.as_ref().map(|adapt| adapt.split)];
    let hashes: Vec<Option<&String>> = splits
        .into_iter()
        .flatten()
        .flat_map(|split| probe.languages.iter().map(move |&language| (language, split)))
        .map(|(language, split)| DataKey::new(probe.task, &probe.data, language, split).to_string())
        .map(|key| cell.data.get(&key))
        .collect();
    // What languages without a subnetwork use.
    let masks = cell.method.subnetworks.as_ref().map(|knobs| (knobs, &cell.distances));
    let key = serde_json::to_vec(&(probe, hashes, masks))?;
    let name = format!("{}.cbor", blake3::hash(&key).to_hex());
    Ok(folder(cache, &cell.prefix(moment)).join(name))
}

impl Running<'_> {
    /// Takes the state after the next stage from a cell that has been there. Where one is on its way, waits for it.
    ///
    /// # Errors
    /// [`super::runner::Interrupted`], if the cell is asked to stop while it waits.
    pub fn take_stage(&mut self) -> Result<Way> {
        let stages = self.progress.moment + 1;
        let (cache, prefix) = (&self.job.cache, self.job.cell.prefix(stages));
        if self.take(&prefix).is_some() {
            return Ok(Way::Taken);
        }
        if stages > self.job.common_stages {
            return Ok(Way::Training(None));
        }
        let turn = self.turn(&lock(cache, &prefix), "waiting for the same stage of another cell")?;
        Ok(match self.take(&prefix) {
            Some(()) => Way::Taken,
            None => Way::Training(turn),
        })
    }

    /// Goes on from a kept state, if it is there and whole.
    fn take(&mut self, prefix: &PrefixId) -> Option<()> {
        let folder = folder(&self.job.cache, prefix);
        let Kept { progress, learner } = shared::load(&folder.join(STATE))?;
        let path = folder.join(LEARNER);
        if !progress.is_known() || hash::file(&path).ok()?.to_hex().as_str() != learner {
            return None;
        }
        let stage = self.job.cell.protocol.stages.get(self.progress.moment)?;
        let (now, watch) = (&mut self.learner, &mut self.watch);
        watch.time("load", || now.load_checkpoint(&path)).ok()?;
        watch.taken(stage.steps);
        let before = std::mem::replace(&mut self.progress, progress);
        (self.progress.scores, self.progress.examples) = (before.scores, before.examples);
        self.advance(cost::training_tokens(&self.job.cell, stage) + cost::discovery_tokens(&self.job.cell, stage));
        Some(())
    }

    /// Keeps the state after a stage for other cells that want it, and ends the turn.
    pub fn keep_stage(&self, turn: Option<Turn>) {
        let (job, moment) = (self.job, self.progress.moment);
        let prefix = job.cell.prefix(moment);
        // What was there when the turn began was of no use.
        if moment <= job.common_stages
            && (turn.is_some() || !is_kept(&job.cache, &prefix))
            && let Err(error) = self.write_state(&folder(&job.cache, &prefix))
        {
            eprintln!("warning: the cache cannot be written: {error:#}");
        }
    }

    fn write_state(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        let fresh = folder.join(format!("{LEARNER}.{}.new", std::process::id()));
        self.learner.save_checkpoint(&fresh)?;
        let learner = hash::file(&fresh)?.to_hex().to_string();
        fs::rename(&fresh, folder.join(LEARNER)).context("naming the learner's checkpoint")?;
        let mut progress = self.progress.clone();
        progress.scores.clear();
        progress.examples.clear();
        shared::store(&folder.join(STATE), &Kept { progress, learner })
    }
}
