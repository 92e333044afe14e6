//! LP-FT: linear probing, then fine-tuning (Kumar et al. 2022), in the form of Liu et al. 2024.

use spec::{SpecError, Unfreezing};

use super::cumulative::Cumulative;
use super::interval::{Stage, openings};

/// The head alone up to the event of rank 1, which opens all units.
pub(super) fn schedule(stage: &Stage, knobs: &Unfreezing) -> Result<Cumulative, SpecError> {
    Cumulative::at(stage, knobs, 1, stage.units.to_vec(), |interval| {
        vec![openings(knobs.variant, 2, interval)[1]; stage.units.len()]
    })
}
