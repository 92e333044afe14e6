//! Kill anything at any moment; the same command carries on, and nothing shows in the results.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::world::{SUITE, World};

/// Long enough to be killed in the middle, checkpointing as often as it can.
fn world() -> World {
    let world = World::new();
    world.write("suite.toml", &SUITE.replace("steps = 30", "steps = 60"));
    world
}

const SWEEP: [&str; 4] = ["sweep", "suite.toml", "--checkpoint-every", "0"];

fn spawn(world: &World, results: &str) -> Child {
    let mut command: Command = world.command(results, &SWEEP);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
}

fn signal(name: &str, process: u32) {
    let _ = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
}

/// Processes started by this one.
fn children(process: u32) -> Vec<u32> {
    let mut found: Vec<u32> = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(text.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    found
}

/// How long the whole sweep takes here, so that kills fall all over it.
fn whole(world: &World) -> Duration {
    let start = Instant::now();
    world.ok_in("whole", &SWEEP);
    start.elapsed()
}

#[test]
fn killing_the_parent_at_many_moments_changes_nothing() {
    let world = world();
    let length = whole(&world);
    let mut finished_earlier = std::collections::BTreeMap::new();
    let kills = 8;
    for kill in 0..kills {
        let mut parent = spawn(&world, "killed");
        std::thread::sleep(length * (2 * kill + 1) / (2 * kills) / 2);
        signal("KILL", parent.id());
        let _ = parent.wait();
        let recorded = world.recorded("killed");
        for (name, bytes) in &finished_earlier {
            assert!(recorded.get(name) == Some(bytes), "{name} was finished and has changed");
        }
        finished_earlier = recorded;
    }
    world.ok_in("killed", &SWEEP);
    assert_eq!(world.recorded("killed"), world.recorded("whole"));
}

#[test]
fn a_killed_cell_is_started_again_and_resumes() {
    let world = world();
    let length = whole(&world);
    for part in [4, 2] {
        let results = format!("cell-{part}");
        let mut parent = spawn(&world, &results);
        std::thread::sleep(length / part);
        for child in children(parent.id()) {
            signal("KILL", child);
        }
        assert!(parent.wait().expect("the parent ends").success());
        assert_eq!(world.recorded(&results), world.recorded("whole"));
    }
}

#[test]
fn ctrl_c_checkpoints_and_says_how_to_go_on() {
    let world = world();
    let length = whole(&world);
    let mut parent = spawn(&world, "interrupted");
    std::thread::sleep(length / 2);
    signal("INT", parent.id());
    let code = parent.wait().expect("the parent ends").code();
    // On a fast machine the sweep may have ended just before.
    assert!(matches!(code, Some(6 | 0)), "{code:?}");
    world.ok_in("interrupted", &SWEEP);
    assert_eq!(world.recorded("interrupted"), world.recorded("whole"));
}

#[test]
fn two_sweeps_on_one_folder_share_the_work() {
    let world = world();
    whole(&world);
    let mut first = spawn(&world, "shared");
    let mut second = spawn(&world, "shared");
    assert!(first.wait().expect("ends").success());
    assert!(second.wait().expect("ends").success());
    world.ok_in("shared", &SWEEP);
    assert_eq!(world.recorded("shared"), world.recorded("whole"));
}

#[test]
fn a_full_disk_is_one_clear_error_and_costs_nothing_that_is_done() {
    let world = world();
    let disk = world.path("disk");
    std::fs::create_dir(&disk).expect("a folder");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=640k", "tmpfs"])
        .arg(&disk)
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        eprintln!("skipped: mounting a small tmpfs needs root");
        return;
    }
    let output = world.run("disk/results", &SWEEP);
    let error = crate::world::stderr(&output);
    let kept = world.recorded("disk/results");
    // Room again: the same command carries on.
    let grown = Command::new("mount").args(["-o", "remount,size=64m"]).arg(&disk).status();
    let resumed = world.run("disk/results", &SWEEP);
    let recorded = world.recorded("disk/results");
    let _ = Command::new("umount").arg(&disk).status();
    assert_eq!(output.status.code(), Some(7), "{error}");
    assert!(error.to_lowercase().contains("no space left") && error.contains("disk/results"), "{error}");
    assert!(grown.is_ok_and(|status| status.success()));
    assert!(resumed.status.success(), "{}", crate::world::stderr(&resumed));
    for (name, bytes) in &kept {
        assert!(recorded.get(name) == Some(bytes), "{name} has changed");
    }
    world.ok_in("plenty", &SWEEP);
    assert_eq!(recorded, world.recorded("plenty"));
}
