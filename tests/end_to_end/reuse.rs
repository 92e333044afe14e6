//! Stages that cells have in common are trained once, and nothing of it shows in the results.

use std::fs;
use std::path::{Path, PathBuf};

use crate::crash::{children, is_gone, signal, spawn, wait_until};
use crate::world::{SUITE, World};

/// Steps of the first stage, which all cells have in common; of the second, which protocols and methods part.
const STEPS: [u64; 2] = [20, 10];

/// Two protocols that part after their first stage, by methods that part there too.
fn world() -> World {
    let world = World::new();
    let (head, protocol) = SUITE.split_once("[protocol.ner]").expect("the suite's only protocol");
    let head = head.replace("methods = [\"ft\", \"frozen\"]", "methods = [\"ft\", \"gem\", \"laft\"]");
    let first = protocol.replace("steps = 30", &format!("steps = {}", STEPS[0]));
    let second = |language: &str| {
        format!(
            "[[protocol.ner.stage]]\ntask = \"ner\"\ndata = \"people\"\nsplit = \"test\"\nlanguages = [\"{language}\"]\nsteps = {}\n\
             batch = 8\nlearning-rate = 3e-3\nweight-decay = 0.01\nwarmup = 0.1\nclip = 1.0\nmax-length = 48\n\
             memories = [\"past-stages\"]\nprobes = [\"people\", \"pairs\"]\n",
            STEPS[1]
        )
    };
    let german = format!("[protocol.ner]{first}\n{}", second("de"));
    // What is measured on the way is not the same.
    let english = format!("[protocol.ner]{first}\n{}", second("en")).replace("protocol.ner", "protocol.english");
    let english = english.replacen("before = [\"pairs\"]", "before = [\"people\"]", 1);
    let english = english.replacen("probes = [\"people\", \"pairs\"]", "probes = [\"people\"]", 1);
    world.write("suite.toml", &[&head, &german, "\n", &english].concat());
    world
}

/// Runs the cells one at a time, each in a sweep of its own.
fn alone(world: &World, results: &str) -> usize {
    let cells = 6;
    for _ in 0..cells {
        world.ok_in(results, &["sweep", "suite.toml", "--limit", "1"]);
    }
    cells
}

/// Steps that cells had from others.
fn taken(world: &World, results: &str) -> Vec<u64> {
    let cells = fs::read_dir(world.path(results).join("cells")).expect("records").flatten();
    let steps = cells.map(|cell| {
        let timing = fs::read(cell.path().join("timing.json")).expect("a timing");
        let timing: serde_json::Value = serde_json::from_slice(&timing).expect("JSON");
        timing.get("steps-of-other-cells").map_or(0, |steps| steps.as_u64().expect("a number"))
    });
    let mut steps: Vec<u64> = steps.collect();
    steps.sort_unstable();
    steps
}

/// States that are kept in the cache.
fn kept(cache: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(cache.join("stages")).into_iter().flatten().flatten().map(|entry| entry.path());
    folders.filter(|folder| folder.join("state.cbor").is_file()).collect()
}

#[track_caller]
fn assert_same(world: &World, results: &str, expected: &str) {
    let (found, expected) = (world.recorded(results), world.recorded(expected));
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, bytes) in &expected {
        assert!(found[name] == *bytes, "{name} differs");
    }
}

#[test]
fn a_common_stage_is_trained_once_and_changes_no_byte() {
    let world = world();
    let cells = alone(&world, "alone");
    assert_eq!(taken(&world, "alone"), vec![0; cells], "a cell by itself has nobody to take from");
    for jobs in ["1", "2"] {
        fs::remove_dir_all(world.path("cache")).expect("a cache");
        world.ok_in(jobs, &["sweep", "suite.toml", "--jobs", jobs]);
        assert_same(&world, jobs, "alone");
        let mut expected = vec![STEPS[0]; cells];
        expected[0] = 0;
        assert_eq!(taken(&world, jobs), expected, "{jobs} at a time");
        assert_eq!(fs::read_dir(world.path("cache/stages")).expect("a folder").count(), 0, "nothing is left of it");
    }
}

#[test]
fn a_sweep_that_is_killed_goes_on_from_what_was_kept_if_it_is_whole() {
    let world = world();
    let cells = alone(&world, "alone");
    let sweep = ["sweep", "suite.toml", "--jobs", "1"];
    for damage in [false, true] {
        let results = if damage { "damaged" } else { "killed" };
        fs::remove_dir_all(world.path("cache")).expect("a cache");
        let mut parent = spawn(&world, results, &sweep);
        wait_until("a kept state", || !kept(&world.path("cache")).is_empty());
        let cells_at_work = children(parent.id());
        signal(parent.id(), libc::SIGKILL);
        parent.wait().expect("the parent ends");
        wait_until("the orphans' end", || cells_at_work.iter().all(|cell| is_gone(*cell)));
        if damage {
            let state = kept(&world.path("cache")).remove(0).join("learner.safetensors");
            let mut bytes = fs::read(&state).expect("a learner's checkpoint");
            *bytes.last_mut().expect("values") ^= 1;
            fs::write(&state, bytes).expect("a writable file");
        }
        world.ok_in(results, &sweep);
        assert_same(&world, results, "alone");
        assert!(taken(&world, results).iter().filter(|steps| **steps > 0).count() >= cells - 2);
        assert_eq!(fs::read_dir(world.path("cache/stages")).expect("a folder").count(), 0, "nothing is left of it");
    }
}
