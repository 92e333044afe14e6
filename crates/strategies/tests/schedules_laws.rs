//! Laws of schedules: what opens never closes, a resumed schedule equals one that never stopped, bad input is refused.

mod schedules_support;

use std::collections::{BTreeMap, BTreeSet};

use model::Group;
use schedules_support::{every, interval, layers, play, schedule, state, try_state, whole_model};
use spec::UnfreezingVariant::{Code, Paper};
use spec::{ChainThaw, FixedOrder, Fun, Schedule, Ulmfit, Unfreezing, UnfreezingOrder};
use strategies::schedules::{Labels, Request, SavedSchedule, ScheduleError};

const CUMULATIVE: [&str; 6] = ["gu", "lpft", "random", "reverse", "fun", "top-down"];

fn defaults() -> Vec<Schedule> {
    let mut schedules: Vec<Schedule> = ["all", "gu", "lpft", "fun", "random", "reverse", "chain-thaw", "ulmfit"]
        .map(|kind| serde_json::from_str(&format!("{{\"kind\":\"{kind}\"}}")).unwrap())
        .into();
    schedules.push(serde_json::from_str(r#"{"kind":"order","order":[1,0,2]}"#).unwrap());
    schedules
}

#[test]
fn cumulative_schedules_only_grow_and_end_with_everything() {
    for kind in CUMULATIVE {
        for variant in [Paper, Code] {
            for (count, every, steps) in [(1, 1, 4), (2, 3, 9), (4, 1, 6), (6, 5, 40), (12, 2, 50)] {
                for trainable in [layers(count), whole_model(count)] {
                    let context = format!("{kind} {variant:?} {count} {every}");
                    let mut state = state(&schedule(kind, variant, every, count), &trainable, steps, 3);
                    let open = play(&mut state, &trainable, 0..steps, &mut 0);
                    for pair in open.windows(2) {
                        assert!(pair[0].iter().all(|group| pair[1].contains(group)), "{context}");
                        let grown = pair[1].len() - pair[0].len();
                        assert!(kind == "lpft" || grown <= 1, "{context}: {grown} at once");
                    }
                    assert!(open.iter().all(|open| open.contains(&Group::Head)), "{context}");
                    assert_eq!(open.last().unwrap(), &trainable, "{context}");
                }
            }
        }
    }
}

#[test]
fn by_default_everything_is_open_from_half_of_the_steps_on() {
    for schedule in defaults() {
        for steps in [12, 13, 100, 999] {
            let trainable = whole_model(4);
            let mut state = state(&schedule, &trainable, steps, 0);
            let open = play(&mut state, &trainable, 0..steps, &mut 0);
            for open in &open[steps as usize / 2..] {
                assert_eq!(open, &trainable, "{schedule:?} over {steps} steps");
            }
        }
    }
}

#[test]
fn a_resumed_schedule_equals_one_that_never_stopped() {
    let trainable = whole_model(4);
    let mut schedules = defaults();
    schedules.extend(CUMULATIVE.map(|kind| schedule(kind, Code, 3, 4)));
    for schedule in schedules {
        let fresh = || state(&schedule, &trainable, 40, 9);
        let mut events = 0;
        let whole = play(&mut fresh(), &trainable, 0..40, &mut events);
        for stop in 0..40 {
            let (mut first, mut events) = (fresh(), 0);
            let mut open = play(&mut first, &trainable, 0..stop, &mut events);
            let text = serde_json::to_string(&first.save()).unwrap();
            let mut second = fresh();
            second.restore(&serde_json::from_str(&text).unwrap()).unwrap();
            open.extend(play(&mut second, &trainable, stop..40, &mut events));
            assert_eq!(open, whole, "{schedule:?} stopped at {stop}");
            assert_eq!(second.save(), {
                let mut all = fresh();
                play(&mut all, &trainable, 0..40, &mut 0);
                all.save()
            });
        }
    }
}

#[test]
fn the_trunk_stays_closed_in_the_first_phase_of_gu_and_lpft() {
    let trainable = whole_model(12);
    let outputs = [Group::LanguageModel, Group::Head];
    for variant in [Paper, Code] {
        let lpft = state(&Schedule::Lpft(every(variant, 10)), &trainable, 100, 0);
        let gu = state(&Schedule::Gu(every(variant, 7)), &trainable, 100, 0);
        for step in 0..6 {
            assert!(lpft.open(step).groups.iter().eq(&outputs));
            assert_eq!(gu.open(step).groups, BTreeSet::from([Group::Layer(11), outputs[0], outputs[1]]));
        }
    }
}

#[test]
fn random_is_a_permutation_drawn_from_the_seed() {
    let trainable = layers(12);
    let order = |seed| -> Vec<Group> {
        let mut state = state(&schedule("random", Paper, 1, 12), &trainable, 12, seed);
        let open = play(&mut state, &trainable, 0..12, &mut 0);
        let new = |pair: &[Vec<Group>]| pair[1].iter().find(|group| !pair[0].contains(group)).copied().unwrap();
        open.windows(2).map(new).collect()
    };
    let orders: Vec<Vec<Group>> = (0..50).map(order).collect();
    for order in &orders {
        assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), (0..11).map(Group::Layer).collect());
    }
    assert_eq!(orders[7], order(7));
    assert!(orders.iter().collect::<BTreeSet<_>>().len() > 45);
    // Any layer may come first.
    assert_eq!(orders.iter().map(|order| order[0]).collect::<BTreeSet<_>>().len(), 11);
}

#[test]
fn the_ten_orders_are_permutations_and_open_as_listed() {
    let trainable = layers(12);
    let mut seen = BTreeSet::new();
    for number in 0..10 {
        let order = FixedOrder { order: UnfreezingOrder::Paper(number), variant: Paper, interval: interval(1) };
        let mut state = state(&Schedule::Order(order), &trainable, 12, 0);
        let open = play(&mut state, &trainable, 0..12, &mut 0);
        assert_eq!(open[0], [Group::Layer(11), Group::Head]);
        assert!(open.windows(2).all(|pair| pair[1].len() == pair[0].len() + 1));
        seen.insert(open);
        let first = [10, 10, 9, 9, 10, 10, 10, 10, 10, 10][number];
        let second = [9, 2, 6, 7, 5, 8, 4, 1, 9, 7][number];
        assert!(state.open(1).groups.contains(&Group::Layer(first)), "order {number}");
        assert!(state.open(2).groups.contains(&Group::Layer(second)), "order {number}");
        let last = [0, 4, 0, 6, 6, 3, 1, 4, 2, 9][number];
        assert!(!state.open(10).groups.contains(&Group::Layer(last)), "order {number}");
    }
    assert_eq!(seen.len(), 10);
}

#[test]
fn embeddings_open_after_the_layers_of_a_fixed_order() {
    let order = |layers: &[usize]| {
        Schedule::Order(FixedOrder {
            order: UnfreezingOrder::Layers(layers.to_vec()),
            variant: Paper,
            interval: interval(1),
        })
    };
    let trainable = whole_model(3);
    let mut state = state(&order(&[0, 1]), &trainable, 4, 0);
    let open = play(&mut state, &trainable, 0..4, &mut 0);
    assert!(!open[2].contains(&Group::Embeddings) && open[3].contains(&Group::Embeddings));
    for wrong in [&[][..], &[0], &[0, 0], &[0, 1, 2], &[1, 2], &[0, 3]] {
        let message = try_state(&order(wrong), &trainable, 4, 0).unwrap_err().to_string();
        assert!(message.contains("each of the layers [0, 1] once"), "{message}");
    }
}

#[test]
fn chain_thaw_trains_one_group_after_the_other_alone() {
    let trainable = [Group::Embeddings, Group::Layer(0), Group::Layer(1), Group::Head];
    let schedule = Schedule::ChainThaw(ChainThaw { interval: interval(2), ..ChainThaw::default() });
    let state = state(&schedule, &trainable, 12, 0);
    let phases: [&[Group]; 5] =
        [&[Group::Head], &[Group::Embeddings], &[Group::Layer(0)], &[Group::Layer(1)], &trainable];
    for step in 0..12 {
        let open = state.open(step);
        let phase = (step as usize / 2).min(4);
        assert!(open.groups.iter().eq(phases[phase]), "step {step}");
        assert_eq!(open.peak_share, Some(if phase == 0 { 10.0 } else { 1.0 }), "step {step}");
        assert_eq!(open.fresh_optimizer, [2, 4, 6, 8].contains(&step), "step {step}");
        assert!(open.rates.values().all(|&rate| rate == 1.0) && open.rates.keys().eq(&open.groups));
    }
}

#[test]
fn ulmfit_opens_from_the_head_down_at_falling_rates() {
    let trainable = [Group::Embeddings, Group::Layer(0), Group::Layer(1), Group::Head];
    let schedule = Schedule::Ulmfit(Ulmfit { interval: interval(5), ..Ulmfit::default() });
    let state = state(&schedule, &trainable, 20, 0);
    for step in 0..20 {
        let open = state.open(step);
        let count = 1 + (step as usize / 5).min(3);
        let expected: BTreeSet<Group> = trainable[4 - count..].iter().copied().collect();
        assert_eq!(open.groups, expected, "step {step}");
        let rates: Vec<f64> = open.rates.values().rev().copied().collect();
        for (depth, rate) in rates.iter().enumerate() {
            assert!((rate * 2.6f64.powi(depth as i32) - 1.0).abs() < 1e-12, "step {step}, depth {depth}: {rate}");
        }
    }
    assert_eq!(state.open(2).peak_share, Some(1.0));
    assert_eq!(state.open(0).peak_share, Some(1.0 / 32.0));
}

#[test]
fn fun_takes_the_largest_closed_trace_and_says_ties() {
    let trainable = layers(4);
    let mut state = state(&schedule("fun", Paper, 2, 4), &trainable, 10, 0);
    assert_eq!(state.before(0), Request::None);
    assert_eq!(state.before(2), Request::FisherTrace { batches: 41, labels: Labels::Sampled });
    let scores = |values: [f64; 4]| -> BTreeMap<Group, f64> { (0..4).map(Group::Layer).zip(values).collect() };
    // Layer 3 is open already: its trace does not count.
    let opened = state.scores(&scores([1.0, 2.0, 2.0, 9.0])).unwrap();
    assert_eq!((opened.group, opened.tied), (Group::Layer(1), true));
    assert_eq!(state.before(4), Request::FisherTrace { batches: 41, labels: Labels::Sampled });
    let opened = state.scores(&scores([3.0, 9.0, 2.0, 9.0])).unwrap();
    assert_eq!((opened.group, opened.tied), (Group::Layer(0), false));
    assert_eq!(state.before(6), Request::None);
    assert_eq!(state.open(6).groups.len(), 5);
    assert_eq!(state.scores(&scores([0.0; 4])), Err(ScheduleError::NothingClosed));
    assert_eq!(state.save().opened, ["layer.3", "layer.1", "layer.0", "layer.2"]);
}

#[test]
fn fun_refuses_scores_that_are_none() {
    let trainable = layers(3);
    let mut state = state(&schedule("fun", Code, 2, 3), &trainable, 10, 0);
    assert_eq!(state.before(1), Request::FisherTrace { batches: 41, labels: Labels::Argmax });
    let missing = state.scores(&BTreeMap::from([(Group::Layer(0), 1.0)]));
    assert_eq!(missing, Err(ScheduleError::MissingScore { group: Group::Layer(1) }));
    let infinite = state.scores(&BTreeMap::from([(Group::Layer(0), 1.0), (Group::Layer(1), f64::INFINITY)]));
    assert!(matches!(infinite, Err(ScheduleError::NonFinite { group: Group::Layer(1), .. })));
    assert_eq!(state.open(1).groups.len(), 2);
}

#[test]
fn a_foreign_state_is_refused() {
    let trainable = layers(3);
    let saved = |names: &[&str]| SavedSchedule { opened: names.iter().map(|&name| name.to_owned()).collect() };
    let mut fun = state(&schedule("fun", Paper, 2, 3), &trainable, 10, 0);
    let before = fun.save();
    let wrong: [&[&str]; 6] =
        [&[], &["layer.0"], &["layer.2", "layer.2"], &["layer.2", "layer.7"], &["layer.2", "head"], &["layer.2", "x"]];
    for names in wrong {
        assert_eq!(fun.restore(&saved(names)), Err(ScheduleError::WrongState), "{names:?}");
        assert_eq!(fun.save(), before);
    }
    let mut gu = state(&schedule("gu", Paper, 2, 3), &trainable, 10, 0);
    assert_eq!(gu.restore(&saved(&["layer.2"])), Err(ScheduleError::WrongState));
    assert_eq!(gu.restore(&saved(&[])), Ok(()));
}

#[test]
fn a_schedule_that_does_not_end_within_the_stage_is_refused() {
    let trainable = layers(12);
    let message = |schedule: &Schedule, steps| try_state(schedule, &trainable, steps, 0).unwrap_err().to_string();
    let long = message(&Schedule::Gu(every(Code, 800)), 2000);
    assert_eq!(
        long,
        "method `method`: with `interval` 800 the schedule is complete only after step 9599, and the stage has 2000 \
         steps: choose a shorter interval, for example 83"
    );
    let short = message(&Schedule::Gu(Unfreezing::default()), 11);
    assert!(short.ends_with("too short for a schedule of 12 intervals: give it at least 12 steps"), "{short}");
    assert!(try_state(&Schedule::Gu(Unfreezing::default()), &trainable, 12, 0).is_ok());
    let bare = try_state(&Schedule::Gu(Unfreezing::default()), &[Group::Head], 100, 0).unwrap_err().to_string();
    assert!(bare.contains("trains more than the head"), "{bare}");
    assert!(try_state(&Schedule::All, &[Group::Head], 100, 0).is_ok());
}

#[test]
fn schedules_are_written_as_suites_write_them() {
    let text = |schedule: &Schedule| serde_json::to_string(schedule).unwrap();
    assert_eq!(text(&Schedule::All), r#"{"kind":"all"}"#);
    assert_eq!(
        text(&Schedule::Fun(Fun::default())),
        r#"{"kind":"fun","variant":"paper","batches":41,"scores":"per-parameter"}"#
    );
    for schedule in defaults() {
        assert_eq!(serde_json::from_str::<Schedule>(&text(&schedule)).unwrap(), schedule);
        assert!(schedule.check().is_ok());
        assert!(text(&schedule).starts_with(&format!("{{\"kind\":\"{}\"", schedule.name())));
    }
    let parsed: Schedule = serde_json::from_str(r#"{"kind":"gu","interval":50,"variant":"code"}"#).unwrap();
    assert_eq!(parsed, Schedule::Gu(every(Code, 50)));
    for wrong in [
        r#"{"kind":"gu","interval":0}"#,
        r#"{"kind":"gu","steps":5}"#,
        r#"{"kind":"all","interval":5}"#,
        r#"{"kind":"order"}"#,
        r#"{"kind":"order","order":"up"}"#,
        r#"{"kind":"fun","variant":"released"}"#,
    ] {
        assert!(serde_json::from_str::<Schedule>(wrong).is_err(), "{wrong}");
    }
    for wrong in [
        r#"{"kind":"fun","batches":0}"#,
        r#"{"kind":"order","order":10}"#,
        r#"{"kind":"chain-thaw","head-rate":0}"#,
        r#"{"kind":"ulmfit","decay":0.5}"#,
        r#"{"kind":"ulmfit","cut":1}"#,
        r#"{"kind":"ulmfit","ratio":0}"#,
    ] {
        let schedule: Schedule = serde_json::from_str(wrong).unwrap();
        assert!(schedule.check().is_err(), "{wrong}");
        assert!(try_state(&schedule, &layers(12), 100, 0).is_err(), "{wrong}");
    }
}

#[test]
fn changes_are_what_differs_from_the_step_before() {
    let trainable = layers(3);
    let gu = state(&Schedule::Gu(every(Paper, 2)), &trainable, 10, 0);
    let changes: Vec<_> = (0..6).map(|step| gu.changes(step)).collect();
    let [low, middle, top] = [0, 1, 2].map(|layer| (Group::Layer(layer), true));
    assert_eq!(changes, [vec![top, (Group::Head, true)], vec![], vec![middle], vec![], vec![low], vec![]]);
    let thaw = ChainThaw { interval: interval(2), ..ChainThaw::default() };
    let thaw = state(&Schedule::ChainThaw(thaw), &trainable, 10, 0);
    assert_eq!(thaw.changes(2), [low, (Group::Head, false)]);
    assert!((0..10).all(|step| state(&Schedule::All, &trainable, 10, 0).changes(step).is_empty()));
}
