//! Methods of every axis in real cells: they run, they record what they did, and they resume to the byte.

use crate::crash::{Moment, kill_each};
use crate::world::{SUITE, World};

/// Everything that needs no language model, on two stages with memories.
const METHODS: [&str; 23] = [
    "ft",
    "multitask",
    "gem",
    "gem-retrieval",
    "a-gem",
    "pcgrad",
    "gradvac",
    "mgda",
    "cagrad",
    "nash-mtl",
    "sgs",
    "imtl-g",
    "lf-mlf",
    "l2-sp",
    "ewc",
    "rec-adam",
    "mixout",
    "reptile",
    "adapter",
    "houlsby",
    "lora",
    "bitfit",
    "fun-adapter",
];

fn suite(methods: &[&str], steps: u64) -> String {
    let methods: Vec<String> = methods.iter().map(|method| format!("\"{method}\"")).collect();
    let memories = r#"
[memory.retrieval]
task = "retrieval"
data = "pairs"
split = "test"
languages = ["de"]
batch = 4
max-length = 48

[method.form-a]
rule = { kind = "lf-mlf", form = "polyhedron" }

[method.meta]
rule = "pcgrad"
outer = { kind = "fomaml", inner-steps = 2 }
anchor = { kind = "mixout", p = 0.5 }
"#;
    let second = r#"
[[protocol.ner.stage]]
task = "ner"
data = "people"
languages = ["de"]
steps = 8
batch = 8
learning-rate = 1e-3
weight-decay = 0.01
warmup = 0.1
clip = 1.0
max-length = 48
memories = ["past-stages", "retrieval"]
probes = ["people"]
"#;
    let first = SUITE
        .replace("methods = [\"ft\", \"frozen\"]", &format!("methods = [{}]\n{memories}", methods.join(", ")))
        .replace("steps = 30", &format!("steps = {steps}\nmemories = [\"retrieval\"]"));
    first + second
}

#[test]
fn every_method_runs_and_records_what_it_did() {
    let world = World::new();
    let methods = [&METHODS[..], &["form-a", "meta"]].concat();
    world.write("suite.toml", &suite(&methods, 12));
    world.ok(&["sweep", "suite.toml"]);
    let recorded = world.recorded("results");
    for method in methods {
        let outcome = recorded
            .iter()
            .find(|(name, _)| name.starts_with(&format!("ner-{method}-en+de-s1-")) && name.ends_with("outcome.json"));
        let outcome = String::from_utf8_lossy(outcome.expect(method).1);
        assert!(outcome.contains("\"done\""), "{method}: {outcome}");
    }
    // Weights per language are there for those that weigh.
    let with_series = recorded.keys().filter(|name| name.ends_with("series.parquet")).count();
    assert!(with_series >= 12, "{with_series} of {:?}", recorded.keys());
}

#[test]
fn methods_with_a_state_resume_to_the_byte() {
    let world = World::new();
    let methods = ["gradvac", "lf-mlf", "ewc", "rec-adam", "meta", "adapter", "lora", "bitfit", "fun-adapter"];
    world.write("suite.toml", &suite(&methods, 60));
    let sweep = ["sweep", "suite.toml", "--checkpoint-every", "0"];
    world.ok_in("whole", &sweep);
    let whole = world.recorded("whole");
    let killed = kill_each(&world, "killed", &sweep, Moment::Training);
    assert!(killed.len() >= 3, "{} cells were killed in training", killed.len());
    world.assert_recorded("killed", &whole);
}

#[test]
fn a_composition_without_sense_is_refused_before_anything_runs() {
    let world = World::new();
    world.write("suite.toml", &SUITE.replace("\"frozen\"", "\"gem\""));
    let error = world.fails(2, &["sweep", "suite.toml"]);
    assert!(error.contains("method `gem`: `gem` needs memories"), "{error}");
    assert!(world.recorded("results").is_empty());
}
