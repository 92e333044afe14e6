//! FUN, Fisher-based unfreezing (Liu et al. 2024): at each event the closed unit of the largest tr(F) opens; where units
//! are of different sizes, of the largest tr(F) per parameter.

use std::collections::BTreeMap;

use model::Group;
use spec::{SpecError, Unfreezing, UnfreezingVariant};

use super::cumulative::{Cumulative, top_first};
use super::interval::Stage;
use super::state::{Labels, Opened, Request, ScheduleError};

/// The schedule so far: `opened.order` grows by one unit an event.
#[derive(Debug, Clone)]
pub(super) struct Fun {
    units: Vec<Group>,
    pub opened: Cumulative,
    batches: usize,
    labels: Labels,
}

impl Fun {
    /// Algorithm 1's start state is the head and the top unit: its event at step 0 has no choice.
    pub fn new(stage: &Stage, knobs: &spec::Fun) -> Result<Self, SpecError> {
        let start = top_first(stage.units, |_| Vec::new());
        let timing = Unfreezing { variant: knobs.variant, interval: knobs.interval };
        Ok(Self {
            units: stage.units.to_vec(),
            opened: Cumulative::every(stage, &timing, start)?,
            batches: knobs.batches,
            labels: match knobs.variant {
                UnfreezingVariant::Paper => Labels::Sampled,
                UnfreezingVariant::Code => Labels::Argmax,
            },
        })
    }

    fn closed(&self) -> impl Iterator<Item = Group> {
        self.units.iter().copied().filter(|unit| !self.opened.order.contains(unit))
    }

    /// Traces are wanted at each event but the last, at which there is no choice left.
    pub fn before(&mut self, step: u64) -> Request {
        if self.opened.due(step) == self.opened.order.len() {
            return Request::None;
        }
        if self.closed().count() == 1 {
            self.opened.order.extend(self.closed().collect::<Vec<_>>());
            return Request::None;
        }
        Request::FisherTrace { batches: self.batches, labels: self.labels }
    }

    /// Opens the closed unit of the largest score; of equal ones the lowest.
    pub fn scores(&mut self, scores: &BTreeMap<Group, f64>) -> Result<Opened, ScheduleError> {
        let mut best: Option<(f64, Opened)> = None;
        for group in self.closed() {
            let score = *scores.get(&group).ok_or(ScheduleError::MissingScore { group })?;
            if !score.is_finite() {
                return Err(ScheduleError::NonFinite { group, score });
            }
            match &mut best {
                Some((highest, opened)) if score == *highest => opened.tied = true,
                Some((highest, _)) if score < *highest => {}
                _ => best = Some((score, Opened { group, tied: false })),
            }
        }
        let (_, opened) = best.ok_or(ScheduleError::NothingClosed)?;
        self.opened.order.push(opened.group);
        Ok(opened)
    }

    /// Takes back what an earlier run had opened.
    pub fn restore(&mut self, opened: Vec<Group>) -> Result<(), ScheduleError> {
        let distinct = (1..opened.len()).all(|place| !opened[..place].contains(&opened[place]));
        let fits =
            distinct && opened.first() == self.units.last() && opened.iter().all(|unit| self.units.contains(unit));
        if !fits {
            return Err(ScheduleError::WrongState);
        }
        self.opened.order = opened;
        Ok(())
    }
}
