//! Tasks beside entities of four kinds: one's own labels, trees, choices, sentences; several of them in one model.

use std::fmt::Write as _;

use crate::crash::{Moment, kill_each};
use crate::world::World;

const SHOPS: [&str; 4] = ["Anna", "Bert", "Clara", "David"];
const GOODS: [&str; 4] = ["Berlin", "Paris", "Oslo", "Rome"];

/// Sentences in CoNLL's columns whose entities are products and dates.
fn orders(seed: usize) -> String {
    let mut text = String::from("-DOCSTART- O\n\n");
    for index in 0..48 {
        let (who, what) = (SHOPS[(index + seed) % 4], GOODS[(index * 3 + seed) % 4]);
        let _ = write!(text, "{who} O\nlives O\nin O\n{what} B-PROD\nCairo B-DATE\n. O\n\n");
    }
    text
}

/// The same in CoNLL-U: the verb is the root.
fn trees(seed: usize) -> String {
    let mut text = String::new();
    for index in 0..40 {
        let (who, where_) = (SHOPS[(index + seed) % 4], GOODS[(index * 3 + seed) % 4]);
        let _ = write!(text, "# sent_id = s{index}\n1\t{who}\t_\tPROPN\t_\t_\t2\tnsubj\t_\t_\n");
        let _ = write!(text, "2\tlives\t_\tVERB\t_\t_\t0\troot\t_\t_\n3\tin\t_\tADP\t_\t_\t4\tcase\t_\t_\n");
        let _ = write!(text, "4\t{where_}\t_\tPROPN\t_\t_\t2\tobl:loc\t_\t_\n5\t.\t_\tPUNCT\t_\t_\t2\tpunct\t_\t_\n\n");
    }
    text
}

/// Which city is named in the premise.
fn choices(seed: usize) -> String {
    let mut text = String::new();
    for index in 0..40 {
        let (right, wrong) = (GOODS[(index + seed) % 4], GOODS[(index + seed + 1) % 4]);
        let pair = if index % 2 == 0 { [right, wrong] } else { [wrong, right] };
        let _ = writeln!(
            text,
            r#"{{"premise": "Anna lives in {right}.", "choice1": "{}", "choice2": "{}", "question": "effect", "label": {}, "idx": {index}}}"#,
            pair[0],
            pair[1],
            index % 2
        );
    }
    text
}

fn moods(seed: usize) -> String {
    let mut text = String::from("review,mood\n");
    for index in 0..40 {
        let good = (index + seed).is_multiple_of(2);
        let _ = writeln!(
            text,
            "\"Anna lives in {}\",{}",
            if good { "Oslo" } else { "Lima" },
            if good { "good" } else { "bad" }
        );
    }
    text
}

fn import(world: &World, name: &str, format: &str, text: impl Fn(usize) -> String, ending: &str, more: &[&str]) {
    for (split, seed) in [("train", 0), ("test", 1)] {
        let file = world.write(&format!("{name}-{split}.{ending}"), &text(seed));
        let fixed = ["data", "import", &file, "--format", format, "--name", name, "--language", "en", "--split", split];
        world.ok(&[&fixed[..], more].concat());
    }
}

/// The value of a metric as `harness score` prints it.
fn value(table: &str, metric: &str) -> f64 {
    let line = table.lines().find(|line| line.contains(metric)).unwrap_or_else(|| panic!("no {metric} in\n{table}"));
    line.split_whitespace().find_map(|word| word.parse().ok()).expect("a number")
}

/// Trains a cell from flags, saves it, predicts with it and scores the predictions; gives the table and the scores.
fn round(world: &World, task: &str, data: &str, format: &str, ending: &str, more: &[&str]) -> (String, String) {
    let saved = format!("tuned-{task}-{data}");
    #[rustfmt::skip]
    let run = [
        "run", "--task", task, "--model", "tiny-encoder", "--train", data, "--sources", "en", "--eval", data,
        "--targets", "en", "--steps", "40", "--batch", "8", "--learning-rate", "3e-3", "--max-length", "48",
        "--save", &saved,
    ];
    let table = world.ok(&[&run[..], more].concat());
    let gold = format!("{data}-test.{ending}");
    let predict = ["predict", "--model", &saved, "--input", &gold, "--format", format, "--max-length", "48"];
    world.write("predictions.jsonl", &world.ok(&predict));
    let scores = world.ok(&["score", "--format", format, "--gold", &gold, "--predictions", "predictions.jsonl"]);
    (table, scores)
}

#[test]
fn labels_of_ones_own_are_learnt_saved_predicted_and_held_against_other_data() {
    let world = World::new();
    import(&world, "orders", "conll", orders, "conll", &[]);
    let (table, scores) = round(&world, "ner", "orders", "conll", "conll", &[]);
    let f1 = value(&scores, "ner.f1.strict");
    assert!(f1 > 0.9 && table.contains(&format!("{:.1}", 100.0 * f1)), "{scores}\n{table}");
    assert!(scores.contains("ner.f1.strict.PROD") && scores.contains("ner.f1.strict.DATE"), "{scores}");
    let config = std::fs::read_to_string(world.path("tuned-ner-orders/config.json")).unwrap();
    assert!(config.contains("\"B-PROD\"") && config.contains("BertForTokenClassification"), "{config}");
    // The other data have people and places.
    let refused = world.fails(
        2,
        &[
            "run",
            "--task",
            "ner",
            "--model",
            "tiny-encoder",
            "--train",
            "orders",
            "--sources",
            "en",
            "--eval",
            "people",
            "--targets",
            "de",
            "--steps",
            "5",
            "--max-length",
            "48",
        ],
    );
    assert!(refused.contains("people/ner/de/test") && refused.contains("`B-PER`"), "{refused}");
    let foreign = world.fails(
        2,
        &[
            "predict",
            "--model",
            "tuned-ner-orders",
            "--input",
            "de-test.tsv",
            "--format",
            "wikiann-text",
            "--language",
            "de",
        ],
    );
    assert!(foreign.contains("B-PER"), "{foreign}");
    // What was learnt is gone on with.
    std::fs::rename(world.path("tuned-ner-orders"), world.path("models/tuned-ner-orders")).unwrap();
    let again = world.ok(&[
        "run",
        "--task",
        "ner",
        "--model",
        "tuned-ner-orders",
        "--train",
        "orders",
        "--sources",
        "en",
        "--eval",
        "orders",
        "--targets",
        "en",
        "--steps",
        "1",
        "--batch",
        "8",
        "--learning-rate",
        "1e-9",
        "--max-length",
        "48",
    ]);
    assert!(again.contains(&format!("{:.1}", 100.0 * f1)), "{f1}\n{again}");
}

#[test]
fn a_saved_adapter_predicts_what_was_measured() {
    let world = World::new();
    import(&world, "orders", "conll", orders, "conll", &[]);
    for method in ["adapter", "lora"] {
        let (table, scores) = round(&world, "ner", "orders", "conll", "conll", &["--method", method]);
        let f1 = value(&scores, "ner.f1.strict");
        assert!(table.contains(&format!("{:.1}", 100.0 * f1)), "{method}: {scores}\n{table}");
        std::fs::rename(world.path("tuned-ner-orders"), world.path(&format!("models/{method}"))).unwrap();
        let error = world.fails(
            2,
            &[
                "run",
                "--task",
                "ner",
                "--model",
                method,
                "--train",
                "orders",
                "--sources",
                "en",
                "--eval",
                "orders",
                "--targets",
                "en",
                "--steps",
                "1",
                "--max-length",
                "48",
            ],
        );
        assert!(error.contains("of an update"), "{error}");
    }
}

#[test]
fn trees_tags_choices_and_sentences_are_learnt_predicted_and_scored() {
    let world = World::new();
    import(&world, "bank", "pos-conllu", trees, "conllu", &[]);
    import(&world, "bank", "parse-conllu", trees, "conllu", &[]);
    import(&world, "copa", "choice-jsonl", choices, "jsonl", &[]);
    import(&world, "moods", "sentences", moods, "csv", &["--text", "review", "--label", "mood"]);
    for (task, data, format, ending, metric, least) in [
        ("pos", "bank", "pos-conllu", "conllu", "pos.accuracy", 0.95),
        ("parse", "bank", "parse-conllu", "conllu", "parse.las", 0.9),
        ("choice", "copa", "choice-jsonl", "jsonl", "choice.accuracy", 0.3),
    ] {
        let (table, scores) = round(&world, task, data, format, ending, &[]);
        let found = value(&scores, metric);
        assert!(found >= least && table.contains(&format!("{:.1}", 100.0 * found)), "{task}: {scores}\n{table}");
    }
    let table = world.ok(&[
        "run",
        "--task",
        "paraphrase",
        "--model",
        "tiny-encoder",
        "--train",
        "moods",
        "--sources",
        "en",
        "--eval",
        "moods",
        "--targets",
        "en",
        "--steps",
        "40",
        "--batch",
        "8",
        "--learning-rate",
        "3e-3",
        "--max-length",
        "48",
    ]);
    assert!(table.contains("paraphrase.accuracy") && table.contains("100.0"), "{table}");
}

/// Entities, then tags: what the second task does to the first, with and without a memory of it.
const SEQUENCE: &str = r#"
description = "two tasks, one after the other"
model = "tiny-encoder"
seeds = [1]
methods = ["ft", "gem"]

[probe.people]
task = "ner"
data = "people"
languages = ["en"]
max-length = 48

[probe.tags]
task = "pos"
data = "bank"
languages = ["en"]
max-length = 48

[protocol.sequence]

[[protocol.sequence.stage]]
task = "ner"
data = "people"
languages = ["en", "de"]
steps = 60
batch = 8
learning-rate = 3e-3
weight-decay = 0.01
warmup = 0.1
clip = 1.0
max-length = 48
probes = ["people"]

[[protocol.sequence.stage]]
task = "pos"
data = "bank"
languages = ["en"]
steps = 60
batch = 8
learning-rate = 3e-3
weight-decay = 0.01
warmup = 0.1
clip = 1.0
max-length = 48
memories = ["past-stages"]
probes = ["people", "tags"]
"#;

#[test]
fn an_earlier_task_is_measured_and_remembered_after_a_later_one() {
    let world = World::new();
    import(&world, "bank", "pos-conllu", trees, "conllu", &[]);
    world.write("sequence.toml", SEQUENCE);
    let tables = world.ok(&["sweep", "sequence.toml"]);
    for expected in ["transfer.backward", "forgetting.max-last", "pos.accuracy", "ner.f1.strict"] {
        assert!(tables.contains(expected), "{expected} is missing in\n{tables}");
    }
    // Killed in the middle of the second stage, and carried on with both heads.
    let whole = world.recorded("results");
    let killed = kill_each(&world, "killed", &["sweep", "sequence.toml", "--checkpoint-every", "0"], Moment::Updating);
    assert!(!killed.is_empty(), "no cell was killed");
    world.assert_recorded("killed", &whole);
}
