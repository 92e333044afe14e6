//! Standard output and error: full, closed, or a terminal that obeys what it is sent.

use std::fs::File;
use std::process::Stdio;

use crate::world::{SUITE, World, stderr};

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").expect("a device that is always full").into()
}

/// Whoever throws messages away wants the work done all the same.
#[test]
fn messages_that_nobody_can_read_stop_nothing() {
    let world = World::new();
    for (code, command) in [
        (0, "list data"),
        (0, "data check"),
        (0, "sweep suite.toml"),
        (0, "sweep suite.toml --dry-run"),
        (2, "sweep absent.toml"),
        (2, "sweep --no-such-flag"),
        (4, "sweep suite.toml --task qa"),
    ] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let output = world.command("results", &arguments).stderr(full()).output().expect("the binary starts");
        assert_eq!(output.status.code(), Some(code), "{command} with a full standard error");
        let mut child = world.command("results", &arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let child = child.as_mut().expect("the binary starts");
        drop(child.stderr.take());
        assert_eq!(child.wait().expect("it ends").code(), Some(code), "{command} with a closed standard error");
    }
}

#[test]
fn a_full_disk_under_standard_output_is_an_error() {
    let world = World::new();
    for command in ["list", "--help", "explain ft", "sweep suite.toml --dry-run", "data check"] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let output = world.command("results", &arguments).stdout(full()).output().expect("the binary starts");
        let error = stderr(&output);
        assert!(!output.status.success() && !error.contains("panicked"), "{command}: {} {error}", output.status);
        assert!(error.contains("standard output"), "{command}: {error}");
    }
}

/// Whatever a file, a label or a suite is called, a terminal shows it and obeys none of it.
#[test]
fn names_cannot_command_the_terminal() {
    let world = World::new();
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}\r";
    let import = |file: &str, format: &str| {
        let place = ["--name", "x", "--language", "en", "--split", "train"];
        world.fails(2, &[&["data", "import", file, "--format", format][..], &place].concat())
    };
    let mut said = Vec::new();
    let file = world.write("tags.tsv", &format!("Anna\tB-{evil}\tO\n"));
    said.push(import(&file, "wikiann-text"));
    let file = world.write("tags.conll", &format!("Anna {evil}X-PER\n"));
    said.push(import(&file, "conll"));
    let named = world.write(&format!("a{evil}b.json"), &format!("{{\"data\": \"{}\"}}", "x"));
    said.push(import(&named, "squad-json"));
    let question = r#"{"id": "q\u001b[2J", "question": "?", "answers": [{"text": "z\u0007", "answer_start": 0}]}"#;
    let file = world.write(
        "q.json",
        &format!("{{\"data\": [{{\"paragraphs\": [{{\"context\": \"c\", \"qas\": [{question}]}}]}}]}}"),
    );
    said.push(import(&file, "squad-json"));
    world.write("evil.toml", &SUITE.replace("warmup = 0.1", &format!("\"war{}\" = 0.1", "\\u001B[2J")));
    said.push(world.fails(2, &["sweep", "evil.toml"]));
    said.push(world.fails(2, &["sweep", &format!("no{evil}suite")]));
    said.push(world.fails(2, &["sweep", "--shard", evil]));
    said.push(world.fails(2, &["embed", "--model", &format!("m{evil}"), "--input", "pairs.de", "--output", "x.npy"]));
    for error in said {
        let obeyed = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
        assert!(!error.contains(obeyed) && !error.contains('\u{202e}'), "{error:?}");
    }
}
