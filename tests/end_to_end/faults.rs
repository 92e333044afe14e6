//! The n-th file operation of a sweep's processes fails, or they die there: whatever n is, no record is wrong, and the same
//! command ends with the same bytes. A sample of n by default, every one with `LETHE_FAULTS=all`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::world::{SUITE, World, stderr};

const SWEEP: [&str; 6] = ["sweep", "suite.toml", "--checkpoint-every", "0", "-j", "1"];
/// How many n are tried of every kind of fault.
const SAMPLE: usize = 5;

/// The library that makes operations fail.
fn library(world: &World) -> Option<PathBuf> {
    let (source, library) =
        (Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/end_to_end/faults.c"), world.path("faults.so"));
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    built.is_ok_and(|status| status.success()).then_some(library)
}

/// A sweep of one cell in a fresh folder whose n-th operations on files below `below` fail; whether any did.
fn sweep(world: &World, library: &Path, results: &str, below: &str, fault: &str, at: usize) -> (Output, bool) {
    let seen = world.path(&format!("{results}.seen"));
    // What others left in the cache would be taken without an operation that could fail.
    if world.path("cache").exists() {
        std::fs::remove_dir_all(world.path("cache")).expect("a cache");
    }
    let output = world
        .command(results, &SWEEP)
        .env("LD_PRELOAD", library)
        .env("FAULT_BELOW", world.path(below).join(""))
        .env("FAULT_AT", at.to_string())
        .env("FAULT", fault)
        .env("FAULT_SEEN", &seen)
        .output()
        .expect("the binary starts");
    (output, seen.exists())
}

fn world() -> World {
    let world = World::new();
    let suite = SUITE.replace("steps = 30", "steps = 3").replace("[\"ft\", \"frozen\"]", "[\"ft\"]");
    world.write("suite.toml", &suite);
    world
}

/// Numbers of operations to try until one is so late that no process comes there.
fn numbers(last: usize) -> Vec<usize> {
    match std::env::var("LETHE_FAULTS").as_deref() {
        Ok("all") => (1..=last).collect(),
        // The beginning in full, where folders are made; then ever further apart.
        _ => (0..SAMPLE).map(|place| 1 + (last - 1) * place * place / ((SAMPLE - 1) * (SAMPLE - 1))).collect(),
    }
}

/// The last operation that any process of an undisturbed sweep does below a folder.
fn last(world: &World, library: &Path, below: &str) -> usize {
    let strikes = |at: usize| {
        let (_, seen) = sweep(world, library, &format!("{below}-last-{at}"), below_of(below, at).as_str(), "5", at);
        seen
    };
    let (mut done, mut beyond) = (1, 2);
    while strikes(beyond) {
        (done, beyond) = (beyond, 2 * beyond);
    }
    while beyond - done > 8 {
        let middle = usize::midpoint(done, beyond);
        if strikes(middle) { done = middle } else { beyond = middle }
    }
    done
}

/// The results of this search lie in a folder of their own.
fn below_of(below: &str, at: usize) -> String {
    if below == "results" { format!("{below}-last-{at}") } else { below.to_owned() }
}

#[test]
fn whichever_file_operation_fails_the_same_command_ends_with_the_same_bytes() {
    let world = world();
    let Some(library) = library(&world) else {
        eprintln!("skipped: there is no C compiler to build the library that makes operations fail");
        return;
    };
    world.ok_in("whole", &SWEEP);
    let whole = world.recorded("whole");
    for below in ["results", "data", "models", "cache"] {
        let last = last(&world, &library, below);
        assert!(last > 5, "{last} operations on `{below}`: the library does not see them");
        let (mut tried, mut struck) = (0, 0);
        for fault in ["kill", "5", "28"] {
            for at in numbers(last) {
                let results = format!("results-{below}-{fault}-{at}");
                let place = if below == "results" { results.as_str() } else { below };
                let (output, seen) = sweep(&world, &library, &results, place, fault, at);
                (tried, struck) = (tried + 1, struck + usize::from(seen));
                let said = format!("{below}, {fault} at operation {at}: {}\n{}", output.status, stderr(&output));
                assert!(!said.contains("panicked"), "{said}");
                // Killed, or one of the exits that say what to do.
                assert!(matches!(output.status.code(), None | Some(0 | 2 | 6 | 7 | 8)), "{said}");
                for (name, bytes) in world.recorded(&results) {
                    assert!(whole.get(&name) == Some(&bytes), "{name} is recorded and wrong: {said}");
                }
                let again = world.run(&results, &SWEEP);
                assert!(again.status.success(), "{said}\nand again: {}", stderr(&again));
                world.assert_recorded(&results, &whole);
                std::fs::remove_dir_all(world.path(&results)).expect("results");
            }
        }
        // The last operations are not the same in every run.
        assert!(3 * struck > 2 * tried, "{below}: only {struck} of {tried} faults struck");
    }
}
