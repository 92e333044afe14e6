use std::collections::BTreeMap;

use spec::{Language, Probe, Unit};

use super::ReportOptions;
use super::compare;
use super::experiment::{Experiment, State};
use super::view::{Row, View, distinct_probes};
use crate::error::ResultsError;
use crate::number;
use crate::table::Table;

/// Names listed before "and n more".
const MOST_NAMES: usize = 10;

/// What was run, on what, and how to read the numbers.
pub(crate) fn setting(experiment: &Experiment, options: &ReportOptions) -> Vec<String> {
    let cell = experiment.cell;
    let short = &cell.model_hash[..cell.model_hash.len().min(12)];
    let mut notes = vec![format!(
        "model {} ({short}), back end {}, numeric version {}, experiment {}",
        cell.model,
        cell.backend,
        cell.numeric_version,
        experiment.id()
    )];
    for (number, stage) in cell.protocol.stages.iter().enumerate() {
        let most = stage.examples.map_or("all".to_owned(), |portion| portion.to_string());
        notes.push(format!(
            "stage {}: {} on {} {}, {}, {most} examples a language; {} steps of {}, learning rate {:e}",
            number + 1,
            stage.task,
            stage.data,
            stage.split,
            codes(&stage.languages),
            stage.steps,
            stage.batch,
            stage.learning_rate,
        ));
    }
    let own = experiment.methods.iter().filter_map(|method| {
        let settings = &method.runs.first()?.cell.method.settings;
        (!settings.is_empty()).then(|| format!("{}: {settings}", method.label))
    });
    let own: Vec<String> = own.collect();
    if !own.is_empty() {
        notes.push(format!("with settings of their own: {}", own.join("; ")));
    }
    notes.extend(distinct_probes(&cell.protocol).into_iter().map(|probe| {
        format!("probe {}: {} {}, {}", probe.name, probe.data, probe.split, example_counts(experiment, probe))
    }));
    let seeds = experiment.methods.iter().map(|method| {
        let done: Vec<String> = method.done().map(|finished| finished.cell.seed.to_string()).collect();
        let done = if done.is_empty() { "none".to_owned() } else { done.join(", ") };
        let wanted = method.runs.len();
        let part = if method.done().count() < wanted { format!(" († of {wanted} planned)") } else { String::new() };
        format!("{} {done}{part}", method.label)
    });
    notes.push(format!("seeds: {}", seeds.collect::<Vec<_>>().join("; ")));
    notes.push(format!(
        "±: half of the 95 % percentile bootstrap interval over examples ({} resamples), languages fixed; over seeds, \
         what each example contributes is averaged before dividing",
        options.resamples
    ));
    notes.push(
        "* source language; avg: unweighted mean over the other languages (over all where there are none)".to_owned(),
    );
    notes
}

/// `500 examples each` or `de 480, en 500`, as counted in the first record that has the probe.
fn example_counts(experiment: &Experiment, probe: &Probe) -> String {
    let mut counts: BTreeMap<Language, u64> = BTreeMap::new();
    for finished in experiment.methods.iter().flat_map(|method| method.done()) {
        // Unreadable records are named elsewhere.
        for score in finished.scores().unwrap_or_default().iter().filter(|score| score.probe == probe.name) {
            counts.entry(score.language).or_insert(score.examples);
        }
        if !counts.is_empty() {
            break;
        }
    }
    let mut distinct: Vec<u64> = counts.values().copied().collect();
    distinct.sort_unstable();
    distinct.dedup();
    match distinct.as_slice() {
        [] => "not measured yet".to_owned(),
        [one] => format!("{one} examples a language"),
        _ => {
            let counts: Vec<String> = counts.iter().map(|(language, n)| format!("{language} {n}")).collect();
            format!("examples: {}", counts.join(", "))
        }
    }
}

/// Mean and standard deviation over the seeds of every method that has several, and an interval of the average over seeds and
/// examples; `None` where none has. `rows` are those of the experiment's methods.
pub(crate) fn spread(
    view: &View,
    experiment: &Experiment,
    rows: &[Row],
    options: &ReportOptions,
) -> Result<Option<Table>, ResultsError> {
    let title = match view.unit {
        Unit::Share => format!("{}: spread over seeds", view.title()),
        Unit::Nats => format!("{}: spread over seeds, {}", view.title(), view.in_unit()),
    };
    let header = ["method", "seeds"].map(str::to_owned).into_iter().chain(view.columns());
    let mut table = Table::new(title, 2, header.chain(["interval".to_owned()]));
    for (method, row) in experiment.methods.iter().zip(rows) {
        let mut seeds: Vec<BTreeMap<Language, f64>> = Vec::new();
        for finished in method.done() {
            let Ok(scores) = finished.scores() else { continue };
            let wanted = scores.into_iter().filter(|score| {
                score.moment == view.moment && score.probe == view.probe.name && score.metric == view.metric
            });
            seeds.push(wanted.map(|score| (score.language, score.value)).collect());
        }
        if seeds.len() < 2 {
            continue;
        }
        let mut cells = vec![method.label.clone(), seeds.len().to_string()];
        let average = |scores: &BTreeMap<Language, f64>| {
            let targets: Option<Vec<f64>> = view.targets.iter().map(|language| scores.get(language).copied()).collect();
            targets.map(|targets| targets.iter().sum::<f64>() / targets.len() as f64)
        };
        for &language in &view.languages {
            let values = seeds.iter().map(|scores| scores.get(&language).copied()).collect();
            cells.push(mean_and_deviation(values, view.unit));
        }
        cells.push(mean_and_deviation(seeds.iter().map(average).collect(), view.unit));
        let runs = row.measured.runs(view.moment, view.probe, view.metric, &view.targets);
        // What has too few examples or languages for an interval has none.
        let interval = runs.ok().and_then(|runs| evaluation::score(&runs, options.drawn).ok());
        cells.push(match interval {
            Some((mean, Some(interval))) => number::score(mean, interval, view.unit),
            _ => number::HOLE.to_owned(),
        });
        table.push(cells);
    }
    if table.rows.is_empty() {
        return Ok(None);
    }
    table.notes.push(format!(
        "mean over seeds, and their standard deviation (n − 1) in brackets; interval: avg ± half of its 95 % interval when \
         seeds and {} are drawn anew (Student's t)",
        compare::drawn(options)
    ));
    Ok(Some(table))
}

/// `62.1 (0.8)`; a hole if any seed lacks the value.
fn mean_and_deviation(values: Option<Vec<f64>>, unit: Unit) -> String {
    let Some(values) = values else { return number::HOLE.to_owned() };
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    format!("{} ({})", number::plain(mean, unit), number::plain(deviation, unit))
}

/// Cells that gave no score, by name and cause.
pub(crate) fn holes(experiment: &Experiment) -> Vec<String> {
    let mut notes = Vec::new();
    let mut not_run = Vec::new();
    for run in experiment.methods.iter().flat_map(|method| &method.runs) {
        let folder = run.cell.folder();
        match &run.state {
            State::Done(_) => {}
            State::Failed(outcome) => notes.push(match outcome.cause() {
                cause if cause.is_empty() => format!("{folder}: {}", outcome.label()),
                cause => format!("{folder}: {}: {cause}", outcome.label()),
            }),
            State::Damaged(why) => notes.push(format!("{folder}: {why}")),
            State::NotRun => not_run.push(folder),
        }
    }
    if !not_run.is_empty() {
        let more = not_run.len().saturating_sub(MOST_NAMES);
        let names = not_run[..not_run.len() - more].join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        notes.push(format!("not run yet: {names}{more}"));
    }
    notes
}

fn codes(languages: &[Language]) -> String {
    languages.iter().map(|language| language.code()).collect::<Vec<_>>().join(", ")
}
