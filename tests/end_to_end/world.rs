//! A folder with data, a model and a suite to run in.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Two protocols of a second each: entities in two languages, pairs, and retrieval before and after.
pub const SUITE: &str = r#"
description = "small enough for a test"
model = "tiny-encoder"
seeds = [1]
methods = ["ft", "frozen"]

[probe.people]
task = "ner"
data = "people"
languages = ["en", "de"]
max-length = 48

[probe.pairs]
task = "retrieval"
data = "pairs"
languages = ["de"]
max-length = 48

[protocol.ner]
before = ["pairs"]

[[protocol.ner.stage]]
task = "ner"
data = "people"
languages = ["en", "de"]
steps = 30
batch = 8
learning-rate = 3e-3
weight-decay = 0.01
warmup = 0.1
clip = 1.0
max-length = 48
probes = ["people", "pairs"]
"#;

/// The tiny encoder's place in a world.
pub const MODEL: &str = "models/tiny-encoder";

pub struct World {
    pub root: TempDir,
}

impl World {
    /// Imports the made-up data with the binary itself.
    pub fn new() -> Self {
        let world = World { root: tempfile::tempdir().expect("a temporary folder") };
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/tiny-encoder");
        std::fs::create_dir_all(world.path(MODEL)).expect("a folder");
        for name in ["config.json", "model.safetensors", "tokenizer.json"] {
            std::fs::copy(fixture.join(name), world.path(MODEL).join(name)).expect("a fixture");
        }
        for (language, split, seed) in [("en", "train", 1), ("en", "test", 2), ("de", "train", 3), ("de", "test", 4)] {
            let file = world.write(&format!("{language}-{split}.tsv"), &people(language, seed));
            world.ok(&[
                "data",
                "import",
                &file,
                "--format",
                "wikiann-text",
                "--name",
                "people",
                "--language",
                language,
                "--split",
                split,
            ]);
        }
        let german = world.write("pairs.de", &sentences("de"));
        let english = world.write("pairs.en", &sentences("en"));
        world.ok(&[
            "data",
            "import",
            &german,
            &english,
            "--format",
            "tatoeba",
            "--name",
            "pairs",
            "--language",
            "de",
            "--split",
            "test",
        ]);
        world.write("suite.toml", SUITE);
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes a file and gives its path as text.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file in the temporary folder");
        path.to_str().expect("a plain path").to_owned()
    }

    /// Replaces text in a file.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(name)).expect("a text file");
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, &text.replace(from, to));
    }

    /// The binary with this world's folders.
    pub fn command(&self, results: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command
            .args(arguments)
            .current_dir(self.root.path())
            .env("LETHE_DATA", self.path("data"))
            .env("LETHE_MODELS", self.path("models"))
            .env("LETHE_RESULTS", self.path(results))
            .env("LETHE_CACHE_DIR", self.path("cache"))
            .env_remove("LETHE_URIEL")
            .env_remove("LETHE_REAL");
        command
    }

    pub fn run(&self, results: &str, arguments: &[&str]) -> Output {
        self.command(results, arguments).output().expect("the binary starts")
    }

    /// Runs and insists on success; gives standard output.
    pub fn ok(&self, arguments: &[&str]) -> String {
        self.ok_in("results", arguments)
    }

    pub fn ok_in(&self, results: &str, arguments: &[&str]) -> String {
        let output = self.run(results, arguments);
        assert!(output.status.success(), "{arguments:?}: {}\n{}", output.status, stderr(&output));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs and insists on this exit code; gives standard error.
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run("results", arguments);
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(!error.contains("panicked"), "{error}");
        error
    }

    /// Bytes of every result file that must not depend on time or host.
    pub fn recorded(&self, results: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let cells = self.path(results).join("cells");
        for cell in std::fs::read_dir(&cells).into_iter().flatten().flatten() {
            for file in std::fs::read_dir(cell.path()).into_iter().flatten().flatten() {
                let name = file.file_name().into_string().expect("a plain name");
                if name != "timing.json" && name != "log.txt" {
                    let key = format!("{}/{name}", cell.file_name().to_string_lossy());
                    files.insert(key, std::fs::read(file.path()).expect("a readable file"));
                }
            }
        }
        files
    }

    /// Panics unless these results hold the same cells, file by file and byte by byte.
    #[track_caller]
    pub fn assert_recorded(&self, results: &str, whole: &BTreeMap<String, Vec<u8>>) {
        let recorded = self.recorded(results);
        assert!(recorded.keys().eq(whole.keys()), "{:?} instead of {:?}", recorded.keys(), whole.keys());
        for (name, bytes) in whole {
            assert!(recorded[name] == *bytes, "{name} differs");
        }
    }
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const NAMES: [&str; 8] = ["Anna", "Bert", "Clara", "David", "Emma", "Felix", "Greta", "Hugo"];
const PLACES: [&str; 8] = ["Berlin", "Paris", "Oslo", "Rome", "Lima", "Cairo", "Quito", "Delhi"];

/// Sixty sentences of the form "Anna lives in Berlin", tagged.
pub fn people(language: &str, seed: usize) -> String {
    let verb = if language == "de" { ["wohnt", "in"] } else { ["lives", "in"] };
    let mut text = String::new();
    for index in 0..60 {
        let name = NAMES[(index * 3 + seed) % NAMES.len()];
        let place = PLACES[(index * 5 + seed * 2) % PLACES.len()];
        let _ = write!(text, "{name}\tB-PER\n{}\tO\n{}\tO\n{place}\tB-LOC\n.\tO\n\n", verb[0], verb[1]);
    }
    text
}

fn sentences(language: &str) -> String {
    let verb = if language == "de" { "wohnt in" } else { "lives in" };
    let mut text = String::new();
    for index in 0..24 {
        let _ = writeln!(text, "{} {verb} {}.", NAMES[index % 8], PLACES[(index / 8 * 3 + index) % 8]);
    }
    text
}
