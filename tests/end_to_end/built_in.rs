//! What comes inside the binary: data and an encoder that know languages, without any file of the user's.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::crash::wait_until;
use crate::world::{SUITE, World};

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.args(arguments).current_dir(folder);
    for name in ["LETHE_REAL", "LETHE_URIEL", "LETHE_DATA", "LETHE_MODELS", "LETHE_RESULTS", "LETHE_CACHE_DIR"] {
        command.env_remove(name);
    }
    command
}

fn harness(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn ok(folder: &Path, arguments: &[&str]) -> String {
    let output = harness(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const SMALL: &str = r#"
description = "the built-in encoder before and after a few steps"
model = "mini"
seeds = [1]
methods = ["ft", "gem-mlm"]

[probe.pairs]
task = "retrieval"
data = "mini"
languages = ["de", "zh"]
examples = 100
max-length = 64

[probe.text]
task = "mlm"
data = "mini"
languages = ["en", "sw"]
examples = 50
max-length = 64

[probe.names]
task = "ner"
data = "mini"
languages = ["en", "de"]
examples = 300
max-length = 64

[memory.mlm]
task = "mlm"
data = "mini"
split = "train"
languages = ["en", "sw"]
examples = 100
batch = 8
max-length = 64

[protocol.ner]
before = ["pairs", "text"]

[[protocol.ner.stage]]
task = "ner"
data = "mini"
languages = ["en"]
examples = 400
steps = 40
batch = 16
learning-rate = 1e-3
weight-decay = 0.01
warmup = 0.1
clip = 1.0
max-length = 64
memories = ["mlm"]
probes = ["names", "pairs", "text"]
"#;

/// Value of a metric's row in the CSV report: moment 0 before training, 1 after.
fn value(csv: &str, method: &str, moment: &str, language: &str, metric: &str) -> f64 {
    let row = csv
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>())
        .find(|row| row[4] == method && row[5] == moment && row[8] == language && row[9] == metric);
    row.unwrap_or_else(|| panic!("no {method} {moment} {language} {metric} in\n{csv}"))[10].parse().unwrap()
}

#[test]
fn the_encoder_knows_its_languages_learns_and_forgets() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("small.toml"), SMALL).unwrap();
    ok(folder.path(), &["sweep", "small.toml"]);
    let csv = ok(folder.path(), &["report", "small.toml", "--format", "csv"]);
    let value = |method: &str, moment, language, metric| value(&csv, method, moment, language, metric);
    for language in ["de", "zh"] {
        assert!(value("ft", "0", language, "retrieval.p1.to-english") > 0.9);
    }
    assert!(value("ft", "0", "en", "mlm.accuracy") > 0.5 && value("ft", "0", "sw", "mlm.accuracy") > 0.4);
    assert!(value("ft", "1", "en", "ner.f1.strict") > 0.8);
    assert!(value("ft", "1", "en", "mlm.accuracy") < value("ft", "0", "en", "mlm.accuracy"));
    // The memory of text is protected: less is forgotten.
    assert!(value("gem-mlm", "1", "en", "mlm.accuracy") > value("ft", "1", "en", "mlm.accuracy"));
}

#[test]
fn what_is_inside_can_be_listed_checked_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let all = ok(folder.path(), &["list"]);
    for expected in ["mini-quick", "gem-mlm", "mlm.accuracy", "6 layers"] {
        assert!(all.contains(expected), "{expected} is missing in\n{all}");
    }
    let checked = ok(folder.path(), &["data", "check"]);
    assert!(checked.lines().count() > 100 && checked.lines().all(|line| line.starts_with("ok")), "{checked}");
    let explained = ok(folder.path(), &["explain", "fun"]);
    assert!(explained.contains("Liu et al. 2024") && explained.contains("kind = \"fun\""), "{explained}");
    let unknown = harness(folder.path(), &["explain", "funn"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean `fun`?"));
}

/// The reference run's cells have the ids that the program gives them today: nothing of what they depend on has changed.
#[test]
fn the_committed_record_is_of_cells_that_the_program_would_run() {
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results/record/mini/cells");
    let folder = tempfile::tempdir().unwrap();
    let cells: Vec<_> = std::fs::read_dir(record).unwrap().map(|cell| cell.unwrap()).collect();
    assert_eq!(cells.len(), 36);
    for cell in &cells {
        let to = folder.path().join("results/cells").join(cell.file_name());
        std::fs::create_dir_all(&to).unwrap();
        for file in std::fs::read_dir(cell.path()).unwrap().map(Result::unwrap) {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
    let planned = ok(folder.path(), &["sweep", "--seed", "1..3", "--dry-run"]);
    assert!(planned.lines().filter(|line| line.contains("done")).count() >= 36, "{planned}");
}

/// The tuned run's trials choose again what they chose, and the report says the same.
#[test]
fn the_tuned_record_gives_its_choice_and_its_report_again() {
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results/record/mini-tuned");
    let folder = tempfile::tempdir().unwrap();
    let place = record.to_str().unwrap();
    let arguments = ["report", "mini-tuned", "--task", "ner", "--results", place, "--format", "markdown"];
    let report = ok(folder.path(), &arguments);
    assert!(report == std::fs::read_to_string(record.join("report.md")).unwrap(), "{report}");
}

#[test]
fn another_world_is_the_same_for_the_same_seed() {
    let folder = tempfile::tempdir().unwrap();
    let generate = |data: &str, more: &[&str]| {
        let all = [&["data", "generate", "small", "--languages", "en,zh", "--scale", "0.02", "--data", data], more];
        harness(folder.path(), &all.concat())
    };
    let manifest = |data: &str| std::fs::read(folder.path().join(data).join("small/manifest.toml")).unwrap();
    assert!(generate("one", &["--seed", "7"]).status.success());
    assert!(generate("two", &["--seed", "7"]).status.success());
    assert!(generate("three", &["--seed", "8"]).status.success());
    assert!(manifest("one") == manifest("two") && manifest("one") != manifest("three"));
    for (more, needle) in [(["--languages", "th"], "does not speak"), (["--scale", "0"], "scale")] {
        let all = [&["data", "generate", "other", "--data", "four"][..], &more].concat();
        let refused = harness(folder.path(), &all);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && said.contains(needle), "{said}");
    }
}

#[test]
fn a_model_without_a_language_model_head_is_told_so_when_planned() {
    let world = World::new();
    let text = SUITE.replace("task = \"retrieval\"\ndata = \"pairs\"", "task = \"mlm\"\ndata = \"mini\"");
    world.write("suite.toml", &text);
    let error = world.fails(2, &["sweep", "suite.toml"]);
    assert!(error.contains("no language-model head"), "{error}");
    assert!(world.recorded("results").is_empty());
}

#[test]
fn what_is_inside_is_put_back_where_it_is_missing_or_changed() {
    let folder = tempfile::tempdir().unwrap();
    ok(folder.path(), &["list", "models"]);
    let built_in = folder.path().join("cache/built-in");
    let place = std::fs::read_dir(&built_in).unwrap().next().unwrap().unwrap().path();
    let (weights, manifest) = (place.join("models/mini/model.safetensors"), place.join("data/mini/manifest.toml"));
    let [whole, listed] = [&weights, &manifest].map(|path| std::fs::read(path).unwrap());
    let mut changed = whole.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    std::fs::write(&weights, &changed).unwrap();
    std::fs::remove_file(&manifest).unwrap();
    ok(folder.path(), &["list", "models"]);
    assert!(std::fs::read(&weights).unwrap() == whole && std::fs::read(&manifest).unwrap() == listed);
    std::fs::remove_dir_all(&built_in).unwrap();
    let checked = ok(folder.path(), &["data", "check"]);
    assert!(checked.lines().all(|line| line.starts_with("ok")), "{checked}");
}

#[test]
fn the_cache_may_be_deleted_while_a_sweep_runs() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("small.toml"), SMALL).unwrap();
    let mut sweep = command(folder.path(), &["sweep", "small.toml", "-j", "1"]);
    let mut sweep = sweep.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let (cache, cells) = (folder.path().join("cache"), folder.path().join("results/cells"));
    let recorded = || std::fs::read_dir(&cells).map_or(0, |cells| cells.count());
    // Before the first cell is trained, and when it is recorded.
    for at in [0, 1] {
        let ready = || if at == 0 { cache.join("measured").exists() } else { recorded() == 1 };
        wait_until("a cell at work", || ready() || sweep.try_wait().unwrap().is_some());
        wait_until("the cache to go", || {
            let _ = std::fs::remove_dir_all(&cache);
            !cache.exists()
        });
    }
    let output = sweep.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", ok(folder.path(), &["report", "small.toml"]));
    let csv = ok(folder.path(), &["report", "small.toml", "--format", "csv"]);
    assert!(["ft", "gem-mlm"].iter().all(|method| value(&csv, method, "1", "en", "ner.f1.strict") > 0.5), "{csv}");
}
