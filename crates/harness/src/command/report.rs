//! `harness report`: the tables of a suite from the cells that are done.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use evaluation::Drawn;
use results::{Format, Pairs, ReportOptions, ResultsFolder, Section, Status, Table};
use spec::{Cell, Metric, Suite};

use crate::cli::{Comparison, Folders, Report, TableFormat};
use crate::exit::Exit;
use crate::plan::{self, Plan};
use crate::tuning::{Chosen, Trials};
use crate::{screen, suites};

pub fn run(folders: &Folders, options: &Report) -> Result<Exit> {
    for metric in &options.metric {
        Metric::of(metric)?;
    }
    let suite = plan::narrow(suites::load(&options.suite, options.quick)?, &options.filters)?;
    check(&suite, &options.comparison)?;
    let results = ResultsFolder::read(&folders.results)?;
    let (suite, tuning) = match Trials::new(&suite, folders, options.backend)? {
        None => (suite, None),
        Some(trials) => {
            let Chosen { suite, table, .. } = trials.choose(&results)?;
            (suite, Some(table))
        }
    };
    let plan = Plan::new(suite, folders, options.backend)?;
    if !any_recorded(&plan.cells, &results)? {
        runner::say(format_args!(
            "nothing is recorded of these {} in `{}` yet: `harness sweep {}` runs them",
            screen::counted(plan.cells.len(), "cell"),
            folders.results.display(),
            options.suite
        ));
        return Ok(Exit::NothingSelected);
    }
    print(&plan, &results, options.format, &options.metric, &options.comparison, tuning)?;
    Ok(Exit::Ok)
}

fn any_recorded(cells: &[Cell], results: &ResultsFolder) -> Result<bool> {
    for cell in cells {
        if !matches!(results.status(cell)?, Status::Missing | Status::Partial) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses a control that no method of the suite is, before anything runs.
pub fn check(suite: &Suite, comparison: &Comparison) -> Result<()> {
    let names: BTreeSet<&str> = suite.methods.iter().map(|method| method.name.as_str()).collect();
    match &comparison.control {
        // Of compositions that share a name, tables show `name@hash`.
        Some(control) if !names.contains(control.split('@').next().unwrap_or(control)) => {
            let known = names.into_iter().collect::<Vec<_>>().join(", ");
            bail!("no method is named `{control}`, so that none can be compared with it; there are: {known}")
        }
        _ => Ok(()),
    }
}

/// Prints the report on standard output; `metrics` are shown besides each task's main one. What was tuned stands first.
pub fn print(
    plan: &Plan,
    results: &ResultsFolder,
    format: TableFormat,
    metrics: &[String],
    comparison: &Comparison,
    tuning: Option<Table>,
) -> Result<()> {
    let (finished, damaged) = results.finished()?;
    let options = ReportOptions {
        metrics: metrics.to_vec(),
        pairs: if comparison.all_pairs { Pairs::All } else { Pairs::Control(comparison.control.clone()) },
        drawn: if comparison.over_languages { Drawn::Languages } else { Drawn::Examples },
        ..ReportOptions::default()
    };
    let mut report = results::report(&plan.cells, &finished, &damaged, &options)?;
    let tuning = tuning.map(|table| Section { title: "Tuning".to_owned(), tables: vec![table], notes: Vec::new() });
    report.sections.splice(0..0, tuning);
    let text = report.render(match format {
        TableFormat::Terminal => Format::Terminal { width: screen::width(), color: screen::color() },
        TableFormat::Markdown => Format::Markdown,
        TableFormat::Csv => Format::Csv,
        TableFormat::Latex => Format::Latex,
    });
    screen::write(|out| out.write_all(text.as_bytes()))?;
    Ok(())
}
