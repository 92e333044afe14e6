//! Algorithm 1 of Liu et al. 2024: units open one after the other and stay open.

use model::Group;
use spec::{SpecError, Unfreezing};

use super::interval::{Stage, openings};

/// Units in the order in which they open, with the step before which each opens.
#[derive(Debug, Clone)]
pub(super) struct Cumulative {
    pub order: Vec<Group>,
    /// Not falling.
    pub openings: Vec<u64>,
}

impl Cumulative {
    /// One more unit every interval, at the paper's or the code's steps.
    pub fn every(stage: &Stage, knobs: &Unfreezing, order: Vec<Group>) -> Result<Self, SpecError> {
        let steps = |interval| openings(knobs.variant, stage.units.len(), interval);
        Self::at(stage, knobs, stage.units.len(), order, steps)
    }

    /// Units open at the steps that `openings` gives for an interval; `parts` intervals make up the schedule.
    pub fn at(
        stage: &Stage,
        knobs: &Unfreezing,
        parts: usize,
        order: Vec<Group>,
        openings: impl Fn(u64) -> Vec<u64>,
    ) -> Result<Self, SpecError> {
        let last = |interval| openings(interval).last().copied().unwrap_or(0);
        let interval = stage.interval(knobs.interval, parts, last)?;
        Ok(Self { order, openings: openings(interval) })
    }

    /// How many units are open at a step.
    pub fn due(&self, step: u64) -> usize {
        self.openings.partition_point(|&opening| opening <= step)
    }

    pub fn open(&self, step: u64) -> &[Group] {
        &self.order[..self.due(step).min(self.order.len())]
    }
}

/// The top unit, which is open from the start, before all others.
pub(super) fn top_first(units: &[Group], rest: impl FnOnce(&[Group]) -> Vec<Group>) -> Vec<Group> {
    match units.split_last() {
        Some((&top, below)) => std::iter::once(top).chain(rest(below)).collect(),
        None => Vec::new(),
    }
}
