//! Training on one stage.

use std::time::Instant;

use anyhow::{Context, Result};
use results::{CurvePoint, SeriesPoint};
use spec::Stage;
use strategies::Strategy;

use crate::batches::StageBatches;
use crate::running::Running;
use crate::{analysis, cost, probe};

/// Points of a series that a stage records at most, give or take one. Events are recorded all.
const POINTS: u64 = 200;

/// Runs the steps of the stage that are not done yet.
pub(crate) fn stage(running: &mut Running, index: usize, stage: &Stage) -> Result<()> {
    let job = running.job;
    let cell = &job.cell;
    let offset: u64 = running.protocol.stages[..index].iter().map(|earlier| earlier.steps).sum();
    let mut batches = StageBatches::open(running, index, stage)?;
    if running.progress.steps == 0 {
        running.note(batches.describe());
        let strategy = Strategy::new(&cell.method, &running.protocol.stages[index], cell.seed);
        let mut strategy = strategy.with_modules(running.modules, index);
        running.tell("preparing a stage", None);
        let start = Instant::now();
        batches.heed(Some(running.stop.clone()));
        let began = strategy.begin(&mut running.learner, &mut batches)?;
        batches.heed(None);
        batches.take_unwritten().into_iter().for_each(|why| running.warn(why));
        running.watch.book("begin", start.elapsed());
        running.advance(cost::discovery_tokens(cell, stage));
        let events = began.events.into_iter().chain(running.modules.events(index));
        running.progress.series.extend(events.map(|(series, value)| SeriesPoint { step: offset, series, value }));
        began.notes.into_iter().for_each(|note| running.note(note));
        running.strategy = Some(strategy);
    }

    let weight = cost::training_tokens(cell, stage) / stage.steps as f64;
    for step in running.progress.steps..stage.steps {
        measure_on_the_way(running, stage, offset, step)?;
        let start = Instant::now();
        let strategy = running.strategy.as_mut().context("a resumed stage has no strategy")?;
        batches.take_drawn();
        let report = strategy.step(&mut running.learner, &mut batches, step)?;
        let (tokens, drawing) = batches.take_drawn();
        running.watch.trained(start.elapsed(), drawing, tokens);
        running.progress.curve.push(CurvePoint {
            step: offset + step + 1,
            stage: index as u32 + 1,
            loss: report.loss,
            learning_rate: report.learning_rate,
            gradient_norm: report.gradient_norm,
        });
        let due = step.is_multiple_of(stage.steps.div_ceil(POINTS)) || step + 1 == stage.steps;
        let points = report.events.into_iter().chain(report.series.into_iter().filter(|_| due));
        let points = points.map(|(series, value)| SeriesPoint { step: offset + step + 1, series, value });
        running.progress.series.extend(points);
        if let Some(note) = report.note {
            running.note(note);
        }
        running.progress.steps = step + 1;
        running.advance(weight);
        running.tell(&format!("step {} of {}", step + 1, stage.steps), Some(report.loss));
        running.checkpoint_if_due()?;
    }
    if let Some(strategy) = running.strategy.take() {
        analysis::subnetworks(running, &strategy, &mut batches, offset + stage.steps)?;
        running.progress.masks = strategy.masks();
    }
    Ok(())
}

/// Measures the stage's probes after so many of its steps, before the first too, if that is asked for and not done yet.
fn measure_on_the_way(running: &mut Running, stage: &Stage, offset: u64, steps: u64) -> Result<()> {
    if !stage.probe_every.is_some_and(|every| steps.is_multiple_of(every.get())) {
        return Ok(());
    }
    let step = offset + steps;
    let done = |point: &SeriesPoint| point.step == step && results::is_of_probe(&point.series);
    if running.progress.series.iter().rev().take_while(|point| point.step == step).any(done) {
        return Ok(());
    }
    running.tell(&format!("measuring after step {steps}"), None);
    let start = Instant::now();
    let masks = running.strategy.as_ref().map(Strategy::masks).unwrap_or_default();
    let points = probe::on_the_way(running, stage, masks)?;
    running.progress.series.extend(points.into_iter().map(|(series, value)| SeriesPoint { step, series, value }));
    running.watch.book("probe", start.elapsed());
    Ok(())
}
