//! Schedules at work in a strategy: what is closed keeps its bits, and a resumed stage equals one that never stopped.

mod schedules_support;

use std::collections::BTreeSet;
use std::path::Path;

use model::{Group, Learner, ModelError};
use schedules_support::{every, interval};
use spec::UnfreezingVariant::{Code, Paper};
use spec::{
    Backend, Batch, ChainThaw, Decay, Fun, Language, Method, Name, Schedule, Split, Stage, Structure, Targets, Task,
    Ulmfit,
};
use strategies::schedules::{Labels, fisher_trace};
use strategies::{BatchError, BatchSource, StepReport, Strategy, SubBatch};

const STEPS: u64 = 11;

/// Batches of three pairs of made-up tokens.
struct Words;

impl BatchSource for Words {
    fn source(&mut self, source: usize, draw: u64) -> Result<SubBatch, BatchError> {
        let word = |place: u64| 5 + ((place * 37 + draw * 101 + source as u64 * 11) % 110) as i32;
        let batch = Batch {
            ids: (0..24).map(word).collect(),
            type_ids: vec![0; 24],
            lengths: vec![8, 8, 8],
            seq: 8,
            targets: Targets::Classes((0..3).map(|row| ((row + draw) % 3) as i32).collect()),
            ..Batch::default()
        };
        Ok(SubBatch { batch, dropout_seed: draw })
    }

    fn memory(&mut self, _: usize, _: u64) -> Result<Vec<SubBatch>, BatchError> {
        Err("there is no memory".into())
    }
}

fn stage() -> Stage {
    Stage {
        task: Task::Nli,
        data: Name::new("data").unwrap(),
        split: Split::Train,
        languages: ["en", "de"].map(|code| code.parse::<Language>().unwrap()).to_vec(),
        examples: None,
        steps: STEPS,
        batch: 6,
        learning_rate: 1e-3,
        weight_decay: 0.01,
        warmup: 0.0,
        decay: Decay::default(),
        clip: 1.0,
        max_length: 8,
        stride: 0,
        parser: None,
        trace_every: None,
        probe_every: None,
        memories: Vec::new(),
        probes: Vec::new(),
    }
}

fn learner() -> Learner {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/reference/bert-classes");
    Learner::load(&folder, Backend::Cpu).unwrap()
}

fn method(schedule: Schedule) -> Method {
    Method { schedule, ..Method::plain(Name::new("method").unwrap()) }
}

fn schedules() -> Vec<Schedule> {
    let fun = |variant| Schedule::Fun(Fun { variant, interval: interval(2), batches: 3, ..Fun::default() });
    vec![
        Schedule::Gu(every(Paper, 2)),
        Schedule::Gu(every(Code, 2)),
        Schedule::Lpft(every(Paper, 3)),
        fun(Paper),
        fun(Code),
        Schedule::Random(every(Paper, 2)),
        Schedule::Reverse(every(Code, 2)),
        Schedule::ChainThaw(ChainThaw { interval: interval(2), ..ChainThaw::default() }),
        Schedule::Ulmfit(Ulmfit { interval: interval(2), ..Ulmfit::default() }),
    ]
}

/// The bits of all parameters of each group.
fn bits(learner: &Learner) -> Vec<(Group, Vec<u32>)> {
    let group = |name: &str| match name.split_once("layer.") {
        Some((_, rest)) => Group::Layer(rest.split('.').next().unwrap().parse().unwrap()),
        None if name.starts_with("embeddings.") => Group::Embeddings,
        None => Group::Head,
    };
    let names = learner.parameter_names().into_iter();
    let mut bits: Vec<(Group, Vec<u32>)> = names
        .map(|name| (group(name), learner.parameter(name).unwrap().into_iter().map(f32::to_bits).collect()))
        .collect();
    bits.sort();
    bits
}

fn run(strategy: &mut Strategy, learner: &mut Learner, steps: std::ops::Range<u64>) -> Vec<StepReport> {
    steps.map(|step| strategy.step(learner, &mut Words, step).unwrap()).collect()
}

#[test]
fn what_is_closed_keeps_its_bits_and_what_is_open_moves() {
    let stage = stage();
    for schedule in schedules() {
        let method = method(schedule);
        let mut learner = learner();
        let mut strategy = Strategy::new(&method, &stage, 4);
        strategy.begin(&mut learner, &mut Words).unwrap();
        let mut open: BTreeSet<String> = BTreeSet::new();
        for step in 0..STEPS {
            let before = bits(&learner);
            let report = strategy.step(&mut learner, &mut Words, step).unwrap();
            for (name, value) in &report.events {
                match (name.strip_prefix("open."), *value) {
                    (Some(group), 1.0) => assert!(open.insert(group.to_owned()), "{step} {name}"),
                    (Some(group), _) => assert!(open.remove(group), "{step} {name}"),
                    (None, _) => {}
                }
            }
            let moved: BTreeSet<String> = before
                .iter()
                .zip(&bits(&learner))
                .filter(|(before, after)| before != after)
                .map(|((group, _), _)| group.to_string())
                .collect();
            assert_eq!(moved, open, "{:?} step {step}", method.schedule);
        }
        assert_eq!(open.len(), 5, "{:?}", method.schedule);
    }
}

#[test]
fn a_resumed_stage_equals_one_that_never_stopped() {
    let stage = stage();
    for (index, schedule) in schedules().into_iter().enumerate() {
        let method = method(schedule);
        let mut whole = learner();
        let mut strategy = Strategy::new(&method, &stage, 4);
        strategy.begin(&mut whole, &mut Words).unwrap();
        let reports = run(&mut strategy, &mut whole, 0..STEPS);

        let folder = std::env::temp_dir().join(format!("lethe-schedules-{}-{index}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let checkpoint = folder.join("learner.safetensors");
        let mut first = learner();
        let mut strategy = Strategy::new(&method, &stage, 4);
        strategy.begin(&mut first, &mut Words).unwrap();
        let mut resumed = run(&mut strategy, &mut first, 0..5);
        strategy.save(&first, &folder).unwrap();
        first.save_checkpoint(&checkpoint).unwrap();

        let mut second = learner();
        let mut strategy = Strategy::new(&method, &stage, 4);
        strategy.load(&mut second, &folder).unwrap();
        second.load_checkpoint(&checkpoint).unwrap();
        resumed.extend(run(&mut strategy, &mut second, 5..STEPS));
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(resumed, reports, "{:?}", method.schedule);
        assert!(bits(&second) == bits(&whole), "{:?}", method.schedule);
    }
}

#[test]
fn a_schedule_works_within_what_the_structure_trains() {
    let stage = stage();
    let structure = Structure::FrozenLower { layers: Some(1) };
    let method = Method { structure, ..method(Schedule::Gu(every(Paper, 3))) };
    let mut learner = learner();
    let before = bits(&learner);
    let mut strategy = Strategy::new(&method, &stage, 0);
    strategy.begin(&mut learner, &mut Words).unwrap();
    run(&mut strategy, &mut learner, 0..STEPS);
    for (before, after) in before.iter().zip(&bits(&learner)) {
        let trained = before.0 >= Group::Layer(1);
        assert_eq!(before != after, trained, "{}", before.0);
    }
}

#[test]
fn fun_reports_its_traces_and_learning_rates_follow_the_schedule() {
    let stage = stage();
    let series = |report: &StepReport, start: &str| -> Vec<String> {
        report.events.iter().filter(|(name, _)| name.starts_with(start)).map(|(name, _)| name.clone()).collect()
    };
    let fun = method(schedules().remove(3));
    let (mut first, mut strategy) = (learner(), Strategy::new(&fun, &stage, 4));
    strategy.begin(&mut first, &mut Words).unwrap();
    let reports = run(&mut strategy, &mut first, 0..STEPS);
    let traces: Vec<usize> = reports.iter().map(|report| series(report, "fisher.").len()).collect();
    assert_eq!(traces, [0, 0, 3, 0, 2, 0, 0, 0, 0, 0, 0]);

    let thaw = method(schedules().remove(7));
    let (mut second, mut strategy) = (learner(), Strategy::new(&thaw, &stage, 4));
    strategy.begin(&mut second, &mut Words).unwrap();
    let rates: Vec<f64> = run(&mut strategy, &mut second, 0..STEPS).iter().map(|report| report.learning_rate).collect();
    assert_eq!(rates[..3], [1e-2, 1e-2, 1e-3]);
    assert!(rates[3..].iter().all(|&rate| rate == 1e-3));
}

#[test]
fn a_trace_along_the_stage_covers_all_that_trains_and_changes_nothing() {
    let traced = Stage { trace_every: std::num::NonZeroU64::new(4), ..stage() };
    for schedule in [Schedule::All, Schedule::Gu(every(Paper, 2))] {
        let method = method(schedule);
        let mut ends = Vec::new();
        for stage in [&stage(), &traced] {
            let (mut learner, mut strategy) = (learner(), Strategy::new(&method, stage, 4));
            strategy.begin(&mut learner, &mut Words).unwrap();
            let reports = run(&mut strategy, &mut learner, 0..STEPS);
            let traces = |report: &StepReport| -> Vec<String> {
                let events = report.events.iter().filter(|(name, value)| name.starts_with("trace.") && *value > 0.0);
                events.map(|(name, _)| name.clone()).collect()
            };
            let counts: Vec<usize> = reports.iter().map(|report| traces(report).len()).collect();
            let units = learner.groups().len() - 1;
            match stage.trace_every {
                None => assert_eq!(counts, [0; STEPS as usize]),
                Some(_) => assert_eq!(counts, [units, 0, 0, 0, units, 0, 0, 0, units, 0, 0], "{:?}", reports[0].events),
            }
            ends.push(bits(&learner));
        }
        assert_eq!(ends[0], ends[1]);
    }
}

#[test]
fn the_first_trace_is_the_fisher_trace_of_the_model_as_it_begins() {
    let stage = Stage { trace_every: std::num::NonZeroU64::new(4), ..stage() };
    let method = method(Schedule::All);
    let (mut learner, mut strategy) = (learner(), Strategy::new(&method, &stage, 4));
    strategy.begin(&mut learner, &mut Words).unwrap();
    let units: Vec<Group> = learner.groups().into_iter().filter(|group| *group != Group::Head).collect();
    let draws = (1 << 40)..(1 << 40) + 8;
    let batches = draws.map(|draw| vec![Words.source(0, draw).unwrap().batch, Words.source(1, draw).unwrap().batch]);
    let by_hand = fisher_trace::<ModelError>(&mut learner, &units, Labels::Sampled, batches, (4, 0), |_, _| Ok(()));
    let report = strategy.step(&mut learner, &mut Words, 0).unwrap();
    for (group, value) in by_hand.unwrap() {
        assert!(report.events.contains(&(format!("trace.{group}"), value)), "{group} {value} {:?}", report.events);
    }
}
