//! The results folder and everything that is read out of it: tables, comparisons, reports. Knows no tensors.
//!
//! One folder a cell, complete or absent: everything is written to a work folder on the same file system, put on the
//! disk, and renamed. A lock of the operating system keeps two processes from the same cell.
//!
//! ```text
//! <root>/cells/<cell>/    cell.json outcome.json scores.parquet examples.parquet curve.parquet series.parquet
//!                         files.json (lengths and hashes of these), timing.json, log.txt, model/
//! <root>/work/<cell>/     state-<n>/ and other unfinished work; <cell>.lock beside it
//! <root>/damaged/         records that did not match their hashes, set aside
//! ```
//!
//! A checkpoint names its cell; of another one's it is of no use.
//!
//! Only `<root>` itself may be a link: one in the place of a folder below it is refused, and files are created where none
//! are. Folders are made as the process's umask has it (usually 0755): others may read them, and who may write to them is
//! trusted with every number in them.
//!
//! Nothing but `timing.json` and `log.txt` depends on the host or the hour: equal cells give equal bytes.

#[cfg(test)]
extern crate self as results;

mod claim;
#[cfg(test)]
#[path = "../tests/common/mod.rs"]
mod common;
mod error;
#[cfg(test)]
mod fault;
mod folder;
#[cfg(test)]
mod forged;
mod frames;
mod manifest;
mod number;
mod record;
mod report;
mod storage;
mod table;

pub use claim::Claim;
pub use error::ResultsError;
pub use folder::ResultsFolder;
pub use record::{
    CellResult, CurvePoint, Damaged, FinishedCell, Overwrite, ProbeExamples, Score, SeriesPoint, Status, Timing,
    is_of_probe, series_of_probe,
};
pub use report::{Format, Pairs, Report, ReportOptions, Section, report};
pub use table::Table;
