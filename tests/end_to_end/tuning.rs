//! Settings are searched for on the sources' validation split, by trials that are cells like all others.

use std::collections::BTreeMap;
use std::fs;

use crate::crash::{signal, spawn, wait_until};
use crate::world::{SUITE, World, people, stderr};

/// Methods × trials × seeds on the one protocol.
const TRIALS: usize = 2 * 2 * 2;

/// The usual world with a validation split of its sources, and a search over learning rates.
fn world() -> World {
    let world = World::new();
    for (language, seed) in [("en", 5), ("de", 6)] {
        import(&world, language, "validation", &people(language, seed));
    }
    let tune = "[tune]\nseeds = [11, 12]\ntrials = 2\nexamples = 40\n[tune.grid]\nlearning-rate = [1e-4, 3e-3]\n\n[probe.people]";
    world.write("suite.toml", &SUITE.replace("[probe.people]", tune));
    world
}

fn import(world: &World, language: &str, split: &str, text: &str) {
    let file = world.write("import.tsv", text);
    world.ok(&[
        "data",
        "import",
        &file,
        "--format",
        "wikiann-text",
        "--name",
        "people",
        "--language",
        language,
        "--split",
        split,
    ]);
}

/// Records of trials, and of the suite's own cells.
fn split(recorded: BTreeMap<String, Vec<u8>>) -> [BTreeMap<String, Vec<u8>>; 2] {
    let (trials, cells) = recorded.into_iter().partition(|(name, _)| name.starts_with("tune-"));
    [trials, cells]
}

fn outcomes(recorded: &BTreeMap<String, Vec<u8>>) -> usize {
    recorded.keys().filter(|name| name.ends_with("/outcome.json")).count()
}

#[test]
fn a_sweep_tunes_first_and_costs_what_it_says() {
    let world = world();
    let plan = world.ok(&["sweep", "suite.toml", "--dry-run"]);
    assert!(plan.contains(&format!("{TRIALS} cells to run, {TRIALS} in all")), "{plan}");
    let early = world.fails(2, &["report", "suite.toml"]);
    assert!(
        early.contains(&format!("{TRIALS} of {TRIALS} trials are missing; `harness tune suite` runs them")),
        "{early}"
    );

    // A seed that the choice has seen is none to be measured with.
    let seen = world.fails(2, &["sweep", "suite.toml", "--seed", "10..11"]);
    assert!(seen.contains("seed 11 is one of the suite's"), "{seen}");

    let report = world.ok(&["sweep", "suite.toml"]);
    let [trials, cells] = split(world.recorded("results"));
    assert_eq!((outcomes(&trials), outcomes(&cells)), (TRIALS, 2));
    // So small a rate teaches nothing in 30 steps.
    assert!(
        report.contains("with settings of their own: ft: learning-rate 0.003; frozen: learning-rate 0.003"),
        "{report}"
    );
    assert!(report.contains("settings chosen on the validation split of the source languages"), "{report}");
    assert_eq!(world.ok(&["report", "suite.toml"]), report);

    let tables = world.ok(&["tune", "suite.toml"]);
    assert_eq!(
        tables,
        "[method.ft.protocol.ner]\nlearning-rate = 0.003\n\n[method.frozen.protocol.ner]\nlearning-rate = 0.003\n"
    );
    // Written into the suite, they are the same cells.
    world.write("fixed.toml", &SUITE.replace("[probe.people]", &format!("{tables}\n[probe.people]")));
    let fixed = world.ok(&["report", "fixed.toml"]);
    assert!(report.ends_with(&fixed), "{fixed}");
}

#[test]
fn what_is_chosen_cannot_depend_on_targets_or_test_data() {
    let world = world();
    let chosen = world.ok(&["tune", "suite.toml"]);
    let before = world.recorded("results");
    for language in ["en", "de"] {
        let shifted = people(language, 9).replace("B-PER", "B-X").replace("B-LOC", "B-PER").replace("B-X", "B-LOC");
        import(&world, language, "test", &shifted);
    }
    let again = world.run("results", &["tune", "suite.toml"]);
    assert_eq!(String::from_utf8_lossy(&again.stdout), chosen);
    assert!(!stderr(&again).contains("trials of the tuning to run"), "{}", stderr(&again));
    world.assert_recorded("results", &before);
    // The sources' validation split is what it does depend on.
    import(&world, "en", "validation", &people("en", 7));
    let other = world.run("results", &["tune", "suite.toml"]);
    assert!(stderr(&other).contains(&format!("{TRIALS} of {TRIALS} trials")), "{}", stderr(&other));
}

#[test]
fn a_killed_search_goes_on_to_the_same_bytes_and_choice() {
    let world = world();
    let sweep = ["sweep", "suite.toml", "--jobs", "1", "--checkpoint-every", "0"];
    let report = world.ok_in("whole", &sweep);
    let whole = world.recorded("whole");
    fs::remove_dir_all(world.path("cache")).expect("a cache");
    for _ in 0..3 {
        let mut parent = spawn(&world, "killed", &sweep);
        let start = outcomes(&world.recorded("killed"));
        wait_until("some trials", || {
            outcomes(&world.recorded("killed")) > start + 1 || parent.try_wait().is_ok_and(|ended| ended.is_some())
        });
        signal(parent.id(), libc::SIGKILL);
        parent.wait().expect("an ended process");
    }
    assert_eq!(world.ok_in("killed", &sweep), report);
    world.assert_recorded("killed", &whole);
}
