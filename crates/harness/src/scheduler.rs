//! Runs cells, some at a time, each in its own process, and keeps the books.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use results::{Overwrite, ResultsFolder, Status, Timing};
use spec::{Cell, Outcome};

use crate::board::Board;
use crate::cli::Folders;
use crate::headline::headline;
use crate::interrupt;
use crate::process::{self, Ending};
use crate::queue::{Next, Queue};
use runner::Job;

/// A cell whose process dies is started again this many times; it resumes from its last checkpoint.
const RETRIES: usize = 2;
/// Label of [`Outcome::Skipped`].
const SKIPPED: &str = "skipped";

pub struct Options {
    pub jobs: usize,
    pub limit: Option<Duration>,
    pub checkpoint_seconds: u64,
    pub fail_fast: bool,
    pub overwrite: Overwrite,
    pub save: Option<std::path::PathBuf>,
}

/// What became of the cells.
#[derive(Debug, Default)]
pub struct Summary {
    pub done: usize,
    pub failed: usize,
    /// Cells that another process still works on.
    pub busy: usize,
    /// Cells that files or memory failed, and that have no record.
    pub undone: usize,
    pub interrupted: bool,
    /// The first reason for which the sweep itself could not go on.
    pub stopped: Option<String>,
}

/// Weights of at most this size leave most of a processor's cores idle when they are shared out over one product, and
/// several copies fit into any memory.
const SMALL_WEIGHTS: u64 = 64 << 20;

/// How many cells of this model to run at the same time where nobody says.
pub fn jobs(model: &std::path::Path) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let size = std::fs::metadata(model.join("model.safetensors")).map_or(u64::MAX, |file| file.len());
    if size <= SMALL_WEIGHTS { cores } else { 1 }
}

/// Threads of each of so many cells at a time: together one a core.
fn threads(cores: usize, jobs: usize) -> impl Iterator<Item = usize> {
    (0..jobs).map(move |job| (cores / jobs + usize::from(job < cores % jobs)).max(1))
}

/// Runs every cell, at most `jobs` at a time.
pub fn run(cells: &[Cell], model: &std::path::Path, folders: &Folders, options: &Options) -> Result<Summary> {
    let stop = interrupt::flag()?;
    let results = ResultsFolder::open(&folders.results)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    runner::tidy(&folders.cache);
    let board = Board::new(cells);
    let queue = Mutex::new(Queue::new(cells, &folders.cache));
    let summary = Mutex::new(Summary::default());
    let busy = Mutex::new(Vec::new());
    let halt = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for threads in threads(cores, options.jobs.min(cells.len())) {
            let (stop, board, results, queue) = (&stop, &board, &results, &queue);
            let (summary, busy, halt) = (&summary, &busy, &halt);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) && !halt.load(Ordering::Relaxed) {
                    let Some(Next { cell, common_stages }) = lock(queue).next() else { break };
                    let job = Job {
                        cell: cell.clone(),
                        model: model.to_owned(),
                        data: folders.data.clone(),
                        results: folders.results.clone(),
                        cache: folders.cache.clone(),
                        checkpoint_seconds: options.checkpoint_seconds,
                        overwrite: options.overwrite,
                        common_stages,
                        save: options.save.clone(),
                    };
                    let ending = run_cell(&job, threads, options, stop, board, results);
                    lock(queue).end(cell, !matches!(ending, Ok(Ended::Interrupted | Ended::Undone) | Err(_)));
                    let mut summary = lock(summary);
                    match ending {
                        Ok(Ended::Done) => summary.done += 1,
                        Ok(Ended::Failed) => {
                            summary.failed += 1;
                            if options.fail_fast {
                                halt.store(true, Ordering::Relaxed);
                            }
                        }
                        Ok(Ended::Busy) => lock(busy).push(cell),
                        Ok(Ended::Undone) => summary.undone += 1,
                        Ok(Ended::Interrupted | Ended::Skipped) => {}
                        Err(error) => {
                            summary.stopped.get_or_insert(runner::one_line(&error));
                            halt.store(true, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    board.finish();
    let mut summary = summary.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    summary.interrupted = stop.load(Ordering::Relaxed);
    // By now the other process may have finished them.
    for cell in busy.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        summary.busy += usize::from(!matches!(results.status(cell)?, Status::Finished(_)));
    }
    Ok(summary)
}

enum Ended {
    Done,
    Failed,
    /// The method does not apply: no failure.
    Skipped,
    Busy,
    Undone,
    Interrupted,
}

/// One cell, started again if its process dies. An error means that no cell can go on.
fn run_cell(
    job: &Job,
    threads: usize,
    options: &Options,
    stop: &AtomicBool,
    board: &Board,
    results: &ResultsFolder,
) -> Result<Ended> {
    let cell = &job.cell;
    let started = Instant::now();
    board.start(cell);
    for attempt in 0.. {
        let ending = process::run(job, threads, options.limit, stop, |event| board.event(cell, event))?;
        let outcome = match ending {
            Ending::Published(label) => {
                let done = label == Outcome::Done.label();
                // What cannot be read back is told of this cell at the end.
                let found = results.get(cell).ok().flatten().filter(|_| done);
                let said = found.and_then(|found| found.scores().ok());
                let said = said.map(|scores| headline(&scores)).filter(|said| !said.is_empty());
                let failed = !done && label != SKIPPED;
                board.end(cell, &said.unwrap_or(label), started.elapsed());
                return Ok(match (done, failed) {
                    (true, _) => Ended::Done,
                    (_, true) => Ended::Failed,
                    _ => Ended::Skipped,
                });
            }
            Ending::Interrupted => {
                board.end(cell, "interrupted; its checkpoint is kept", started.elapsed());
                return Ok(Ended::Interrupted);
            }
            Ending::Busy => {
                board.end(cell, "another process works on it", started.elapsed());
                return Ok(Ended::Busy);
            }
            Ending::ResultsFailed(_) if matches!(results.status(cell), Ok(Status::Unreadable { .. })) => {
                board.end(cell, "its record cannot be read", started.elapsed());
                return Ok(Ended::Failed);
            }
            Ending::ResultsFailed(detail) => {
                board.end(cell, "cannot write results", started.elapsed());
                return Err(anyhow::anyhow!(detail));
            }
            Ending::Refused(detail) => Outcome::Invalid { error: detail },
            Ending::TimedOut => Outcome::TimedOut { seconds: options.limit.unwrap_or_default().as_secs() },
            Ending::Undone { why, retry: true } if attempt < RETRIES => {
                board.note(&format!("{}: {why}; starting it again", cell.folder()));
                continue;
            }
            Ending::Undone { why, .. } => {
                board.end(cell, &format!("left undone: {why}"), started.elapsed());
                return Ok(Ended::Undone);
            }
            Ending::Died { detail } if attempt < RETRIES => {
                board.note(&format!(
                    "{}: its process died ({}); starting it again",
                    cell.folder(),
                    first_line(&detail)
                ));
                continue;
            }
            Ending::Died { detail } => Outcome::Crashed { detail },
        };
        board.end(cell, outcome.label(), started.elapsed());
        let timing = Timing {
            seconds: BTreeMap::from([("total".to_owned(), started.elapsed().as_secs_f64())]),
            ..Timing::default()
        };
        results.claim(cell, options.overwrite)?.fail(&outcome, &timing, &outcome.cause())?;
        return Ok(Ended::Failed);
    }
    Ok(Ended::Failed)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
