//! What methods had transferred and kept when they had learnt equally much: who learns less forgets less, which says nothing
//! of how. For stages whose probes were measured on the way.

use evaluation::{Interval, over_seeds};
use spec::{Direction, Language, Probe, Unit};

use super::experiment::Experiment;
use super::view::{Row, View};
use crate::error::ResultsError;
use crate::number::{self, HOLE};
use crate::record::{FinishedCell, Score, SeriesPoint, series_of_probe};
use crate::table::Table;

/// A method that came to less than this share of the best score has no part in what is equal.
const LEAST: f64 = 0.5;

/// One run along a stage.
struct Curve {
    points: Vec<Point>,
}

struct Point {
    step: f64,
    /// Mean over the source languages.
    learnt: f64,
    /// What is told at equal learning: the mean over the other languages, and changes of other probes, better upwards.
    told: Vec<f64>,
}

/// `None` where nothing was measured on the way.
pub(crate) fn table(experiment: &Experiment, views: &[View], rows: &[Row]) -> Result<Option<Table>, ResultsError> {
    let protocol = &experiment.cell.protocol;
    let is_main = |view: &&View| view.metric == view.probe.task.main_metric();
    let measured = |view: &&View| {
        let stage = view.moment.checked_sub(1).and_then(|stage| protocol.stages.get(stage as usize));
        stage.is_some_and(|stage| stage.probe_every.is_some())
    };
    let main = views.iter().filter(is_main).find(|view| Some(view.probe.task) == protocol.task() && measured(view));
    let Some(main) = main.filter(|view| view.better == Direction::Higher && view.sources().next().is_some()) else {
        return Ok(None);
    };
    let other =
        |view: &&View| view.moment == main.moment && view.before.is_some() && view.probe.task != main.probe.task;
    let kept: Vec<&View> = views.iter().filter(is_main).filter(other).collect();

    let mut curves: Vec<Vec<Curve>> = Vec::new();
    for method in &experiment.methods {
        let of_run = |finished| curve(finished, main, &kept);
        curves.push(method.done().filter_map(|finished| of_run(finished).transpose()).collect::<Result<_, _>>()?);
    }
    // What each method's weakest run came to.
    let reached = |runs: &Vec<Curve>| runs.iter().map(Curve::most).min_by(f64::total_cmp);
    let best = curves.iter().filter_map(reached).fold(f64::NEG_INFINITY, f64::max);
    let near = curves.iter().filter_map(reached).filter(|most| *most >= LEAST * best);
    let Some(level) = near.min_by(f64::total_cmp) else { return Ok(None) };

    let header = ["method", "steps", "transferred"].map(str::to_owned).into_iter();
    let mut table = Table::new(
        format!("at equal learning: {} of {} percent on the sources", main.metric, number::tenths(100.0 * level)),
        1,
        header.chain(kept.iter().map(|view| format!("kept: {}", view.probe.name))),
    );
    let mut absent = Vec::new();
    for (row, runs) in rows.iter().zip(&curves) {
        let nothing = |why: &str| std::iter::once(row.label.clone()).chain(vec![why.to_owned(); 2 + kept.len()]);
        if runs.is_empty() {
            table.push(nothing(HOLE));
            absent.push(row.name.as_str());
            continue;
        }
        let found: Option<Vec<(f64, Vec<f64>)>> = runs.iter().map(|run| run.at(level)).collect();
        let Some(found) = found else {
            table.push(nothing("never"));
            continue;
        };
        let mean = |values: Vec<f64>| over_seeds(&values);
        let (steps, _) = mean(found.iter().map(|(step, _)| *step).collect());
        let mut cells = vec![row.label.clone(), format!("{steps:.0}")];
        for place in 0..=kept.len() {
            let (value, interval) = mean(found.iter().map(|(_, told)| told[place]).collect());
            cells.push(match place.checked_sub(1) {
                None => said(value, interval, Unit::Share, false),
                Some(place) => said(value, interval, kept[place].unit, true),
            });
        }
        table.push(cells);
    }
    table.notes.push(
        "read off between measurements on the way, when a run first had the score that every run of every method came to which \
         came to half of the best (never: it did not); kept: change from before, in the direction of better; mean over seeds; ±: half of \
         its 95 % interval when seeds are drawn anew"
            .to_owned(),
    );
    if !absent.is_empty() {
        table.notes.push(format!("{HOLE} {}: no record to read off, and no part in what is equal", absent.join(", ")));
    }
    Ok(Some(table))
}

fn said(value: f64, interval: Option<Interval>, unit: Unit, change: bool) -> String {
    match (interval, change) {
        (Some(interval), true) => number::change(value, interval, unit),
        (Some(interval), false) => number::score(value, interval, unit),
        (None, true) => number::with_sign(number::plain(value, unit)),
        (None, false) => number::plain(value, unit),
    }
}

/// A run's points in the order of steps, the end of the stage as the last; `None` where it was not measured on the way.
fn curve(finished: &FinishedCell, main: &View, kept: &[&View]) -> Result<Option<Curve>, ResultsError> {
    let (series, scores) = (finished.series()?, finished.scores()?);
    let sources: Vec<Language> = main.sources().collect();
    let at = |moment: u32, probe: &Probe, language: Language| {
        let same = |score: &&Score| {
            (score.moment, &score.probe, score.language) == (moment, &probe.name, language)
                && score.metric == probe.task.main_metric()
        };
        scores.iter().find(same).map(|score| score.value)
    };
    let mut steps: Vec<u64> = series
        .iter()
        .filter(|point| sources.iter().any(|&language| point.series == series_of_probe(&main.probe.name, language)))
        .map(|point| point.step)
        .collect();
    steps.dedup();
    let protocol = finished.cell.method.goes_through(&finished.cell.protocol);
    let end: u64 = protocol.stages.iter().take(main.moment as usize).map(|stage| stage.steps).sum();
    let begin = end - protocol.stages.get(main.moment as usize - 1).map_or(0, |stage| stage.steps);
    steps.retain(|step| (begin..end).contains(step));
    if steps.is_empty() {
        return Ok(None);
    }
    let point = |step: u64| -> Option<Point> {
        let value = |probe: &Probe, language: Language| match step == end {
            true => at(main.moment, probe, language),
            false => {
                let name = series_of_probe(&probe.name, language);
                let same = |point: &&SeriesPoint| point.step == step && point.series == name;
                series.iter().find(same).map(|point| point.value)
            }
        };
        let mean = |probe: &Probe, languages: &[Language]| -> Option<f64> {
            let values: Vec<f64> = languages.iter().map(|&language| value(probe, language)).collect::<Option<_>>()?;
            Some(values.iter().sum::<f64>() / values.len() as f64)
        };
        let change = |view: &&View| -> Option<f64> {
            let before: Vec<f64> =
                view.targets.iter().map(|&language| at(view.before?, view.probe, language)).collect::<Option<_>>()?;
            let change = mean(view.probe, &view.targets)? - before.iter().sum::<f64>() / before.len() as f64;
            Some(if view.better == Direction::Lower { -change } else { change })
        };
        let told = std::iter::once(mean(main.probe, &main.targets)).chain(kept.iter().map(change));
        Some(Point {
            step: (step - begin) as f64,
            learnt: mean(main.probe, &sources)?,
            told: told.collect::<Option<_>>()?,
        })
    };
    let points: Option<Vec<Point>> = steps.into_iter().chain([end]).map(point).collect();
    Ok(points.map(|points| Curve { points }))
}

impl Curve {
    fn most(&self) -> f64 {
        self.points.iter().map(|point| point.learnt).fold(f64::NEG_INFINITY, f64::max)
    }

    /// Step and values when this level was first reached, on straight lines between the points.
    fn at(&self, level: f64) -> Option<(f64, Vec<f64>)> {
        let place = self.points.iter().position(|point| point.learnt >= level)?;
        let after = &self.points[place];
        let Some(before) = place.checked_sub(1).map(|place| &self.points[place]) else {
            return Some((after.step, after.told.clone()));
        };
        let share = (level - before.learnt) / (after.learnt - before.learnt);
        let between = |before: f64, after: f64| before + share * (after - before);
        let told = before.told.iter().zip(&after.told).map(|(&before, &after)| between(before, after));
        Some((between(before.step, after.step), told.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_read_off_where_it_is_first_reached() {
        let point = |step: f64, learnt: f64, kept: f64| Point { step, learnt, told: vec![kept] };
        let curve = Curve {
            points: vec![
                point(10.0, 0.5, -0.1),
                point(20.0, 0.7, -0.3),
                point(30.0, 0.6, -0.4),
                point(40.0, 0.8, -0.2),
            ],
        };
        let close = |found: Option<(f64, Vec<f64>)>, step: f64, kept: f64| {
            let (found, told) = found.unwrap();
            assert!((found - step).abs() < 1e-9 && (told[0] - kept).abs() < 1e-9, "{found} {told:?}");
        };
        close(curve.at(0.6), 15.0, -0.2);
        close(curve.at(0.75), 37.5, -0.25);
        close(curve.at(0.4), 10.0, -0.1);
        close(curve.at(0.8), 40.0, -0.2);
        assert!(curve.at(0.81).is_none());
        assert_eq!(curve.most(), 0.8);
    }
}
