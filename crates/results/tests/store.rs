//! The results folder through its public interface: bytes, damage, locks, foreign files.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{cells, measured, timing};
use results::{CellResult, Overwrite, ResultsError, ResultsFolder, Status};
use spec::{Cell, Outcome};

fn publish(folder: &ResultsFolder, cell: &Cell) -> PathBuf {
    let claim = folder.claim(cell, Overwrite::Missing).unwrap();
    claim.publish(&measured(cell, 20), &timing()).unwrap()
}

fn files(path: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn equal_content_gives_equal_bytes_in_any_order() {
    let cell = &cells()[0];
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = publish(&ResultsFolder::open(one.path()).unwrap(), cell);
    let mut shuffled = measured(cell, 20);
    shuffled.scores.reverse();
    shuffled.examples.reverse();
    let slower = results::Timing { attempts: 3, ..timing() };
    let claim = ResultsFolder::open(other.path()).unwrap().claim(cell, Overwrite::Missing).unwrap();
    let second = claim.publish(&shuffled, &slower).unwrap();
    let compared = |path| files(path).into_iter().filter(|(name, _)| name != "timing.json").collect::<Vec<_>>();
    assert_eq!(compared(&first), compared(&second));
    assert_ne!(files(&first), files(&second));
}

#[test]
fn what_is_read_is_what_was_published() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let cell = &cells()[0];
    publish(&folder, cell);
    let read = folder.get(cell).unwrap().unwrap();
    let written = measured(cell, 20);
    assert_eq!(&read.cell, cell);
    assert_eq!((&read.outcome, &read.notes), (&written.outcome, &written.notes));
    assert_eq!(read.timing.as_ref(), Some(&timing()));
    assert_eq!(read.curve().unwrap(), written.curve);
    assert_eq!(read.series().unwrap(), written.series);
    let mut scores = written.scores;
    scores.sort_by(|a, b| (a.moment, &a.probe, a.language).cmp(&(b.moment, &b.probe, b.language)));
    assert_eq!(read.scores().unwrap(), scores);
    let mut examples = written.examples;
    examples.sort_by(|a, b| (a.moment, &a.probe, a.language).cmp(&(b.moment, &b.probe, b.language)));
    assert_eq!(read.examples().unwrap(), examples);
}

#[test]
fn any_changed_bit_and_any_truncation_is_found_and_named() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let cells = cells();
    let path = publish(&folder, &cells[0]);
    publish(&folder, &cells[1]);
    for (name, content) in files(&path) {
        if name == "timing.json" {
            continue;
        }
        let file = path.join(&name);
        let check = |changed: &[u8], how: &str| {
            fs::write(&file, changed).unwrap();
            let (finished, damaged) = folder.finished().unwrap();
            assert_eq!(finished.len(), 1, "{how} of {name}: the other cell is intact");
            assert_eq!(damaged.len(), 1, "{how} of {name}");
            assert_eq!(damaged[0].folder, cells[0].folder());
            assert!(damaged[0].why.contains(&name), "{how} of {name}: {}", damaged[0].why);
            assert!(matches!(folder.status(&cells[0]).unwrap(), Status::Damaged { .. }));
        };
        for length in [0, 1, content.len() / 2, content.len() - 1] {
            check(&content[..length], "truncation");
        }
        for at in (0..content.len()).step_by(1 + content.len() / 40) {
            let mut flipped = content.clone();
            flipped[at] ^= 1 << (at % 8);
            check(&flipped, "bit flip");
        }
        fs::write(&file, &content).unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(folder.finished().unwrap().1.len(), 1, "{name} missing");
        fs::write(&file, &content).unwrap();
    }
    assert!(folder.finished().unwrap().1.is_empty());
    fs::write(path.join("stranger.txt"), "x").unwrap();
    assert!(folder.finished().unwrap().1[0].why.contains("stranger.txt"));
    fs::remove_file(path.join("stranger.txt")).unwrap();
    #[cfg(unix)]
    {
        let (score, elsewhere) = (path.join("scores.parquet"), root.path().join("elsewhere"));
        fs::rename(&score, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &score).unwrap();
        assert!(folder.finished().unwrap().1[0].why.contains("not a regular file"));
        fs::remove_file(&score).unwrap();
        fs::rename(&elsewhere, &score).unwrap();
        assert!(folder.finished().unwrap().1.is_empty());
        // Also a list of files or times without end.
        for (name, damaged) in [("timing.json", 0), ("files.json", 1)] {
            fs::remove_file(path.join(name)).unwrap();
            std::os::unix::fs::symlink("/dev/zero", path.join(name)).unwrap();
            assert_eq!(folder.finished().unwrap().1.len(), damaged, "{name}");
        }
    }
}

#[test]
fn a_damaged_cell_is_set_aside_and_run_again() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let cell = &cells()[0];
    for aside in 1..=2 {
        let path = publish(&folder, cell);
        fs::write(path.join("outcome.json"), "").unwrap();
        let kept = folder.claim(cell, Overwrite::Never).unwrap_err();
        assert!(matches!(kept, ResultsError::AlreadyFinished { .. }), "{kept}");
        let path = publish(&folder, cell);
        assert_eq!(folder.status(cell).unwrap(), Status::Finished(Outcome::Done));
        assert!(root.path().join("damaged").join(format!("{}-{aside}", cell.folder())).is_dir());
        fs::remove_dir_all(path).unwrap();
    }
}

#[test]
fn what_was_seen_damaged_is_looked_at_again_before_it_is_set_aside() {
    let root = tempfile::tempdir().unwrap();
    let cell = &cells()[0];
    let (slow, quick) = (ResultsFolder::open(root.path()).unwrap(), ResultsFolder::open(root.path()).unwrap());
    let path = publish(&slow, cell);
    fs::write(path.join("outcome.json"), "").unwrap();
    assert!(matches!(slow.status(cell).unwrap(), Status::Damaged { .. }));
    publish(&quick, cell);
    let kept = slow.claim(cell, Overwrite::Missing).unwrap_err();
    assert!(matches!(kept, ResultsError::AlreadyFinished { .. }), "{kept}");
    assert_eq!(quick.status(cell).unwrap(), Status::Finished(Outcome::Done));
    assert_eq!(fs::read_dir(root.path().join("damaged")).unwrap().count(), 1);
}

#[test]
#[cfg(unix)]
fn a_record_that_cannot_be_read_is_left_alone_and_named() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let cells = cells();
    let file = publish(&folder, &cells[0]).join("scores.parquet");
    publish(&folder, &cells[1]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&file).is_ok() {
        eprintln!("skipped: this user reads everything");
        return;
    }
    let Status::Unreadable { why } = folder.status(&cells[0]).unwrap() else { panic!("it cannot be read") };
    assert!(why.contains("scores.parquet` cannot be read"), "{why}");
    for policy in Overwrite::ALL {
        let refused = folder.claim(&cells[0], policy).unwrap_err();
        assert!(matches!(&refused, ResultsError::Unreadable { .. }) && refused.to_string().contains(&why), "{refused}");
    }
    assert!(matches!(folder.get(&cells[0]).unwrap_err(), ResultsError::Unreadable { .. }));
    let (finished, unusable) = folder.finished().unwrap();
    assert_eq!((finished.len(), unusable.len()), (1, 1));
    assert_eq!(unusable[0].why, why);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(folder.status(&cells[0]).unwrap(), Status::Finished(Outcome::Done));
    assert!(!root.path().join("damaged").exists());
}

#[test]
#[cfg(unix)]
fn nothing_is_written_through_links_in_the_folder() {
    use std::os::unix::fs::symlink;
    let victim = tempfile::tempdir().unwrap();
    let (kept, cell) = (victim.path().join("kept"), &cells()[0]);
    fs::write(&kept, "kept").unwrap();
    let untouched = || {
        assert_eq!(fs::read(&kept).unwrap(), b"kept");
        assert_eq!(fs::read_dir(victim.path()).unwrap().count(), 1);
    };
    for name in ["cells", "work", "damaged"] {
        let root = tempfile::tempdir().unwrap();
        symlink(victim.path(), root.path().join(name)).unwrap();
        let refused = ResultsFolder::open(root.path()).unwrap_err().to_string();
        assert!(refused.contains(&format!("{name}` is a link")), "{refused}");
        untouched();
    }
    for name in [cell.folder(), format!("{}.lock", cell.folder())] {
        let root = tempfile::tempdir().unwrap();
        let folder = ResultsFolder::open(root.path()).unwrap();
        let to = if name.ends_with("lock") { &kept } else { victim.path() };
        symlink(to, root.path().join("work").join(&name)).unwrap();
        let refused = folder.claim(cell, Overwrite::Missing).unwrap_err().to_string();
        assert!(refused.contains(&format!("{name}` is ")), "{refused}");
        untouched();
    }
    // What is in a cell's own folder is replaced.
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let mut claim = folder.claim(cell, Overwrite::Missing).unwrap();
    for name in ["new-state", "new-model", "model", "finished"] {
        symlink(victim.path(), claim.dir().join(name)).unwrap();
    }
    claim.checkpoint(|path| fs::write(path.join("kept"), "state")).unwrap();
    claim.save_model(|path| fs::write(path.join("kept"), "model")).unwrap();
    let path = claim.publish(&measured(cell, 3), &timing()).unwrap();
    assert_eq!(fs::read(path.join("model/kept")).unwrap(), b"model");
    untouched();
    // The folder itself may be one.
    let links = tempfile::tempdir().unwrap();
    let link = links.path().join("results");
    symlink(root.path(), &link).unwrap();
    assert_eq!(ResultsFolder::open(&link).unwrap().status(cell).unwrap(), Status::Finished(Outcome::Done));
}

#[test]
fn a_record_under_another_cells_name_is_damaged() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let cells = cells();
    let path = publish(&folder, &cells[0]);
    fs::rename(&path, path.with_file_name(cells[1].folder())).unwrap();
    let (finished, damaged) = folder.finished().unwrap();
    assert!(finished.is_empty());
    assert!(damaged[0].why.contains(&cells[0].folder()), "{}", damaged[0].why);
}

#[test]
fn two_claims_conflict_and_the_lock_ends_with_the_claim() {
    let root = tempfile::tempdir().unwrap();
    let cell = &cells()[0];
    let (one, other) = (ResultsFolder::open(root.path()).unwrap(), ResultsFolder::open(root.path()).unwrap());
    let claim = one.claim(cell, Overwrite::Missing).unwrap();
    let refused = other.claim(cell, Overwrite::Missing).unwrap_err();
    assert!(matches!(refused, ResultsError::AlreadyRunning { .. }), "{refused}");
    assert!(other.claim(&cells()[1], Overwrite::Missing).is_ok());
    assert_eq!(other.status(cell).unwrap(), Status::Partial);
    drop(claim);
    other.claim(cell, Overwrite::Missing).unwrap().publish(&measured(cell, 3), &timing()).unwrap();
    let refused = one.claim(cell, Overwrite::Missing).unwrap_err();
    assert!(matches!(refused, ResultsError::AlreadyFinished { .. }), "{refused}");
}

#[test]
fn of_many_threads_exactly_one_runs_a_cell() {
    let root = tempfile::tempdir().unwrap();
    let cell = &cells()[0];
    let runs = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let folder = ResultsFolder::open(root.path()).unwrap();
                loop {
                    match folder.claim(cell, Overwrite::Missing) {
                        Ok(claim) => {
                            runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                            claim.publish(&measured(cell, 2), &timing()).unwrap();
                        }
                        Err(ResultsError::AlreadyRunning { .. }) => std::thread::yield_now(),
                        Err(ResultsError::AlreadyFinished { .. }) => break,
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(runs.into_inner(), 1);
}

#[test]
fn checkpoints_survive_the_claim_and_damage_is_reported() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let cell = &cells()[0];
    let mut claim = folder.claim(cell, Overwrite::Missing).unwrap();
    assert_eq!(claim.latest_checkpoint().unwrap(), None);
    for step in 1..=3 {
        let write = |path: &Path| {
            fs::create_dir(path.join("inner"))?;
            fs::write(path.join("inner/step"), step.to_string())
        };
        claim.checkpoint(write).unwrap();
    }
    let failed = claim.checkpoint(|path| {
        fs::write(path.join("half"), "x")?;
        Err(std::io::Error::other("the model said no"))
    });
    assert!(failed.unwrap_err().to_string().contains("the model said no"));
    drop(claim);

    let mut claim = folder.claim(cell, Overwrite::Missing).unwrap();
    let state = claim.latest_checkpoint().unwrap().unwrap();
    assert_eq!(fs::read_to_string(state.join("inner/step")).unwrap(), "3");
    assert_eq!(fs::read_dir(claim.dir()).unwrap().count(), 1, "older states are gone");
    fs::write(state.join("inner/step"), "4").unwrap();
    let damaged = claim.latest_checkpoint().unwrap_err();
    assert!(matches!(&damaged, ResultsError::DamagedCheckpoint { .. }) && damaged.to_string().contains("inner/step"));
    claim.discard_checkpoints().unwrap();
    assert_eq!(claim.latest_checkpoint().unwrap(), None);
}

#[test]
fn another_cells_checkpoint_is_of_no_use() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let cells = &cells()[..2];
    let work = |cell: &Cell| root.path().join("work").join(cell.folder());
    for cell in cells {
        let mut claim = folder.claim(cell, Overwrite::Missing).unwrap();
        claim.checkpoint(|path| fs::write(path.join("step"), "1")).unwrap();
    }
    let aside = root.path().join("aside");
    fs::rename(work(&cells[0]), &aside).unwrap();
    fs::rename(work(&cells[1]), work(&cells[0])).unwrap();
    fs::rename(&aside, work(&cells[1])).unwrap();
    for (cell, other) in [(&cells[0], &cells[1]), (&cells[1], &cells[0])] {
        let mut claim = folder.claim(cell, Overwrite::Missing).unwrap();
        let foreign = claim.latest_checkpoint().unwrap_err();
        assert!(matches!(foreign, ResultsError::DamagedCheckpoint { .. }), "{foreign}");
        assert!(foreign.to_string().contains(&other.folder()), "{foreign}");
        claim.discard_checkpoints().unwrap();
        assert_eq!(claim.latest_checkpoint().unwrap(), None);
    }
}

#[test]
fn failures_are_recorded_and_the_policy_decides_what_runs_again() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let cell = &cells()[0];
    let outcome = Outcome::Diverged { step: 7, what: "the loss".to_owned() };
    let path = folder.claim(cell, Overwrite::Missing).unwrap().fail(&outcome, &timing(), "the end\n").unwrap();
    assert_eq!(fs::read_to_string(path.join("log.txt")).unwrap(), "the end\n");
    let status = folder.status(cell).unwrap();
    assert_eq!(status, Status::Finished(outcome));
    let runs = Overwrite::ALL.map(|policy| policy.runs(&status));
    assert_eq!(runs, [false, false, true, true]);
    assert_eq!(Overwrite::ALL.map(|policy| policy.runs(&Status::Finished(Outcome::Done))), [false, false, false, true]);
    assert_eq!(Overwrite::ALL.map(|policy| policy.runs(&Status::Partial)), [true; 4]);
    let skipped = Status::Finished(Outcome::Skipped { reason: String::new() });
    assert_eq!(Overwrite::ALL.map(|policy| policy.runs(&skipped)), [false, false, false, true]);
    for policy in Overwrite::ALL {
        assert_eq!(policy.as_str().parse(), Ok(policy));
    }
    assert!("mising".parse::<Overwrite>().unwrap_err().to_string().contains("missing"));
    folder.claim(cell, Overwrite::Failed).unwrap().publish(&measured(cell, 2), &timing()).unwrap();
    assert_eq!(folder.status(cell).unwrap(), Status::Finished(Outcome::Done));
    folder.remove(cell).unwrap();
    assert_eq!(folder.status(cell).unwrap(), Status::Missing);
}

#[test]
fn a_score_that_is_no_number_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let cell = &cells()[0];
    let mut result: CellResult = measured(cell, 2);
    result.scores[0].value = f64::NAN;
    let error = folder.claim(cell, Overwrite::Missing).unwrap().publish(&result, &timing()).unwrap_err();
    assert!(error.to_string().contains("NaN"), "{error}");
    result = measured(cell, 2);
    result.examples[0].ids.pop();
    let error = folder.claim(cell, Overwrite::Missing).unwrap().publish(&result, &timing()).unwrap_err();
    assert!(error.to_string().contains("1 examples, but 2 contributions"), "{error}");
    assert_eq!(folder.finished().unwrap().0.len(), 0);
}

#[test]
fn names_that_are_not_ours_are_ignored() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    publish(&folder, &cells()[0]);
    for name in [".git", "notes", "old-cells-backup", "x-0123456789abcdeg"] {
        fs::create_dir(root.path().join("cells").join(name)).unwrap();
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let name = std::ffi::OsStr::from_bytes(b"\xff\xfe-0123456789abcdef");
        fs::create_dir(root.path().join("cells").join(name)).unwrap();
    }
    let (finished, damaged) = folder.finished().unwrap();
    assert_eq!((finished.len(), damaged.len()), (1, 0));
    // A cell's name on what is no folder is named: it is in the way of that cell.
    fs::write(root.path().join("cells/a-0123456789abcdef"), "a file").unwrap();
    let (finished, damaged) = folder.finished().unwrap();
    assert_eq!((finished.len(), damaged[0].folder.as_str()), (1, "a-0123456789abcdef"));
}

#[test]
fn a_folder_that_cannot_be_used_gives_one_clear_error() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        for opened in [ResultsFolder::open(&path), ResultsFolder::read(&path)] {
            let message = opened.unwrap_err().to_string();
            assert!(message.contains("as a results folder") && message.contains("file"), "{message}");
        }
    }
    let absent = ResultsFolder::read(&root.path().join("absent")).unwrap_err().to_string();
    assert!(absent.contains("does not exist"), "{absent}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_read_only_folder_is_readable_but_not_for_running() {
    // No user may create files there, whoever runs the test.
    let message = ResultsFolder::open(Path::new("/proc/self/fdinfo")).unwrap_err().to_string();
    assert!(message.contains("as a results folder"), "{message}");
    let empty = ResultsFolder::read(Path::new("/proc/self/fdinfo")).unwrap().finished().unwrap();
    assert!(empty.0.is_empty() && empty.1.is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_and_the_cell_can_be_run_once_there_is_space() {
    let root = tempfile::tempdir().unwrap();
    let mount = |arguments: &[&str]| {
        let path = root.path().to_str().unwrap();
        std::process::Command::new(arguments[0])
            .args(&arguments[1..])
            .arg(path)
            .output()
            .is_ok_and(|o| o.status.success())
    };
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs"]) {
        eprintln!("skipped: this user may not mount a small file system");
        return;
    }
    let outcome = std::panic::catch_unwind(|| {
        let folder = ResultsFolder::open(root.path()).unwrap();
        let cells = cells();
        publish(&folder, &cells[0]);
        fs::write(root.path().join("filler"), vec![0; 140 << 10]).unwrap();
        let mut claim = folder.claim(&cells[1], Overwrite::Missing).unwrap();
        claim.checkpoint(|path| fs::write(path.join("small"), "1")).unwrap();
        let full = claim.checkpoint(|path| fs::write(path.join("large"), vec![0; 200 << 10])).unwrap_err();
        assert!(full.to_string().contains("previous one is intact"), "{full}");
        assert!(claim.latest_checkpoint().unwrap().unwrap().join("small").exists());
        let full = claim.publish(&measured(&cells[1], 20_000), &timing()).unwrap_err();
        assert!(matches!(full, ResultsError::DiskFull { .. }), "{full}");
        assert_eq!(folder.finished().unwrap().0.len(), 1);
        assert_eq!(folder.status(&cells[1]).unwrap(), Status::Partial);
        fs::remove_file(root.path().join("filler")).unwrap();
        publish(&folder, &cells[1]);
        assert_eq!(folder.finished().unwrap().0.len(), 2);
    });
    assert!(mount(&["umount"]), "the small file system could not be unmounted");
    outcome.unwrap();
}

#[test]
fn decimals_that_people_write_survive_the_record() {
    // A cell's name is a hash of its numbers: one changed bit would make it another cell.
    let mut cell = cells().swap_remove(0);
    for digits in (1..2000).chain([12_345, 99_999, 123_456_789]) {
        for exponent in 0..=12 {
            cell.protocol.stages[0].learning_rate = format!("{digits}e-{exponent}").parse().unwrap();
            let read: Cell = serde_json::from_str(&serde_json::to_string(&cell).unwrap()).unwrap();
            assert_eq!(read, cell);
        }
    }
}
