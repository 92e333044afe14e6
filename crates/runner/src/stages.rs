//! States after stages that several cells have in common: the first cell to get there leaves its own in the cache, with
//! what it measures there, and the others go on from it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use spec::PrefixId;

use crate::cache::{self, Lock};
use crate::cost;
use crate::progress::{LEARNER, Progress};
use crate::running::Running;

/// The file of a state that is written last.
const STATE: &str = "state.cbor";

#[derive(Serialize, Deserialize)]
struct CachedStage {
    /// Without what was measured.
    progress: Progress,
    /// Hash of the learner's checkpoint beside it.
    learner: String,
}

/// How a cell comes to the state after its next stage.
pub(crate) enum NextStage {
    /// It is there: another cell's.
    Cached,
    /// By training; with a lock, where others want the state too.
    ToTrain(Option<Lock>),
}

/// Where the state after a stage lies, with what is measured there.
pub(crate) fn folder(cache: &Path, prefix: &PrefixId) -> PathBuf {
    cache.join("stages").join(prefix.as_str())
}

fn lock(cache: &Path, prefix: &PrefixId) -> PathBuf {
    folder(cache, prefix).with_extension("lock")
}

/// Whether a state with this past is in the cache.
pub fn is_cached(cache: &Path, prefix: &PrefixId) -> bool {
    folder(cache, prefix).join(STATE).is_file()
}

/// Frees the space of a state that no cell wants any more.
pub fn remove(cache: &Path, prefix: &PrefixId) {
    // What is left costs space, never a result.
    let _ = fs::remove_dir_all(folder(cache, prefix));
    let _ = fs::remove_file(lock(cache, prefix));
}

impl Running<'_> {
    /// Takes the state after the next stage from a cell that has been there. Where one is on its way, waits for it.
    ///
    /// # Errors
    /// [`crate::stop::Interrupted`], if the cell is asked to stop while it waits.
    pub fn next_stage(&mut self) -> Result<NextStage> {
        let stages = self.progress.moment + 1;
        let (cache, prefix) = (&self.job.cache, self.job.cell.prefix(stages));
        if self.take(&prefix).is_some() {
            return Ok(NextStage::Cached);
        }
        if stages > self.job.common_stages {
            return Ok(NextStage::ToTrain(None));
        }
        let lock = self.lock(&lock(cache, &prefix), "waiting for the same stage of another cell")?;
        Ok(match self.take(&prefix) {
            Some(()) => NextStage::Cached,
            None => NextStage::ToTrain(lock),
        })
    }

    /// Goes on from a state, if it is there and whole.
    fn take(&mut self, prefix: &PrefixId) -> Option<()> {
        let folder = folder(&self.job.cache, prefix);
        let CachedStage { progress, learner } = cache::load(&folder.join(STATE))?;
        let path = folder.join(LEARNER);
        let comes_next = progress.is_known() && progress.is_after_stage(self.progress.moment + 1);
        if !comes_next || files::hash(&path).ok()?.to_hex().as_str() != learner {
            return None;
        }
        let stage = self.protocol.stages.get(self.progress.moment)?;
        let (now, watch) = (&mut self.learner, &mut self.watch);
        watch.time("load", || now.load_checkpoint(&path)).ok()?;
        watch.taken(stage.steps);
        let before = std::mem::replace(&mut self.progress, progress);
        (self.progress.scores, self.progress.examples) = (before.scores, before.examples);
        self.advance(cost::training_tokens(&self.job.cell, stage) + cost::discovery_tokens(&self.job.cell, stage));
        Some(())
    }

    /// Leaves the state after a stage for other cells that want it, and lets them have it.
    pub fn cache_stage(&self, lock: Option<Lock>) {
        let (job, moment) = (self.job, self.progress.moment);
        let prefix = job.cell.prefix(moment);
        // What was there when the lock was taken was of no use.
        if moment <= job.common_stages
            && (lock.is_some() || !is_cached(&job.cache, &prefix))
            && let Err(error) = self.write_state(&folder(&job.cache, &prefix))
        {
            cache::warn(&error);
        }
    }

    fn write_state(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        let path = folder.join(LEARNER);
        self.learner.save_checkpoint(&path)?;
        let learner = files::hash(&path)?.to_hex().to_string();
        let mut progress = self.progress.clone();
        progress.scores.clear();
        progress.examples.clear();
        cache::store(&folder.join(STATE), &CachedStage { progress, learner })
    }
}
