//! A cell from its job to its published results: probes, then a stage, then probes again, with checkpoints between.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use data::{DataFolder, Encoded, Tokenization};
use model::{Learner, ModelError, Precision};
use results::{CellResult, Claim, ResultsError, ResultsFolder};
use spec::{Cell, MissingVector, Outcome, Stage, Task};
use strategies::laft::LaftError;
use strategies::{Modules, Strategy, StrategyError};
use tasks::TaskError;

use super::control::{Events, Stop};
use super::kept::Way;
use super::progress::{LEARNER, Progress};
use super::shared::Measured;
use super::timing::Stopwatch;
use super::{kept, probe, shared, train};
use crate::cost;
use crate::events::{Event, Job};
use crate::exit::{Exit, one_line};
use crate::process::BUSY;

/// Everything a running cell holds.
pub struct Running<'a> {
    pub job: &'a Job,
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
    saved: Instant,
    /// Work done so far and in all, in tokens, for the parent's estimate.
    done: f64,
    of: f64,
}

/// Why a cell's work ended early.
#[derive(Debug, thiserror::Error)]
#[error("stopped at a checkpoint")]
pub struct Interrupted;

/// Runs the job to its end, or to a checkpoint if asked to stop.
pub fn run(job: &Job) -> Result<Exit> {
    let stop = Stop::watch();
    let folder = ResultsFolder::open(&job.results)?;
    let claim = match folder.claim(&job.cell, job.overwrite) {
        Ok(claim) => claim,
        Err(ResultsError::AlreadyRunning { .. } | ResultsError::AlreadyFinished { .. }) => {
            std::process::exit(i32::from(BUSY));
        }
        Err(error) => return Err(error.into()),
    };
    let modules = match Modules::new(&job.cell.method, &job.cell.protocol, &job.cell.distances, job.cell.seed) {
        Ok(modules) => modules,
        Err(error) => return refuse(claim, &job.cell, &error.into()),
    };
    let mut watch = Stopwatch::default();
    let loaded = watch.time("load", || -> Result<_> {
        Ok((Learner::load(&job.model, job.cell.backend)?, Tokenization::load(&job.model)?))
    });
    let (learner, tokenization) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => return refuse(claim, &job.cell, &error),
    };
    let mut running = Running {
        job,
        data: crate::places::data(&job.data, &job.cache)?,
        tokenization: Arc::new(tokenization),
        learner,
        modules: &modules,
        strategy: None,
        claim,
        progress: Progress::default(),
        watch,
        stop,
        saved: Instant::now(),
        done: 0.0,
        of: cost::tokens(&job.cell),
    };
    match running.resume().and_then(|()| running.work()) {
        Ok(()) => running.publish(Outcome::Done),
        Err(error) if error.chain().any(|cause| cause.is::<Interrupted>()) => Ok(Exit::Interrupted),
        Err(error) if is_results_error(&error) => Err(error),
        Err(error) => {
            let outcome = outcome_of(&error, &job.cell, running.progress.steps);
            running.publish(outcome)
        }
    }
}

/// Input that no work can begin on.
fn refuse(claim: Claim, cell: &Cell, error: &anyhow::Error) -> Result<Exit> {
    let outcome = outcome_of(error, cell, 0);
    claim.fail(&outcome, &Stopwatch::default().report(), &one_line(error))?;
    Events.send(&Event::Ended { outcome: outcome.label().to_owned() });
    Ok(Exit::Ok)
}

fn is_results_error(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<ResultsError>())
}

/// What a failure is recorded as.
fn outcome_of(error: &anyhow::Error, cell: &Cell, step: u64) -> Outcome {
    let skips = cell.method.sharing.as_ref().is_some_and(|laft| laft.missing_vector == MissingVector::SkipCell);
    for cause in error.chain() {
        if let (Some(LaftError::NoVector { .. }), true) = (cause.downcast_ref(), skips) {
            return Outcome::Skipped { reason: one_line(error) };
        }
        let model = cause.downcast_ref::<ModelError>();
        let model = model.or_else(|| match cause.downcast_ref() {
            Some(StrategyError::Model(error)) => Some(error),
            _ => None,
        });
        let model = model.or_else(|| match cause.downcast_ref() {
            Some(TaskError::Model(error)) => Some(error),
            _ => None,
        });
        match model {
            Some(ModelError::NonFinite { what }) => return Outcome::Diverged { step, what: what.clone() },
            Some(ModelError::OutOfMemory { .. }) => return Outcome::OutOfMemory { detail: one_line(error) },
            _ => {}
        }
    }
    Outcome::Invalid { error: one_line(error) }
}

impl<'a> Running<'a> {
    fn cell(&self) -> &'a Cell {
        &self.job.cell
    }

    /// Goes back to the newest checkpoint; a damaged one costs its work, not the cell.
    fn resume(&mut self) -> Result<()> {
        let folder = match self.claim.latest_checkpoint() {
            Ok(Some(folder)) => folder,
            Ok(None) => return self.set_heads(0),
            Err(error @ ResultsError::DamagedCheckpoint { .. }) => {
                eprintln!("warning: {error}; the cell starts again");
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
            let strategy = Strategy::new(&job.cell.method, &job.cell.protocol.stages[moment], job.cell.seed);
            let mut strategy = strategy.with_modules(self.modules, moment);
            strategy.load(&mut self.learner, &folder)?;
            self.strategy = Some(strategy);
        } else {
            self.set_heads(moment - 1)?;
        }
        self.learner.load_checkpoint(&folder.join(LEARNER))?;
        Ok(())
    }

    /// Adds the heads of the tasks that stages up to this one train first, fresh, drawn from the cell's seed; one that came
    /// with the model and has the data's labels is kept.
    fn set_heads(&mut self, stage: usize) -> Result<()> {
        let cell = self.cell();
        for (index, stage) in cell.protocol.stages.iter().enumerate().take(stage + 1) {
            if cell.protocol.first_stage_of(stage.task) == Some(index) {
                self.set_head(stage)?;
            }
        }
        Ok(())
    }

    fn set_head(&mut self, stage: &Stage) -> Result<()> {
        let sizes = stage.parser.clone().unwrap_or_default();
        let Some(head) = stage.task.head(crate::labels::of_stage(&self.data, stage)?, &sizes) else { return Ok(()) };
        if self.learner.head(Some(stage.task)) == Some(&head) {
            self.learner.use_head(Some(stage.task))?;
            return Ok(());
        }
        if self.learner.head(Some(stage.task)).is_some() {
            let text =
                format!("the model's own head for {} has other labels or sizes: a fresh one is made", stage.task);
            Events.send(&Event::Note { text });
        }
        Ok(self.learner.set_head(Some(stage.task), head, self.cell().seed)?)
    }

    /// Numbers encoded labels as the head of their task does.
    pub fn number_labels(&self, task: Task, encoded: &mut Encoded) -> Result<()> {
        match self.learner.head(Some(task)) {
            Some(head) if task.has_labels() => Ok(encoded.relabel(&head.labels())?),
            _ => Ok(()),
        }
    }

    fn work(&mut self) -> Result<()> {
        let stages = &self.cell().protocol.stages;
        loop {
            self.measure()?;
            let Some(stage) = stages.get(self.progress.moment) else { return Ok(()) };
            let index = self.progress.moment;
            let begins = self.progress.steps == 0;
            let mut turn = None;
            if begins {
                match self.take_stage()? {
                    Way::Taken => {
                        self.checkpoint()?;
                        continue;
                    }
                    Way::Training(own) => turn = own,
                }
            }
            if begins && index > 0 && stage.task.has_head() {
                match self.cell().protocol.first_stage_of(stage.task) == Some(index) {
                    true => self.set_head(stage)?,
                    false => self.learner.use_head(Some(stage.task))?,
                }
            }
            train::stage(self, index, stage)?;
            self.progress.moment += 1;
            self.progress.probes = 0;
            self.progress.steps = 0;
            self.learner.end_stage();
            self.keep_stage(turn);
            self.checkpoint()?;
        }
    }

    /// The probes of this moment that are not done yet.
    fn measure(&mut self) -> Result<()> {
        let moment = self.progress.moment;
        let Some(probes) = self.cell().protocol.moments().nth(moment) else { return Ok(()) };
        for probe in probes.iter().skip(self.progress.probes) {
            self.tell(&format!("measuring {}", probe.name), None);
            let place = match moment {
                0 => shared::path(&self.job.cache, self.cell(), probe)?,
                _ => kept::path_of_measurement(&self.job.cache, self.cell(), moment, probe)?,
            };
            // Whoever is there first measures for all.
            let common = moment <= self.job.common_stages;
            let _turn = match common && shared::load::<Measured>(&place).is_none() {
                true => {
                    self.turn(&place.with_extension("lock"), &format!("waiting for another cell's {}", probe.name))?
                }
                false => None,
            };
            let measured = match shared::load(&place) {
                Some(measured) => measured,
                None => {
                    let start = Instant::now();
                    let measured = probe::measure(self, probe).with_context(|| format!("probe `{}`", probe.name))?;
                    self.watch.book("probe", start.elapsed());
                    if common && let Err(error) = shared::store(&place, &measured) {
                        eprintln!("warning: the cache cannot be written: {error:#}");
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

    /// A checkpoint if the last one is old, or if the parent asks us to leave, which ends the work.
    pub fn checkpoint_if_due(&mut self) -> Result<()> {
        let leave = self.stop.asked();
        if leave || self.saved.elapsed() >= Duration::from_secs(self.job.checkpoint_seconds) {
            self.checkpoint()?;
        }
        if leave { Err(Interrupted.into()) } else { Ok(()) }
    }

    /// Books work for the parent's estimate.
    pub fn advance(&mut self, tokens: f64) {
        self.done += tokens;
    }

    /// Records something worth knowing and tells the parent.
    pub fn note(&mut self, text: String) {
        Events.send(&Event::Note { text: text.clone() });
        self.progress.notes.push(text);
    }

    pub fn tell(&self, phase: &str, loss: Option<f64>) {
        Events.send(&Event::Progress { phase: phase.to_owned(), done: self.done as u64, of: self.of as u64, loss });
    }

    fn publish(mut self, outcome: Outcome) -> Result<Exit> {
        let done = outcome == Outcome::Done;
        if let Some(folder) = self.job.save.as_ref().filter(|_| done) {
            self.tell_uses()?;
            self.learner
                .save_folder(folder, Precision::F32)
                .with_context(|| format!("saving the model to `{}`", folder.display()))?;
        }
        let result = CellResult {
            outcome: outcome.clone(),
            scores: self.progress.scores,
            examples: self.progress.examples,
            curve: self.progress.curve,
            series: self.progress.series,
            notes: self.progress.notes,
        };
        self.claim.publish(&result, &self.watch.report())?;
        Events.send(&Event::Ended { outcome: outcome.label().to_owned() });
        Ok(Exit::Ok)
    }
}
