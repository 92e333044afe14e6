//! The words of Lethe as types: languages, tasks, methods, protocols, suites, cells and their outcomes.
//!
//! Pure: this crate knows no files, no tensors and no clock. A suite is parsed from a string; expanding it gives [`Cell`]s,
//! and a cell's [`CellId`] is a hash of its canonical form, so that two cells are the same work exactly if their ids are.

mod adapt;
mod backend;
mod batch;
mod cell;
mod decay;
mod error;
mod language;
mod method;
mod name;
mod outcome;
mod portion;
mod prefix;
mod protocol;
mod seed;
mod several_forms;
mod source;
mod suite;
mod task;
mod typology;

pub use adapt::Adapt;
pub use backend::Backend;
pub use batch::{Batch, IGNORED_LABEL, Targets, Words};
pub use cell::{Cell, CellId, DataKey, NUMERIC_VERSION};
pub use decay::Decay;
pub use error::{SpecError, nearest};
pub use language::Language;
pub use method::*;
pub use name::Name;
pub use outcome::Outcome;
pub use portion::Portion;
pub use prefix::PrefixId;
pub use protocol::{Candidates, Memory, Probe, Protocol, Stage};
pub use seed::derived_seed;
pub use source::DataSource;
pub use suite::{Suite, Trial, Tried, Tuning};
pub use task::{
    Column, Direction, ExampleRows, Head, Ids, Kind, Labels, Metric, Objective, ParserSizes, Pooling, Split, Task,
    TaskDescription, Unit,
};
pub use typology::{LanguageDistance, LanguageDistances, TypologicalDistance};
