//! From cells to tables that can be believed: intervals, comparisons over seeds, and every hole by name.

mod compare;
mod continual;
mod equal;
mod estimate;
mod experiment;
mod footer;
mod section;
mod tradeoff;
mod update;
mod values;
mod view;

use std::collections::BTreeSet;

use evaluation::Drawn;
use spec::Cell;

use crate::error::ResultsError;
use crate::record::{Damaged, FinishedCell};
use crate::table::{Table, latex_escape, markdown_escape, markdown_item, plain, wrap};

/// How a report is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportOptions {
    /// Metrics shown besides each task's main one.
    pub metrics: Vec<String>,
    /// Resamples of every interval over examples; [`evaluation::RESAMPLES`] is usual.
    pub resamples: usize,
    /// Which methods are compared.
    pub pairs: Pairs,
    /// What a verdict is about, beside other seeds.
    pub drawn: Drawn,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self {
            metrics: Vec::new(),
            resamples: evaluation::RESAMPLES,
            pairs: Pairs::Control(None),
            drawn: Drawn::default(),
        }
    }
}

/// Which methods a report compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pairs {
    /// Each with the method of this name; without a name with `ft`, or the first one if there is none.
    Control(Option<String>),
    All,
}

/// A file format of [`Report::render`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned text in blocks of at most `width` columns.
    Terminal {
        width: usize,
        color: bool,
    },
    Markdown,
    /// One line a number, in full precision: the input of other programs.
    Csv,
    Latex,
}

/// Tables of every experiment among some cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub sections: Vec<Section>,
    /// Every estimate behind the tables, one a row.
    pub values: Table,
}

/// The tables of cells that differ in method and seed only.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    pub title: String,
    pub tables: Vec<Table>,
    /// What was run and how it is counted; what is missing or failed.
    pub notes: Vec<String>,
}

/// Builds the report of the planned cells; of all recorded ones if none are planned. The same cells in another order give
/// the same report.
///
/// # Errors
/// None of the records' making: damaged and missing cells are named in the report. [`ResultsError::Refused`] if
/// `options` asks for no resamples, [`ResultsError::UnknownControl`] if no method has the control's name.
pub fn report(
    planned: &[Cell],
    finished: &[FinishedCell],
    damaged: &[Damaged],
    options: &ReportOptions,
) -> Result<Report, ResultsError> {
    if options.resamples == 0 {
        let what = "an interval of 0 resamples was asked for".to_owned();
        return Err(ResultsError::Refused { folder: "report".to_owned(), what });
    }
    let experiments = experiment::group(planned, finished, damaged);
    if let Pairs::Control(Some(name)) = &options.pairs {
        let names: BTreeSet<&str> =
            experiments.iter().flat_map(|one| &one.methods).map(|method| method.label.as_str()).collect();
        if !names.contains(name.as_str()) {
            let known = names.into_iter().collect::<Vec<_>>().join(", ");
            return Err(ResultsError::UnknownControl { name: name.clone(), known });
        }
    }
    let mut values = values::empty();
    let mut sections = Vec::new();
    for experiment in experiments {
        sections.push(section::build(&experiment, options, &mut values)?);
    }
    Ok(Report { sections, values })
}

impl Report {
    pub fn render(&self, format: Format) -> String {
        let mut text = String::new();
        match format {
            Format::Csv => text = self.values.csv(),
            Format::Terminal { width, color } => {
                for section in &self.sections {
                    text.push_str(&format!("{}\n\n", plain(&section.title)));
                    for table in &section.tables {
                        text.push_str(&format!("{}\n", table.terminal(width, color)));
                    }
                    text.extend(section.notes.iter().map(|note| wrap(note, width)));
                    text.push('\n');
                }
            }
            Format::Markdown => {
                for section in &self.sections {
                    text.push_str(&format!("## {}\n\n", markdown_escape(&section.title)));
                    for table in &section.tables {
                        text.push_str(&format!("{}\n", table.markdown()));
                    }
                    text.extend(section.notes.iter().map(|note| markdown_item(note)));
                    text.push('\n');
                }
            }
            Format::Latex => {
                for section in &self.sections {
                    text.push_str(&format!("% {}\n", plain(&section.title)));
                    text.extend(section.tables.iter().map(Table::latex));
                    text.push_str("\\begin{itemize}\n");
                    text.extend(section.notes.iter().map(|note| format!("\\item {}\n", latex_escape(note))));
                    text.push_str("\\end{itemize}\n\n");
                }
            }
        }
        text
    }
}
