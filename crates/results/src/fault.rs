//! Every file operation of the store is made to fail, one after the other, as by a full disk and as by a crash.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use spec::{Cell, Outcome};

use crate::common::{cells, measured, timing};
use crate::storage::{Disk, Storage};
use crate::{CellResult, Overwrite, ResultsError, ResultsFolder, Status};

#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    /// The operation fails with "no space"; later ones work.
    DiskFull,
    /// The operation and all later ones do nothing: the process is dead.
    Crash,
    /// As a crash, and the operation is half done where it can be.
    TornCrash,
}

/// A disk on which the operation number `at` fails, and which keeps the books of what a power cut would lose: nothing may
/// be renamed before it is synced. Syncing is only noted, for speed.
struct Faulty {
    fault: Fault,
    at: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    done: usize,
    failed: bool,
    unsynced: BTreeSet<PathBuf>,
}

impl Faulty {
    fn new(fault: Fault, at: usize) -> Arc<Self> {
        Arc::new(Self { fault, at, state: Mutex::default() })
    }

    fn lost_in_a_power_cut(&self) -> Vec<PathBuf> {
        self.state.lock().unwrap().unsynced.iter().filter(|path| path.exists()).cloned().collect()
    }

    fn failed(&self) -> bool {
        self.state.lock().unwrap().failed
    }

    /// Runs an operation, or `torn` in its place.
    fn operate(&self, run: impl FnOnce() -> io::Result<()>, torn: impl FnOnce()) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.done += 1;
        if state.done == self.at {
            state.failed = true;
            if self.fault == Fault::TornCrash {
                torn();
            }
        }
        let dead = state.failed && (self.fault != Fault::DiskFull || state.done == self.at);
        if dead { Err(io::ErrorKind::StorageFull.into()) } else { run() }
    }
}

impl Storage for Faulty {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.operate(|| Disk.create_dir(path), || ())?;
        self.state.lock().unwrap().unsynced.extend(path.parent().map(Path::to_owned));
        Ok(())
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let torn = || Disk.write(path, &bytes[..bytes.len() / 2]).unwrap_or_default();
        self.operate(|| Disk.write(path, bytes), torn)?;
        let mut state = self.state.lock().unwrap();
        state.unsynced.insert(path.to_owned());
        state.unsynced.extend(path.parent().map(Path::to_owned));
        Ok(())
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.operate(|| path.metadata().map(drop), || ())?;
        self.state.lock().unwrap().unsynced.remove(path);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let unsynced: Vec<PathBuf> =
            self.state.lock().unwrap().unsynced.iter().filter(|path| path.starts_with(from)).cloned().collect();
        assert!(unsynced.is_empty(), "{} is renamed before {unsynced:?} is on the disk", from.display());
        self.operate(|| Disk.rename(from, to), || ())?;
        let parents = [from, to].into_iter().filter_map(Path::parent).map(Path::to_owned);
        self.state.lock().unwrap().unsynced.extend(parents);
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.operate(|| Disk.remove_file(path), || ())
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        // Half done: some file of the folder is gone.
        let torn = || {
            let first = std::fs::read_dir(path).ok().and_then(|mut entries| entries.next()?.ok());
            first.map(|entry| std::fs::remove_file(entry.path()));
        };
        self.operate(|| Disk.remove_dir_all(path), torn)
    }
}

/// Runs `action` with every operation failing in turn, from what `prepare` leaves, until none fails; `check` sees the
/// folder afterwards and whether the action reported success.
fn every_fault(
    prepare: impl Fn(&ResultsFolder),
    action: impl Fn(&ResultsFolder) -> Result<(), ResultsError>,
    check: impl Fn(&ResultsFolder, bool),
) {
    for fault in [Fault::DiskFull, Fault::Crash, Fault::TornCrash] {
        for at in 1.. {
            let root = tempfile::tempdir().unwrap();
            prepare(&reliable(root.path()));
            let storage = Faulty::new(fault, at);
            let opened = ResultsFolder::open_with(root.path(), storage.clone()).unwrap();
            let outcome = action(&opened);
            if let (Err(error), Fault::DiskFull) = (&outcome, fault) {
                assert!(matches!(error, ResultsError::DiskFull { .. }), "{error}");
            }
            // What a reader sees that changes nothing, then what the next process finds.
            check(&ResultsFolder::read(root.path()).unwrap(), outcome.is_ok());
            check(&reliable(root.path()), outcome.is_ok());
            if !storage.failed() {
                assert!(at > 5, "{fault:?}: only {at} operations");
                outcome.unwrap();
                assert_eq!(storage.lost_in_a_power_cut(), Vec::<PathBuf>::new());
                break;
            }
        }
    }
}

/// A folder on a disk without faults.
fn reliable(root: &Path) -> ResultsFolder {
    ResultsFolder::open_with(root, Faulty::new(Fault::Crash, usize::MAX)).unwrap()
}

fn cell() -> Cell {
    cells().swap_remove(0)
}

fn result() -> CellResult {
    measured(&cell(), 5)
}

fn publish(folder: &ResultsFolder, overwrite: Overwrite) -> Result<(), ResultsError> {
    let mut claim = folder.claim(&cell(), overwrite)?;
    claim.save_model(|path| std::fs::write(path.join("weights"), b"model"))?;
    claim.publish(&result(), &timing()).map(drop)
}

/// Bytes of every compared file of the recorded cell.
fn bytes(folder: &ResultsFolder) -> Vec<(String, Vec<u8>)> {
    let path = folder.get(&cell()).unwrap().expect("the cell is recorded").path;
    let files = crate::manifest::walk(&path).unwrap();
    files.into_iter().map(|(name, path)| (name, std::fs::read(path).unwrap())).collect()
}

/// The names below `work/`.
fn work(folder: &ResultsFolder) -> Vec<PathBuf> {
    std::fs::read_dir(folder.root().join("work")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_cell_is_recorded_whole_or_not_at_all() {
    let root = tempfile::tempdir().unwrap();
    let calm = reliable(root.path());
    publish(&calm, Overwrite::Missing).unwrap();
    let expected = bytes(&calm);
    assert!(expected.iter().any(|(name, _)| name == "model/weights"));

    every_fault(
        |_| (),
        |folder| publish(folder, Overwrite::Missing),
        |folder, ok| match folder.status(&cell()).unwrap() {
            Status::Finished(_) => assert_eq!(bytes(folder), expected),
            status => {
                assert!(!ok && matches!(status, Status::Missing | Status::Partial), "{status:?}");
                let (finished, damaged) = folder.finished().unwrap();
                assert!(finished.is_empty() && damaged.is_empty());
            }
        },
    );
}

#[test]
fn after_any_fault_the_same_command_succeeds() {
    every_fault(
        |_| (),
        |folder| publish(folder, Overwrite::Missing),
        |folder, _| {
            let again = reliable(folder.root());
            match publish(&again, Overwrite::Missing) {
                Ok(()) | Err(ResultsError::AlreadyFinished { .. }) => {}
                Err(error) => panic!("{error}"),
            }
            assert_eq!(again.status(&cell()).unwrap(), Status::Finished(Outcome::Done));
            assert!(work(&again).is_empty(), "left over: {:?}", work(&again));
        },
    );
}

#[test]
fn a_record_that_is_replaced_is_old_or_new_but_never_gone() {
    let crashed = Outcome::Crashed { detail: "killed".to_owned() };
    every_fault(
        |folder| {
            let claim = folder.claim(&cell(), Overwrite::Missing).unwrap();
            claim.fail(&crashed, &timing(), "log").unwrap();
        },
        |folder| publish(folder, Overwrite::Failed),
        |folder, ok| {
            let record = folder.get(&cell()).unwrap().expect("a record is readable");
            assert!(record.outcome == Outcome::Done || (!ok && record.outcome == crashed));
            assert_eq!(folder.finished().unwrap().0.len(), 1);
            // Whoever opens the folder to run cells puts it back in its place.
            let opened = reliable(folder.root());
            let record = opened.get(&cell()).unwrap().expect("a record is readable");
            assert!(record.path.starts_with(opened.root().join("cells")), "{}", record.path.display());
            let left = work(&opened).iter().any(|path| path.is_dir());
            assert!(record.outcome != Outcome::Done || !left, "{:?}", work(&opened));
        },
    );
}

#[test]
fn a_checkpoint_is_old_or_new_but_never_gone() {
    let save = |folder: &ResultsFolder, content: &str| {
        let mut claim = folder.claim(&cell(), Overwrite::Missing)?;
        claim.checkpoint(|path| std::fs::write(path.join("weights"), content))
    };
    every_fault(
        |folder| save(folder, "old").unwrap(),
        |folder| save(folder, "new"),
        |folder, ok| {
            let folder = reliable(folder.root());
            let claim = folder.claim(&cell(), Overwrite::Missing).unwrap();
            let state = claim.latest_checkpoint().unwrap().expect("a state is there");
            let content = std::fs::read_to_string(state.join("weights")).unwrap();
            assert!(content == "new" || (!ok && content == "old"), "{content}");
        },
    );
}

#[test]
fn a_removed_cell_is_there_or_gone() {
    every_fault(
        |folder| publish(folder, Overwrite::Missing).unwrap(),
        |folder| folder.remove(&cell()),
        |folder, ok| {
            let status = folder.status(&cell()).unwrap();
            assert!(!ok || status == Status::Missing, "{status:?}");
            assert!(folder.finished().unwrap().1.is_empty());
        },
    );
}
