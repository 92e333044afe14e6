//! Bad input: one clear message that names the file, row or field, and nothing lost.

use crate::world::{MODEL, SUITE, World, stderr};

/// Damages a file by rewriting its bytes.
fn damage(world: &World, name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let path = world.path(name);
    let bytes = std::fs::read(&path).expect("a file");
    std::fs::write(&path, change(bytes)).expect("written");
}

#[test]
fn malformed_suites_are_refused_by_line_and_column() {
    let world = World::new();
    world.write("bad.toml", &SUITE.replace("warmup = 0.1", "warm-up = 0.1"));
    let error = world.fails(2, &["sweep", "bad.toml"]);
    assert!(error.contains("line 30, column 1") && error.contains("did you mean `warmup`"), "{error}");
    world.write("bad.toml", &SUITE.replace("[\"en\", \"de\"]", "[\"en\", \"xx\"]"));
    let error = world.fails(2, &["sweep", "bad.toml"]);
    assert!(error.contains("`xx` is not a language code"), "{error}");
    let error = world.fails(2, &["sweep", "real-smal"]);
    assert!(error.contains("did you mean `real-small`"), "{error}");
    let error = world.fails(2, &["sweep", "absent.toml"]);
    assert!(error.contains("absent.toml"), "{error}");
}

#[test]
fn data_that_is_not_there_is_named_with_what_is() {
    let world = World::new();
    for (from, to, expected) in [
        ("data = \"people\"", "data = \"peple\"", "did you mean `people`"),
        ("languages = [\"de\"]", "languages = [\"fr\"]", "fr"),
        (
            "task = \"ner\"\ndata = \"people\"\nlanguages",
            "task = \"ner\"\ndata = \"people\"\nsplit = \"validation\"\nlanguages",
            "validation",
        ),
    ] {
        world.write("bad.toml", &SUITE.replacen(from, to, 1));
        let error = world.fails(2, &["sweep", "bad.toml"]);
        assert!(error.contains(expected), "{to}: {error}");
    }
}

#[test]
fn broken_files_are_refused_at_import() {
    let world = World::new();
    let import = |text: &str| {
        let file = world.write("broken.tsv", text);
        world.fails(
            2,
            &[
                "data",
                "import",
                &file,
                "--format",
                "wikiann-text",
                "--name",
                "x",
                "--language",
                "en",
                "--split",
                "train",
            ],
        )
    };
    for (text, expected) in
        [("Anna\tB-PER\nlives\n", "broken.tsv"), ("Anna\tX-PERSON\n", "X-PERSON"), ("", "broken.tsv")]
    {
        let error = import(text);
        assert!(error.contains(expected), "{text:?}: {error}");
    }
    for (format, text) in [
        ("squad-json", "{\"data\": [{\"paragraphs\": [{\"context\": \"abc\", \"qas\""),
        ("xnli-tsv", "language\tgold_label\nen\tentailment\n"),
        ("wikiann-parquet", "PAR1 this is not Parquet PAR1"),
    ] {
        let file = world.write("broken.file", text);
        let error = world.fails(
            2,
            &["data", "import", &file, "--format", format, "--name", "x", "--language", "en", "--split", "train"],
        );
        assert!(error.contains("broken.file"), "{format}: {error}");
    }
    assert!(!world.path("data/x").join("manifest.toml").exists(), "nothing half imported stays");
}

#[test]
fn a_damaged_data_file_costs_its_cells_and_says_so() {
    let world = World::new();
    world.write("suite.toml", &format!("{SUITE}\n[protocol.untouched]\nbefore = [\"pairs\"]\n"));
    let file = "data/people/ner/de/test.parquet";
    let whole = std::fs::read(world.path(file)).expect("a file");
    damage(&world, file, |bytes| bytes[..bytes.len() / 2].to_vec());
    let output = world.run("results", &["sweep", "suite.toml"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
    assert_eq!(output.status.code(), Some(8), "{said}");
    assert!(said.contains("test.parquet") && said.contains("2 cells are left undone"), "{said}");
    let outcomes = world.ok(&["sweep", "suite.toml", "--dry-run"]);
    assert_eq!(outcomes.matches("to resume").count(), 2, "{outcomes}");
    let finished = outcomes.lines().filter(|line| line.starts_with("untouched") && line.contains("done")).count();
    assert_eq!(finished, 2, "the other protocol's cells are not touched:\n{outcomes}");
    let checked = world.run("results", &["data", "check"]);
    assert!(String::from_utf8_lossy(&checked.stdout).contains("damaged"));
    // Mended: the same command carries on.
    std::fs::write(world.path(file), whole).expect("written");
    world.ok(&["sweep", "suite.toml"]);
}

#[test]
fn broken_models_are_refused_by_file_and_tensor() {
    for (name, expected, change) in [
        ("model.safetensors", "model.safetensors", (|bytes| bytes[..1000].to_vec()) as fn(Vec<u8>) -> Vec<u8>),
        ("model.safetensors", "model.safetensors", |mut bytes| {
            bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
            bytes
        }),
        ("tokenizer.json", "tokenizer.json", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("config.json", "config.json", |_| b"{\"model_type\": \"gpt2\"}".to_vec()),
        ("config.json", "hidden_size", |bytes| {
            String::from_utf8_lossy(&bytes).replace("hidden_size", "hiden_size").into_bytes()
        }),
        ("config.json", "embeddings", |bytes| {
            String::from_utf8_lossy(&bytes).replace("\"vocab_size\": 269", "\"vocab_size\": 300").into_bytes()
        }),
    ] {
        let world = World::new();
        damage(&world, &format!("{MODEL}/{name}"), change);
        let output = world.run("results", &["sweep", "suite.toml", "--method", "ft"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
        assert!(matches!(output.status.code(), Some(2 | 3)), "{name}: {said}");
        assert!(said.contains(expected), "{name}: {said}");
        assert!(!said.contains("panicked"), "{name}: {said}");
    }
}

#[test]
fn a_results_folder_that_cannot_be_used_is_one_error() {
    let world = World::new();
    world.write("file", "not a folder");
    let output = world.run("file/results", &["sweep", "suite.toml"]);
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(7), "{error}");
    assert!(error.contains("file/results"), "{error}");
}

#[test]
fn a_damaged_result_is_set_aside_and_runs_again() {
    let world = World::new();
    world.ok(&["sweep", "suite.toml"]);
    let before = world.recorded("results");
    let scores = before.keys().find(|name| name.ends_with("scores.parquet")).expect("scores").clone();
    damage(&world, &format!("results/cells/{scores}"), |mut bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes
    });
    let output = world.run("results", &["sweep", "suite.toml"]);
    assert!(output.status.success() && stderr(&output).contains("damaged"), "{}", stderr(&output));
    assert_eq!(world.recorded("results"), before);
}

#[test]
fn wrong_arguments_are_refused() {
    let world = World::new();
    for arguments in [
        vec!["sweep", "no-such-suite"],
        vec!["sweep", "suite.toml", "--shard", "3/2"],
        vec!["sweep", "suite.toml", "--seed", "5..1"],
        vec!["sweep", "suite.toml", "--jobs", "0"],
        vec!["sweep", "suite.toml", "--backend", "gpu"],
        vec!["run", "--task", "ner"],
        vec!["embed", "--model", "tiny-encoder", "--input", "pairs.de", "--output", "x.txt"],
        vec!["data", "import", "nowhere"],
    ] {
        world.fails(2, &arguments);
    }
    let error = world.fails(2, &["sweep", "suite.toml", "--backend", "cuda"]);
    assert!(error.contains("cuda"), "{error}");
}
