//! Suites: what is accepted, what is refused, and what the refusal says.

use spec::{Adapt, Language, Split, Structure, Suite, Task};

const GOOD: &str = r#"
description = "two methods on one protocol"
model = "some-encoder"
seeds = [1, 2]
methods = ["ft", "frozen", "frozen-1"]

[method.frozen-1]
structure = { kind = "frozen-lower", layers = 1 }

[probe.wikiann]
task = "ner"
data = "wikiann"
languages = ["en", "deu", "zh"]
examples = 100
max-length = 128

[probe.tatoeba]
task = "retrieval"
data = "tatoeba"
languages = ["de", "cmn"]
max-length = 64
prefix = "query: "

[protocol.ner]
before = ["tatoeba"]

[[protocol.ner.stage]]
task = "ner"
data = "wikiann"
languages = ["en"]
steps = 10
batch = 4
learning-rate = 5e-5
weight-decay = 0.0
warmup = 0.1
clip = 1.0
max-length = 128
probes = ["wikiann", "tatoeba"]
"#;

fn refusal(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "the test edits text that the suite has: {from}");
    match Suite::parse("demo", &GOOD.replacen(from, to, 1)) {
        Ok(_) => panic!("accepted: {to}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_suite_expands_in_table_order() {
    let suite = Suite::parse("demo", GOOD).unwrap();
    let work: Vec<String> =
        suite.work().map(|(protocol, method, seed)| format!("{} {} {seed}", protocol.name, method.name)).collect();
    assert_eq!(work, ["ner ft 1", "ner ft 2", "ner frozen 1", "ner frozen 2", "ner frozen-1 1", "ner frozen-1 2"]);
    let protocol = &suite.protocols[0];
    assert_eq!(protocol.task(), Some(Task::Ner));
    assert_eq!(protocol.stages[0].split, Split::Train);
    assert_eq!(protocol.stages[0].probes[0].languages[1], Language::parse("de").unwrap());
    assert_eq!(protocol.stages[0].probes[1].languages[1].code(), "zh");
    assert_eq!(suite.methods[2].structure, Structure::FrozenLower { layers: Some(1) });
    assert_eq!(protocol.data().len(), 3 + 2 + 1);
}

#[test]
fn a_word_and_a_table_mean_the_same() {
    let word = GOOD.replace("structure = { kind = \"frozen-lower\", layers = 1 }", "structure = \"frozen-lower\"");
    let suite = Suite::parse("demo", &word).unwrap();
    assert_eq!(suite.methods[2].structure, Structure::FrozenLower { layers: None });
}

#[test]
fn an_unknown_key_is_refused_by_line_and_column_with_a_suggestion() {
    let message = refusal("languages = [\"en\"]\nsteps", "langages = [\"en\"]\nsteps");
    assert!(message.contains("line 30, column 1"), "{message}");
    assert!(message.contains("did you mean `languages`"), "{message}");
    let message = refusal("clip = 1.0", "clip = 1.0\nclips = 2.0");
    assert!(message.contains("unknown field `clips`") && message.contains("did you mean `clip`"), "{message}");
}

#[test]
fn unknown_words_are_refused_with_the_nearest() {
    for (from, to, expected) in [
        ("\"frozen\",", "\"frozn\",", "did you mean `frozen`"),
        ("probes = [\"wikiann\"", "probes = [\"wikian\"", "did you mean `wikiann`"),
        ("[\"en\", \"deu\"", "[\"en\", \"german\"", "did you mean `de`"),
        ("task = \"retrieval\"", "task = \"retreival\"", "did you mean `retrieval`"),
    ] {
        let message = refusal(from, to);
        assert!(message.contains(expected), "{to}: {message}");
    }
}

#[test]
fn a_probe_that_adapts_reads_its_support_too() {
    let text = GOOD.replacen("examples = 100", "adapt = { split = \"validation\", support = 5 }", 1);
    let suite = Suite::parse("demo", &text).unwrap();
    let probe = &suite.protocols[0].stages[0].probes[0];
    let expected = Adapt { split: Split::Validation, support: 5, ..Adapt::default() };
    assert_eq!(probe.adapt, Some(expected));
    let keys: Vec<String> = suite.protocols[0].data().iter().map(ToString::to_string).collect();
    assert!(keys.contains(&"wikiann/ner/zh/validation".to_owned()), "{keys:?}");
    let before = text.replacen("before = [\"tatoeba\"]", "before = [\"wikiann\"]", 1);
    let message = Suite::parse("demo", &before).unwrap_err().to_string();
    assert!(message.contains("put the probe after a stage"), "{message}");
    // A probe without it is written as it was.
    let plain = Suite::parse("demo", GOOD).unwrap();
    assert!(!serde_json::to_string(&plain.protocols[0].stages[0].probes[0]).unwrap().contains("adapt"));
}

#[test]
fn impossible_values_are_refused() {
    for (from, to, expected) in [
        ("seeds = [1, 2]", "seeds = []", "at least one entry"),
        ("seeds = [1, 2]", "seeds = [1, 1]", "seed 1 is listed twice"),
        ("[\"en\", \"deu\"", "[\"en\", \"eng\"", "`en` is listed twice"),
        ("steps = 10", "steps = 0", "`steps`"),
        ("steps = 10", "steps = 10\nprobe-every = 0", "nonzero"),
        ("batch = 4", "batch = 0", "`batch`"),
        ("batch = 4", "batch = -4", "-4"),
        ("learning-rate = 5e-5", "learning-rate = nan", "`learning-rate`"),
        ("learning-rate = 5e-5", "learning-rate = 0.09079100608736203", "at most 15 digits"),
        ("learning-rate = 5e-5\n", "", "learning-rate"),
        ("warmup = 0.1", "warmup = 1.5", "`warmup`"),
        ("clip = 1.0", "clip = 0", "clip"),
        ("examples = 100", "examples = 0", "`examples`"),
        ("[\"de\", \"cmn\"]", "[\"de\", \"en\"]", "against English"),
        ("model = \"some-encoder\"", "model = \"../some-encoder\"", "safe name"),
        ("model = \"some-encoder\"", "model = ", "line 3"),
        ("[method.frozen-1]", "[method.ft]", "name of a preset"),
        ("examples = 100", "adapt = { sets = 0 }", "`adapt` knob `sets` is 0"),
        ("examples = 100", "adapt = { learning-rate = inf }", "knob `learning-rate` is inf"),
        ("examples = 100", "adapt = { shots = 5 }", "unknown field `shots`"),
        ("prefix = \"query: \"", "adapt = {}", "retrieval has no head to learn"),
    ] {
        let message = refusal(from, to);
        assert!(message.contains(expected), "{to}: {message}");
    }
    let huge: Vec<String> = (0..60_000).map(|seed| seed.to_string()).collect();
    assert!(refusal("[1, 2]", &format!("[{}]", huge.join(","))).contains("180000 cells"));
}
