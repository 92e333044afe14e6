//! `harness sweep`: every cell of a suite that is not done yet, then its tables.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use model::ModelConfig;
use results::{ResultsError, ResultsFolder, Status, Table};
use spec::Cell;

use runner::cost;

use crate::cli::{Folders, Sweep, TableFormat};
use crate::exit::Exit;
use crate::plan::{self, Plan};
use crate::scheduler::{self, Options, Summary};
use crate::tuning::{Chosen, Trials};
use crate::{places, screen, suites};

const AGAIN: &str = "run them again with --overwrite failed";

pub fn run(folders: &Folders, options: &Sweep) -> Result<Exit> {
    let suite = plan::narrow(suites::load(&options.suite, options.quick)?, &options.filters)?;
    super::report::check(&suite, &options.comparison)?;
    let results = ResultsFolder::open(&folders.results)?;
    let (suite, tuning) = match Trials::new(&suite, folders, options.backend)? {
        None => (suite, None),
        Some(trials) => match search(trials, folders, options, &results)? {
            Search::Chosen(chosen) => (chosen.suite, Some(chosen.table)),
            Search::Ended(exit) => return Ok(exit),
        },
    };
    let plan = Plan::new(suite, folders, options.backend)?;
    let part = Part::of(&plan.cells, &plan.model, options, &results)?;
    if part.mine.is_empty() {
        runner::say(format_args!(
            "nothing selected: the filters or the shard leave no cell of suite `{}`",
            plan.suite.name
        ));
        return Ok(Exit::NothingSelected);
    }
    if options.dry_run {
        return part.dry_run(&results);
    }
    let summary = part.run("cells", folders, options)?;
    super::report::print(&plan, &results, TableFormat::Terminal, &[], &options.comparison, tuning)?;
    verdict(&summary, &plan.cells, &results, AGAIN)
}

/// How a search for settings ended.
pub enum Search {
    Chosen(Box<Chosen>),
    /// Nothing can be chosen yet, or nothing was to be run.
    Ended(Exit),
}

/// Runs the trials that are not done yet, and chooses.
pub fn search(trials: Trials, folders: &Folders, options: &Sweep, results: &ResultsFolder) -> Result<Search> {
    let part = Part::of(&trials.cells, &trials.model, options, results)?;
    if options.dry_run && trials.missing(results)? > 0 {
        let exit = part.dry_run(results)?;
        screen::print("these are the trials of the tuning; the cells themselves follow from what they say")?;
        return Ok(Search::Ended(exit));
    }
    if !options.dry_run && !part.todo.is_empty() {
        let summary = part.run("trials of the tuning", folders, options)?;
        let exit = verdict(&summary, &[], results, AGAIN)?;
        if exit != Exit::Ok {
            return Ok(Search::Ended(exit));
        }
    }
    let missing = trials.missing(results)?;
    if missing > 0 {
        runner::say(format_args!(
            "{missing} trials are left to other shards or a further run; when they are done the same command carries on"
        ));
        return Ok(Search::Ended(Exit::Interrupted));
    }
    Ok(Search::Chosen(Box::new(trials.choose(results)?)))
}

/// The cells of this call's shard, and those of them that are to run.
struct Part<'a> {
    mine: Vec<Cell>,
    statuses: Vec<Status>,
    /// Which of them are to run.
    waits: Vec<bool>,
    todo: Vec<Cell>,
    model: &'a Path,
}

impl<'a> Part<'a> {
    fn of(cells: &[Cell], model: &'a Path, options: &Sweep, results: &ResultsFolder) -> Result<Self> {
        let in_shard = |cell: &&Cell| options.shard.is_none_or(|shard| cell.id().shard(shard.of) == shard.index);
        let mine: Vec<Cell> = cells.iter().filter(in_shard).cloned().collect();
        let (mut todo, mut statuses, mut waits) = (Vec::new(), Vec::new(), Vec::new());
        for cell in &mine {
            let status = results.status(cell)?;
            let runs = options.overwrite.runs(&status) && options.limit.is_none_or(|limit| todo.len() < limit);
            todo.extend(runs.then(|| cell.clone()));
            statuses.push(status);
            waits.push(runs);
        }
        Ok(Self { mine, statuses, waits, todo, model })
    }

    fn run(&self, what: &str, folders: &Folders, options: &Sweep) -> Result<Summary> {
        places::check_text(folders, &[self.model])?;
        for ((cell, status), waits) in self.mine.iter().zip(&self.statuses).zip(&self.waits) {
            if let Status::Damaged { why } = status {
                // Set aside by whoever claims the cell, which may find that it is whole by then.
                let then = if *waits { "it runs again" } else { "they are left as they are" };
                runner::say(format_args!("warning: the results of {} are damaged ({why}); {then}", cell.folder()));
            }
        }
        runner::say(format_args!(
            "{} of {} {what} to run in `{}`",
            self.todo.len(),
            self.mine.len(),
            folders.results.display()
        ));
        let limits = Options {
            jobs: options.jobs.map_or_else(|| scheduler::jobs(self.model), usize::from),
            limit: options.timeout.map(|minutes| Duration::from_secs(minutes.saturating_mul(60))),
            checkpoint_seconds: options.checkpoint_every,
            fail_fast: options.fail_fast,
            overwrite: options.overwrite,
            save: None,
        };
        scheduler::run(&self.todo, self.model, folders, &limits)
    }

    /// Shows what would run, what is done, and what it may cost.
    fn dry_run(&self, results: &ResultsFolder) -> Result<Exit> {
        let Self { mine: cells, statuses, waits, todo, model } = self;
        let rate = Rate::measured(cells, model, results)?;
        let mut table =
            Table::new("Cells", 5, ["protocol", "method", "settings of its own", "seed", "state", "estimate"]);
        for ((cell, status), &waits) in cells.iter().zip(statuses).zip(waits) {
            let state = match status {
                Status::Missing => "to run".to_owned(),
                Status::Partial => "to resume".to_owned(),
                Status::Finished(outcome) => outcome.label().to_owned(),
                Status::Damaged { why } => format!("damaged: {why}"),
                Status::Unreadable { why } => why.clone(),
            };
            let estimate = if waits { rate.time(cost::tokens(cell)) } else { String::new() };
            table.push([
                cell.protocol.name.to_string(),
                cell.method.name.to_string(),
                cell.method.settings.to_string(),
                cell.seed.to_string(),
                state,
                estimate,
            ]);
        }
        screen::print(table.terminal(screen::width(), screen::color()))?;
        let summary = format!("{} cells to run, {} in all", todo.len(), cells.len());
        if todo.is_empty() {
            screen::print(summary)?;
        } else {
            let total = cost::together(todo);
            screen::print(format_args!("{summary}: {} ({})", rate.time(total), rate.basis))?;
        }
        Ok(Exit::Ok)
    }
}

/// Says on standard error how the cells ended; `again` is how to repeat those that failed.
pub fn verdict(summary: &Summary, cells: &[Cell], results: &ResultsFolder, again: &str) -> Result<Exit> {
    if let Some(reason) = &summary.stopped {
        runner::say(format_args!(
            "error: the sweep stopped: {reason}\nhint: nothing that is done is lost; the same command carries on"
        ));
        return Ok(Exit::Results);
    }
    if summary.interrupted {
        runner::say("interrupted; the same command carries on");
        return Ok(Exit::Interrupted);
    }
    if summary.busy > 0 {
        runner::say(format_args!("{} cells are being run by another process", summary.busy));
    }
    if summary.undone > 0 {
        runner::say(format_args!(
            "{} cells are left undone, for reasons said above that are not theirs; once these are mended the same command carries on",
            summary.undone
        ));
    }
    let (mut failed, mut skipped, mut unreadable) = (0, 0, false);
    for cell in cells {
        match results.status(cell)? {
            Status::Finished(spec::Outcome::Skipped { .. }) => skipped += 1,
            Status::Finished(outcome) if outcome != spec::Outcome::Done => failed += 1,
            Status::Unreadable { why } => {
                runner::say(format_args!("error: {}", ResultsError::Unreadable { folder: cell.folder(), why }));
                unreadable = true;
            }
            // Those that this command runs again are damaged no more.
            Status::Damaged { .. } => unreadable = true,
            _ => {}
        }
    }
    if skipped > 0 {
        runner::say(format_args!("{skipped} cells were skipped; the report says why"));
    }
    if failed > 0 {
        runner::say(format_args!("{failed} cells failed; {again}"));
    }
    Ok(match (unreadable, failed) {
        (true, _) => Exit::Results,
        (false, 0) if summary.busy + summary.undone > 0 => Exit::Unfinished,
        (false, 0) => Exit::Ok,
        _ => Exit::CellsFailed,
    })
}

/// Tokens a second, for estimates.
struct Rate {
    tokens: f64,
    basis: &'static str,
}

impl Rate {
    /// Floating-point operations a second that two cores of a laptop sustain.
    const GUESS: f64 = 3e10;

    /// From finished cells of the same model and back end, or from the model's size if there are none.
    fn measured(cells: &[Cell], model: &Path, results: &ResultsFolder) -> Result<Self> {
        let config = ModelConfig::read(&model.join("config.json"))?;
        let layer = 4 * config.hidden_size.pow(2) + 2 * config.hidden_size * config.intermediate_size;
        let guess = Self::GUESS / (2 * config.num_hidden_layers * layer) as f64;
        let Some(first) = cells.first() else { return Ok(Rate { tokens: guess, basis: "a guess" }) };
        let finished = results.finished().map(|(finished, _)| finished).unwrap_or_default();
        let (tokens, seconds) = finished
            .iter()
            .filter(|done| done.cell.model_hash == first.model_hash && done.cell.backend == first.backend)
            .filter(|done| done.outcome == spec::Outcome::Done)
            .filter_map(|done| Some((&done.cell, done.timing.as_ref()?)))
            .filter(|(_, timing)| timing.steps_of_other_cells == 0)
            .map(|(cell, timing)| (cost::tokens(cell), timing.seconds.values().sum::<f64>()))
            .fold((0.0, 0.0), |(tokens, seconds), (t, s)| (tokens + t, seconds + s));
        Ok(match seconds > 0.0 {
            true => Rate { tokens: tokens / seconds, basis: "from cells of this model that are done" },
            false => Rate { tokens: guess, basis: "a rough guess until a first cell is done" },
        })
    }

    fn time(&self, tokens: f64) -> String {
        let minutes = tokens / self.tokens / 60.0;
        if minutes < 90.0 { format!("about {minutes:.0} min") } else { format!("about {:.1} h", minutes / 60.0) }
    }
}
