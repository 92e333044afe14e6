//! States after stages that several cells have in common: the first cell to get there leaves its own in the cache, with
//! what it measures there, and the others go on from it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Result;
use files::Lock;
use serde::{Deserialize, Serialize};
use spec::PrefixId;

use crate::cache;
use crate::cost;
use crate::progress::{LEARNER, Progress};
use crate::running::Running;

/// The file of a state that is written last.
const STATE: &str = "state.cbor";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A state is kept so long for a sweep that was killed.
const KEPT: Duration = DAY.saturating_mul(7);

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

/// Removes what killed processes left in the cache: parts of files, parts of states, and states that no sweep came back for.
pub fn tidy(cache: &Path) {
    for kind in ["", "measured", "subnetworks"] {
        files::tidy(&cache.join(kind), DAY);
    }
    let stages = cache.join("stages");
    if !files::is_folder(&stages).unwrap_or(false) {
        return;
    }
    let names = fs::read_dir(&stages).into_iter().flatten().flatten().map(|entry| entry.path().with_extension(""));
    for folder in names.collect::<BTreeSet<PathBuf>>() {
        let lock = folder.with_extension("lock");
        let written = fs::metadata(folder.join(STATE)).and_then(|state| state.modified());
        let wanted = written.is_ok_and(|at| SystemTime::now().duration_since(at).unwrap_or_default() < KEPT);
        // Who trains the stage has the lock.
        if !wanted && let Ok(Some(_lock)) = files::try_lock(&lock) {
            let _ = fs::remove_dir_all(&folder);
            let _ = fs::remove_file(&lock);
        }
    }
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
            self.warn(cache::unwritten(&error));
        }
    }

    fn write_state(&self, folder: &Path) -> Result<()> {
        let cache = &self.job.cache;
        files::create_below(cache, folder)?;
        let path = folder.join(LEARNER);
        self.learner.save_checkpoint(&path)?;
        let learner = files::hash(&path)?.to_hex().to_string();
        let mut progress = self.progress.clone();
        progress.scores.clear();
        progress.examples.clear();
        cache::store(cache, &folder.join(STATE), &CachedStage { progress, learner })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_killed_sweeps_left_goes_and_what_is_wanted_stays() {
        let cache = tempfile::tempdir().unwrap();
        let stages = cache.path().join("stages");
        let state = |name: &str, age: Duration| {
            fs::create_dir_all(stages.join(name)).unwrap();
            let file = fs::File::create(stages.join(name).join(STATE)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        };
        state("fresh", DAY);
        state("old", KEPT + DAY);
        for half in ["half", "trained"] {
            fs::create_dir_all(stages.join(half)).unwrap();
            fs::write(stages.join(half).join(LEARNER), "half").unwrap();
        }
        fs::write(stages.join("left.lock"), "").unwrap();
        let lock = files::try_lock(&stages.join("trained.lock")).unwrap().expect("nobody has it");
        tidy(cache.path());
        let names = || {
            let mut names: Vec<_> = fs::read_dir(&stages).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(), ["fresh", "trained", "trained.lock"]);
        drop(lock);
        tidy(cache.path());
        assert_eq!(names(), ["fresh"]);
    }
}
