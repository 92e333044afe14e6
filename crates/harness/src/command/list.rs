//! `harness list`: suites, methods, tasks, models, data.

use anyhow::Result;
use results::Table;
use spec::Task;

use crate::cli::{Folders, Listing};
use crate::exit::Exit;
use crate::{places, screen, suites};

const EVERYTHING: [Listing; 6] =
    [Listing::Suites, Listing::Methods, Listing::Tasks, Listing::Formats, Listing::Models, Listing::Data];

pub fn run(folders: &Folders, what: Option<Listing>) -> Result<Exit> {
    let wanted: &[Listing] = match &what {
        Some(one) => std::slice::from_ref(one),
        None => &EVERYTHING,
    };
    let mut exit = Exit::Ok;
    for listing in wanted {
        match listing {
            Listing::Suites => list_suites()?,
            Listing::Methods => list_methods()?,
            Listing::Tasks => list_tasks()?,
            Listing::Formats => list_formats()?,
            Listing::Models => list_models(folders)?,
            Listing::Data => exit = list_data(folders)?,
        }
    }
    Ok(exit)
}

/// Short columns as a table, and what needs sentences below it.
fn table(
    title: &str,
    header: &[&str],
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
    empty: &str,
) -> Result<(), screen::Unwritable> {
    if rows.is_empty() {
        return screen::print(format_args!("{title}: {empty}\n"));
    }
    let mut table = Table::new(title, header.len(), header.iter().copied());
    rows.into_iter().for_each(|row| table.push(row));
    table.notes = notes;
    screen::print(table.terminal(screen::width(), screen::color()))
}

fn list_suites() -> Result<()> {
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for suite in suites::shipped() {
        let suite = suite?;
        let trials = suite.trials()?.len() * suite.tuning.as_ref().map_or(0, |tuning| tuning.seeds.len());
        let cells = suite.work().count();
        let cells = if trials > 0 { format!("{cells} + {trials} trials") } else { cells.to_string() };
        let protocols: Vec<&str> = suite.protocols.iter().map(|protocol| protocol.name.as_str()).collect();
        let methods: Vec<&str> = suite.methods.iter().map(|method| method.name.as_str()).collect();
        rows.push(vec![
            suite.name.to_string(),
            suite.model.to_string(),
            protocols.join(", "),
            methods.join(", "),
            cells,
        ]);
        notes.push(format!("{}: {}", suite.name, suite.description));
    }
    table("Suites", &["suite", "model", "protocols", "methods", "cells"], rows, notes, "none")?;
    Ok(())
}

fn list_methods() -> Result<(), screen::Unwritable> {
    let presets = spec::presets();
    let rows = presets.iter().map(|p| [p.name, p.fidelity, p.summary].map(str::to_owned).to_vec()).collect();
    let notes = vec!["`harness explain METHOD` tells a method's source, knobs and composition".to_owned()];
    table("Methods", &["method", "fidelity", "what it does"], rows, notes, "none")
}

fn list_tasks() -> Result<(), screen::Unwritable> {
    let rows = Task::ALL
        .iter()
        .map(|task| {
            let trained = if task.is_trained() { "trained and probed" } else { "probed" };
            vec![
                task.to_string(),
                task.description().summary.to_owned(),
                trained.to_owned(),
                task.main_metric().to_owned(),
            ]
        })
        .collect();
    table("Tasks", &["task", "what", "use", "main metric"], rows, Vec::new(), "none")
}

fn list_formats() -> Result<(), screen::Unwritable> {
    let row =
        |format: tasks::Format| [format.as_str(), format.task().as_str(), format.about()].map(str::to_owned).to_vec();
    let rows = tasks::Format::all().into_iter().map(row).collect();
    table("Formats", &["format", "task", "what"], rows, Vec::new(), "none")
}

fn list_models(folders: &Folders) -> Result<()> {
    let rows = places::models(folders)?
        .into_iter()
        .map(|(name, path)| {
            let shape = match model::ModelConfig::read(&path.join("config.json")) {
                Ok(config) => format!(
                    "{} layers x {}, {} pieces",
                    config.num_hidden_layers, config.hidden_size, config.vocab_size
                ),
                Err(error) => format!("unusable: {error}"),
            };
            vec![name, shape, path.display().to_string()]
        })
        .collect();
    let empty = format!("none in `{}` (set --models or LETHE_REAL)", folders.models.display());
    table("Models", &["model", "encoder", "folder"], rows, Vec::new(), &empty)?;
    Ok(())
}

/// One row a data set, task and split. What is wrong with other sets is said, and has its exit code.
fn list_data(folders: &Folders) -> Result<Exit> {
    let mut rows = Vec::new();
    let (manifests, faults) = places::data(&folders.data, &folders.cache)?.list()?;
    for fault in &faults {
        runner::say(format_args!("error: {fault}"));
    }
    for manifest in manifests {
        let mut groups: std::collections::BTreeMap<(Task, spec::Split), (Vec<&str>, usize, &str)> = Default::default();
        for file in &manifest.entries {
            let group = groups.entry((file.task, file.split)).or_insert((Vec::new(), 0, &file.licence));
            group.0.push(file.language.code());
            group.1 += file.rows;
        }
        for ((task, split), (languages, count, licence)) in groups {
            let languages =
                if languages.len() > 30 { format!("{} languages", languages.len()) } else { languages.join(" ") };
            rows.push(vec![
                manifest.dataset.to_string(),
                task.to_string(),
                split.to_string(),
                languages,
                count.to_string(),
                licence.to_owned(),
            ]);
        }
    }
    let empty = format!("none in `{}` (see `harness data import --help`)", folders.data.display());
    table("Data", &["data set", "task", "split", "languages", "rows", "licence"], rows, Vec::new(), &empty)?;
    Ok(if faults.is_empty() { Exit::Ok } else { Exit::Usage })
}
