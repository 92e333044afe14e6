use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use files::Lock;
use spec::{Cell, Outcome};

use crate::error::ResultsError;
use crate::folder::{CellFile, OutcomeFile, REPLACED, ResultsFolder, ignore_absent};
use crate::frames;
use crate::manifest::{self, Depth, FORMAT, Fault};
use crate::record::{CellResult, Overwrite, Status, Timing};

const STATE: &str = "state-";
const NEW_STATE: &str = "new-state";
const MODEL: &str = "model";
const NEW_MODEL: &str = "new-model";
const FINISHED: &str = "finished";
const REMOVED: &str = "removed";
/// Marks the work of a cell that is run although it is recorded.
const AGAIN: &str = "again";

/// The right to run a cell: nobody else has it while this value lives. Dropping it keeps the work for the next claim.
#[derive(Debug)]
pub struct Claim {
    results: ResultsFolder,
    cell: Cell,
    folder: String,
    dir: PathBuf,
    _lock: Lock,
}

impl Claim {
    pub(crate) fn take(results: ResultsFolder, cell: Cell, overwrite: Overwrite) -> Result<Self, ResultsError> {
        let folder = cell.folder();
        let lock = lock(&results, &folder)?;
        let dir = results.work_path(&folder);
        let claim = Self { results, cell, folder, dir, _lock: lock };
        claim.tidy()?;
        let status = claim.results.status(&claim.cell)?;
        if !overwrite.runs(&status) {
            let folder = claim.folder.clone();
            let outcome = match status {
                Status::Unreadable { why } => return Err(ResultsError::Unreadable { folder, why }),
                Status::Finished(outcome) => outcome.label().to_owned(),
                _ => "damaged".to_owned(),
            };
            claim.release();
            return Err(ResultsError::AlreadyFinished { folder, outcome });
        }
        if matches!(status, Status::Damaged { .. }) {
            claim.results.set_aside(&claim.folder)?;
        }
        let failed = |error| ResultsError::io(&claim.dir, "claiming the cell", error);
        if !files::is_folder(&claim.dir).map_err(failed)? {
            claim.results.storage.create_dir(&claim.dir).map_err(failed)?;
            claim.results.storage.sync(claim.dir.parent().unwrap_or(&claim.dir)).map_err(failed)?;
        }
        let mark = claim.dir.join(AGAIN);
        if matches!(status, Status::Finished(_)) && !mark.exists() {
            claim.results.storage.write(&mark, &[]).map_err(failed)?;
        }
        Ok(claim)
    }

    /// Puts the work of a recorded cell in order, and removes it unless the cell is being run again.
    pub(crate) fn tidy_recorded(results: &ResultsFolder, folder: &str) -> Result<(), ResultsError> {
        let (cell, dir) = (results.cell_path(folder), results.work_path(folder));
        let over = || cell.is_dir() && !dir.join(AGAIN).exists();
        // A link is refused when its cell is claimed.
        if !files::is_folder(&dir).unwrap_or(false) || !(over() || dir.join(REPLACED).is_dir()) {
            return Ok(());
        }
        match lock(results, folder) {
            Ok(_lock) => {
                settle(results, folder)?;
                if over() {
                    clear(results, &dir)?;
                    let path = results.lock_path(folder);
                    let failed = |error| ResultsError::io(&path, "removing the lock", error);
                    ignore_absent(results.storage.remove_file(&path)).map_err(failed)?;
                }
                Ok(())
            }
            Err(ResultsError::AlreadyRunning { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub fn cell(&self) -> &Cell {
        &self.cell
    }

    /// The cell's work folder. Only [`Claim::checkpoint`] and [`Claim::save_model`] write there.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Saves a state: `write` fills the fresh folder it is given. The older state is dropped when the new one is on the
    /// disk.
    ///
    /// # Errors
    /// What `write` reports, or an error of the file system; the previous checkpoint is intact then.
    pub fn checkpoint<E>(&mut self, write: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), ResultsError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let older = self.states();
        let next = older.last().map_or(1, |(n, _)| n + 1);
        self.fill(NEW_STATE, &format!("{STATE}{next}"), Some(&self.folder), write)?;
        for (_, path) in older {
            // A state that stays behind costs space, never a result.
            let _ = self.results.storage.remove_dir_all(&path);
        }
        Ok(())
    }

    /// The newest saved state, compared with its hashes.
    ///
    /// # Errors
    /// [`ResultsError::DamagedCheckpoint`], also for another cell's: say so, [`Claim::discard_checkpoints`], and start the
    /// cell again. [`ResultsError::Unreadable`].
    pub fn latest_checkpoint(&self) -> Result<Option<PathBuf>, ResultsError> {
        let Some((_, path)) = self.states().pop() else { return Ok(None) };
        match manifest::verify(&path, Depth::All, Some(&self.folder)) {
            Ok(()) => Ok(Some(path)),
            Err(Fault::Damaged(why)) => Err(ResultsError::DamagedCheckpoint { path, why }),
            Err(fault) => Err(ResultsError::of_record(self.folder.clone(), fault)),
        }
    }

    /// # Errors
    /// An error of the file system.
    pub fn discard_checkpoints(&mut self) -> Result<(), ResultsError> {
        for (_, path) in self.states() {
            clear(&self.results, &path)?;
        }
        Ok(())
    }

    /// Keeps a model with the cell: `write` fills the fresh folder it is given, [`Claim::publish`] moves it to `model/`.
    ///
    /// # Errors
    /// As [`Claim::checkpoint`].
    pub fn save_model<E>(&mut self, write: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), ResultsError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        clear(&self.results, &self.dir.join(MODEL))?;
        self.fill(NEW_MODEL, MODEL, None, write)
    }

    /// Records the cell and ends the claim; gives the recorded folder. An older record of the cell stays readable until
    /// the new one is.
    ///
    /// # Errors
    /// [`ResultsError::Refused`] for scores that are not finite; otherwise errors of the file system, after which
    /// neither an older record nor the checkpoint is lost.
    pub fn publish(self, result: &CellResult, timing: &Timing) -> Result<PathBuf, ResultsError> {
        self.record(result, timing, None)
    }

    /// Records that the cell ended without a result; `log` is the end of what it said.
    ///
    /// # Errors
    /// As [`Claim::publish`].
    pub fn fail(self, outcome: &Outcome, timing: &Timing, log: &str) -> Result<PathBuf, ResultsError> {
        self.record(&CellResult::failed(outcome.clone()), timing, Some(log))
    }

    pub(crate) fn remove(self) -> Result<(), ResultsError> {
        let cell = self.results.cell_path(&self.folder);
        if cell.is_dir() {
            let removed = self.dir.join(REMOVED);
            self.results.rename(&cell, &removed, "removing the cell")?;
        }
        clear(&self.results, &self.dir)?;
        self.release();
        Ok(())
    }

    fn record(self, result: &CellResult, timing: &Timing, log: Option<&str>) -> Result<PathBuf, ResultsError> {
        let files = self.files(result, timing, log)?;
        let finished = self.dir.join(FINISHED);
        if let Err(error) = self.write_finished(&finished, files) {
            // Half a record is of no use, and its space may be what the next attempt lacks.
            let _ = self.results.storage.remove_dir_all(&finished);
            return Err(error);
        }
        let cell = self.results.cell_path(&self.folder);
        if cell.is_dir() {
            self.results.rename(&cell, &self.dir.join(REPLACED), "replacing the older record")?;
        }
        self.results.rename(&finished, &cell, "recording the cell")?;
        self.release();
        Ok(cell)
    }

    fn files(
        &self,
        result: &CellResult,
        timing: &Timing,
        log: Option<&str>,
    ) -> Result<Vec<(&'static str, Vec<u8>)>, ResultsError> {
        let refused = |what: String| ResultsError::Refused { folder: self.folder.clone(), what };
        if let Some(score) = result.scores.iter().find(|score| !score.value.is_finite()) {
            let (metric, language) = (&score.metric, score.language);
            return Err(refused(format!("the score `{metric}` of `{language}` is {}", score.value)));
        }
        let json = |what: &str, bytes: serde_json::Result<Vec<u8>>| {
            bytes.map_err(|error| refused(format!("{what} cannot be written as JSON: {error}")))
        };
        let cell = CellFile { format: FORMAT, version: env!("CARGO_PKG_VERSION").to_owned(), cell: self.cell.clone() };
        let outcome = OutcomeFile { format: FORMAT, outcome: result.outcome.clone(), notes: result.notes.clone() };
        let mut files = vec![
            ("cell.json", json("the spec", serde_json::to_vec_pretty(&cell))?),
            ("outcome.json", json("the outcome", serde_json::to_vec_pretty(&outcome))?),
            ("timing.json", json("the timing", serde_json::to_vec_pretty(timing))?),
        ];
        files.extend(log.map(|log| ("log.txt", log.as_bytes().to_vec())));
        for (name, frame) in [
            (frames::SCORES, frames::of_scores(&result.scores)?),
            (frames::EXAMPLES, frames::of_examples(&result.examples).map_err(|what| refused(what.to_string()))?),
            (frames::CURVE, frames::of_curve(&result.curve)?),
            (frames::SERIES, frames::of_series(&result.series)?),
        ] {
            if frame.height() > 0 {
                files.push((name, frames::to_parquet(frame)?));
            }
        }
        Ok(files)
    }

    fn write_finished(&self, finished: &Path, files: Vec<(&str, Vec<u8>)>) -> Result<(), ResultsError> {
        let storage = &self.results.storage;
        let at = |path: &Path| {
            let path = path.to_owned();
            move |error: io::Error| ResultsError::io(&path, "recording the cell", error)
        };
        clear(&self.results, finished)?;
        storage.create_dir(finished).map_err(at(finished))?;
        for (name, bytes) in files {
            let path = finished.join(name);
            storage.write(&path, &bytes).map_err(at(&path))?;
            storage.sync(&path).map_err(at(&path))?;
        }
        let model = self.dir.join(MODEL);
        if model.is_dir() {
            storage.rename(&model, &finished.join(MODEL)).map_err(at(&model))?;
        }
        self.seal(finished, None).map_err(at(finished))
    }

    /// Lets `write` fill `temporary`, puts it on the disk and names it `name`; `cell` as [`manifest::describe`] has it.
    fn fill<E>(
        &self,
        temporary: &str,
        name: &str,
        cell: Option<&str>,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), ResultsError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let storage = &self.results.storage;
        let (fresh, target) = (self.dir.join(temporary), self.dir.join(name));
        let failed = |error| ResultsError::io(&fresh, "writing the checkpoint", error);
        let attempt = || {
            clear(&self.results, &fresh)?;
            storage.create_dir(&fresh).map_err(failed)?;
            write(&fresh).map_err(|error| ResultsError::Checkpoint { source: error.into() })?;
            for path in manifest::walk(&fresh).map_err(failed)?.values() {
                storage.sync(path).map_err(failed)?;
            }
            self.seal(&fresh, cell).map_err(failed)?;
            self.results.rename(&fresh, &target, "writing the checkpoint")
        };
        attempt().inspect_err(|_| {
            let _ = storage.remove_dir_all(&fresh);
        })
    }

    /// Writes the list of files of a folder that is otherwise complete, and puts its entries on the disk.
    fn seal(&self, folder: &Path, cell: Option<&str>) -> io::Result<()> {
        let storage = &self.results.storage;
        let list = folder.join(manifest::FILE);
        storage.write(&list, &manifest::describe(folder, cell)?)?;
        storage.sync(&list)?;
        for inner in fs::read_dir(folder)?.filter_map(Result::ok).filter(|entry| entry.path().is_dir()) {
            storage.sync(&inner.path())?;
        }
        storage.sync(folder)
    }

    /// Puts in order what a dead process left: a record half replaced goes back, temporary folders go.
    fn tidy(&self) -> Result<(), ResultsError> {
        files::is_folder(&self.dir).map_err(|error| ResultsError::io(&self.dir, "claiming the cell", error))?;
        settle(&self.results, &self.folder)?;
        [NEW_STATE, NEW_MODEL, FINISHED, REMOVED].iter().try_for_each(|name| clear(&self.results, &self.dir.join(name)))
    }

    /// Removes the work folder and the lock, in this order: the lock guards the folder.
    fn release(self) {
        // The cell is recorded by now: the next claim tidies what cannot be removed.
        if clear_work(&self.results, &self.dir).is_ok() {
            let _ = self.results.storage.remove_file(&self.results.lock_path(&self.folder));
        }
    }

    /// Saved states by number, oldest first.
    fn states(&self) -> Vec<(u64, PathBuf)> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().filter_map(Result::ok);
        let number = |path: &Path| path.file_name()?.to_str()?.strip_prefix(STATE)?.parse().ok();
        let mut states: Vec<_> = entries.filter_map(|e| Some((number(&e.path())?, e.path()))).collect();
        states.sort();
        states
    }
}

/// Ends what a dead process began: with the new record in its place the work is over, without it the older one goes back.
/// Whoever calls this holds the cell's lock.
fn settle(results: &ResultsFolder, folder: &str) -> Result<(), ResultsError> {
    let (cell, dir) = (results.cell_path(folder), results.work_path(folder));
    let replaced = dir.join(REPLACED);
    match (replaced.is_dir(), cell.is_dir()) {
        (true, true) => clear_work(results, &dir),
        (true, false) => results.rename(&replaced, &cell, "restoring the older record"),
        _ => Ok(()),
    }
}

/// Removes a work folder that is of no use any more; its mark goes first, so that what a crash leaves of it is no cell that
/// is being run again.
fn clear_work(results: &ResultsFolder, dir: &Path) -> Result<(), ResultsError> {
    let mark = dir.join(AGAIN);
    ignore_absent(results.storage.remove_file(&mark))
        .map_err(|error| ResultsError::io(&mark, "removing the mark", error))?;
    clear(results, dir)
}

fn clear(results: &ResultsFolder, path: &Path) -> Result<(), ResultsError> {
    ignore_absent(results.storage.remove_dir_all(path))
        .map_err(|error| ResultsError::io(path, "removing the folder", error))
}

fn lock(results: &ResultsFolder, folder: &str) -> Result<Lock, ResultsError> {
    let path = results.lock_path(folder);
    match files::try_lock(&path) {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(ResultsError::AlreadyRunning { folder: folder.to_owned() }),
        Err(error) => Err(ResultsError::io(&path, "locking the cell", error)),
    }
}
