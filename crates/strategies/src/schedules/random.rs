//! Rand: every interval a unit drawn uniformly from those still closed.

use model::Group;

use super::cumulative::top_first;
use crate::draw;

/// The top unit, then the others in an order drawn from the seed: the same as a draw at every event.
pub(super) fn order(units: &[Group], seed: u64) -> Vec<Group> {
    top_first(units, |below| {
        let mut places: Vec<usize> = (0..below.len()).collect();
        random::shuffle(&mut draw::generator(seed, "unfreezing order", 0), &mut places);
        places.into_iter().map(|place| below[place]).collect()
    })
}
