//! `harness run`: one cell from flags, ending with a saved model.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use files::Unfinished;
use results::{Overwrite, ResultsFolder, Status};
use spec::{Cell, Decay, ExampleRows, Method, Name, Outcome, Probe, Protocol, Split, Stage, Suite};

use crate::cli::{Comparison, Folders, RunOne, TableFormat};
use crate::exit::Exit;
use crate::plan::Plan;
use crate::{places, scheduler};

pub fn run(folders: &Folders, options: &RunOne) -> Result<Exit> {
    if let Some(save) = &options.save
        && save.exists()
        && !Unfinished::work_folder(save).exists()
    {
        bail!("`{}` exists already; --save wants a new folder", save.display());
    }
    let model = places::find_model(folders, &options.model)?;
    let name = model.file_name().and_then(|name| name.to_str()).context("the model folder has no name")?;
    let mut folders = folders.clone();
    if let Some(parent) = model.parent() {
        folders.models = parent.to_owned();
    }
    let saved: Vec<&Path> = options.save.iter().map(PathBuf::as_path).collect();
    places::check_text(&folders, &[&[model.as_path()][..], &saved].concat())?;
    let suite = suite(options, Name::new(name)?)?;
    let plan = Plan::new(suite, &folders, options.backend)?;
    let limits = scheduler::Options {
        jobs: 1,
        limit: None,
        checkpoint_seconds: 60,
        fail_fast: false,
        // A finished cell keeps no model: to save one it runs again.
        overwrite: if options.save.is_some() { Overwrite::Always } else { Overwrite::Failed },
        save: options.save.clone(),
    };
    let results = ResultsFolder::open(&folders.results)?;
    let mut todo = Vec::new();
    for cell in &plan.cells {
        if limits.overwrite.runs(&results.status(cell)?) {
            todo.push(cell.clone());
        }
    }
    let saved = match (&options.save, todo.as_slice()) {
        (Some(save), [cell]) if save.exists() => finish(save, cell, &results)?,
        _ => false,
    };
    if saved {
        todo.clear();
    }
    if let (Some(save), [cell]) = (&options.save, todo.as_slice()) {
        // What is in the way is told before anything is trained.
        let place = Unfinished::claim(save, &cell.folder());
        if place.with_context(|| format!("cannot save a model to `{}`", save.display()))?.is_none() {
            bail!("another process saves a model to `{}`", save.display());
        }
    }
    let summary = scheduler::run(&todo, &plan.model, &folders, &limits)?;
    super::report::print(&plan, &results, TableFormat::Terminal, &[], &Comparison::default(), None)?;
    if let Some(save) = options.save.as_ref().filter(|_| saved || summary.done > 0) {
        runner::say(format_args!("the updated model is in `{}`", save.display()));
    }
    super::sweep::verdict(&summary, &plan.cells, &results, "the same command runs them again")
}

/// Ends what a process left that was killed when the model was saved and the cell recorded. Gives whether one was.
fn finish(save: &Path, cell: &Cell, results: &ResultsFolder) -> Result<bool> {
    let unfinished = Unfinished::claim(save, &cell.folder());
    let unfinished = unfinished.with_context(|| format!("cannot save the model to `{}`", save.display()))?;
    let Some(unfinished) = unfinished.filter(|one| one.is_published()) else { return Ok(false) };
    if results.status(cell)? != Status::Finished(Outcome::Done) {
        return Ok(false);
    }
    // This removes the work of a cell that is recorded.
    let _ = results.claim(cell, Overwrite::Never);
    unfinished.finish()?;
    Ok(true)
}

/// The suite of one cell that the flags describe; written as text so that the checks of suites apply.
fn suite(options: &RunOne, model: Name) -> Result<Suite> {
    let stride = match options.task.description().rows {
        ExampleRows::Windows => options.stride.unwrap_or(options.max_length / 4),
        _ => options.stride.unwrap_or(0),
    };
    let method: Method = spec::preset(&options.method)?.method(Name::new(options.method.as_str())?);
    let probe = Probe {
        name: options.eval.clone(),
        task: options.task,
        data: options.eval.clone(),
        split: options.eval_split,
        languages: options.targets.clone(),
        examples: options.eval_examples,
        max_length: options.max_length,
        stride,
        prefix: String::new(),
        layer: None,
        adapt: None,
    };
    let stage = Stage {
        task: options.task,
        data: options.train.clone(),
        split: Split::Train,
        languages: options.sources.clone(),
        examples: options.examples,
        steps: options.steps,
        batch: options.batch,
        learning_rate: options.learning_rate,
        weight_decay: options.weight_decay,
        warmup: options.warmup,
        decay: Decay::default(),
        clip: options.clip,
        max_length: options.max_length,
        stride,
        parser: None,
        trace_every: None,
        probe_every: None,
        memories: Vec::new(),
        probes: vec![probe],
    };
    let protocol = Protocol { name: Name::new(options.task.as_str())?, before: Vec::new(), stages: vec![stage] };
    let suite = Suite {
        name: Name::new("run")?,
        description: "one cell".to_owned(),
        model,
        seeds: vec![options.seed],
        methods: vec![method],
        protocols: vec![protocol],
        adjusted: BTreeMap::new(),
        tuning: None,
    };
    suite.check()?;
    Ok(suite)
}
