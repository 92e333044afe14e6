//! One probe: a task's scores in every language asked for, on the model as it is.

use anyhow::{Context, Result};
use data::{CacheUse, EncodeOptions, Encoded, Examples};
use evaluation::RESAMPLES;
use results::{ProbeExamples, Score};
use spec::{DataKey, Language, Probe};
use tasks::{Scored, WholeScore};

use super::runner::Running;
use super::shared::Measured;
use super::{few_shot, language};

/// Seed of every bootstrap, so that equal scores have equal intervals.
const INTERVAL_SEED: u64 = 0;

/// Measures all languages of a probe.
pub fn measure(running: &mut Running, probe: &Probe) -> Result<Measured> {
    let mut measured = Measured { scores: Vec::new(), examples: Vec::new() };
    for &language in &probe.languages {
        let key = DataKey::new(probe.task, &probe.data, language, probe.split);
        let options =
            EncodeOptions { max_length: probe.max_length, stride: probe.stride, prefix: probe.prefix.clone() };
        let (encoded, used) =
            tasks::encoded(&running.job.cache, &running.data, &key, probe.examples, &running.tokenization, &options)
                .with_context(|| format!("probe data `{key}`"))?;
        warn(&used);
        let examples = running.data.load(&key, probe.examples)?;
        let held = Held { language, examples: &examples, encoded: &encoded, options: &options };
        let scored = match &probe.adapt {
            None => plainly(running, probe, &held),
            Some(adapt) => few_shot::score(running, probe, adapt, &held),
        };
        let scored = scored.with_context(|| format!("scoring `{key}`"))?;
        collect(&mut measured, running.progress.moment, probe, language, scored)?;
    }
    Ok(measured)
}

/// What a probe scores in one language.
pub struct Held<'a> {
    pub language: Language,
    pub examples: &'a Examples,
    pub encoded: &'a Encoded,
    pub options: &'a EncodeOptions,
}

/// A probe's scores in one language, by the examples that were scored.
pub struct Probed {
    pub ids: Vec<String>,
    pub scored: Scored,
}

/// Scores of the model as it is, with what the language uses; also under other languages' masks where the method asks.
fn plainly(running: &mut Running, probe: &Probe, held: &Held) -> Result<Probed> {
    running.use_language(probe.task, held.language, None)?;
    let Held { language, examples, encoded, .. } = *held;
    let ids = examples.ids().map(str::to_owned).collect();
    let evaluate =
        |running: &Running| tasks::evaluate(&running.learner, &running.tokenization, language, examples, encoded);
    let mut scored = evaluate(running)?;
    for (source, mask) in language::cross_masks(running, probe, language) {
        running.learner.set_head_mask(mask.of_learner()?)?;
        let main = probe.task.main_metric();
        let found = evaluate(running)?.contributions.remove(main);
        scored.contributions.extend(found.map(|found| (format!("{main}.mask-{source}"), found)));
    }
    running.use_all_heads()?;
    Ok(Probed { ids, scored })
}

/// Books one language's scores with their intervals.
fn collect(measured: &mut Measured, moment: usize, probe: &Probe, language: Language, probed: Probed) -> Result<()> {
    let moment = u32::try_from(moment)?;
    let Probed { ids, scored: Scored { contributions, whole } } = probed;
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

/// A cache that does not work costs time, never numbers.
pub fn warn(used: &CacheUse) {
    match used {
        CacheUse::Hit | CacheUse::Built => {}
        CacheUse::Rebuilt(why) => eprintln!("warning: a cached encoding was unusable and is rebuilt: {why}"),
        CacheUse::Unwritten(why) => eprintln!("warning: the cache cannot be written: {why}"),
    }
}
