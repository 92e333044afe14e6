//! Files that are no files, or want more of the machine than they can be worth: refused at once, by name.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::world::{MODEL, SUITE, World, stderr};

/// Bytes of address space that a refusal may take, threads' stacks among them.
const MOST_MEMORY: u64 = 4 << 30;
const MOST_TIME: Duration = Duration::from_secs(20);

/// Runs with little memory, and insists that it soon fails with this code; gives standard error.
fn refused(world: &World, code: i32, arguments: &[&str]) -> String {
    let command = world.command("results", arguments);
    let mut limited = Command::new("sh");
    limited.arg("-c").arg(format!("ulimit -v {}; exec \"$0\" \"$@\"", MOST_MEMORY / 1024));
    limited.arg(command.get_program()).args(command.get_args()).current_dir(world.root.path());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let start = Instant::now();
    let mut child =
        limited.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().expect("sh");
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() > MOST_TIME {
            let _ = child.kill();
            panic!("{arguments:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("it ended");
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    assert!(!error.contains("panicked"), "{arguments:?}: {error}");
    error
}

/// Puts a pipe without a writer, or a device without an end, in a file's place.
fn replace(path: &Path, by: &str) {
    std::fs::remove_file(path).expect("a file");
    match by {
        "pipe" => assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success()),
        device => std::os::unix::fs::symlink(device, path).expect("a link"),
    }
}

#[test]
fn pipes_and_devices_are_no_files() {
    let score = ["score", "--format", "wikiann-text", "--gold", "en-test.tsv", "--predictions", "en-test.tsv"];
    let import = ["data", "import", "en-test.tsv", "--format", "wikiann-text", "--name", "x", "--language", "en"];
    let import: Vec<&str> = import.into_iter().chain(["--split", "train"]).collect();
    let sweep: &[&str] = &["sweep", "suite.toml", "--dry-run"];
    for by in ["pipe", "/dev/zero"] {
        for (file, arguments) in [
            ("suite.toml", sweep),
            ("data/people/manifest.toml", sweep),
            (&format!("{MODEL}/config.json"), sweep),
            (&format!("{MODEL}/model.safetensors"), sweep),
            (&format!("{MODEL}/tokenizer.json"), sweep),
            ("en-test.tsv", &import[..]),
            ("en-test.tsv", &score[..]),
            ("pairs.de", &["embed", "--model", "tiny-encoder", "--input", "pairs.de", "--output", "x.npy"]),
        ] {
            let world = World::new();
            replace(&world.path(file), by);
            let error = refused(&world, 2, arguments);
            let name = file.rsplit('/').next().unwrap_or(file);
            // What is no regular file is no model's configuration either.
            let no_model = name == "config.json" && error.contains("no model `tiny-encoder`");
            assert!(no_model || error.contains(name) && error.contains("not a regular file"), "{by} {file}: {error}");
        }
    }
}

#[test]
fn a_record_of_pipes_is_a_damaged_one() {
    let world = World::new();
    world.ok(&["sweep", "suite.toml", "--method", "frozen"]);
    let record =
        std::fs::read_dir(world.path("results/cells")).expect("cells").next().expect("a cell").expect("an entry");
    for file in ["files.json", "cell.json", "scores.parquet"] {
        let path = record.path().join(file);
        let whole = std::fs::read(&path).expect("a file");
        for by in ["pipe", "/dev/zero"] {
            replace(&path, by);
            let said = world.ok(&["report", "suite.toml"]);
            assert!(said.contains("damaged") && said.contains(file), "{by} {file}: {said}");
        }
        std::fs::remove_file(&path).expect("a link");
        std::fs::write(&path, whole).expect("written");
    }
    // What varies from run to run is not looked at more closely.
    replace(&record.path().join("timing.json"), "pipe");
    let said = world.ok(&["report", "suite.toml", "--method", "frozen"]);
    assert!(!said.contains("damaged"), "{said}");
}

#[test]
fn sizes_that_no_model_has_are_refused() {
    for (field, from, to) in [
        ("num_hidden_layers", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 10000000"),
        ("type_vocab_size", "\"type_vocab_size\": 2", "\"type_vocab_size\": 200000000"),
        ("vocab_size", "\"vocab_size\": 269", "\"vocab_size\": 200000000"),
    ] {
        let world = World::new();
        world.edit(&format!("{MODEL}/config.json"), from, to);
        let error = refused(&world, 2, &["sweep", "suite.toml", "--dry-run"]);
        assert!(error.contains("config.json") && error.contains(field) && error.contains("more than"), "{error}");
    }
    let world = World::new();
    for tokens in ["4611686018427387904", "18446744073709551615"] {
        let error = refused(&world, 2, &["pretrain", "made", "--tokens", tokens]);
        assert!(error.contains("--tokens"), "{error}");
    }
    let huge = ["pretrain", "made", "--layers", "64", "--hidden", "4096", "--feed-forward", "16384", "--heads", "64"];
    let error = refused(&world, 2, &huge);
    assert!(error.contains("parameters; at most"), "{error}");
}

/// A million tensors without a number: neither the list of them nor the search for similar names may take minutes.
#[test]
fn a_million_tensors_are_refused() {
    let world = World::new();
    let tensor = |index: usize| format!("\"t{index}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}");
    for (count, expected) in [(1_000_000, "header"), (100_000, "and 99")] {
        let header = format!("{{{}}}", (0..count).map(tensor).collect::<Vec<_>>().join(","));
        let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
        std::fs::write(world.path(MODEL).join("model.safetensors"), bytes).expect("written");
        let embed = ["embed", "--model", "tiny-encoder", "--input", "pairs.de", "--output", "x.npy"];
        let error = refused(&world, 2, &embed);
        assert!(error.contains("model.safetensors") && error.contains(expected), "{}", &error[..error.len().min(3000)]);
        assert!(error.len() < 100_000, "{} bytes are no message", error.len());
    }
}

/// Each of thirty steps doubles the text.
#[test]
fn a_tokenizer_that_never_ends_is_refused() {
    let world = World::new();
    let path = world.path(MODEL).join("tokenizer.json");
    let mut tokenizer: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    let step = serde_json::json!({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"});
    tokenizer["normalizer"] = serde_json::json!({"type": "Sequence", "normalizers": vec![step; 40]});
    std::fs::write(&path, tokenizer.to_string()).expect("written");
    let error = refused(&world, 2, &["embed", "--model", "tiny-encoder", "--input", "pairs.de", "--output", "x.npy"]);
    assert!(error.contains("tokenizer.json") && error.contains("times longer"), "{error}");
}

/// Minutes that are more seconds than there are numbers.
#[test]
fn a_timeout_of_ages_is_one() {
    let world = World::new();
    let minutes = u64::MAX.to_string();
    world.ok(&["sweep", "suite.toml", "--method", "frozen", "--timeout", &minutes]);
}

/// A cell's folder bears the names of its protocol and its method.
#[test]
fn names_that_make_no_folder_are_refused_when_they_are_read() {
    let world = World::new();
    let long = "n".repeat(95);
    world.write(
        "long.toml",
        &SUITE
            .replace("[protocol.ner]", &format!("[protocol.{long}]"))
            .replace("[[protocol.ner.stage]]", &format!("[[protocol.{long}.stage]]")),
    );
    let error = world.fails(2, &["sweep", "long.toml", "--dry-run"]);
    assert!(error.contains("95 characters") && error.contains("at most 80"), "{error}");
}

/// Paths need not be text.
#[test]
fn paths_that_are_not_utf_8_work() {
    use std::os::unix::ffi::OsStrExt;
    let world = World::new();
    let name = std::ffi::OsStr::from_bytes(b"n\xff\xfee.tsv");
    std::fs::copy(world.path("en-test.tsv"), world.path("x").with_file_name(name)).expect("copied");
    let import = |arguments: &[&str]| {
        let mut command = world.command("results", &["data", "import"]);
        command.arg(name).args(arguments).output().expect("the binary starts")
    };
    let place = ["--name", "odd", "--language", "en", "--split", "train"];
    let output = import(&[&["--format", "wikiann-text"][..], &place].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let output = import(&[&["--format", "squad-json"][..], &place].concat());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    // A suite and a model are asked for by name, which is text.
    for flag in ["sweep", "embed"] {
        let mut command = world.command("results", &[flag]);
        command.args(if flag == "embed" { &["--input", "pairs.de", "--output", "x.npy", "--model"][..] } else { &[] });
        let output = command.arg(name).output().expect("the binary starts");
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains("UTF-8"), "{}", stderr(&output));
    }
    let odd = world.root.path().join(std::ffi::OsStr::from_bytes(b"folder\xff"));
    let output =
        world.command("results", &["sweep", "suite.toml"]).env("LETHE_RESULTS", &odd).output().expect("it starts");
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    assert!(output.status.success() || stderr(&output).contains("UTF-8"), "{}", stderr(&output));
}
