use std::collections::{BTreeMap, BTreeSet};

use model::Group;
use serde::{Deserialize, Serialize};
use spec::{Name, Schedule, SpecError};
use thiserror::Error;

use crate::outputs::is_output;

use super::chain_thaw::ChainThaw;
use super::cumulative::Cumulative;
use super::fun::Fun;
use super::interval::Stage;
use super::ulmfit::Ulmfit;
use super::{gradual, lpft, order, random, reverse};

/// What a schedule wants to know before a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    None,
    /// The Fisher trace of every unit over fresh training batches, for [`ScheduleState::scores`].
    FisherTrace {
        batches: usize,
        labels: Labels,
    },
}

/// Whose labels the Fisher trace takes: both are the model's own, never gold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels {
    /// Drawn from the model's distribution: the true Fisher information.
    Sampled,
    /// The likeliest: what the code released with FUN does.
    Argmax,
}

/// What is trained in a step, and how fast.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// Trained groups; all others are frozen.
    pub groups: BTreeSet<Group>,
    /// Factor on the learning rate of each open group.
    pub rates: BTreeMap<Group, f64>,
    /// The learning rate in peak rates of the stage, where the schedule replaces the stage's warm-up and decay.
    pub peak_share: Option<f64>,
    /// Whether the optimiser forgets its moments before this step.
    pub fresh_optimizer: bool,
}

/// A unit that scores opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    pub group: Group,
    /// Whether another closed unit had the same score; the lower one was taken.
    pub tied: bool,
}

/// What a schedule remembers that the step does not tell: the units that scores opened, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SavedSchedule {
    pub opened: Vec<String>,
}

/// Why a schedule cannot go on.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum ScheduleError {
    #[error("the schedule got no Fisher trace of `{group}`")]
    MissingScore { group: Group },
    #[error("the Fisher trace of `{group}` is {score}")]
    NonFinite { group: Group, score: f64 },
    #[error("the schedule got Fisher traces when every unit was open already")]
    NothingClosed,
    #[error("the saved state of the schedule names other groups than this method trains")]
    WrongState,
}

/// A schedule at work on one stage. Equal calls give equal answers; what a saved state does not hold is a function of
/// the step.
#[derive(Debug, Clone)]
pub struct ScheduleState {
    head: Vec<Group>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    All(Vec<Group>),
    Cumulative(Cumulative),
    Fun(Fun),
    ChainThaw(ChainThaw),
    Ulmfit(Ulmfit),
}

impl ScheduleState {
    /// A schedule over the groups that a structure trains, in order from the input to the output, for a stage of `steps`
    /// steps. `method` is for messages.
    ///
    /// # Errors
    /// [`SpecError::Composition`] if a knob is outside its range, nothing but the head is trained, a fixed order does
    /// not fit the layers, or the schedule does not get to its end within the steps.
    pub fn new(
        method: &Name,
        schedule: &Schedule,
        trainable: &[Group],
        steps: u64,
        seed: u64,
    ) -> Result<Self, SpecError> {
        let (head, units): (Vec<Group>, Vec<Group>) = trainable.iter().partition(|group| is_output(group));
        let stage = Stage { method, steps, units: &units };
        schedule.check().map_err(|error| stage.refused(format!("schedule {error}")))?;
        if *schedule != Schedule::All && units.is_empty() {
            let reason = "a schedule needs a structure that trains more than the head: use `all`";
            return Err(stage.refused(reason.to_owned()));
        }
        let kind = match schedule {
            Schedule::All => Kind::All(units),
            Schedule::Gu(knobs) => Kind::Cumulative(gradual::schedule(&stage, knobs)?),
            Schedule::Lpft(knobs) => Kind::Cumulative(lpft::schedule(&stage, knobs)?),
            Schedule::Random(knobs) => Kind::Cumulative(Cumulative::every(&stage, knobs, random::order(&units, seed))?),
            Schedule::Reverse(knobs) => Kind::Cumulative(Cumulative::every(&stage, knobs, reverse::order(&units))?),
            Schedule::Order(knobs) => Kind::Cumulative(order::schedule(&stage, knobs)?),
            Schedule::Fun(knobs) => Kind::Fun(Fun::new(&stage, knobs)?),
            Schedule::ChainThaw(knobs) => Kind::ChainThaw(ChainThaw::new(&stage, &head, knobs)?),
            Schedule::Ulmfit(knobs) => Kind::Ulmfit(Ulmfit::new(&stage, &head, knobs)?),
        };
        Ok(Self { head, kind })
    }

    /// What has to be given to [`ScheduleState::scores`] before this step. Steps must be asked for in order.
    pub fn before(&mut self, step: u64) -> Request {
        match &mut self.kind {
            Kind::Fun(fun) => fun.before(step),
            _ => Request::None,
        }
    }

    /// Opens a unit by the scores that [`ScheduleState::before`] asked for.
    ///
    /// # Errors
    /// [`ScheduleError`] if a closed unit has no finite score, or nothing was asked for.
    pub fn scores(&mut self, scores: &BTreeMap<Group, f64>) -> Result<Opened, ScheduleError> {
        match &mut self.kind {
            Kind::Fun(fun) => fun.scores(scores),
            _ => Err(ScheduleError::NothingClosed),
        }
    }

    /// What is trained in this step.
    pub fn open(&self, step: u64) -> Open {
        let cumulative = |units: &[Group]| {
            let groups: BTreeSet<Group> = units.iter().chain(&self.head).copied().collect();
            let rates = groups.iter().map(|&group| (group, 1.0)).collect();
            Open { groups, rates, peak_share: None, fresh_optimizer: false }
        };
        match &self.kind {
            Kind::All(units) => cumulative(units),
            Kind::Cumulative(units) => cumulative(units.open(step)),
            Kind::Fun(fun) => cumulative(fun.opened.open(step)),
            Kind::ChainThaw(chain) => chain.open(step),
            Kind::Ulmfit(ulmfit) => ulmfit.open(step),
        }
    }

    /// Groups that open (`true`) or close before this step; at step 0 those that a schedule starts with.
    pub fn changes(&self, step: u64) -> Vec<(Group, bool)> {
        if let Kind::All(_) = self.kind {
            return Vec::new();
        }
        let before = step.checked_sub(1).map(|before| self.open(before).groups).unwrap_or_default();
        let now = self.open(step).groups;
        before.symmetric_difference(&now).map(|&group| (group, now.contains(&group))).collect()
    }

    /// What a resumed run needs besides the step.
    pub fn save(&self) -> SavedSchedule {
        let opened = match &self.kind {
            Kind::Fun(fun) => fun.opened.order.iter().map(Group::to_string).collect(),
            _ => Vec::new(),
        };
        SavedSchedule { opened }
    }

    /// Goes on from a saved state of the same schedule.
    ///
    /// # Errors
    /// [`ScheduleError::WrongState`] if it is not a state of this schedule over these groups; nothing has changed then.
    pub fn restore(&mut self, saved: &SavedSchedule) -> Result<(), ScheduleError> {
        match &mut self.kind {
            Kind::Fun(fun) => {
                let groups = saved.opened.iter().map(|name| name.parse()).collect::<Result<_, _>>();
                fun.restore(groups.map_err(|_| ScheduleError::WrongState)?)
            }
            _ if saved.opened.is_empty() => Ok(()),
            _ => Err(ScheduleError::WrongState),
        }
    }
}
