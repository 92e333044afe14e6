use evaluation::{macro_paired_difference, paired_difference};
use spec::Unit;

use super::compare;
use super::continual;
use super::equal;
use super::estimate::{Estimate, Measured, SEED};
use super::experiment::Experiment;
use super::footer;
use super::tradeoff;
use super::update;
use super::values::{self, Subject};
use super::view::{Row, View, views};
use super::{ReportOptions, Section};
use crate::error::ResultsError;
use crate::number::{self, HOLE};
use crate::table::Table;

/// A method's estimates at one moment: of every language of the view, and of the average over its targets.
struct Line {
    languages: Vec<Option<Estimate>>,
    average: Option<Estimate>,
}

/// A method's lines at the probe's first and last moment.
struct Lines<'a> {
    row: &'a Row,
    before: Option<Line>,
    after: Line,
}

pub fn build(experiment: &Experiment, options: &ReportOptions, list: &mut Table) -> Result<Section, ResultsError> {
    let (cell, protocol) = (experiment.cell, &experiment.cell.protocol);
    let title = format!("{} on {} ({})", protocol.name, cell.model, cell.backend);
    if experiment.is_unrun() {
        let count: usize = experiment.methods.iter().map(|method| method.runs.len()).sum();
        let cells = if count == 1 { "its cell is".to_owned() } else { format!("its {count} cells are") };
        return Ok(Section { title, tables: Vec::new(), notes: vec![format!("{cells} not run yet")] });
    }
    let rows: Vec<Row> = experiment
        .methods
        .iter()
        .map(|method| {
            let measured = Measured::read(method);
            let part = measured.seeds.len() < method.runs.len() && !measured.seeds.is_empty();
            let label = format!("{}{}", method.label, if part { " †" } else { "" });
            Row { name: method.label.clone(), label, measured }
        })
        .collect();
    let mut tables = Vec::new();
    let views = views(experiment, options);
    for view in &views {
        let lines: Vec<Lines> = rows
            .iter()
            .map(|row| {
                let before = view.before.map(|moment| view.line(row, moment, options.resamples)).transpose()?;
                Ok(Lines { row, before, after: view.line(row, view.moment, options.resamples)? })
            })
            .collect::<Result<_, ResultsError>>()?;
        if view.before.is_some() {
            tables.push(changes(view, &lines, options.resamples)?);
        }
        if view.before.is_none() || Some(view.probe.task) == protocol.task() {
            tables.push(scores(view, &lines));
        }
        tables.extend(update::tables(view, &rows, &protocol.stages, options));
        tables.extend(compare::methods(view, &rows, options)?);
        tables.extend(footer::spread(view, experiment, &rows, options)?);
        listed(view, experiment, &lines, list);
    }
    // The answer first.
    let answer = tradeoff::table(protocol, &views, &rows).into_iter().chain(equal::table(experiment, &views, &rows)?);
    tables.splice(0..0, answer);
    tables.extend(continual::table(experiment, &rows, options.resamples, list)?);
    let mut notes = footer::setting(experiment, options);
    notes.extend(rows.iter().flat_map(|row| row.measured.faults.iter().cloned()));
    notes.extend(footer::holes(experiment));
    Ok(Section { title, tables, notes })
}

impl View<'_> {
    fn line(&self, row: &Row, moment: u32, resamples: usize) -> Result<Line, ResultsError> {
        let languages = self.languages.iter().map(|&language| {
            let pool = row.measured.get(moment, self.probe, self.metric, language);
            pool.map(|pool| Estimate::of(&pool.contributions, resamples)).transpose()
        });
        let languages = languages.collect::<Result<_, _>>()?;
        let average = match row.measured.all(moment, self.probe, self.metric, &self.targets) {
            Ok(targets) => Some(Estimate::of_average(&targets, resamples)?),
            Err(_) => None,
        };
        Ok(Line { languages, average })
    }

    /// A note on the languages that a method has no score for.
    fn hole(&self, row: &Row, line: &Line) -> Option<String> {
        let lacking = self.languages.iter().zip(&line.languages).filter(|(_, estimate)| estimate.is_none());
        let names: Vec<&str> = lacking.map(|(language, _)| language.code()).collect();
        (!names.is_empty()).then(|| format!("{HOLE} {}: no score for {}", row.name, names.join(", ")))
    }
}

impl Line {
    fn cells(&self, unit: Unit) -> impl Iterator<Item = String> + '_ {
        self.languages.iter().chain([&self.average]).map(move |estimate| match estimate {
            Some(estimate) => number::score(estimate.value, estimate.interval, unit),
            None => HOLE.to_owned(),
        })
    }
}

/// Methods × languages at the probe's last moment.
fn scores(view: &View, lines: &[Lines]) -> Table {
    let title = format!("{}, {}", view.title(), view.in_unit());
    let mut table = Table::new(title, 1, std::iter::once("method".to_owned()).chain(view.columns()));
    for Lines { row, after, .. } in lines {
        table.push(std::iter::once(row.label.clone()).chain(after.cells(view.unit)));
    }
    table.notes.extend(lines.iter().filter_map(|lines| view.hole(lines.row, &lines.after)));
    table
}

/// Methods × languages before, after and by how much it changed.
fn changes(view: &View, lines: &[Lines], resamples: usize) -> Result<Table, ResultsError> {
    let title = format!("{} ({}), before and {}, {}", view.probe.name, view.metric, view.when(), view.in_unit());
    let header = ["method", ""].map(str::to_owned).into_iter().chain(view.columns());
    let mut table = Table::new(title, 2, header);
    for Lines { row, before, after } in lines {
        for (name, line) in [("before", before.as_ref()), ("after", Some(after))] {
            let Some(line) = line else { continue };
            table.push([row.label.clone(), name.to_owned()].into_iter().chain(line.cells(view.unit)));
            table.notes.extend(view.hole(row, line).map(|note| format!("{note} {name}")));
        }
        table.push([row.label.clone(), "change".to_owned()].into_iter().chain(change(view, row, resamples)?));
    }
    Ok(table)
}

/// After minus before on the same examples, in every language and on average.
fn change(view: &View, row: &Row, resamples: usize) -> Result<Vec<String>, ResultsError> {
    let moments = [view.moment, view.before.unwrap_or(view.moment)];
    let mut cells = Vec::new();
    let mut whole = true;
    for &language in &view.languages {
        let pools = moments.map(|moment| row.measured.get(moment, view.probe, view.metric, language));
        cells.push(match pools {
            [Some(after), Some(before)] if after.ids == before.ids => {
                let change = paired_difference(&after.contributions, &before.contributions, SEED, resamples)?;
                number::change(change.difference, change.interval, view.unit)
            }
            _ => {
                whole &= !view.targets.contains(&language);
                HOLE.to_owned()
            }
        });
    }
    cells.push(match moments.map(|moment| row.measured.all(moment, view.probe, view.metric, &view.targets)) {
        [Ok(after), Ok(before)] if whole => {
            let change = macro_paired_difference(&after, &before, SEED, resamples)?;
            number::change(change.difference, change.interval, view.unit)
        }
        _ => HOLE.to_owned(),
    });
    Ok(cells)
}

/// Adds every estimate of a view to the long list.
fn listed(view: &View, experiment: &Experiment, lines: &[Lines], list: &mut Table) {
    let (probe, task) = (view.probe.name.as_str(), view.probe.task.as_str());
    for Lines { row, before, after } in lines {
        for (moment, line) in [(view.before, before.as_ref()), (Some(view.moment), Some(after))] {
            let (Some(moment), Some(line)) = (moment, line) else { continue };
            let names = view.languages.iter().map(|language| language.code()).chain(["avg"]);
            for (language, estimate) in names.zip(line.languages.iter().chain([&line.average])) {
                let Some(estimate) = estimate else { continue };
                let subject = Subject { moment, probe, task, language, metric: view.metric };
                values::push(list, experiment, row, subject, estimate);
            }
        }
    }
}
