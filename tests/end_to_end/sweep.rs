//! Sweeps: what they print, what they skip, and that parts make the whole.

use crate::world::{SUITE, World, stderr};

#[test]
fn a_sweep_prints_tables_and_a_second_one_has_nothing_to_do() {
    let world = World::new();
    let planned = world.ok(&["sweep", "suite.toml", "--dry-run"]);
    assert!(planned.contains("to run") && planned.contains("2 cells to run, 2 in all"), "{planned}");

    let table = world.ok(&["sweep", "suite.toml"]);
    for expected in ["frozen", "ner.f1.strict", "retrieval", "de", "en"] {
        assert!(table.contains(expected), "{expected} is missing in\n{table}");
    }
    let before = world.recorded("results");
    assert_eq!(before.keys().filter(|name| name.ends_with("outcome.json")).count(), 2);

    let again = world.run("results", &["sweep", "suite.toml"]);
    assert!(stderr(&again).contains("0 of 2 cells to run"), "{}", stderr(&again));
    assert_eq!(String::from_utf8_lossy(&again.stdout), table);
    assert_eq!(world.recorded("results"), before, "a finished cell is never touched");
    let planned = world.ok(&["sweep", "suite.toml", "--dry-run"]);
    assert!(planned.contains("done") && planned.contains("0 cells to run"), "{planned}");
}

#[test]
fn the_same_cell_gives_the_same_bytes() {
    let world = World::new();
    world.ok_in("first", &["sweep", "suite.toml"]);
    // Without the cache of encoded data and shared measurements, in two processes at once, one thread each.
    std::fs::remove_dir_all(world.path("cache")).expect("the cache is a folder");
    world.ok_in("second", &["sweep", "suite.toml", "--jobs", "2"]);
    let (first, second) = (world.recorded("first"), world.recorded("second"));
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, bytes) in &first {
        assert!(second[name] == *bytes, "{name} differs");
    }
}

#[test]
fn reports_come_in_every_format() {
    let world = World::new();
    world.ok(&["sweep", "suite.toml"]);
    let csv = world.ok(&["report", "suite.toml", "--format", "csv"]);
    let rows: Vec<&str> = csv.lines().filter(|line| line.contains("ner.f1.strict")).collect();
    assert!(!rows.is_empty(), "{csv}");
    for format in ["markdown", "latex"] {
        assert!(world.ok(&["report", "suite.toml", "--format", format]).contains("frozen"));
    }
}

#[test]
fn filters_and_limits_choose_cells() {
    let world = World::new();
    let text = |arguments: &[&str]| world.ok(&[&["sweep", "suite.toml", "--dry-run"], arguments].concat());
    assert!(text(&["--method", "ft"]).contains("1 cells to run, 1 in all"));
    assert!(text(&["--seed", "1..3"]).contains("6 cells to run, 6 in all"));
    assert!(text(&["--limit", "1"]).contains("1 cells to run, 2 in all"));
    assert!(text(&["--language", "de"]).contains("2 cells to run"));
    let error = world.fails(4, &["sweep", "suite.toml", "--task", "qa"]);
    assert!(error.contains("nothing selected"), "{error}");
    let error = world.fails(2, &["sweep", "suite.toml", "--method", "frozzen"]);
    assert!(error.contains("did you mean `frozen`"), "{error}");
}

#[test]
fn shards_copied_together_equal_the_whole() {
    let world = World::new();
    world.write("suite.toml", &SUITE.replace("seeds = [1]", "seeds = [1, 2]").replace("steps = 30", "steps = 3"));
    world.ok_in("whole", &["sweep", "suite.toml"]);
    for part in 1..=3 {
        let shard = format!("{part}/3");
        // A shard that holds no cell says so and ends with 4.
        let output = world.run("parts", &["sweep", "suite.toml", "--shard", &shard]);
        assert!(matches!(output.status.code(), Some(0 | 4)), "{}", stderr(&output));
    }
    assert_eq!(world.recorded("parts"), world.recorded("whole"));
}

#[test]
fn lists_show_what_there_is() {
    let world = World::new();
    let all = world.ok(&["list"]);
    for expected in ["real-small", "frozen", "retrieval.p1.to-english", "tiny-encoder", "people"] {
        assert!(all.contains(expected), "{expected} is missing in\n{all}");
    }
    let checked = world.ok(&["data", "check"]);
    assert_eq!(checked.lines().filter(|line| line.starts_with("ok")).count(), 5, "{checked}");
}
