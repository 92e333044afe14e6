//! `harness data`: import, generate, list, check.

use anyhow::{Context, Result, bail};
use data::{CheckLine, DataFolder};
use miniworld::Sizes;
use spec::{Labels, Language};
use tasks::{ImportFile, Input, Selection};

use crate::cli::{DataCommand, Folders, Generate, Import, Listing};
use crate::exit::Exit;
use crate::{places, screen};

pub fn run(folders: &Folders, command: DataCommand) -> Result<Exit> {
    match command {
        DataCommand::Import(options) => import(folders, options),
        DataCommand::Generate(options) => generate(folders, &options),
        DataCommand::List => super::list::run(folders, Some(Listing::Data)),
        DataCommand::Check => check(folders),
    }
}

fn import(folders: &Folders, options: Import) -> Result<Exit> {
    let folder = places::data(&folders.data, &folders.cache)?;
    let mut say = |line: &str| runner::say(line);
    let entries = match options.format {
        None if options.source.iter().any(|source| source.is_file()) => {
            bail!("single files need their --format, --name, --language and --split")
        }
        None => {
            let selection = Selection { datasets: options.only, languages: options.only_language };
            let imported = options.source.iter().map(|source| tasks::import(source, &folder, &selection, &mut say));
            imported.collect::<Result<Vec<_>, _>>()?.concat()
        }
        Some(format) => {
            let file = ImportFile {
                format,
                input: Input {
                    paths: options.source,
                    language: options.language.context("files need --language")?,
                    labels: Labels::new(options.labels)?,
                    columns: options.columns.named(),
                    unlabelled: false,
                },
                dataset: options.name.context("files need --name, the data set they become part of")?,
                task: format.task(),
                split: options.split.context("files need --split")?,
                licence: options.licence,
                source: String::new(),
            };
            vec![tasks::import_file(&file, &folder, &mut say)?]
        }
    };
    let rows: usize = entries.iter().map(|entry| entry.rows).sum();
    runner::say(format_args!("{} in `{}`", stored(entries.len(), rows), folders.data.display()));
    Ok(Exit::Ok)
}

fn generate(folders: &Folders, options: &Generate) -> Result<Exit> {
    let sizes = Sizes::default().scaled(options.scale)?;
    let languages = match options.languages.as_slice() {
        [] => miniworld::Language::ALL.map(Language::from).to_vec(),
        named => named.to_vec(),
    };
    let folder = DataFolder::open(&folders.data);
    let mut say = |line: &str| runner::say(line);
    let entries = miniworld::generate(&sizes, options.seed, &languages, &folder, &options.name, &mut say)?;
    let rows: usize = entries.iter().map(|entry| entry.rows).sum();
    runner::say(format_args!(
        "data set `{}`: {} in `{}`",
        options.name,
        stored(entries.len(), rows),
        folders.data.display()
    ));
    Ok(Exit::Ok)
}

/// `1 file with 3 rows is`
fn stored(files: usize, rows: usize) -> String {
    let are = if files == 1 { "is" } else { "are" };
    format!("{} with {} {are}", screen::counted(files, "file"), screen::counted(rows, "row"))
}

fn check(folders: &Folders) -> Result<Exit> {
    let (lines, faults) = places::data(&folders.data, &folders.cache)?.check(&mut |line| runner::say(line))?;
    let mut damaged = faults.len();
    for fault in faults {
        screen::print(format_args!("damaged  {}", runner::harmless(&fault.to_string())))?;
    }
    for line in &lines {
        if let Some(why) = &line.damage {
            damaged += 1;
            screen::print(format_args!("damaged  {}: {}", line.key, runner::harmless(why)))?;
        } else if line.seen_in_training > 0 {
            let CheckLine { key, rows, seen_in_training, .. } = line;
            screen::print(format_args!(
                "ok       {key}: {seen_in_training} of {rows} texts are in the train split too"
            ))?;
        } else {
            screen::print(format_args!("ok       {}", line.key))?;
        }
    }
    runner::say(format_args!("{}, {damaged} damaged", screen::counted(lines.len(), "file")));
    Ok(if damaged == 0 { Exit::Ok } else { Exit::Usage })
}
