use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use spec::{Cell, Outcome};

use crate::claim::Claim;
use crate::error::ResultsError;
use crate::manifest::{self, Depth, FORMAT, Fault};
use crate::record::{Damaged, FinishedCell, Overwrite, Status};
use crate::storage::{Disk, Storage};

pub(crate) const CELLS: &str = "cells";
const WORK: &str = "work";
const DAMAGED: &str = "damaged";
/// A recorded cell that is being replaced; see [`Claim::publish`].
pub(crate) const REPLACED: &str = "replaced";

/// `cell.json`.
#[derive(Serialize, Deserialize)]
pub(crate) struct CellFile {
    pub format: u32,
    /// Of the build that ran the cell.
    pub version: String,
    pub cell: Cell,
}

/// `outcome.json`.
#[derive(Serialize, Deserialize)]
pub(crate) struct OutcomeFile {
    pub format: u32,
    pub outcome: Outcome,
    pub notes: Vec<String>,
}

/// A results folder: one subfolder a recorded cell, complete or absent.
#[derive(Clone)]
pub struct ResultsFolder {
    root: PathBuf,
    pub(crate) storage: Arc<dyn Storage>,
}

impl fmt::Debug for ResultsFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ResultsFolder").field(&self.root).finish()
    }
}

impl ResultsFolder {
    /// Opens a folder to run cells in, and creates it where it does not exist.
    ///
    /// # Errors
    /// [`ResultsError::Unusable`] if it is not a folder, cannot be written to, or holds links in the place of our folders.
    pub fn open(root: &Path) -> Result<Self, ResultsError> {
        Self::open_with(root, Arc::new(Disk))
    }

    pub(crate) fn open_with(root: &Path, storage: Arc<dyn Storage>) -> Result<Self, ResultsError> {
        let unusable = |why: String| ResultsError::Unusable { root: root.to_owned(), why };
        if root.exists() && !root.is_dir() {
            return Err(unusable("it is not a folder".to_owned()));
        }
        let prepare = || {
            files::create_below(root, &root.join(CELLS))?;
            files::create_below(root, &root.join(WORK))?;
            files::is_folder(&root.join(DAMAGED))?;
            files::check_writable(&root.join(WORK))?;
            Disk.sync(root)
        };
        prepare().map_err(|error: io::Error| unusable(error.to_string()))?;
        let folder = Self { root: root.to_owned(), storage };
        folder.tidy()?;
        Ok(folder)
    }

    /// Puts in order what a process left that died between recording a cell and removing its work. What cannot be, such as
    /// another user's, is left to the next claim of its cell.
    fn tidy(&self) -> Result<(), ResultsError> {
        for folder in self.cell_folders(&self.root.join(WORK))? {
            let _ = Claim::tidy_recorded(self, &folder);
        }
        Ok(())
    }

    /// Opens an existing folder to read from; nothing is created.
    ///
    /// # Errors
    /// [`ResultsError::Unusable`] if there is no such folder.
    pub fn read(root: &Path) -> Result<Self, ResultsError> {
        if root.is_dir() {
            Ok(Self { root: root.to_owned(), storage: Arc::new(Disk) })
        } else {
            let why = if root.exists() { "it is not a folder" } else { "it does not exist" };
            Err(ResultsError::Unusable { root: root.to_owned(), why: why.to_owned() })
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is known of a cell. Lengths and hashes of its files are compared (lengths only inside a saved model).
    ///
    /// # Errors
    /// [`ResultsError::NewerFormat`] if a newer build recorded it.
    pub fn status(&self, cell: &Cell) -> Result<Status, ResultsError> {
        let folder = cell.folder();
        match self.load(&folder) {
            Some(Ok(finished)) => Ok(Status::Finished(finished.outcome)),
            Some(Err(Fault::Damaged(why))) => Ok(Status::Damaged { why }),
            Some(Err(Fault::Unreadable(why))) => Ok(Status::Unreadable { why }),
            Some(Err(Fault::NewerFormat { path, found })) => {
                Err(ResultsError::NewerFormat { path, found, known: FORMAT })
            }
            None if self.work_path(&folder).is_dir() => Ok(Status::Partial),
            None => Ok(Status::Missing),
        }
    }

    /// The record of a cell, or `None` where there is none.
    ///
    /// # Errors
    /// [`ResultsError::Damaged`] or [`ResultsError::NewerFormat`] if it cannot be believed, [`ResultsError::Unreadable`].
    pub fn get(&self, cell: &Cell) -> Result<Option<FinishedCell>, ResultsError> {
        let folder = cell.folder();
        self.load(&folder).transpose().map_err(|fault| ResultsError::of_record(folder, fault))
    }

    /// Locks a cell for the process that runs it; the lock ends with the claim or with the process. What a dead process
    /// left half done is put in order, and a damaged record that is to be run again is set aside.
    ///
    /// # Errors
    /// [`ResultsError::AlreadyRunning`] if another process holds it; [`ResultsError::AlreadyFinished`] if it is recorded
    /// and the policy keeps it, which may have come true since [`ResultsFolder::status`] was asked;
    /// [`ResultsError::Unreadable`] if it cannot be known whether it is.
    pub fn claim(&self, cell: &Cell, overwrite: Overwrite) -> Result<Claim, ResultsError> {
        Claim::take(self.clone(), cell.clone(), overwrite)
    }

    /// Every recorded cell in order of folder name, and those that cannot be read or believed. Names that are not ours are
    /// ignored.
    ///
    /// # Errors
    /// Only if the folder itself cannot be listed.
    pub fn finished(&self) -> Result<(Vec<FinishedCell>, Vec<Damaged>), ResultsError> {
        let mut folders = self.cell_folders(&self.root.join(CELLS))?;
        // A cell whose record is being replaced is, for a moment, only in its work folder.
        folders.extend(self.cell_folders(&self.root.join(WORK))?);
        folders.sort();
        folders.dedup();
        let (mut finished, mut damaged) = (Vec::new(), Vec::new());
        for folder in folders {
            match self.load(&folder) {
                None => {}
                Some(Ok(cell)) => finished.push(cell),
                Some(Err(fault)) => {
                    let why = match fault {
                        Fault::Damaged(why) => format!("damaged: {why}"),
                        Fault::Unreadable(why) => why,
                        Fault::NewerFormat { found, .. } => {
                            format!("format {found} of a newer build; this one reads up to {FORMAT}")
                        }
                    };
                    damaged.push(Damaged { folder, why });
                }
            }
        }
        Ok((finished, damaged))
    }

    /// Deletes a recorded cell and its work.
    ///
    /// # Errors
    /// [`ResultsError::AlreadyRunning`], or an error of the file system.
    pub fn remove(&self, cell: &Cell) -> Result<(), ResultsError> {
        self.claim(cell, Overwrite::Always)?.remove()
    }

    /// Moves a recorded cell out of the way, to `damaged/<cell>-<n>`. Whoever calls this holds the cell's lock, and has
    /// looked again since.
    ///
    /// # Errors
    /// [`ResultsError::Io`].
    pub(crate) fn set_aside(&self, folder: &str) -> Result<(), ResultsError> {
        let from = self.cell_path(folder);
        let shelf = self.root.join(DAMAGED);
        let failed = |error| ResultsError::io(&shelf, "creating the folder", error);
        if !files::is_folder(&shelf).map_err(failed)? {
            // Another cell's process may have been quicker.
            ignore_present(self.storage.create_dir(&shelf)).map_err(failed)?;
            self.storage.sync(&self.root).map_err(failed)?;
        }
        let to = (1u32..).map(|n| shelf.join(format!("{folder}-{n}"))).find(|path| path.symlink_metadata().is_err());
        let to = to.unwrap_or_else(|| shelf.join(folder));
        self.rename(&from, &to, "setting a damaged cell aside")
    }

    /// The record of a cell, if there is one.
    fn load(&self, folder: &str) -> Option<Result<FinishedCell, Fault>> {
        let load =
            || self.published(folder).and_then(|path| path.map(|path| load(&path, folder)).transpose()).transpose();
        match load() {
            // It may have been replaced by another process while it was read: a second look tells.
            Some(Err(Fault::Damaged(_) | Fault::Unreadable(_))) => load(),
            other => other,
        }
    }

    /// Where the record of a cell lies, if there is one.
    fn published(&self, folder: &str) -> Result<Option<PathBuf>, Fault> {
        let cell = self.cell_path(folder);
        let replaced = self.work_path(folder).join(REPLACED);
        // Asked twice, because a replacement may end between the first two questions.
        for path in [&cell, &replaced, &cell] {
            match fs::symlink_metadata(path).map_err(|error| Fault::of(path, &error)) {
                Ok(found) if found.is_dir() => return Ok(Some(path.clone())),
                // What was written through a link would land elsewhere, and so would not be here.
                Ok(found) => {
                    let what = if found.is_symlink() { "a link" } else { "no folder" };
                    return Err(Fault::Damaged(format!("there is {what} in its place")));
                }
                Err(unreadable @ Fault::Unreadable(_)) => return Err(unreadable),
                Err(_) => {}
            }
        }
        Ok(None)
    }

    pub(crate) fn cell_path(&self, folder: &str) -> PathBuf {
        self.root.join(CELLS).join(folder)
    }

    pub(crate) fn work_path(&self, folder: &str) -> PathBuf {
        self.root.join(WORK).join(folder)
    }

    pub(crate) fn lock_path(&self, folder: &str) -> PathBuf {
        self.root.join(WORK).join(format!("{folder}.lock"))
    }

    /// Renames and waits until both folders' entries are on the disk.
    pub(crate) fn rename(&self, from: &Path, to: &Path, action: &'static str) -> Result<(), ResultsError> {
        let failed = |error| ResultsError::io(to, action, error);
        self.storage.rename(from, to).map_err(failed)?;
        for parent in [to.parent(), from.parent()].into_iter().flatten() {
            self.storage.sync(parent).map_err(failed)?;
        }
        Ok(())
    }

    fn cell_folders(&self, folder: &Path) -> Result<Vec<String>, ResultsError> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(ResultsError::io(folder, "listing the folder", error)),
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter(|name| is_cell_folder(name)).collect())
    }
}

/// Success for what is not there to be removed.
pub(crate) fn ignore_absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Success for a folder that is there already.
fn ignore_present(made: io::Result<()>) -> io::Result<()> {
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Ends in a dash and the 16 hexadecimal digits of a cell id.
fn is_cell_folder(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(_, id)| id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn load(path: &Path, folder: &str) -> Result<FinishedCell, Fault> {
    manifest::verify(path, Depth::Own, None)?;
    let cell: CellFile = read_json(path, "cell.json")?;
    let outcome: OutcomeFile = read_json(path, "outcome.json")?;
    if cell.cell.folder() != folder {
        return Err(Fault::Damaged(format!("it holds the cell `{}`", cell.cell.folder())));
    }
    Ok(FinishedCell {
        cell: cell.cell,
        outcome: outcome.outcome,
        notes: outcome.notes,
        version: cell.version,
        timing: read_json(path, "timing.json").ok(),
        path: path.to_owned(),
    })
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path, name: &str) -> Result<T, Fault> {
    let text = manifest::read(&path.join(name))?;
    serde_json::from_slice(&text).map_err(|error| Fault::Damaged(format!("`{name}` is not valid: {error}")))
}
