//! `run --save`: whatever hinders the saving, the training is kept, and the same command saves it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::crash::{children, is_gone, signal, spawn, wait_until};
use crate::damage::{mount, unmount};
use crate::world::{World, stderr};

fn run(save: &str) -> Vec<&str> {
    let of_run = [
        "run",
        "--task",
        "ner",
        "--model",
        "tiny-encoder",
        "--train",
        "people",
        "--sources",
        "en",
        "--eval",
        "people",
        "--targets",
        "en,de",
        "--steps",
        "40",
        "--batch",
        "8",
        "--learning-rate",
        "3e-3",
        "--max-length",
        "48",
        "--save",
    ];
    of_run.into_iter().chain([save]).collect()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a model folder").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("a file")))
        .collect()
}

/// Phases that the recorded cell's last process went through.
fn phases(world: &World, results: &str) -> Vec<String> {
    let mut cells = fs::read_dir(world.path(results).join("cells")).expect("records").flatten();
    let timing = fs::read(cells.next().expect("one cell").path().join("timing.json")).expect("a timing");
    let timing: serde_json::Value = serde_json::from_slice(&timing).expect("JSON");
    timing["seconds"].as_object().expect("phases").keys().cloned().collect()
}

#[test]
fn what_hinders_the_saving_costs_no_training() {
    let world = World::new();
    world.ok_in("whole", &run("whole-model"));
    let (whole, model) = (world.recorded("whole"), files(&world.path("whole-model")));
    assert!(model.contains_key("model.safetensors") && model.contains_key("tokenizer.json"));
    assert!(phases(&world, "whole").iter().any(|phase| phase == "train"), "{:?}", phases(&world, "whole"));
    let saved_alone = |results: &str, save: &str| {
        let output = world.run(results, &run(save));
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stderr(&output).contains("the updated model is in"), "{}", stderr(&output));
        world.assert_recorded(results, &whole);
        assert!(files(&world.path(save)) == model, "another model");
        assert!(!world.path(&format!("{save}.partial")).exists());
        assert!(!phases(&world, results).iter().any(|phase| phase == "train"), "{:?}", phases(&world, results));
    };

    // Something is in the way.
    let partial = world.path("blocked-model.partial");
    fs::write(&partial, "").expect("a file");
    for save in ["blocked-model", &"x".repeat(250), "/proc/model"] {
        let output = world.run("refused", &run(save));
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains("cannot save a model to"), "{}", stderr(&output));
        assert!(!stderr(&output).contains("stage 1"), "it is trained before: {}", stderr(&output));
    }
    fs::remove_file(&partial).expect("a file");
    fs::create_dir(&partial).expect("a folder");
    fs::write(partial.join("lock"), "").expect("a file");
    fs::write(partial.join("done"), "no folder").expect("a file");
    let output = world.run("blocked", &run("blocked-model"));
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    assert!(stderr(&output).contains("its training is kept"), "{}", stderr(&output));
    assert!(world.recorded("blocked").is_empty() && !world.path("blocked-model").exists());
    // As a process leaves it that is killed while it saves.
    fs::remove_file(partial.join("done")).expect("a file");
    fs::create_dir_all(partial.join("done")).expect("a folder");
    fs::write(partial.join("done/model.safetensors"), "half").expect("a file");
    saved_alone("blocked", "blocked-model");

    // Killed when the model was in its place, and before the end of the record's work was tidied.
    fs::create_dir(&partial).expect("a folder");
    fs::write(partial.join("lock"), "").expect("a file");
    let cell = fs::read_dir(world.path("blocked/cells")).expect("records").flatten().next().expect("a cell");
    fs::write(partial.join("of"), cell.file_name().to_str().expect("a name")).expect("a file");
    saved_alone("blocked", "blocked-model");
    let output = world.run("blocked", &run("blocked-model"));
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("exists already"), "{}", stderr(&output));

    // The disk is full.
    let disk = world.path("disk");
    if !mount(&disk, "64k") {
        return eprintln!("skipped: mounting a small tmpfs needs root");
    }
    let output = world.run("full", &run("disk/model"));
    let left = fs::read_dir(disk.join("model.partial")).map(|entries| entries.count());
    let half = disk.join("model").exists();
    let grown = Command::new("mount").args(["-o", "remount,size=64m"]).arg(&disk).status();
    let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| saved_alone("full", "disk/model")));
    unmount(&disk);
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    let said = stderr(&output).to_lowercase();
    assert!(said.contains("no space left") && said.contains("its training is kept"), "{said}");
    assert!(!half && left.is_ok_and(|left| left <= 1), "nothing half done is left");
    assert!(grown.is_ok_and(|status| status.success()));
    if let Err(panic) = again {
        std::panic::resume_unwind(panic);
    }
}

/// Kills a run while it saves; `false` if it was quicker.
fn kill_while_saving(world: &World, results: &str, save: &str) -> bool {
    let partial = world.path(&format!("{save}.partial"));
    let mut parent = spawn(world, results, &run(save));
    wait_until("a model to be saved", || {
        partial.join("done").exists() || parent.try_wait().expect("a child").is_some()
    });
    if parent.try_wait().expect("a child").is_some() {
        return false;
    }
    let cells = children(parent.id());
    for process in [parent.id()].iter().chain(&cells) {
        signal(*process, libc::SIGKILL);
    }
    parent.wait().expect("it ends");
    wait_until("the cell's end", || cells.iter().all(|cell| is_gone(*cell)));
    partial.exists() && world.recorded(results).is_empty()
}

#[test]
fn a_run_that_is_killed_while_it_saves_has_only_that_left_to_do() {
    let world = World::new();
    world.ok_in("whole", &run("whole-model"));
    let (whole, model) = (world.recorded("whole"), files(&world.path("whole-model")));
    let mut names = (0..60).map(|attempt| (format!("killed-{attempt}"), format!("model-{attempt}")));
    let hit = names.find(|(results, save)| kill_while_saving(&world, results, save));
    let (results, save) = hit.expect("no run was ever killed while it saved");
    world.ok_in(&results, &run(&save));
    world.assert_recorded(&results, &whole);
    assert!(files(&world.path(&save)) == model && !world.path(&format!("{save}.partial")).exists());
    assert!(!phases(&world, &results).iter().any(|phase| phase == "train"), "{:?}", phases(&world, &results));
}
