//! The long list behind the tables: one estimate a row.

use super::estimate::Estimate;
use super::experiment::Experiment;
use super::view::Row;
use crate::table::Table;

const COLUMNS: [&str; 15] = [
    "protocol",
    "model",
    "backend",
    "experiment",
    "method",
    "moment",
    "probe",
    "task",
    "language",
    "metric",
    "value",
    "low",
    "high",
    "seeds",
    "examples",
];

/// What was estimated.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub moment: u32,
    pub probe: &'a str,
    pub task: &'a str,
    pub language: &'a str,
    pub metric: &'a str,
}

/// The list without a row.
pub(crate) fn empty() -> Table {
    Table::new("values", 10, COLUMNS)
}

pub(crate) fn push(values: &mut Table, experiment: &Experiment, row: &Row, subject: Subject, estimate: &Estimate) {
    let cell = experiment.cell;
    let Estimate { value, interval, examples } = estimate;
    values.push([
        cell.protocol.name.to_string(),
        cell.model.to_string(),
        cell.backend.to_string(),
        experiment.id(),
        row.name.clone(),
        subject.moment.to_string(),
        subject.probe.to_owned(),
        subject.task.to_owned(),
        subject.language.to_owned(),
        subject.metric.to_owned(),
        value.to_string(),
        interval.low.to_string(),
        interval.high.to_string(),
        row.measured.seeds.len().to_string(),
        examples.to_string(),
    ]);
}
