//! tr(F): the trace of the Fisher information, by group (Liu et al. 2024, Algorithm 2).

use std::collections::{BTreeMap, BTreeSet};

use model::{Group, Learner, ModelError};
use spec::Batch;

use super::state::Labels;
use crate::draw;

/// `sum_b |grad L_b|^2 / |b|` of each of `units`, over training batches `b` of `|b|` examples; `L_b` is the mean negative
/// log-likelihood of a batch under labels of the model's own, without dropout.
///
/// As in the paper and its code the gradient of the batch's *mean* is squared, and neither the number of batches nor that
/// of parameters divides the sum: with sampled labels and independent examples a batch's term has the expectation
/// `tr(F) / |b|^2`. Ranks do not depend on the factor; values are comparable between equal batch sizes only. A batch is
/// the sub-batches of one step, one a language, and `L_b` the mean of their losses. Sampled labels are drawn from
/// (seed, step).
///
/// `set_up` prepares the learner for the part of a batch with that number, where languages use modules of their own.
///
/// The learner is afterwards as it was before, but for what `set_up` does.
///
/// # Errors
/// Those of [`Learner::sample_targets`], [`Learner::loss_and_gradients`] and `set_up`.
pub fn fisher_trace<E: From<ModelError>>(
    learner: &mut Learner,
    units: &[Group],
    labels: Labels,
    batches: impl IntoIterator<Item = Vec<Batch>>,
    (seed, step): (u64, u64),
    mut set_up: impl FnMut(&mut Learner, usize) -> Result<(), E>,
) -> Result<BTreeMap<Group, f64>, E> {
    let before = learner.save_point();
    let closed: BTreeSet<Group> = learner.groups().into_iter().filter(|group| !units.contains(group)).collect();
    learner.set_frozen(&closed);
    let traces = learner.without_dropout(|learner| traces(learner, units, labels, batches, (seed, step), &mut set_up));
    learner.restore(&before);
    traces
}

/// Traces as units are ranked by them: the sums themselves where all of a method's `units` are of one size, as the paper's
/// adapters are; else per parameter, for a sum over ten times as many parameters says nothing about any of them. The rows
/// of a table that no batch looks up count too, with nothing.
pub(crate) fn comparable(learner: &Learner, units: &[Group], mut traces: BTreeMap<Group, f64>) -> BTreeMap<Group, f64> {
    let sizes = learner.sizes();
    let size = |group: &Group| sizes.get(group).copied().unwrap_or(1);
    if units.windows(2).any(|pair| size(&pair[0]) != size(&pair[1])) {
        traces.iter_mut().for_each(|(group, trace)| *trace /= size(group) as f64);
    }
    traces
}

fn traces<E: From<ModelError>>(
    learner: &mut Learner,
    units: &[Group],
    labels: Labels,
    batches: impl IntoIterator<Item = Vec<Batch>>,
    (seed, step): (u64, u64),
    set_up: &mut impl FnMut(&mut Learner, usize) -> Result<(), E>,
) -> Result<BTreeMap<Group, f64>, E> {
    let mut random = draw::generator(seed, "fisher labels", step);
    let mut traces: BTreeMap<Group, f64> = units.iter().map(|&unit| (unit, 0.0)).collect();
    for parts in batches {
        let examples: usize = parts.iter().map(Batch::len).sum();
        let mut gradients = Vec::with_capacity(parts.len());
        for (place, part) in parts.iter().enumerate() {
            set_up(learner, place)?;
            let labelled = match labels {
                Labels::Sampled => learner.sample_targets(part, random::bits(&mut random))?,
                Labels::Argmax => learner.argmax_targets(part)?,
            };
            gradients.push(learner.loss_and_gradients(&labelled, 0)?.1);
        }
        let mean = vec![1.0 / parts.len() as f64; parts.len()];
        let gradient = learner.combine(gradients, &mean)?;
        for (group, squared) in learner.squared_norms(&gradient)? {
            *traces.entry(group).or_default() += squared / examples as f64;
        }
    }
    Ok(traces)
}
