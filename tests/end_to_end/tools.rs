//! Each part alone: run, predict, embed, score.

use crate::world::World;

/// One cell from flags.
#[rustfmt::skip]
const RUN: [&str; 21] = [
    "run", "--task", "ner", "--model", "tiny-encoder", "--train", "people", "--sources", "en,de", "--eval", "people",
    "--targets", "en", "--steps", "40", "--batch", "8", "--learning-rate", "3e-3", "--max-length", "48",
];

#[test]
fn a_saved_model_predicts_what_the_sweep_scored() {
    let world = World::new();
    let table = world.ok(&[&RUN[..], &["--save", "tuned"]].concat());
    assert!(table.contains("ner.f1.strict"), "{table}");
    let predictions = world.ok(&[
        "predict",
        "--model",
        "tuned",
        "--input",
        "en-test.tsv",
        "--format",
        "wikiann-text",
        "--language",
        "en",
        "--max-length",
        "48",
    ]);
    assert_eq!(predictions.lines().count(), 60);
    assert!(predictions.lines().all(|line| line.contains("\"logits\"") && line.contains("\"prediction\"")));
    world.write("predictions.jsonl", &predictions);
    let scores =
        world.ok(&["score", "--format", "wikiann-text", "--gold", "en-test.tsv", "--predictions", "predictions.jsonl"]);
    let f1 = |text: &str| -> f64 {
        let line = text.lines().find(|line| line.contains("ner.f1.strict")).expect("a line of F1");
        line.split_whitespace().find_map(|word| word.parse().ok()).expect("a number")
    };
    let again = world.ok(&RUN);
    let percent = format!("{:.1}", 100.0 * f1(&scores));
    assert!(again.contains(&percent), "F1 {percent} of the saved model is not in\n{again}");
}

#[test]
fn embeddings_come_as_numpy_and_parquet_and_score_like_the_probe() {
    let world = World::new();
    for language in ["de", "en"] {
        let (input, output) = (format!("pairs.{language}"), format!("{language}.npy"));
        world.ok(&["embed", "--model", "tiny-encoder", "--input", &input, "--output", &output, "--max-length", "48"]);
    }
    world.ok(&["embed", "--model", "tiny-encoder", "--input", "pairs.de", "--output", "de.parquet", "--normalise"]);
    let bytes = std::fs::read(world.path("de.npy")).expect("a file");
    assert!(bytes.starts_with(b"\x93NUMPY"));
    assert_eq!((bytes.len() - 128) % (24 * 32 * 4), 0, "24 vectors of 32 numbers after the header");
    assert!(std::fs::read(world.path("de.parquet")).expect("a file").starts_with(b"PAR1"));
    let scores = world.ok(&["score", "--format", "tatoeba", "--gold", "en.npy", "--predictions", "de.npy"]);
    assert!(scores.contains("retrieval.p1.to-english") && scores.contains("24"), "{scores}");
}

#[test]
fn predictions_that_do_not_fit_are_refused_by_id() {
    let world = World::new();
    world.write("short.jsonl", "{\"id\":\"nobody\",\"prediction\":[\"O\"]}\n");
    let error =
        world.fails(2, &["score", "--format", "wikiann-text", "--gold", "en-test.tsv", "--predictions", "short.jsonl"]);
    assert!(error.contains("has no prediction for example"), "{error}");
    world.write("broken.jsonl", "{\"id\":\"x\"}\nnot json\n");
    let error = world
        .fails(2, &["score", "--format", "wikiann-text", "--gold", "en-test.tsv", "--predictions", "broken.jsonl"]);
    assert!(error.contains("line 1"), "{error}");
    let error =
        world.fails(2, &["predict", "--model", "tiny-encoder", "--input", "en-test.tsv", "--format", "wikiann-text"]);
    assert!(error.contains("has no head"), "{error}");
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let world = World::new();
    for command in ["list", "data check", "sweep suite.toml --dry-run"] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let mut child = world
            .command("results", &arguments)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the binary starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !error.contains("panicked"), "{command}: {} {error}", output.status);
    }
}
