//! `harness report`: the tables of a suite from the cells that are done.

use std::io::Write;

use anyhow::Result;
use results::{Format, ReportOptions, ResultsFolder, Section, Table};
use spec::Metric;

use crate::cli::{Folders, Report, TableFormat};
use crate::exit::Exit;
use crate::plan::{self, Plan};
use crate::tuning::{Chosen, Trials};
use crate::{screen, suites};

pub fn run(folders: &Folders, options: &Report) -> Result<Exit> {
    for metric in &options.metric {
        Metric::of(metric)?;
    }
    let suite = plan::narrow(suites::load(&options.suite, options.quick)?, &options.filters)?;
    let results = ResultsFolder::read(&folders.results)?;
    let (suite, tuning) = match Trials::new(&suite, folders, options.backend)? {
        None => (suite, None),
        Some(trials) => {
            let Chosen { suite, table, .. } = trials.choose(&results)?;
            (suite, Some(table))
        }
    };
    let plan = Plan::new(suite, folders, options.backend)?;
    print(&plan, &results, options.format, &options.metric, tuning)?;
    Ok(Exit::Ok)
}

/// Prints the report on standard output; `metrics` are shown besides each task's main one. What was tuned stands first.
pub fn print(
    plan: &Plan,
    results: &ResultsFolder,
    format: TableFormat,
    metrics: &[String],
    tuning: Option<Table>,
) -> Result<()> {
    let (finished, damaged) = results.finished()?;
    let options = ReportOptions { metrics: metrics.to_vec(), resamples: evaluation::RESAMPLES };
    let mut report = results::report(&plan.cells, &finished, &damaged, &options)?;
    let tuning = tuning.map(|table| Section { title: "Tuning".to_owned(), tables: vec![table], notes: Vec::new() });
    report.sections.splice(0..0, tuning);
    let text = report.render(match format {
        TableFormat::Terminal => Format::Terminal { width: screen::width(), color: screen::color() },
        TableFormat::Markdown => Format::Markdown,
        TableFormat::Csv => Format::Csv,
        TableFormat::Latex => Format::Latex,
    });
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
