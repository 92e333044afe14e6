//! What the tests of schedules share.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use model::Group;
use spec::{FixedOrder, Fun, Name, Schedule, SpecError, Unfreezing, UnfreezingOrder, UnfreezingVariant};
use strategies::schedules::{Request, ScheduleState};

pub fn layers(count: usize) -> Vec<Group> {
    (0..count).map(Group::Layer).chain([Group::Head]).collect()
}

pub fn whole_model(layers: usize) -> Vec<Group> {
    let layers = (0..layers).map(Group::Layer);
    std::iter::once(Group::Embeddings).chain(layers).chain([Group::LanguageModel, Group::Head]).collect()
}

pub fn try_state(schedule: &Schedule, trainable: &[Group], steps: u64, seed: u64) -> Result<ScheduleState, SpecError> {
    ScheduleState::new(&Name::new("method").unwrap(), schedule, trainable, steps, seed)
}

pub fn state(schedule: &Schedule, trainable: &[Group], steps: u64, seed: u64) -> ScheduleState {
    try_state(schedule, trainable, steps, seed).unwrap()
}

pub fn interval(steps: u64) -> Option<NonZeroU64> {
    Some(NonZeroU64::new(steps).unwrap())
}

pub fn every(variant: UnfreezingVariant, steps: u64) -> Unfreezing {
    Unfreezing { variant, interval: interval(steps) }
}

/// The schedule of a name, opening at an interval; `top-down` is a fixed order.
pub fn schedule(kind: &str, variant: UnfreezingVariant, steps: u64, layers: usize) -> Schedule {
    match kind {
        "gu" => Schedule::Gu(every(variant, steps)),
        "lpft" => Schedule::Lpft(every(variant, steps)),
        "random" => Schedule::Random(every(variant, steps)),
        "reverse" => Schedule::Reverse(every(variant, steps)),
        "fun" => Schedule::Fun(Fun { variant, interval: interval(steps), ..Fun::default() }),
        "top-down" => Schedule::Order(FixedOrder {
            order: match layers {
                12 => UnfreezingOrder::Paper(0),
                _ => UnfreezingOrder::Layers((0..layers - 1).rev().collect()),
            },
            variant,
            interval: interval(steps),
        }),
        _ => panic!("{kind}"),
    }
}

/// Made-up Fisher traces by number of the estimate, with ties.
pub fn score(event: usize, group: &Group) -> f64 {
    let place = match group {
        Group::Layer(layer) => *layer,
        _ => 4,
    };
    ((5 * place + 3 * event * event) % 7) as f64
}

/// Groups open at each step, and how many estimates were asked for.
pub fn play(
    state: &mut ScheduleState,
    trainable: &[Group],
    steps: std::ops::Range<u64>,
    events: &mut usize,
) -> Vec<Vec<Group>> {
    steps
        .map(|step| {
            if state.before(step) != Request::None {
                let scores: BTreeMap<Group, f64> =
                    trainable.iter().map(|group| (*group, score(*events, group))).collect();
                state.scores(&scores).unwrap();
                *events += 1;
            }
            state.open(step).groups.into_iter().collect()
        })
        .collect()
}
