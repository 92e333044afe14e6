//! When which layer opens, against the released code's loop and the paper's algorithm played in Python
//! (scripts/reference/unfreezing.py).

mod schedules_support;

use model::Group;
use schedules_support::{layers, play, schedule, state};
use serde::Deserialize;
use spec::UnfreezingVariant::{Code, Paper};

#[derive(Deserialize)]
struct Reference {
    timing: Vec<Timing>,
}

#[derive(Deserialize)]
struct Timing {
    kind: String,
    variant: spec::UnfreezingVariant,
    layers: usize,
    interval: u64,
    steps: u64,
    /// Steps (from 0) at which something changes, with the layers open from them on.
    open: Vec<(u64, Vec<usize>)>,
}

#[test]
fn layers_open_when_they_open_in_the_original() {
    let reference: Reference = serde_json::from_str(include_str!("reference/unfreezing.json")).unwrap();
    assert_eq!(reference.timing.len(), 60);
    for Timing { kind, variant, layers: count, interval, steps, open } in reference.timing {
        let trainable = layers(count);
        let mut state = state(&schedule(&kind, variant, interval, count), &trainable, steps, 0);
        let found = play(&mut state, &trainable, 0..steps, &mut 0);
        for (step, found) in (0..steps).zip(found) {
            let (_, expected) = open.iter().rfind(|(since, _)| *since <= step).unwrap();
            let expected: Vec<Group> = expected.iter().copied().map(Group::Layer).chain([Group::Head]).collect();
            assert_eq!(found, expected, "{kind} {variant:?}, {count} layers, interval {interval}, step {step}");
        }
    }
}

/// The number of open layers in step `t` counted from 1, for 12 layers and an interval of 100.
#[test]
fn the_table_of_the_released_code() {
    let steps = [1, 99, 100, 200, 1100, 1200];
    let table = [
        ("fun", [1, 1, 2, 3, 12, 12]),
        ("random", [1, 1, 2, 3, 12, 12]),
        ("reverse", [1, 1, 2, 3, 12, 12]),
        ("top-down", [1, 1, 2, 3, 12, 12]),
        ("gu", [1, 1, 1, 2, 11, 12]),
        ("lpft", [0, 0, 12, 12, 12, 12]),
    ];
    for (kind, expected) in table {
        let trainable = layers(12);
        let mut state = state(&schedule(kind, Code, 100, 12), &trainable, 1200, 0);
        let open = play(&mut state, &trainable, 0..1200, &mut 0);
        assert_eq!(steps.map(|t| open[t - 1].len() - 1), expected, "{kind}");
    }
}

/// Algorithm 1 counts steps from 0: the unit of rank j opens at step j k.
#[test]
fn the_paper_counts_from_zero() {
    for kind in ["fun", "random", "reverse", "top-down", "gu"] {
        let trainable = layers(12);
        let mut state = state(&schedule(kind, Paper, 100, 12), &trainable, 1200, 0);
        let open = play(&mut state, &trainable, 0..1200, &mut 0);
        assert_eq!([0, 99, 100, 199, 200, 1099, 1100].map(|i| open[i].len() - 1), [1, 1, 2, 2, 3, 11, 12], "{kind}");
    }
}

/// No estimate is made when there is no choice: the first unit is the top one and the last is what is left.
#[test]
fn fun_asks_for_as_many_estimates_as_it_has_choices() {
    for variant in [Paper, Code] {
        let trainable = layers(12);
        let (mut events, mut state) = (0, state(&schedule("fun", variant, 3, 12), &trainable, 60, 0));
        play(&mut state, &trainable, 0..60, &mut events);
        assert_eq!(events, 10);
    }
}
