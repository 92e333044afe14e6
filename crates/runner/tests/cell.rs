//! A cell from its job to its results in this process: no binary, no parent.

use std::cell::{Cell as Counter, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use data::DataFolder;
use results::{Overwrite, ResultsFolder};
use runner::{Ended, Event, Job, Stop};
use spec::{Backend, Cell, DataKey, LanguageDistances, NUMERIC_VERSION, Name, Outcome, Split, Suite, Task};
use tasks::{ImportFile, Input};

const SUITE: &str = r#"
description = "small enough for a test"
model = "tiny-encoder"
seeds = [1]
methods = ["ft"]

[probe.people]
task = "ner"
data = "people"
languages = ["en"]
max-length = 48

[protocol.ner]
[[protocol.ner.stage]]
task = "ner"
data = "people"
languages = ["en"]
steps = 12
batch = 8
learning-rate = 3e-3
weight-decay = 0.01
warmup = 0.1
clip = 1.0
max-length = 48
probes = ["people"]
"#;

fn encoder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/tiny-encoder")
}

struct World {
    root: tempfile::TempDir,
    cell: Cell,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&root.path().join("data"));
        let name = Name::new("people").unwrap();
        let mut hashes = BTreeMap::new();
        for (split, count) in [(Split::Train, 40), (Split::Test, 20)] {
            let mut text = String::new();
            for index in 0..count {
                let (person, place) = (["Anna", "Bert", "Clara"][index % 3], ["Oslo", "Lima"][index % 2]);
                write!(text, "{person}\tB-PER\nlives\tO\nin\tO\n{place}\tB-LOC\n\n").unwrap();
            }
            let file = root.path().join("people.tsv");
            fs::write(&file, text).unwrap();
            let language = "en".parse().unwrap();
            let file = ImportFile {
                format: "wikiann-text".parse().unwrap(),
                dataset: name.clone(),
                task: Task::Ner,
                split,
                input: Input::new(vec![file], language),
                source: String::new(),
                licence: String::new(),
            };
            let entry = tasks::import_file(&file, &folder, &mut |_| {}).unwrap();
            hashes.insert(DataKey::new(Task::Ner, &name, language, split).to_string(), entry.hash);
        }
        let suite = Suite::parse("s", SUITE).unwrap();
        let cell = Cell {
            numeric_version: NUMERIC_VERSION,
            model: suite.model.clone(),
            model_hash: model::content_hash(&encoder()).unwrap(),
            method: suite.methods[0].clone(),
            protocol: suite.protocols[0].clone(),
            seed: 1,
            backend: Backend::Cpu,
            data: hashes,
            distances: LanguageDistances::default(),
        };
        Self { root, cell }
    }

    fn job(&self, results: &str) -> Job {
        Job {
            cell: self.cell.clone(),
            model: encoder(),
            data: self.root.path().join("data"),
            results: self.root.path().join(results),
            cache: self.root.path().join("cache"),
            checkpoint_seconds: 3600,
            overwrite: Overwrite::Missing,
            common_stages: 0,
            save: None,
        }
    }

    fn run(&self, job: &Job, stop: &Stop, events: &dyn Fn(&Event)) -> Ended {
        runner::run(job, DataFolder::open(&job.data), stop.clone(), events).unwrap()
    }

    /// Runs the job until it is in a phase, where it is asked to leave.
    fn stop_at(&self, job: &Job, at: &str) {
        let stop = Stop::default();
        let leave = |event: &Event| {
            if matches!(event, Event::Progress { phase, .. } if phase == at) {
                stop.ask();
            }
        };
        assert_eq!(self.run(job, &stop, &leave), Ended::Interrupted);
    }

    /// What is recorded of the cell but for its times.
    fn recorded(&self, job: &Job) -> BTreeMap<PathBuf, Vec<u8>> {
        let found = ResultsFolder::open(&job.results).unwrap().get(&self.cell).unwrap().expect("a finished cell");
        assert_eq!(found.outcome, Outcome::Done);
        let files = fs::read_dir(found.path).unwrap().map(|entry| entry.unwrap().path());
        let plain = |path: &PathBuf| !path.ends_with("timing.json");
        files.filter(plain).map(|path| (path.file_name().unwrap().into(), fs::read(&path).unwrap())).collect()
    }
}

#[test]
fn a_cell_tells_what_it_does_and_leaves_results_that_are_not_done_again() {
    let (world, heard) = (World::new(), RefCell::new(Vec::new()));
    let job = world.job("results");
    let listen = |event: &Event| heard.borrow_mut().push(event.clone());
    assert_eq!(world.run(&job, &Stop::default(), &listen), Ended::Published);
    let heard = heard.take();
    assert_eq!(heard.last(), Some(&Event::Ended { outcome: "done".to_owned() }));
    let steps = |event: &&Event| matches!(event, Event::Progress { phase, .. } if phase.starts_with("step "));
    assert_eq!(heard.iter().filter(steps).count(), 12);
    let done = heard.iter().filter_map(|event| match event {
        Event::Progress { done, of, .. } => Some((*done, *of)),
        _ => None,
    });
    let done: Vec<(u64, u64)> = done.collect();
    assert!(done.is_sorted() && done.iter().all(|(done, of)| done <= of), "{done:?}");
    assert_eq!(world.run(&job, &Stop::default(), &|_| {}), Ended::Busy);
}

#[test]
fn a_cell_that_is_stopped_at_any_step_goes_on_to_the_same_bytes() {
    let world = World::new();
    let whole = world.job("whole");
    assert_eq!(world.run(&whole, &Stop::default(), &|_| {}), Ended::Published);
    for step in [1, 7, 12] {
        let job = world.job(&format!("stopped-{step}"));
        world.stop_at(&job, &format!("step {step} of 12"));
        assert_eq!(world.run(&job, &Stop::default(), &|_| {}), Ended::Published);
        assert_eq!(world.recorded(&job), world.recorded(&whole), "stopped at step {step}");
    }
}

#[test]
fn what_is_measured_on_the_way_changes_nothing_and_is_measured_once() {
    let mut world = World::new();
    for name in ["ft", "lora", "fun", "adapter", "mixout", "reptile", "subnet-dynamic"] {
        let method = spec::preset(name).unwrap().method(Name::new(name).unwrap());
        world.cell.method = method;
        world.cell.protocol.stages[0].probe_every = None;
        let plain = world.job(&format!("{name}-plain"));
        assert_eq!(world.run(&plain, &Stop::default(), &|_| {}), Ended::Published);
        let expected = world.recorded(&plain);
        world.cell.protocol.stages[0].probe_every = 5.try_into().ok();
        let whole = world.job(&format!("{name}-measured"));
        assert_eq!(world.run(&whole, &Stop::default(), &|_| {}), Ended::Published);
        let measured = world.recorded(&whole);
        for file in ["scores.parquet", "examples.parquet", "curve.parquet"] {
            assert!(measured[Path::new(file)] == expected[Path::new(file)], "{name}: {file} differs");
        }
        let record = ResultsFolder::open(&whole.results).unwrap().get(&world.cell).unwrap().unwrap();
        let points = record.series().unwrap();
        let steps = points.iter().filter(|point| point.series == "probe people en").map(|point| point.step);
        assert_eq!(steps.collect::<Vec<_>>(), [0, 5, 10], "{name}");
        // Stopped just before it measures, and just after.
        for step in [5, 6] {
            let job = world.job(&format!("{name}-stopped-{step}"));
            world.stop_at(&job, &format!("step {step} of 12"));
            assert_eq!(world.run(&job, &Stop::default(), &|_| {}), Ended::Published);
            assert!(world.recorded(&job) == measured, "{name}, stopped at step {step}");
        }
    }
}

#[test]
fn a_stage_in_common_is_trained_once_and_one_that_is_damaged_again() {
    let world = World::new();
    let alone = world.job("alone");
    assert_eq!(world.run(&alone, &Stop::default(), &|_| {}), Ended::Published);
    let state = alone.cache.join("stages").join(world.cell.prefix(1).as_str());
    let steps = |results: &str| {
        let (job, steps) = (Job { common_stages: 1, ..world.job(results) }, Counter::new(0));
        let count = |event: &Event| {
            if matches!(event, Event::Progress { phase, .. } if phase.starts_with("step ")) {
                steps.set(steps.get() + 1);
            }
        };
        assert_eq!(world.run(&job, &Stop::default(), &count), Ended::Published);
        assert_eq!(world.recorded(&job), world.recorded(&alone), "{results}");
        steps.get()
    };
    assert_eq!(steps("first"), 12);
    assert!(runner::is_cached(&alone.cache, &world.cell.prefix(1)));
    assert_eq!(steps("second"), 0);
    for name in ["state.cbor", "learner.safetensors"] {
        let mut bytes = fs::read(state.join(name)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(state.join(name), bytes).unwrap();
        assert_eq!(steps(&format!("after-damage-to-{name}")), 12);
        assert_eq!(steps(&format!("mended-{name}")), 0);
    }
    // Whoever writes a file can write its hash: what cannot be is not believed either.
    forge(&state.join("state.cbor"), |field, value| {
        if field == "moment" {
            *value = 1_000_000_000_000_u64.into();
        }
    });
    assert_eq!(steps("after-forgery-of-the-state"), 12);
    let measured = fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().path());
    let measured =
        measured.filter(|path| path.extension().is_some_and(|end| end == "cbor") && !path.ends_with("state.cbor"));
    let measured: Vec<PathBuf> = measured.collect();
    assert!(!measured.is_empty());
    for path in measured {
        forge(&path, |field, value| {
            if let (true, ciborium::Value::Array(ids)) = (field == "ids", value) {
                ids.truncate(1);
            }
        });
    }
    steps("after-forgery-of-a-measurement");
    runner::remove(&alone.cache, &world.cell.prefix(1));
    assert!(!state.exists());
}

/// Changes the fields of a file of the cache, and its hash with them.
fn forge(path: &Path, mut change: impl FnMut(&str, &mut ciborium::Value)) {
    fn walk(value: &mut ciborium::Value, change: &mut impl FnMut(&str, &mut ciborium::Value)) {
        match value {
            ciborium::Value::Map(fields) => fields.iter_mut().for_each(|(name, value)| {
                change(name.as_text().unwrap_or_default(), value);
                walk(value, change);
            }),
            ciborium::Value::Array(values) => values.iter_mut().for_each(|value| walk(value, change)),
            _ => {}
        }
    }
    let bytes = fs::read(path).unwrap();
    let mut value: ciborium::Value = ciborium::from_reader(files::sealed::open(&bytes, b"LETHEFND").unwrap()).unwrap();
    walk(&mut value, &mut change);
    let mut content = Vec::new();
    ciborium::into_writer(&value, &mut content).unwrap();
    files::sealed::write(path, b"LETHEFND", &content).unwrap();
}

fn is_recorded(world: &World, job: &Job) -> bool {
    ResultsFolder::open(&job.results).unwrap().get(&world.cell).unwrap().is_some()
}

/// Runs a job that is to leave its cell undone, and gives what it says of that.
#[track_caller]
fn undone(world: &World, job: &Job) -> (String, bool) {
    let heard = RefCell::new(Vec::new());
    let ended = world.run(job, &Stop::default(), &|event| heard.borrow_mut().push(event.clone()));
    let heard = heard.take();
    assert_eq!(ended, Ended::Undone, "{heard:?}");
    assert!(!is_recorded(world, job), "a cell that is undone is recorded");
    let Some(Event::Undone { why, retry }) = heard.last() else { panic!("{heard:?}") };
    (why.clone(), *retry)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let into = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &into);
        } else {
            fs::copy(&path, into).unwrap();
        }
    }
}

#[test]
fn a_model_that_was_replaced_gives_no_record() {
    let world = World::new();
    let model = world.root.path().join("model");
    copy_folder(&encoder(), &model);
    let job = Job { model: model.clone(), ..world.job("results") };
    let weights = model.join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
    let (why, retry) = undone(&world, &job);
    assert!(why.contains("inputs changed") && why.contains("model") && !retry, "{why}");
    // Put back, it is the cell's model again.
    fs::copy(encoder().join("model.safetensors"), &weights).unwrap();
    assert_eq!(world.run(&job, &Stop::default(), &|_| {}), Ended::Published);
    fs::remove_file(&weights).unwrap();
    let gone = Job { results: world.root.path().join("gone"), ..job };
    let (why, retry) = undone(&world, &gone);
    assert!(why.contains("model.safetensors") && retry, "{why}");
}

#[test]
fn data_that_were_replaced_give_no_record_whenever_that_happens() {
    let world = World::new();
    let other = World::new();
    let data = other.root.path().join("data");
    // Another data set of the same name and shape, with other words.
    let file = other.root.path().join("others.tsv");
    fs::write(&file, "Dora\tB-PER\nlives\tO\nin\tO\nRome\tB-LOC\n\n".repeat(20)).unwrap();
    let language = "en".parse().unwrap();
    let import = ImportFile {
        format: "wikiann-text".parse().unwrap(),
        dataset: Name::new("people").unwrap(),
        task: Task::Ner,
        split: Split::Test,
        input: Input::new(vec![file], language),
        source: String::new(),
        licence: String::new(),
    };
    tasks::import_file(&import, &DataFolder::open(&data), &mut |_| {}).unwrap();
    // What was trained on is what was planned, what is measured is not.
    let before = Job { data: data.clone(), ..world.job("before") };
    let (why, retry) = undone(&world, &before);
    assert!(why.contains("inputs changed") && why.contains("people/ner/en/test") && !retry, "{why}");
    assert!(fs::read_dir(before.cache.join("measured")).is_err(), "its scores would be taken for others");
    // The same while the cell is at work.
    let job = world.job("during");
    let replace = |event: &Event| {
        if matches!(event, Event::Progress { phase, .. } if phase == "step 12 of 12") {
            copy_folder(&data, &job.data);
        }
    };
    let ended = world.run(&job, &Stop::default(), &replace);
    assert_eq!(ended, Ended::Undone);
    assert!(!is_recorded(&world, &job), "a cell that is undone is recorded");
}

#[test]
fn data_that_are_damaged_or_gone_leave_the_cell_undone_until_they_are_there_again() {
    let world = World::new();
    let file = world.root.path().join("data/people/ner/en/test.parquet");
    let bytes = fs::read(&file).unwrap();
    let job = world.job("results");
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    assert!(undone(&world, &job).0.contains("test.parquet"));
    fs::remove_file(&file).unwrap();
    assert!(undone(&world, &job).0.contains("test.parquet"));
    // A passing fault of the disk, as far as a file system can be made to have one.
    fs::create_dir(&file).unwrap();
    assert!(undone(&world, &job).0.contains("test.parquet"));
    fs::remove_dir(&file).unwrap();
    fs::write(&file, &bytes).unwrap();
    assert_eq!(world.run(&job, &Stop::default(), &|_| {}), Ended::Published);
    let whole = world.job("whole");
    assert_eq!(world.run(&whole, &Stop::default(), &|_| {}), Ended::Published);
    assert_eq!(world.recorded(&job), world.recorded(&whole));
}

#[test]
fn a_probe_ends_when_its_cell_is_asked_to_leave() {
    let world = World::new();
    let job = world.job("results");
    world.stop_at(&job, "measuring people");
    let whole = world.job("whole");
    assert_eq!(world.run(&job, &Stop::default(), &|_| {}), Ended::Published);
    assert_eq!(world.run(&whole, &Stop::default(), &|_| {}), Ended::Published);
    assert_eq!(world.recorded(&job), world.recorded(&whole));
}

#[test]
fn a_damaged_checkpoint_is_told_and_costs_its_work_alone() {
    let world = World::new();
    let job = world.job("results");
    world.stop_at(&job, "step 7 of 12");
    let state = fs::read_dir(job.results.join("work").join(world.cell.folder())).unwrap();
    let state = state.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).expect("a checkpoint");
    let learner = state.join("learner.safetensors");
    let mut bytes = fs::read(&learner).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&learner, bytes).unwrap();
    let warned = RefCell::new(String::new());
    let listen = |event: &Event| {
        if let Event::Warning { text } = event {
            warned.borrow_mut().push_str(text);
        }
    };
    assert_eq!(world.run(&job, &Stop::default(), &listen), Ended::Published);
    let warned = warned.take();
    assert!(warned.contains("learner.safetensors") && warned.contains("starts again"), "{warned}");
    let whole = world.job("whole");
    assert_eq!(world.run(&whole, &Stop::default(), &|_| {}), Ended::Published);
    assert_eq!(world.recorded(&job), world.recorded(&whole));
}
