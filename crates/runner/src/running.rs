use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use data::{DataFolder, Encoded, Tokenization};
use files::Lock;
use model::Learner;
use results::Claim;
use serde::Serialize;
use spec::{Cell, Protocol, Task};
use strategies::{Modules, Strategy};

use crate::cache;
use crate::job::{Event, Job};
use crate::progress::{LEARNER, Progress};
use crate::stop::{Interrupted, Stop};
use crate::stopwatch::Stopwatch;

/// How often a cell looks whether the one it waits for is there.
const TICK: Duration = Duration::from_millis(100);

/// Everything a running cell holds.
pub(crate) struct Running<'a> {
    pub job: &'a Job,
    /// As the cell's method goes through it.
    pub protocol: &'a Protocol,
    pub data: DataFolder,
    pub tokenization: Arc<Tokenization>,
    pub learner: Learner,
    pub modules: &'a Modules<'a>,
    /// At work in the middle of a stage only.
    pub strategy: Option<Strategy<'a>>,
    pub claim: Claim,
    pub progress: Progress,
    pub watch: Stopwatch,
    pub stop: Stop,
    pub events: &'a dyn Fn(&Event),
    /// When the last checkpoint was made.
    pub saved: Instant,
    /// Work done so far and in all, in tokens, for estimates of time.
    pub done: f64,
    pub of: f64,
}

impl<'a> Running<'a> {
    pub fn cell(&self) -> &'a Cell {
        &self.job.cell
    }

    /// Numbers encoded labels as the head of their task does.
    pub fn number_labels(&self, task: Task, encoded: &mut Encoded) -> Result<()> {
        match self.learner.head(Some(task)) {
            Some(head) if task.has_labels() => Ok(encoded.relabel(&head.labels())?),
            _ => Ok(()),
        }
    }

    /// Saves everything a resumed cell needs.
    pub fn checkpoint(&mut self) -> Result<()> {
        let (learner, progress, strategy) = (&self.learner, &self.progress, &self.strategy);
        self.claim.checkpoint(|folder| -> Result<()> {
            progress.save(folder)?;
            if let Some(strategy) = strategy {
                strategy.save(learner, folder)?;
            }
            if progress.trained() {
                learner.save_checkpoint(&folder.join(LEARNER))?;
            }
            Ok(())
        })?;
        self.saved = Instant::now();
        Ok(())
    }

    /// A checkpoint if the last one is old, or if the cell is asked to leave, which ends the work.
    ///
    /// # Errors
    /// [`Interrupted`], once the checkpoint is made.
    pub fn checkpoint_if_due(&mut self) -> Result<()> {
        let leave = self.stop.asked();
        if leave || self.saved.elapsed() >= Duration::from_secs(self.job.checkpoint_seconds) {
            self.checkpoint()?;
        }
        if leave { Err(Interrupted.into()) } else { Ok(()) }
    }

    /// The lock of what this cell is about to find out for others too, once none of them has it. Where there can be no lock,
    /// `None`: each works for itself.
    ///
    /// # Errors
    /// [`Interrupted`], if the cell is asked to stop while it waits.
    pub fn lock(&mut self, path: &Path, waiting: &str) -> Result<Option<Lock>> {
        let mut waited = false;
        loop {
            match cache::try_lock(&self.job.cache, path) {
                cache::Tried::Locked(lock) => {
                    if waited {
                        self.tell("going on from what another cell found", None);
                    }
                    return Ok(Some(lock));
                }
                cache::Tried::Held => {
                    waited = true;
                    (self.events)(&Event::Waiting { phase: waiting.to_owned() });
                    std::thread::sleep(TICK);
                    if self.stop.asked() {
                        self.checkpoint_if_due()?;
                    }
                }
                cache::Tried::Impossible => return Ok(None),
            }
        }
    }

    /// Books work for estimates of time.
    pub fn advance(&mut self, tokens: f64) {
        self.done += tokens;
    }

    /// Records something worth knowing, and tells it.
    pub fn note(&mut self, text: String) {
        (self.events)(&Event::Note { text: text.clone() });
        self.progress.notes.push(text);
    }

    /// Tells what concerns this machine alone, and belongs in no record.
    pub fn warn(&self, text: String) {
        (self.events)(&Event::Warning { text });
    }

    /// Leaves something in the cache for other cells, where that can be.
    pub fn offer<T: Serialize>(&self, path: &Path, found: &T) {
        if let Err(error) = cache::store(&self.job.cache, path, found) {
            self.warn(cache::unwritten(&error));
        }
    }

    pub fn tell(&self, phase: &str, loss: Option<f64>) {
        (self.events)(&Event::Progress { phase: phase.to_owned(), done: self.done as u64, of: self.of as u64, loss });
    }
}
