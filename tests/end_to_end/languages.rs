//! Methods whose languages use modules of their own, in real cells: updates that are shared by nearness, and MAD-X.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::crash::{Moment, kill_each};
use crate::world::{SUITE, World, stderr};

/// URIEL's features of a few languages.
const URIEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/tests/reference/uriel");

/// A second stage: an update with German alone.
const UPDATE: &str = r#"
[[protocol.ner.stage]]
task = "ner"
data = "people"
split = "test"
languages = ["de"]
steps = 60
batch = 8
learning-rate = 3e-3
weight-decay = 0.01
warmup = 0.1
clip = 1.0
max-length = 48
probes = ["people", "pairs"]
"#;

/// Text of two languages, then entities of one.
const STACKS: &str = r#"
description = "small enough for a test"
model = "mini"
seeds = [1]
methods = ["madx"]

[probe.names]
task = "ner"
data = "mini"
languages = ["en", "de"]
examples = 20
max-length = 32

[probe.text]
task = "mlm"
data = "mini"
languages = ["en", "de"]
examples = 20
max-length = 32

[protocol.p]
before = ["text"]

[[protocol.p.stage]]
task = "mlm"
data = "mini"
languages = ["en", "de"]
examples = 100
steps = 60
batch = 4
learning-rate = 1e-3
weight-decay = 0.01
warmup = 0.1
clip = 1.0
max-length = 32
probes = ["text"]

[[protocol.p.stage]]
task = "ner"
data = "mini"
languages = ["en"]
examples = 100
steps = 60
batch = 4
learning-rate = 1e-3
weight-decay = 0.01
warmup = 0.1
clip = 1.0
max-length = 32
probes = ["names", "text"]
"#;

fn updates(methods: &str, own: &str) -> String {
    let text = SUITE.replace("methods = [\"ft\", \"frozen\"]", &format!("methods = [{methods}]\n{own}"));
    text.replace("steps = 30", "steps = 20") + UPDATE
}

/// Sweeps in peace, then again and again until each cell has been killed at this moment once, and compares.
fn survives(world: &World, moment: Moment, arguments: &[&str]) {
    let sweep = [&["sweep", "suite.toml", "--checkpoint-every", "0"], arguments].concat();
    world.ok_in("whole", &sweep);
    let whole = world.recorded("whole");
    let cells = whole.keys().filter(|name| name.ends_with("outcome.json")).count();
    let mut struck = BTreeSet::new();
    for attempt in 0..10 {
        let results = format!("killed-{moment:?}-{attempt}");
        struck.extend(kill_each(world, &results, &sweep, moment));
        world.assert_recorded(&results, &whole);
        if struck.len() == cells {
            return;
        }
    }
    panic!("some cell was never killed at {moment:?}");
}

#[test]
fn updates_run_resume_to_the_byte_and_leave_isolated_languages_alone() {
    let world = World::new();
    let own = "[method.mixed]\npreset = \"laft-uriel\"\nsharing = { kind = \"mixture\", stage1 = \"adapter\", stage2 = \
               \"module-and-head\", kernel = \"linear\", tau = 0.5 }\nrule = \"pcgrad\"\n";
    let killed = "\"laft\", \"laft-uriel\", \"mixed\"";
    world.write("suite.toml", &updates(killed, own));
    survives(&world, Moment::Updating, &["--uriel", URIEL]);
    world.write("suite.toml", &updates(&format!("{killed}, \"laft-isolated\", \"laft-shuffled\""), own));
    world.ok_in("whole", &["sweep", "suite.toml", "--uriel", URIEL]);

    let report = world.ok_in("whole", &["report", "suite.toml", "--uriel", URIEL, "--format", "csv"]);
    let score = |method: &str, moment: &str, probe: &str, language: &str| -> String {
        let mut rows = report.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let row = rows.find(|row| row[4..9] == [method, moment, probe, row[7], language]);
        row.unwrap_or_else(|| panic!("{method} {moment} {probe} {language} in {report}"))[10].to_owned()
    };
    assert_eq!(score("laft-isolated", "1", "people", "en"), score("laft-isolated", "2", "people", "en"));
    for method in ["laft-isolated", "laft-uriel"] {
        assert_eq!(
            score("laft", "2", "people", "de"),
            score(method, "2", "people", "de"),
            "all use it fully in German"
        );
    }
    let table = world.ok_in("whole", &["report", "suite.toml", "--uriel", URIEL, "--format", "markdown"]);
    assert!(table.contains("relative change by stage 2"), "{table}");

    let cell = |method: &str| {
        let name = world.recorded("whole").into_keys().find(|name| name.starts_with(&format!("ner-{method}-")));
        world.path("whole/cells").join(name.expect(method).split('/').next().unwrap())
    };
    let recorded = std::fs::read_to_string(cell("laft-uriel").join("cell.json")).unwrap();
    assert!(recorded.contains("distances"), "{recorded}");
}

#[test]
fn a_killed_cell_between_stages_has_its_modules_again() {
    let world = World::new();
    let again = UPDATE.replace("languages = [\"de\"]", "languages = [\"en\"]");
    world.write("suite.toml", &(updates("\"laft-uriel\"", "") + &again));
    survives(&world, Moment::Updated, &["--uriel", URIEL]);
}

#[test]
fn mad_x_runs_and_resumes_to_the_byte() {
    let world = World::new();
    world.write("suite.toml", &STACKS.replace("\"madx\"", "\"madx\", \"fun-madx\""));
    survives(&world, Moment::Training, &[]);
    survives(&world, Moment::Updating, &[]);
}

#[test]
fn text_between_two_tasks_resumes_with_the_head_of_the_first() {
    let world = World::new();
    let (head, stages) = STACKS.split_once("[[protocol.p.stage]]").expect("stages");
    let (text, names) = stages.split_once("[[protocol.p.stage]]").expect("two stages");
    let short = names.replace("steps = 60", "steps = 3");
    let suite = [head, &short, text, &short].join("[[protocol.p.stage]]");
    world.write("suite.toml", &suite.replace("\"madx\"", "\"adapter\""));
    survives(&world, Moment::Updating, &[]);
}

#[test]
fn without_distances_a_method_that_asks_for_them_is_refused_with_what_to_do() {
    let world = World::new();
    world.write("suite.toml", &updates("\"laft\", \"laft-uriel\"", ""));
    let error = world.fails(2, &["sweep", "suite.toml"]);
    assert!(error.contains("method `laft-uriel`") && error.contains("--uriel"), "{error}");
    assert!(world.recorded("results").is_empty());
    world.ok(&["sweep", "suite.toml", "--method", "laft", "--dry-run"]);
    // A file that is no archive is named.
    std::fs::create_dir(world.path("uriel")).unwrap();
    world.write("uriel/feature_predictions.npz", "not an archive");
    let error = world.fails(2, &["sweep", "suite.toml"]);
    assert!(error.contains("feature_predictions.npz") && error.contains("not a whole npz file"), "{error}");
}

#[test]
fn a_language_without_features_is_skipped_or_refused_as_asked() {
    let world = World::new();
    let file = world.path("en-test.tsv");
    let file = file.to_str().unwrap();
    let basque = ["--format", "wikiann-text", "--name", "people", "--language", "eu", "--split", "test"];
    world.ok(&[&["data", "import", file][..], &basque].concat());
    let own =
        "[method.by-family]\npreset = \"laft-uriel\"\nsharing = { kind = \"scaled\", distance = \"fam-cosine\" }\n";
    let suite = updates("\"by-family\"", own).replacen(
        "languages = [\"en\", \"de\"]",
        "languages = [\"en\", \"de\", \"eu\"]",
        1,
    );
    world.write("suite.toml", &suite);
    let report = world.ok(&["sweep", "suite.toml", "--uriel", URIEL]);
    assert!(report.contains("there is no `fam-cosine` distance of `eu`"), "{report}");
    let recorded = world.recorded("results");
    let (_, outcome) = recorded.iter().find(|(name, _)| name.ends_with("outcome.json")).expect("a record");
    let outcome: Value = serde_json::from_slice(outcome).unwrap();
    assert_eq!(outcome["outcome"]["outcome"], "skipped", "{outcome}");

    world.edit("suite.toml", "distance = \"fam-cosine\"", "distance = \"fam-cosine\", missing-vector = \"error\"");
    let error = world.fails(2, &["sweep", "suite.toml", "--uriel", URIEL]);
    assert!(error.contains("method `by-family`") && error.contains("of `eu`"), "{error}");
}

#[test]
fn a_language_without_an_adapter_is_refused() {
    let world = World::new();
    world.write("suite.toml", &STACKS.replacen("[\"en\", \"de\"]", "[\"en\", \"de\", \"sw\"]", 1));
    let error = world.fails(2, &["sweep", "suite.toml"]);
    assert!(error.contains("the probe `names` after stage 2") && error.contains("`sw`"), "{error}");
    // Pre-training goes on in every structure, and needs a model that can be pre-trained.
    world.write("suite.toml", &STACKS.replace("\"mini\"\nseeds", "\"tiny-encoder\"\nseeds"));
    let output = world.run("results", &["sweep", "suite.toml", "--dry-run"]);
    assert!(stderr(&output).contains("no language-model head"), "{}", stderr(&output));
}
