//! What a cell's process tells its parent: one JSON object a line on standard output.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// What the cell is doing, and how far it is on a scale of `of` units of work.
    Progress { phase: String, done: u64, of: u64, loss: Option<f64> },
    /// The cell waits for what another one is finding out; sent again and again until it has it.
    Waiting { phase: String },
    /// Something worth a line of its own.
    Note { text: String },
    /// The cell has ended and its results are published (`outcome` is its label).
    Ended { outcome: String },
}

/// Everything a cell's process needs; sent by the parent as one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    pub cell: spec::Cell,
    pub model: std::path::PathBuf,
    pub data: std::path::PathBuf,
    pub results: std::path::PathBuf,
    pub cache: std::path::PathBuf,
    pub checkpoint_seconds: u64,
    pub overwrite: results::Overwrite,
    /// How many of the first stages other cells of the sweep have in common with this one, and want to have from it.
    pub common_stages: usize,
    /// Folder that gets the model after the last stage.
    pub save: Option<std::path::PathBuf>,
}

/// The line by which a parent asks a cell to checkpoint and leave.
pub const STOP: &str = "stop";
