//! What a stage with subnetworks leaves behind: how much the languages share, and how much they disagree.

use std::collections::BTreeMap;

use anyhow::Result;
use results::SeriesPoint;
use strategies::Strategy;

use crate::batches::StageBatches;
use crate::running::Running;

/// Records, at a step, for every pair of the stage's languages how much their masks overlap (`overlap.de.en`, and by layer
/// `overlap.de.en.layer.0`: Jaccard), and how their gradients stand to each other under their masks and without
/// (`cosine.masked.de.en`, `cosine.full.de.en`: means over batches; `conflict-share.masked`, `conflict-share.full`: the
/// share of pairs whose cosine is below 0, which is the same whether or not parameters of one language alone count).
pub(crate) fn subnetworks(
    running: &mut Running,
    strategy: &Strategy,
    batches: &mut StageBatches,
    step: u64,
) -> Result<()> {
    let masks: Vec<_> = strategy.masks().into_iter().collect();
    let cell = &running.job.cell;
    let (Some(knobs), Some(stage)) = (&cell.method.subnetworks, running.protocol.stages.get(running.progress.moment))
    else {
        return Ok(());
    };
    if masks.is_empty() {
        return Ok(());
    }
    let mut found: Vec<(String, f64)> = Vec::new();
    for (place, (first, one)) in masks.iter().enumerate() {
        for (second, other) in &masks[place + 1..] {
            let overlap = evaluation::overlap(one.rows(), other.rows())?;
            found.extend(overlap.jaccard.map(|value| (format!("overlap.{first}.{second}"), value)));
            let layers = overlap.layers.into_iter().enumerate();
            found.extend(layers.filter_map(|(layer, value)| {
                value.map(|value| (format!("overlap.{first}.{second}.layer.{layer}"), value))
            }));
        }
    }
    let languages = &stage.languages;
    for (name, masked) in [("masked", true), ("full", false)] {
        let mut gathered: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for products in strategy.products(&mut running.learner, batches, knobs.conflict_batches, masked)? {
            let conflicts = evaluation::conflicts(languages.len(), &products)?;
            let cosines = conflicts.cosines.iter().map(|&(first, second, cosine)| {
                (format!("cosine.{name}.{}.{}", languages[first], languages[second]), cosine)
            });
            let share = conflicts.share.map(|share| (format!("conflict-share.{name}"), share));
            for (series, value) in cosines.chain(share) {
                gathered.entry(series).or_default().push(value);
            }
        }
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        found.extend(gathered.into_iter().map(|(series, values)| (series, mean(values))));
    }
    running.progress.series.extend(found.into_iter().map(|(series, value)| SeriesPoint { step, series, value }));
    Ok(())
}
