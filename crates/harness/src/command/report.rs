//! `harness report`: the tables of a suite from the cells that are done.

use std::io::Write;

use anyhow::Result;
use results::{Format, ReportOptions, ResultsFolder};

use crate::cli::{Folders, Report, TableFormat};
use crate::exit::Exit;
use crate::plan::{self, Plan};
use crate::{screen, suites};

pub fn run(folders: &Folders, options: &Report) -> Result<Exit> {
    let suite = plan::narrow(suites::load(&options.suite, options.quick)?, &options.filters)?;
    let plan = Plan::new(suite, folders, options.backend)?;
    print(&plan, &ResultsFolder::read(&folders.results)?, options.format, &options.metric)?;
    Ok(Exit::Ok)
}

/// Prints the report on standard output; `metrics` are shown besides each task's main one.
pub fn print(plan: &Plan, results: &ResultsFolder, format: TableFormat, metrics: &[String]) -> Result<()> {
    let (finished, damaged) = results.finished()?;
    let options = ReportOptions { metrics: metrics.to_vec(), resamples: evaluation::RESAMPLES };
    let report = results::report(&plan.cells, &finished, &damaged, &options)?;
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
