//! Records that are damaged, that cannot be read, or that lead elsewhere: each costs its own cell, and is named.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::crash::spawn;
use crate::world::{World, stderr};

const SWEEP: [&str; 2] = ["sweep", "suite.toml"];

/// Folders of the recorded cells.
fn cells(world: &World) -> Vec<PathBuf> {
    let mut cells: Vec<PathBuf> =
        fs::read_dir(world.path("results/cells")).expect("records").map(|cell| cell.expect("a cell").path()).collect();
    cells.sort();
    cells
}

#[test]
fn sweeps_at_the_same_time_set_damaged_records_aside_once() {
    let world = World::new();
    world.ok(&SWEEP);
    let whole = world.recorded("results");
    for cell in cells(&world) {
        fs::write(cell.join("outcome.json"), "").expect("a writable file");
    }
    let sweeps: Vec<_> = (0..4).map(|_| spawn(&world, "results", &SWEEP)).collect();
    for mut sweep in sweeps {
        let status = sweep.wait().expect("it ends");
        let said = fs::read_to_string(world.path("results.txt")).expect("what was said");
        assert!(status.code().is_some_and(|code| code != 7), "{status}: {said}");
    }
    world.ok(&SWEEP);
    world.assert_recorded("results", &whole);
    assert_eq!(fs::read_dir(world.path("results/damaged")).expect("a folder").count(), cells(&world).len());
}

/// Files, pipes and links where a record's folder should be cost their cell, before it is trained, and no other.
#[test]
fn what_is_no_folder_in_a_records_place_is_set_aside() {
    let world = World::new();
    world.ok(&SWEEP);
    let whole = world.recorded("results");
    let [first, second] = cells(&world).try_into().expect("two cells");
    fs::remove_dir_all(&first).expect("a folder");
    fs::write(&first, "hi").expect("a file");
    fs::rename(&second, world.path("elsewhere")).expect("a folder");
    symlink(world.path("elsewhere"), &second).expect("a link");
    let dry = world.ok(&["sweep", "suite.toml", "--dry-run"]);
    assert!(dry.contains("there is no folder in its place") && dry.contains("there is a link in its place"), "{dry}");
    let report = world.ok(&["report", "suite.toml"]);
    assert!(report.contains("in its place"), "{report}");
    world.ok(&SWEEP);
    world.assert_recorded("results", &whole);
    assert!(world.path("elsewhere/outcome.json").exists(), "what a link leads to is left alone");
}

#[test]
fn one_damaged_manifest_hides_no_other_data_set() {
    let world = World::new();
    fs::create_dir_all(world.path("data/bad")).expect("a folder");
    fs::write(world.path("data/bad/manifest.toml"), "garbage = [").expect("a file");
    for command in [&["data", "list"][..], &["data", "check"], &["list", "data"]] {
        let output = world.run("results", command);
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("bad/manifest.toml") && said.contains("people"), "{command:?}: {said}");
    }
    world.ok(&SWEEP);
}

#[test]
fn a_damaged_record_that_is_not_to_be_run_stays_where_it_is() {
    let world = World::new();
    world.ok(&SWEEP);
    let whole = world.recorded("results");
    for cell in cells(&world) {
        fs::write(cell.join("outcome.json"), "").expect("a writable file");
    }
    let damaged = world.recorded("results");
    let never = world.run("results", &["sweep", "suite.toml", "--overwrite", "never"]);
    assert!(stderr(&never).contains("left as they are"), "{}", stderr(&never));
    assert_eq!(never.status.code(), Some(7));
    assert!(world.recorded("results") == damaged && !world.path("results/damaged").exists());
    world.fails(7, &["sweep", "suite.toml", "--limit", "1"]);
    assert_eq!(cells(&world).len(), 2, "the other one is where it was");
    assert_eq!(fs::read_dir(world.path("results/damaged")).expect("a folder").count(), 1);
    world.ok(&SWEEP);
    world.assert_recorded("results", &whole);
}

/// Another user than the one who reads everything; `false` if this one is another one already.
fn as_another_user(command: &mut Command, world: &World) -> bool {
    // SAFETY: the system call touches no memory of ours.
    if unsafe { libc::geteuid() } != 0 {
        return false;
    }
    let opened = Command::new("chmod").args(["-R", "a+rwX"]).arg(world.root.path()).status();
    assert!(opened.is_ok_and(|status| status.success()));
    command.uid(65534).gid(65534);
    true
}

#[test]
fn a_record_that_cannot_be_read_is_named_and_left_while_the_others_go_on() {
    let world = World::new();
    world.ok(&SWEEP);
    let [kept, other] = <[PathBuf; 2]>::try_from(cells(&world)).expect("two cells");
    let whole = world.recorded("results");
    fs::remove_dir_all(&other).expect("a folder");
    for policy in ["missing", "always"] {
        let mut sweep = world.command("results", &["sweep", "suite.toml", "--overwrite", policy]);
        as_another_user(&mut sweep, &world);
        let file = kept.join("scores.parquet");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).expect("our file");
        let output = sweep.output();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("our file");
        let output = match output {
            Ok(output) => output,
            Err(error) => return eprintln!("skipped: another user cannot start the program: {error}"),
        };
        let (said, shown) = (stderr(&output), String::from_utf8_lossy(&output.stdout).into_owned());
        assert_eq!(output.status.code(), Some(7), "{said}");
        for text in [&said, &shown] {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains("scores.parquet` cannot be read") && !text.contains("damaged"), "{text}");
        }
        assert!(!world.path("results/damaged").exists() && other.is_dir(), "{said}");
    }
    world.assert_recorded("results", &whole);
}

#[test]
fn links_in_the_results_folder_and_in_the_cache_lead_nowhere() {
    let world = World::new();
    let victim = world.path("victim");
    fs::create_dir(&victim).expect("a folder");
    let untouched = || assert_eq!(fs::read_dir(&victim).expect("a folder").count(), 0);
    fs::create_dir(world.path("results")).expect("a folder");
    symlink(&victim, world.path("results/cells")).expect("a link");
    let said = world.fails(7, &SWEEP);
    assert!(said.contains("results/cells` is a link"), "{said}");
    untouched();
    fs::remove_file(world.path("results/cells")).expect("a link");
    for kind in ["measured", "stages", "subnetworks"] {
        symlink(&victim, world.path("cache").join(kind)).expect("a link");
    }
    world.ok(&SWEEP);
    untouched();
    fs::remove_dir_all(world.path("cache/built-in")).expect("a folder");
    symlink(&victim, world.path("cache/built-in")).expect("a link");
    let said = world.fails(2, &SWEEP);
    assert!(said.contains("built-in` is a link"), "{said}");
    untouched();
}

/// Mounts a small disk there; `false` if this user may not.
pub fn mount(folder: &Path, size: &str) -> bool {
    fs::create_dir_all(folder).expect("a folder");
    let mount =
        Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder).output();
    mount.is_ok_and(|output| output.status.success())
}

pub fn unmount(folder: &Path) {
    let _ = Command::new("umount").arg(folder).status();
}

#[test]
fn a_full_disk_of_the_cache_or_of_the_data_is_called_that() {
    let world = World::new();
    let disk = world.path("disk");
    if !mount(&disk, "200k") {
        return eprintln!("skipped: mounting a small tmpfs needs root");
    }
    let cache = world.command("results", &["list", "data"]).env("LETHE_CACHE_DIR", &disk).output();
    let generate = ["data", "generate", "large", "--languages", "en,de", "--scale", "0.3"];
    let data = world.command("results", &generate).env("LETHE_DATA", disk.join("data")).output();
    unmount(&disk);
    for output in [cache, data] {
        let output = output.expect("the binary starts");
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(7), "{said}");
        assert!(said.to_lowercase().contains("no space left") && said.contains("free some space"), "{said}");
    }
}
