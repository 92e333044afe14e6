//! GU, gradual unfreezing: from the top down.

use spec::{SpecError, Unfreezing, UnfreezingVariant};

use super::cumulative::Cumulative;
use super::interval::{Stage, openings};

/// The `j`-th unit from the top opens at step `j k`. The released code opens the top one again at its first event, so
/// that every other one comes an interval later: at `t = (j + 1) k`.
pub(super) fn schedule(stage: &Stage, knobs: &Unfreezing) -> Result<Cumulative, SpecError> {
    let order = stage.units.iter().rev().copied().collect();
    match knobs.variant {
        UnfreezingVariant::Paper => Cumulative::every(stage, knobs, order),
        UnfreezingVariant::Code => Cumulative::at(stage, knobs, stage.units.len(), order, |interval| {
            let mut late = openings(UnfreezingVariant::Code, stage.units.len() + 1, interval);
            late.remove(1);
            late
        }),
    }
}
