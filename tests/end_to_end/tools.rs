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

/// Who wants predictions has no labels: words alone are predicted as the same words with tags.
#[test]
fn what_is_predicted_needs_no_labels() {
    let world = World::new();
    world.ok(&[&RUN[..], &["--save", "tuned"]].concat());
    let tagged = std::fs::read_to_string(world.path("en-test.tsv")).expect("a file");
    let words: String =
        tagged.lines().map(|line| format!("{}\n", line.split('\t').next().unwrap_or_default())).collect();
    world.write("words.txt", &words);
    let predict = |input: &str| {
        world.ok(&["predict", "--model", "tuned", "--input", input, "--format", "wikiann-text", "--max-length", "48"])
    };
    let predictions = predict("words.txt");
    assert!(predictions.contains("B-LOC") && predictions == predict("en-test.tsv"), "{predictions}");
    // Nothing is trained on them, or scored against them.
    let import = ["data", "import", "words.txt", "--format", "wikiann-text", "--name", "words", "--language", "en"];
    let refused = world.fails(2, &[&import[..], &["--split", "train"]].concat());
    assert!(refused.contains("words.txt") && refused.contains("no tag"), "{refused}");
    // Names may be numbers, as others write them.
    let numbered: String = predictions
        .lines()
        .enumerate()
        .map(|(row, line)| format!("{}\n", line.replacen(&format!("\"{row}\""), &row.to_string(), 1)))
        .collect();
    assert!(numbered.contains("\"id\":3,"), "{numbered}");
    world.write("numbered.jsonl", &numbered);
    let score = ["score", "--format", "wikiann-text", "--predictions", "numbered.jsonl", "--gold"];
    assert!(world.ok(&[&score[..], &["en-test.tsv"]].concat()).contains("ner.f1.strict"));
    let refused = world.fails(2, &[&score[..], &["words.txt"]].concat());
    assert!(refused.contains("no tag"), "{refused}");
}

/// A row without a majority label may be predicted; it is not scored, and nothing else may be too many.
#[test]
fn rows_that_the_gold_file_leaves_out_may_have_predictions() {
    let world = World::new();
    world.write("gold.tsv", "premise\thypo\tlabel\na\tb\tneutral\na\tb\t-\nc\td\tentailment\n");
    let line = |id: usize, class: &str| format!("{{\"id\": \"{id}\", \"prediction\": \"{class}\"}}\n");
    let three = line(0, "neutral") + &line(1, "neutral") + &line(2, "neutral");
    world.write("three.jsonl", &three);
    world.write("four.jsonl", &(three + &line(3, "neutral")));
    let score = ["score", "--format", "multinli-tsv", "--gold", "gold.tsv", "--predictions"];
    let table = world.ok(&[&score[..], &["three.jsonl"]].concat());
    assert!(table.contains("0.5000"), "{table}");
    let refused = world.fails(2, &[&score[..], &["four.jsonl"]].concat());
    assert!(refused.contains("which the gold file does not have"), "{refused}");
}

#[test]
fn two_files_of_predictions_are_compared_example_by_example() {
    let world = World::new();
    let rows: String = (0..40).map(|row| format!("a\tb{row}\tneutral\nc\td{row}\tentailment\n")).collect();
    world.write("gold.tsv", &format!("premise\thypo\tlabel\n{rows}"));
    let predicted = |wrong: usize| -> String {
        let right = |id: usize| if id.is_multiple_of(2) { "neutral" } else { "entailment" };
        let class = |id: usize| if id < wrong { "contradiction" } else { right(id) };
        (0..80).map(|id| format!("{{\"id\": \"{id}\", \"prediction\": \"{}\"}}\n", class(id))).collect()
    };
    world.write("good.jsonl", &predicted(0));
    world.write("bad.jsonl", &predicted(20));
    let score = ["score", "--format", "multinli-tsv", "--gold", "gold.tsv", "--predictions", "good.jsonl", "--against"];
    let table = world.ok(&[&score[..], &["bad.jsonl"]].concat());
    let (_, differences) = table.split_once("good.jsonl less bad.jsonl").expect("a table of differences");
    let line = differences.lines().find(|line| line.starts_with("nli.accuracy")).expect("the metric");
    assert!(line.contains("+0.2500") && line.ends_with("<0.001"), "{line}");
    let table = world.ok(&[&score[..], &["good.jsonl"]].concat());
    assert!(table.contains("+0.0000 to +0.0000  1.000"), "{table}");
    world.write("short.jsonl", "{\"id\": \"0\", \"prediction\": \"neutral\"}\n");
    let refused = world.fails(2, &[&score[..], &["short.jsonl"]].concat());
    assert!(refused.contains("`short.jsonl` has no prediction for example `1`"), "{refused}");
}

#[test]
fn one_file_is_not_told_of_as_several() {
    let world = World::new();
    world.write("one.tsv", "Anna\tB-PER\n");
    let import = ["data", "import", "one.tsv", "--format", "wikiann-text", "--name", "one", "--language", "en"];
    let said = crate::world::stderr(&world.run("results", &[&import[..], &["--split", "train"]].concat()));
    assert!(said.contains("1 file with 1 row is in"), "{said}");
}

#[test]
fn texts_of_the_train_split_in_the_test_split_are_told() {
    let world = World::new();
    world.write("leak.tsv", "Anna\tB-PER\n\nOslo\tB-LOC\n");
    world.write("half.tsv", "Anna\tO\n\nBert\tB-PER\n");
    for (file, split) in [("leak.tsv", "train"), ("half.tsv", "validation"), ("leak.tsv", "test")] {
        let import = ["data", "import", file, "--format", "wikiann-text", "--name", "leak", "--language", "en"];
        world.ok(&[&import[..], &["--split", split]].concat());
    }
    let checked = world.ok(&["data", "check"]);
    for expected in [
        "ok       leak/ner/en/train\n",
        "ok       leak/ner/en/validation: 1 of 2 texts are in the train split too\n",
        "ok       leak/ner/en/test: 2 of 2 texts are in the train split too\n",
    ] {
        assert!(checked.contains(expected), "{expected}{checked}");
    }
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
