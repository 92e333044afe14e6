//! `harness pretrain`: a model that works from text, at any interruption the same bytes, and clear refusals.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::crash::wait_until;

/// The binary in a folder of its own.
fn harness(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.current_dir(folder).env_remove("LETHE_REAL").env("LETHE_CACHE_DIR", folder.join("cache"));
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let sentence = |words: &[&str], row: usize| {
        let word = |place: usize| words[(row * 7 + place * 3 + row / 5) % words.len()];
        format!("{} {} {}.\n", word(0), word(1), word(2))
    };
    for (language, words) in [
        ("en", ["the", "cat", "sees", "old", "house", "tree", "small", "bird"]),
        ("de", ["die", "Katze", "sieht", "alte", "Haus", "Baum", "kleine", "Vogel"]),
    ] {
        let text: String = (0..60).map(|row| sentence(&words, row)).collect();
        fs::write(folder.join(format!("{language}.txt")), text).unwrap();
    }
}

fn pretrain(folder: &Path, out: &str, more: &[&str]) -> Command {
    let mut command = harness(folder);
    command.args(["pretrain", out, "--text", "text", "--parallel"]).args(more);
    let small = ["--vocabulary", "200", "--layers", "1", "--hidden", "16", "--heads", "2", "--max-length", "32"];
    let small = small.chunks_exact(2).chain([["--tokens", "256"].as_slice()]);
    command.args(small.filter(|option| !more.contains(&option[0])).flatten());
    command
}

#[test]
fn an_interrupted_pretraining_ends_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    text(&folder.path().join("text"));
    let steps = ["--steps", "400", "--ranking", "0.2", "--comparing", "0.3", "--checkpoint-every", "0"];
    let whole = pretrain(folder.path(), "whole", &steps).output().unwrap();
    assert!(whole.status.success(), "{}", said(&whole));

    let mut killed = pretrain(folder.path(), "killed", &steps).stderr(Stdio::null()).spawn().unwrap();
    let checkpoint = || {
        let entries = fs::read_dir(folder.path().join("killed.partial")).ok()?;
        entries.flatten().find(|entry| entry.file_name().to_string_lossy().starts_with("checkpoint-0"))
    };
    for _ in 0..2000 {
        if checkpoint().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(checkpoint().is_some() && !folder.path().join("killed").exists(), "the kill hit a run at work");
    let resumed = pretrain(folder.path(), "killed", &steps).output().unwrap();
    assert!(resumed.status.success(), "{}", said(&resumed));
    for file in ["config.json", "tokenizer.json", "model.safetensors", "pretraining.json"] {
        let [one, other] = ["whole", "killed"].map(|out| fs::read(folder.path().join(out).join(file)).unwrap());
        assert!(one == other, "{file} differs");
    }
    assert!(!folder.path().join("killed.partial").exists());

    let record: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("whole/pretraining.json")).unwrap()).unwrap();
    let curve = record["curve"].as_array().unwrap();
    let losses: Vec<f64> = curve.iter().filter_map(|point| point["translation-lm"].as_f64()).collect();
    assert!(losses[losses.len() - 1] < 0.7 * losses[1], "{losses:?}");
    assert!(curve.iter().any(|point| point["entailment"].is_f64()), "texts were compared");
}

/// The newest checkpoint of an unfinished pre-training.
fn newest(folder: &Path, out: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder.join(format!("{out}.partial"))).ok()?;
    let states = entries.flatten().map(|entry| entry.path());
    states.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("checkpoint-"))).max()
}

#[test]
fn damage_is_said_aloud_and_costs_work_alone() {
    let folder = tempfile::tempdir().unwrap();
    text(&folder.path().join("text"));
    let steps = ["--steps", "200", "--checkpoint-every", "0"];
    let whole = pretrain(folder.path(), "whole", &steps).output().unwrap();
    assert!(whole.status.success(), "{}", said(&whole));
    type Damage = fn(Vec<u8>) -> Vec<u8>;
    let flip: Damage = |mut bytes| {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        bytes
    };
    let cut: Damage = |bytes| bytes[..bytes.len() / 2].to_vec();
    let damages = [
        ("learner.safetensors", "is damaged: its parameters", flip),
        ("learner.safetensors", "is damaged: its parameters", cut),
        ("state", "is damaged: its state", flip),
        ("state", "is damaged: it", cut),
        ("../tokenizer.json", "tokenizer or configuration", flip),
    ];
    for (number, (file, needle, damage)) in damages.into_iter().enumerate() {
        let out = format!("damaged-{number}");
        let mut killed = pretrain(folder.path(), &out, &steps).stderr(Stdio::null()).spawn().unwrap();
        wait_until("a checkpoint", || newest(folder.path(), &out).is_some());
        killed.kill().unwrap();
        killed.wait().unwrap();
        let path = newest(folder.path(), &out).expect("the kill hit a run at work").join(file);
        fs::write(&path, damage(fs::read(&path).unwrap())).unwrap();
        let resumed = pretrain(folder.path(), &out, &steps).output().unwrap();
        assert!(resumed.status.success() && said(&resumed).contains(needle), "{file}: {}", said(&resumed));
        for file in ["config.json", "tokenizer.json", "model.safetensors", "pretraining.json"] {
            let [one, other] = ["whole", &out].map(|out| fs::read(folder.path().join(out).join(file)).unwrap());
            assert!(one == other, "{file} differs");
        }
    }
}

#[test]
fn one_process_at_a_time_makes_a_model() {
    let folder = tempfile::tempdir().unwrap();
    text(&folder.path().join("text"));
    let steps = ["--steps", "1000000", "--checkpoint-every", "0"];
    let mut first = pretrain(folder.path(), "model", &steps).stderr(Stdio::null()).spawn().unwrap();
    wait_until("a checkpoint", || newest(folder.path(), "model").is_some());
    let second = pretrain(folder.path(), "model", &steps).output().unwrap();
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.status.code(), Some(2), "{}", said(&second));
    assert!(said(&second).contains("another process makes `model`"), "{}", said(&second));
}

#[test]
fn a_model_is_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    text(&folder.path().join("text"));
    let first = pretrain(folder.path(), "first", &["--steps", "60", "--comparing", "0"]).output().unwrap();
    assert!(first.status.success(), "{}", said(&first));
    let on = |out: &str, from: &str, more: &[&str]| {
        let mut command = harness(folder.path());
        command
            .args(["pretrain", out, "--from", from, "--text", "text", "--tokens", "256", "--steps", "20"])
            .args(more);
        command.output().unwrap()
    };
    let second = on("second", "first", &["--parallel"]);
    assert!(second.status.success(), "{}", said(&second));
    let record = |model: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.path().join(model).join("pretraining.json")).unwrap()).unwrap()
    };
    assert_eq!(record("second")["before"], record("first"));
    assert_eq!(record("second")["settings"]["max-length"], 32, "as the model that was trained on");
    let tokenizer = |model: &str| fs::read(folder.path().join(model).join("tokenizer.json")).unwrap();
    assert_eq!(tokenizer("second"), tokenizer("first"));
    // Text of which nothing is known teaches less, and that is said.
    let alone = on("alone", "first", &[]);
    assert!(alone.status.success() && said(&alone).contains("masked language modelling alone"), "{}", said(&alone));
    assert_eq!(record("alone")["settings"]["translations"], 0.0);
    // It begins where the first one ended.
    let loss = |model: &str, at: usize| record(model)["curve"][at]["translation-lm"].as_f64().unwrap();
    assert!(loss("second", 0) < 0.9 * loss("first", 0), "{} {}", loss("second", 0), loss("first", 0));

    for (from, more, needle) in [
        ("first", &["--layers", "2"][..], "--layers"),
        ("first", &["--max-length", "64"], "reads at most 32"),
        ("frist", &[], "no model `frist`"),
    ] {
        let refused = on("third", from, more);
        assert_eq!(refused.status.code(), Some(2), "{more:?}: {}", said(&refused));
        assert!(said(&refused).contains(needle), "{more:?}: {}", said(&refused));
    }
}

#[test]
fn what_cannot_work_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    text(&folder.path().join("text"));
    fs::create_dir(folder.path().join("there")).unwrap();
    for (out, more, needle) in [
        ("there", &[][..], "exists already"),
        ("new", &["--languages", "sw"], "sw.txt"),
        ("new", &["--heads", "3"], "3 attention heads do not divide 16"),
        ("new", &["--steps", "0"], "--steps"),
        ("new", &["--mask", "1.5"], "--mask"),
        ("new", &["--tokens", "8"], "raise --tokens"),
        ("new", &["--languages", "en"], "at least two languages"),
        ("new", &["--comparing", "1"], "--comparing"),
        ("new", &["--languages", "xx-nonsense"], "xx-nonsense"),
    ] {
        let refused = pretrain(folder.path(), out, more).output().unwrap();
        let said = said(&refused);
        assert_eq!(refused.status.code(), Some(2), "{more:?}: {said}");
        assert!(said.contains(needle), "{more:?}: {said}");
    }
    // As many texts, but not of the same lines: empty ones may part paragraphs, not translations.
    for (language, line) in [("en", 10), ("de", 20)] {
        let path = folder.path().join(format!("text/{language}.txt"));
        let text = fs::read_to_string(&path).unwrap();
        let lines =
            text.lines().enumerate().map(|(at, text)| if at == line { "\n".to_owned() } else { format!("{text}\n") });
        fs::write(folder.path().join("text").join(format!("{language}.txt")), lines.collect::<String>()).unwrap();
    }
    let refused = pretrain(folder.path(), "new", &[]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("empty lines at other places"), "{}", said(&refused));
    text(&folder.path().join("text"));
    // A begun pre-training is not carried on with other settings.
    let mut command = pretrain(folder.path(), "begun", &["--steps", "100000", "--checkpoint-every", "0"]);
    let mut begun = command.stderr(Stdio::null()).spawn().unwrap();
    while !folder.path().join("begun.partial/config.json").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(500));
    begun.kill().unwrap();
    begun.wait().unwrap();
    let other = pretrain(folder.path(), "begun", &["--steps", "50"]).output().unwrap();
    assert!(said(&other).contains("other settings"), "{}", said(&other));
}
