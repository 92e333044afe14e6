//! Subnetworks and few-shot probes in real cells.

use std::process::Command;

use crate::crash::{Moment, kill_each};
use crate::world::{SUITE, World, people};

/// The made-up data has no validation part.
const METHODS: &str = r#"
[method.static]
preset = "subnet-static"
subnetworks = { kind = "static", discovery = { split = "test", steps = 40, batches = 2 }, prune = { threshold = 0.5 }, cross-evaluate = true }

[method.drawn]
preset = "subnet-random"
subnetworks = { kind = "random", discovery = { split = "test", steps = 40, batches = 2 }, prune = { threshold = 0.5 } }

[method.dynamic]
preset = "subnet-dynamic"
subnetworks = { kind = "dynamic", discovery = { split = "test", steps = 40, batches = 2 }, dynamic = { every = 5 }, prune = { threshold = 0.5 } }

[method.dynamic-meta]
preset = "subnet-dynamic-fomaml"
outer = { kind = "fomaml", inner-steps = 2, inner-learning-rate = 1e-3 }
subnetworks = { kind = "dynamic", target = "from-support", discovery = { split = "test", steps = 40, batches = 2 }, dynamic = { every = 5 }, prune = { threshold = 0.5 } }

[probe.few]
task = "ner"
data = "people"
languages = ["de"]
max-length = 48
adapt = { support = 6, sets = 3, steps = 2, learning-rate = 1e-2 }

[probe.few-of-test]
task = "ner"
data = "people"
languages = ["de", "sv"]
max-length = 48
adapt = { split = "test", support = 6, sets = 3, steps = 2, learning-rate = 1e-2 }
"#;

fn suite(methods: &str, probes: &str) -> String {
    SUITE
        .replace("methods = [\"ft\", \"frozen\"]", &format!("methods = [{methods}]\n{METHODS}"))
        .replace("probes = [\"people\", \"pairs\"]", &format!("probes = [{probes}]"))
}

/// A table of a finished cell as CSV lines, by `harness report`.
fn report(world: &World, metric: &str) -> String {
    world.ok(&["report", "suite.toml", "--format", "csv", "--metric", metric])
}

#[test]
fn subnetworks_and_few_shot_probes_run_and_are_reported() {
    let world = World::new();
    let file = world.write("sv-test.tsv", &people("sv", 5));
    let import = ["data", "import", &file, "--format", "wikiann-text", "--name", "people"];
    world.ok(&[&import[..], &["--language", "sv", "--split", "test"]].concat());
    let methods = "\"ft\", \"static\", \"drawn\", \"dynamic\", \"dynamic-meta\"";
    world.write("suite.toml", &suite(methods, "\"few\", \"few-of-test\", \"people\", \"pairs\""));
    world.ok(&["sweep", "suite.toml"]);
    let recorded = world.recorded("results");
    for method in ["ft", "static", "drawn", "dynamic", "dynamic-meta"] {
        let file = |end: &str| {
            let name = |name: &&String| name.starts_with(&format!("ner-{method}-en+de-")) && name.ends_with(end);
            String::from_utf8_lossy(&recorded[recorded.keys().find(name).expect(end)]).into_owned()
        };
        assert!(file("outcome.json").contains("\"done\""), "{method}: {}", file("outcome.json"));
    }
    // All methods stand in one table, although some read more data than others.
    let main = report(&world, "ner.f1.strict");
    for method in ["ft", "static", "drawn", "dynamic", "dynamic-meta"] {
        assert!(main.lines().any(|line| line.contains(method)), "{main}");
    }
    assert!(main.contains("few-of-test,ner,sv"), "{main}");
    let crossed = report(&world, "ner.f1.strict.mask-de");
    assert!(crossed.contains("ner.f1.strict.mask-de"), "{crossed}");
}

#[test]
fn a_probe_that_adapts_leaves_the_model_as_it_was() {
    let world = World::new();
    // So few steps that the model still errs.
    let scores = |probes: &str| {
        world.write("suite.toml", &suite("\"ft\", \"dynamic\"", probes).replace("steps = 30", "steps = 6"));
        world.ok(&["sweep", "suite.toml"]);
        let text = report(&world, "ner.f1.lenient");
        // Without the protocol's id.
        let fields = |line: &str| line.split(',').skip(4).map(str::to_owned).collect::<Vec<_>>();
        let of = |line: &&str| [",people,", ",pairs,"].iter().any(|probe| line.contains(probe));
        text.lines().filter(of).map(fields).collect::<Vec<_>>()
    };
    let (with, without) = (scores("\"few\", \"people\", \"pairs\""), scores("\"people\", \"pairs\""));
    assert!(with.len() > 8 && with == without, "{with:?}\n{without:?}");
    let values: Vec<f64> = with.iter().filter_map(|fields| fields.get(6)?.parse().ok()).collect();
    assert!(values.iter().any(|value| (0.01..0.99).contains(value)), "{values:?}");
}

#[test]
fn stages_with_subnetworks_resume_to_the_byte() {
    let world = World::new();
    let text = suite("\"static\", \"dynamic-meta\"", "\"few\", \"people\", \"pairs\"");
    world.write("suite.toml", &text.replace("steps = 30", "steps = 60"));
    let sweep = ["sweep", "suite.toml", "--checkpoint-every", "0"];
    world.ok_in("whole", &sweep);
    let whole = world.recorded("whole");
    // What one method has found another takes, and finding it anew changes nothing.
    std::fs::remove_dir_all(world.path("cache/subnetworks")).expect("subnetworks are shared");
    let killed = kill_each(&world, "killed", &sweep, Moment::Training);
    assert!(!killed.is_empty(), "no cell was killed in training");
    world.assert_recorded("killed", &whole);
}

/// URIEL's features of a few languages.
const URIEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/tests/reference/uriel");

/// As `static`, and languages that were not trained use the subnetwork of the nearest.
const NEAREST: &str = r#"
[method.nearest]
preset = "subnet-static"
subnetworks = { kind = "static", target = "nearest-source", discovery = { split = "test", steps = 40, batches = 2 }, prune = { threshold = 0.5 } }
"#;

/// Hindi is nearer to German and Chinese to English: of these are the sentences that stand for theirs.
fn with_strangers(world: &World, languages: &str) -> String {
    for (language, file) in [("hi", "de-test.tsv"), ("zh", "en-test.tsv"), ("eu", "en-test.tsv")] {
        let file = world.path(file);
        let import = ["data", "import", file.to_str().unwrap(), "--format", "wikiann-text", "--name", "people"];
        world.ok(&[&import[..], &["--language", language, "--split", "test"]].concat());
    }
    let text =
        suite("\"static\", \"nearest\"", "\"people\"").replace("[probe.few]", &format!("{NEAREST}\n[probe.few]"));
    // So few steps that the model still errs.
    text.replace("steps = 30", "steps = 6").replacen("[\"en\", \"de\"]", languages, 1)
}

#[test]
fn a_language_that_was_not_trained_uses_the_subnetwork_of_the_nearest() {
    let world = World::new();
    world.write("suite.toml", &with_strangers(&world, "[\"en\", \"de\", \"hi\", \"zh\"]"));
    world.ok(&["sweep", "suite.toml", "--uriel", URIEL]);
    let text = world.ok(&["report", "suite.toml", "--uriel", URIEL, "--format", "csv", "--metric", "ner.f1.lenient"]);
    let score = |method: &str, language: &str| -> String {
        let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let row = rows.find(|row| row[4..9] == [method, "1", "people", "ner", language]);
        row.unwrap_or_else(|| panic!("{method} {language} in {text}"))[10].to_owned()
    };
    for (target, source) in [("hi", "de"), ("zh", "en")] {
        assert_eq!(score("nearest", target), score("nearest", source));
        assert_eq!(score("nearest", source), score("static", source));
    }
    let differs =
        [("hi", "de"), ("zh", "en")].map(|(target, source)| score("static", target) != score("static", source));
    assert!(differs.contains(&true), "with all heads it is another model: {text}");
    for (method, knows) in [("static", false), ("nearest", true)] {
        let recorded = world.recorded("results");
        let cell = |name: &&String| name.starts_with(&format!("ner-{method}-")) && name.ends_with("cell.json");
        let cell = String::from_utf8_lossy(&recorded[recorded.keys().find(cell).expect(method)]).into_owned();
        assert_eq!(cell.contains("\"distances\""), knows, "{cell}");
    }
}

#[test]
fn without_a_nearest_language_nothing_runs() {
    let world = World::new();
    let text = with_strangers(&world, "[\"en\", \"de\", \"eu\"]");
    world.write("suite.toml", &text);
    let error = world.fails(2, &["sweep", "suite.toml"]);
    assert!(error.contains("method `nearest`") && error.contains("--uriel"), "{error}");
    let by_family = "target = \"nearest-source\", target-distance = \"fam-cosine\"";
    world.write("suite.toml", &text.replace("target = \"nearest-source\"", by_family));
    let error = world.fails(2, &["sweep", "suite.toml", "--uriel", URIEL]);
    assert!(error.contains("method `nearest`") && error.contains("has a distance to `eu`"), "{error}");
    assert!(world.recorded("results").is_empty());
}

#[test]
fn what_cannot_be_done_is_said_before_anything_runs() {
    let world = World::new();
    for (text, expected) in [
        (
            suite("\"subnet-static\"", "\"people\""),
            "method `subnet-static` scores subnetworks on `people/ner/de/validation` (its `discovery.split`)",
        ),
        (
            suite("\"subnet-static\"", "\"few\"").replacen("[\"en\", \"de\"]\nsteps", "[\"en\"]\nsteps", 1),
            "at least two source languages",
        ),
        (
            suite("\"ft\"", "\"few\"").replace("before = [\"pairs\"]", "before = [\"few\"]"),
            "put the probe after a stage",
        ),
        (
            suite("\"ft\"", "\"few\"").replace("adapt = { support", "adapt = { split = \"validation\", support"),
            "people/ner/de/validation",
        ),
        (suite("\"gu\"", "\"people\"").replace("steps = 30", "steps = 2"), "too short for a schedule of"),
    ] {
        world.write("suite.toml", &text);
        let error = world.fails(2, &["sweep", "suite.toml"]);
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert!(world.recorded("results").is_empty());
    assert!(
        Command::new(env!("CARGO_BIN_EXE_harness"))
            .args(["explain", "subnet-random"])
            .status()
            .is_ok_and(|s| s.success())
    );
}
