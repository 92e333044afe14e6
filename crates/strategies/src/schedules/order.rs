//! Fixed orders.

use std::collections::BTreeSet;

use model::Group;
use spec::{FixedOrder, SpecError, Unfreezing, UnfreezingOrder};

use super::cumulative::{Cumulative, top_first};
use super::interval::Stage;

/// The ten orders of Liu et al. 2024 (UKPLab/naacl2024-fun), after layer 11, which is open from the start.
const PAPER: [[usize; 11]; 10] = [
    [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    [10, 2, 6, 5, 8, 3, 7, 0, 1, 9, 4],
    [9, 6, 2, 4, 5, 8, 7, 10, 1, 3, 0],
    [9, 7, 0, 10, 5, 8, 2, 4, 1, 3, 6],
    [10, 5, 4, 7, 1, 9, 0, 8, 3, 2, 6],
    [10, 8, 1, 6, 7, 2, 0, 5, 4, 9, 3],
    [10, 4, 7, 5, 3, 0, 6, 2, 9, 8, 1],
    [10, 1, 0, 3, 9, 6, 8, 2, 5, 7, 4],
    [10, 9, 3, 5, 0, 4, 1, 8, 6, 7, 2],
    [10, 7, 0, 3, 4, 8, 1, 2, 6, 5, 9],
];

/// The top unit, then the layers in the order asked for, then units without a layer number, the lowest last.
///
/// # Errors
/// [`SpecError::Composition`] if the order does not name every trained layer but the top one exactly once.
pub(super) fn schedule(stage: &Stage, knobs: &FixedOrder) -> Result<Cumulative, SpecError> {
    let layers: &[usize] = match &knobs.order {
        UnfreezingOrder::Paper(number) => PAPER.get(*number).map_or(&[], |order| order.as_slice()),
        UnfreezingOrder::Layers(layers) => layers,
    };
    let (numbered, rest): (Vec<Group>, Vec<Group>) =
        stage.units[..stage.units.len() - 1].iter().partition(|unit| layer(unit).is_some());
    let trained: BTreeSet<usize> = numbered.iter().filter_map(layer).collect();
    if layers.len() != trained.len() || layers.iter().copied().collect::<BTreeSet<_>>() != trained {
        let list = |layers: Vec<String>| layers.join(", ");
        return Err(stage.refused(format!(
            "the order [{}] must name each of the layers [{}] once: those that are trained, but for the top one, which \
             is open from the start",
            list(layers.iter().map(usize::to_string).collect()),
            list(trained.iter().map(usize::to_string).collect())
        )));
    }
    let order = top_first(stage.units, |_| {
        let unit = |number: &usize| numbered.iter().find(|unit| layer(unit) == Some(*number));
        layers.iter().filter_map(unit).chain(rest.iter().rev()).copied().collect()
    });
    let timing = Unfreezing { variant: knobs.variant, interval: knobs.interval };
    Cumulative::every(stage, &timing, order)
}

/// The number of the layer that a unit belongs to.
fn layer(unit: &Group) -> Option<usize> {
    match unit {
        Group::Layer(layer) | Group::Adapter(layer) => Some(*layer),
        Group::Embeddings | Group::Invertible | Group::LanguageModel | Group::Head => None,
    }
}
