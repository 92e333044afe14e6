//! A cell from its job to its published results: probes, then a stage, then probes again, with checkpoints between.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use data::{DataFolder, Tokenization};
use files::Unfinished;
use model::Learner;
use results::{CellResult, Claim, ResultsError, ResultsFolder};
use spec::{Cell, Outcome};
use strategies::{Modules, Strategy};

use crate::job::{Event, Job};
use crate::measured::{self, Measured};
use crate::outcome::{ModelChanged, Verdict, is_of_results, of_failure, one_line};
use crate::progress::{LEARNER, Progress};
use crate::running::Running;
use crate::stages::NextStage;
use crate::stop::{Interrupted, Stop};
use crate::stopwatch::Stopwatch;
use crate::{cost, probe, train};

/// How a cell's run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Its results are published, whatever its outcome.
    Published,
    /// It made a checkpoint because it was asked to leave.
    Interrupted,
    /// It has results already, or another process works on it.
    Busy,
    /// The machine or its files kept it from an outcome: nothing is recorded, its work is kept.
    Undone,
}

/// Runs the job to its end, or to a checkpoint if asked to stop. `events` hears what is being done.
///
/// # Errors
/// The results folder cannot be read or written. All else that fails is the cell's outcome, and published, or leaves the
/// cell undone.
pub fn run(job: &Job, data: DataFolder, stop: Stop, events: &dyn Fn(&Event)) -> Result<Ended> {
    let folder = ResultsFolder::open(&job.results)?;
    let claim = match folder.claim(&job.cell, job.overwrite) {
        Ok(claim) => claim,
        Err(ResultsError::AlreadyRunning { .. } | ResultsError::AlreadyFinished { .. }) => return Ok(Ended::Busy),
        Err(error) => return Err(error.into()),
    };
    let protocol = job.cell.method.goes_through(&job.cell.protocol);
    let modules = match Modules::new(&job.cell.method, &protocol, &job.cell.distances, job.cell.seed) {
        Ok(modules) => modules,
        Err(error) => return refuse(claim, &job.cell, &error.into(), events),
    };
    let mut watch = Stopwatch::default();
    let load = || -> Result<_> {
        data.restore()?;
        if model::content_hash(&job.model)? != job.cell.model_hash {
            return Err(ModelChanged(job.model.display().to_string()).into());
        }
        Ok((Learner::load(&job.model, job.cell.backend)?, Tokenization::load(&job.model)?))
    };
    // A model that comes inside lies in the cache, which may be deleted just now.
    let loaded = watch.time("load", || load().or_else(|_| load()));
    let (learner, tokenization) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => return refuse(claim, &job.cell, &error, events),
    };
    let mut running = Running {
        job,
        protocol: &protocol,
        data: data.expecting(&job.cell.data),
        tokenization: Arc::new(tokenization),
        learner,
        modules: &modules,
        strategy: None,
        claim,
        progress: Progress::default(),
        watch,
        stop,
        events,
        saved: Instant::now(),
        done: 0.0,
        of: cost::tokens(&job.cell),
    };
    match running.resume().and_then(|()| running.work()) {
        Ok(()) => running.publish(Outcome::Done),
        Err(error) if is_of_results(&error) => Err(error),
        // What else failed once the cell was asked to leave may have failed because of that.
        Err(error) if error.chain().any(|cause| cause.is::<Interrupted>()) || running.stop.asked() => {
            Ok(Ended::Interrupted)
        }
        Err(error) => match of_failure(&error, &job.cell, running.progress.steps) {
            Verdict::Recorded(outcome) => running.publish(outcome),
            Verdict::Undone { why, retry } => Ok(leave_undone(why, retry, events)),
        },
    }
}

/// Input that no work can begin on.
fn refuse(claim: Claim, cell: &Cell, error: &anyhow::Error, events: &dyn Fn(&Event)) -> Result<Ended> {
    let outcome = match of_failure(error, cell, 0) {
        Verdict::Recorded(outcome) => outcome,
        Verdict::Undone { why, retry } => return Ok(leave_undone(why, retry, events)),
    };
    claim.fail(&outcome, &Stopwatch::default().report(), &one_line(error))?;
    events(&Event::Ended { outcome: outcome.label().to_owned() });
    Ok(Ended::Published)
}

fn leave_undone(why: String, retry: bool, events: &dyn Fn(&Event)) -> Ended {
    events(&Event::Undone { why, retry });
    Ended::Undone
}

impl Running<'_> {
    /// Goes back to the newest checkpoint; a damaged one costs its work, not the cell.
    fn resume(&mut self) -> Result<()> {
        let folder = match self.claim.latest_checkpoint() {
            Ok(Some(folder)) => folder,
            Ok(None) => return self.set_heads(0),
            Err(error @ ResultsError::DamagedCheckpoint { .. }) => {
                self.warn(format!("{error}; the cell starts again"));
                self.claim.discard_checkpoints()?;
                return self.set_heads(0);
            }
            Err(error) => return Err(error.into()),
        };
        self.progress = Progress::load(&folder)?;
        let Progress { moment, steps, .. } = self.progress;
        if !self.progress.trained() {
            return self.set_heads(0);
        }
        if steps > 0 {
            self.set_heads(moment)?;
            let job = self.job;
            let strategy = Strategy::new(&job.cell.method, &self.protocol.stages[moment], job.cell.seed);
            let mut strategy = strategy.with_modules(self.modules, moment);
            strategy.load(&mut self.learner, &folder)?;
            self.strategy = Some(strategy);
        } else {
            self.set_heads(moment - 1)?;
        }
        self.learner.load_checkpoint(&folder.join(LEARNER))?;
        Ok(())
    }

    fn work(&mut self) -> Result<()> {
        let stages = &self.protocol.stages;
        loop {
            self.measure()?;
            let Some(stage) = stages.get(self.progress.moment) else { return Ok(()) };
            let index = self.progress.moment;
            let begins = self.progress.steps == 0;
            let mut lock = None;
            if begins {
                match self.next_stage()? {
                    NextStage::Cached => {
                        self.checkpoint()?;
                        continue;
                    }
                    NextStage::ToTrain(own) => lock = own,
                }
            }
            if begins && index > 0 && stage.task.has_head() {
                match self.protocol.first_stage_of(stage.task) == Some(index) {
                    true => self.set_head(stage)?,
                    false => self.learner.use_head(Some(stage.task))?,
                }
            }
            train::stage(self, index, stage)?;
            self.progress.moment += 1;
            self.progress.probes = 0;
            self.progress.steps = 0;
            self.learner.end_stage();
            self.cache_stage(lock);
            self.checkpoint()?;
        }
    }

    /// The probes of this moment that are not done yet.
    fn measure(&mut self) -> Result<()> {
        let moment = self.progress.moment;
        let Some(probes) = self.protocol.moments().nth(moment) else { return Ok(()) };
        for probe in probes.iter().skip(self.progress.probes) {
            self.tell(&format!("measuring {}", probe.name), None);
            let place = measured::path(&self.job.cache, self.cell(), moment, probe)?;
            // Whoever is there first measures for all.
            let common = moment <= self.job.common_stages;
            let _lock = match common && Measured::load(&place, moment, probe).is_none() {
                true => {
                    self.lock(&place.with_extension("lock"), &format!("waiting for another cell's {}", probe.name))?
                }
                false => None,
            };
            let measured = match Measured::load(&place, moment, probe) {
                Some(measured) => measured,
                None => {
                    let start = Instant::now();
                    // A probe may be long, and leaves nothing half done that would be worth keeping.
                    self.learner.stop_inference_on(Some(self.stop.flag()));
                    let measured = probe::measure(self, probe).with_context(|| format!("probe `{}`", probe.name))?;
                    self.learner.stop_inference_on(None);
                    self.watch.book("probe", start.elapsed());
                    if common {
                        self.offer(&place, &measured);
                    }
                    measured
                }
            };
            self.progress.scores.extend(measured.scores);
            self.progress.examples.extend(measured.examples);
            self.progress.probes += 1;
            self.advance(cost::probe_tokens(probe));
            if self.progress.trained() {
                self.checkpoint_if_due()?;
            }
        }
        Ok(())
    }

    fn publish(mut self, outcome: Outcome) -> Result<Ended> {
        let (done, events) = (outcome == Outcome::Done, self.events);
        let job = self.job;
        let saved = job.save.as_deref().filter(|_| done).map(|folder| self.save(folder)).transpose()?;
        let result = CellResult {
            outcome: outcome.clone(),
            scores: self.progress.scores,
            examples: self.progress.examples,
            curve: self.progress.curve,
            series: self.progress.series,
            notes: self.progress.notes,
        };
        self.claim.publish(&result, &self.watch.report())?;
        if let Some(Err(error)) = saved.map(Unfinished::finish) {
            let text = format!("the folder beside the saved model cannot be removed: {error}");
            events(&Event::Warning { text });
        }
        events(&Event::Ended { outcome: outcome.label().to_owned() });
        Ok(Ended::Published)
    }
}
