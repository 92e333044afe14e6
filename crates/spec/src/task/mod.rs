//! Tasks: one table of what they are, and the words that the table uses.

mod description;
mod head;
mod labels;
mod registry;
mod split;

pub use description::{Column, Direction, ExampleRows, Ids, Kind, Metric, TaskDescription, Unit};
pub use head::{Head, Objective, ParserSizes, Pooling};
pub use labels::Labels;
pub use registry::Task;
pub use split::Split;
