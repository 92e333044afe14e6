//! Steps between the events of a schedule.

use std::num::NonZeroU64;

use spec::{Name, SpecError, UnfreezingVariant};

/// A stage as a schedule sees it.
pub(super) struct Stage<'a> {
    pub method: &'a Name,
    pub steps: u64,
    /// Trained groups but the head, from the input to the output; at least one.
    pub units: &'a [model::Group],
}

impl Stage<'_> {
    pub fn refused(&self, reason: String) -> SpecError {
        SpecError::Composition { method: self.method.to_string(), reason }
    }

    /// The interval asked for, or else the longest with which `parts` intervals fill no more than half of the steps.
    /// `last` is the step of the last event with a given interval.
    ///
    /// # Errors
    /// [`SpecError::Composition`] if the last event would come after the last step.
    pub fn interval(
        &self,
        asked: Option<NonZeroU64>,
        parts: usize,
        last: impl Fn(u64) -> u64,
    ) -> Result<u64, SpecError> {
        let fitting = (self.steps / (2 * parts as u64)).max(1);
        let interval = asked.map_or(fitting, NonZeroU64::get);
        match (last(interval) < self.steps, last(fitting) < self.steps) {
            (true, _) => Ok(interval),
            (false, true) => Err(self.refused(format!(
                "with `interval` {interval} the schedule is complete only after step {}, and the stage has {} steps: \
                 choose a shorter interval, for example {fitting}",
                last(interval),
                self.steps
            ))),
            (false, false) => Err(self.refused(format!(
                "a stage of {} steps is too short for a schedule of {parts} intervals: give it at least {} steps",
                self.steps,
                last(1) + 1
            ))),
        }
    }
}

/// Steps of the events of Liu et al. 2024: entry `j` opens the unit of rank `j`, the first of them at step 0.
///
/// `Paper` is Algorithm 1: step `j k`. `Code` counts steps from 1, so an event at `t = j k` precedes step `j k - 1`.
pub(super) fn openings(variant: UnfreezingVariant, units: usize, interval: u64) -> Vec<u64> {
    let step = |rank: u64| match variant {
        UnfreezingVariant::Paper => rank * interval,
        UnfreezingVariant::Code => (rank * interval).saturating_sub(1),
    };
    (0..units as u64).map(step).collect()
}
