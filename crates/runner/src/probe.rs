//! One probe: a task's scores in every language asked for, on the model as it is.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use evaluation::RESAMPLES;
use results::{ProbeExamples, Score};
use spec::{Language, Objective, Probe, Stage};
use strategies::subnetworks::Mask;
use tasks::{Scored, WholeScore};

use crate::held_out::{HeldOut, Probed};
use crate::measured::Measured;
use crate::running::Running;
use crate::{few_shot, language};

/// Seed of every bootstrap, so that equal scores have equal intervals.
const INTERVAL_SEED: u64 = 0;

/// Measures all languages of a probe.
pub(crate) fn measure(running: &mut Running, probe: &Probe) -> Result<Measured> {
    let mut measured = Measured::default();
    for &language in &probe.languages {
        let held_out = HeldOut::load(running, probe.source(), language)?;
        let scored = match &probe.adapt {
            None => plainly(running, probe, &held_out),
            Some(adapt) => few_shot::score(running, probe, adapt, &held_out),
        };
        let scored = scored.with_context(|| format!("scoring `{}`", probe.source().key(language)))?;
        collect(&mut measured, running.progress.moment, probe, language, scored)?;
    }
    Ok(measured)
}

/// The probes' main metrics in the middle of a stage, as points of series. The learner is left as it was.
///
/// # Errors
/// As [`measure`].
pub(crate) fn on_the_way(running: &mut Running, stage: &Stage, masks: BTreeMap<Language, Mask>) -> Result<Series> {
    let before = running.learner.save_point();
    // What languages use is what they would use if the stage ended here.
    let masks = std::mem::replace(&mut running.progress.masks, masks);
    running.progress.moment += 1;
    running.learner.stop_inference_on(Some(running.stop.flag()));
    let measured = (|| {
        let mut points = Vec::new();
        for probe in stage.probes.iter().filter(|probe| probe.adapt.is_none()) {
            for &language in &probe.languages {
                let held_out = HeldOut::load(running, probe.source(), language)?;
                let scored = plainly(running, probe, &held_out)?.scored;
                let main = scored.contributions.get(probe.task.main_metric());
                let value = main.with_context(|| format!("probe `{}` has no main metric", probe.name))?;
                points.push((results::series_of_probe(&probe.name, language), evaluation::ratio(value)));
            }
        }
        Ok(points)
    })();
    running.learner.stop_inference_on(None);
    running.progress.moment -= 1;
    running.progress.masks = masks;
    running.learner.restore(&before);
    measured
}

/// Names and values.
pub(crate) type Series = Vec<(String, f64)>;

/// Scores of the model as it is, with what the language uses; also under other languages' masks where the method asks.
fn plainly(running: &mut Running, probe: &Probe, held_out: &HeldOut) -> Result<Probed> {
    let language = held_out.language;
    running.use_language(probe.task, language, None)?;
    let ids = held_out.examples.ids().map(str::to_owned).collect();
    let mut scored = match probe.task.objective() {
        Objective::Ranking if running.languages_differ() || probe.layer.is_some() => sides(running, probe, held_out)?,
        _ => held_out.score(running)?,
    };
    for (source, mask) in language::cross_masks(running, probe, language) {
        running.learner.set_head_mask(mask.of_learner()?)?;
        let main = probe.task.main_metric();
        let found = held_out.score(running)?.contributions.remove(main);
        scored.contributions.extend(found.map(|found| (format!("{main}.mask-{source}"), found)));
    }
    running.use_all_heads()?;
    Ok(Probed { ids, scored })
}

/// Scores of sentence pairs, of the probe's layer and each side with what its own language uses of the model.
fn sides(running: &mut Running, probe: &Probe, held_out: &HeldOut) -> Result<Scored> {
    let encoded = &held_out.encoded;
    let foreign = tasks::side_vectors(&running.learner, encoded, 0, probe.layer)?;
    running.use_language(probe.task, Language::ENGLISH, None)?;
    let english = tasks::side_vectors(&running.learner, encoded, 1, probe.layer)?;
    Ok(tasks::score_sides(&foreign, &english, running.learner.config().hidden_size)?)
}

/// Books one language's scores with their intervals.
fn collect(measured: &mut Measured, moment: usize, probe: &Probe, language: Language, probed: Probed) -> Result<()> {
    let moment = u32::try_from(moment)?;
    let Probed { ids, scored: Scored { contributions, whole, .. } } = probed;
    let score = |metric: String, value: f64, interval: Option<(f64, f64)>| Score {
        moment,
        probe: probe.name.clone(),
        task: probe.task,
        language,
        metric,
        value,
        low: interval.map(|(low, _)| low),
        high: interval.map(|(_, high)| high),
        examples: ids.len() as u64,
    };
    for (metric, contributions) in &contributions {
        let interval = evaluation::interval(contributions, INTERVAL_SEED, RESAMPLES)?;
        let value = evaluation::ratio(contributions);
        measured.scores.push(score(metric.clone(), value, Some((interval.low, interval.high))));
    }
    let of_whole = |WholeScore { metric, value, interval }| score(metric, value, interval);
    measured.scores.extend(whole.into_iter().map(of_whole));
    measured.examples.push(ProbeExamples { moment, probe: probe.name.clone(), language, ids, contributions });
    Ok(())
}
