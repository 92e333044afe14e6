//! What a cell is told, and what it tells.

use std::path::PathBuf;

use results::Overwrite;
use serde::{Deserialize, Serialize};
use spec::Cell;

/// Everything that running a cell needs beside its data folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    pub cell: Cell,
    pub model: PathBuf,
    pub data: PathBuf,
    pub results: PathBuf,
    pub cache: PathBuf,
    pub checkpoint_seconds: u64,
    pub overwrite: Overwrite,
    /// How many of the first stages other cells of the sweep have in common with this one, and want to have from it.
    pub common_stages: usize,
    /// Folder that gets the model after the last stage.
    pub save: Option<PathBuf>,
}

/// Something that happens in a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// What the cell is doing, and how far it is on a scale of `of` units of work.
    Progress { phase: String, done: u64, of: u64, loss: Option<f64> },
    /// The cell waits for what another one is finding out; sent again and again until it has it.
    Waiting { phase: String },
    /// Something worth a line of its own.
    Note { text: String },
    /// Something about this machine that a person should see, and no record says.
    Warning { text: String },
    /// The cell has ended without a record: not by what its spec decides. Whether it may fare better at once.
    Undone { why: String, retry: bool },
    /// The cell has ended and its results are published (`outcome` is its label).
    Ended { outcome: String },
}
