//! A probe that adapts: several times from the same model, steps on a few examples of the language, then its score.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use data::Examples;
use evaluation::Contribution;
use model::Learner;
use spec::{Adapt, Batch, Language, Probe, TargetMask, Task, derived_seed};
use strategies::SupportSet;
use strategies::subnetworks::{Importance, Scores};
use tasks::{Scored, WholeScore};

use crate::held_out::{HeldOut, Probed};
use crate::running::Running;

/// Seed of the support sets, so that every method and every seed of a cell is asked the same.
const SUPPORT_SEED: u64 = 0;

/// Scores over all sets. What an example adds to a metric is the sum over the sets after which it was scored, so that
/// intervals and paired tests are over examples. The main metric's mean and standard deviation over sets stand beside it.
pub(crate) fn score(running: &mut Running, probe: &Probe, adapt: &Adapt, held_out: &HeldOut) -> Result<Probed> {
    let language = held_out.language;
    let support = probe.support().filter(|support| support.split != probe.split);
    let apart = support.map(|support| running.data.load(&support.key(language), None)).transpose()?;
    let pool = apart.as_ref().unwrap_or(&held_out.examples);
    let main = probe.task.main_metric();
    let mut pooled: BTreeMap<String, Vec<Contribution>> = BTreeMap::new();
    let mut scored_once = vec![false; held_out.examples.len()];
    let mut values = Vec::with_capacity(adapt.sets);
    for set in 0..adapt.sets as u64 {
        let drawn = SupportSet::draw(SUPPORT_SEED, language, set, adapt.support, pool.len(), apart.is_none())?;
        let batch = support_batch(running, probe.task, pool, &drawn, held_out)?;
        let before = running.learner.save_point();
        let importance = importance(running, language, &batch)?;
        running.use_language(probe.task, language, importance.as_ref())?;
        let seed = derived_seed(running.job.cell.seed, &format!("adapt {language}"), &[set]);
        strategies::adapt(adapt, &running.job.cell.method, &mut running.learner, &batch, seed)
            .with_context(|| format!("adapting to support set {}", set + 1))?;
        let scores = held_out.score(running)?.contributions;
        running.learner.restore(&before);
        let places: Vec<usize> = match apart {
            Some(_) => (0..held_out.examples.len()).collect(),
            None => drawn.rest,
        };
        places.iter().for_each(|&place| scored_once[place] = true);
        for (metric, found) in scores {
            let zero = Contribution { numerator: 0.0, denominator: 0.0 };
            if metric == main {
                let rest: Vec<Contribution> = places.iter().map(|&place| found[place]).collect();
                values.push(evaluation::ratio(&rest));
            }
            let sums = pooled.entry(metric).or_insert_with(|| vec![zero; found.len()]);
            for &place in &places {
                sums[place].numerator += found[place].numerator;
                sums[place].denominator += found[place].denominator;
            }
        }
    }
    let kept = |place: &usize| scored_once[*place];
    let ids: Vec<&str> = held_out.examples.ids().collect();
    let contributions = pooled
        .into_iter()
        .map(|(metric, sums)| (metric, (0..sums.len()).filter(kept).map(|place| sums[place]).collect()))
        .collect();
    Ok(Probed {
        ids: (0..ids.len()).filter(kept).map(|place| ids[place].to_owned()).collect(),
        scored: Scored { contributions, whole: over_sets(main, &values), notes: Vec::new() },
    })
}

/// All support examples as one batch.
fn support_batch(
    running: &Running,
    task: Task,
    pool: &Examples,
    drawn: &SupportSet,
    held_out: &HeldOut,
) -> Result<Batch> {
    let mut encoded = tasks::encode(&pool.select(&drawn.support), &running.tokenization, &held_out.options)?;
    running.number_labels(task, &mut encoded)?;
    let all: Vec<usize> = (0..encoded.drawn_lengths().len()).collect();
    Ok(encoded.drawn_batch(&all, tasks::pad_multiple(running.job.cell.backend)))
}

/// Of heads on the support, where the method chooses this language's heads by it.
fn importance(running: &Running, language: Language, batch: &Batch) -> Result<Option<Scores>> {
    let masks = &running.progress.masks;
    let knobs = running.job.cell.method.subnetworks.as_ref();
    let Some(knobs) = knobs.filter(|knobs| knobs.target == TargetMask::FromSupport && !masks.is_empty()) else {
        return Ok(None);
    };
    if masks.contains_key(&language) {
        return Ok(None);
    }
    let learner: &Learner = &running.learner;
    let config = learner.config();
    let mut importance = Importance::new(config.num_hidden_layers, config.num_attention_heads)?;
    importance.add(&learner.head_gradients(batch)?, batch.real_tokens() as u64)?;
    Ok(Some(importance.scores(knobs.normalise)))
}

/// Mean and, of several sets, standard deviation (n - 1).
fn over_sets(metric: &str, values: &[f64]) -> Vec<WholeScore> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let whole = |name: &str, value| WholeScore { metric: format!("{metric}.{name}"), value, interval: None };
    let deviation = (values.len() > 1).then(|| whole("sets-deviation", (squares / (n - 1.0)).sqrt()));
    std::iter::once(whole("sets-mean", mean)).chain(deviation).collect()
}
