//! A cell from its job to its published results, in the process of whoever calls [`run`]: probes, then a stage, then probes
//! again, with checkpoints between, and with what other cells have found out already.
//!
//! [`Job`] says what is to be done, [`Event`]s what is being done, [`Stop`] asks for a checkpoint and an early end. `running`
//! is what the modules work on, `run` their order.

mod analysis;
mod batches;
mod cache;
pub mod cost;
mod few_shot;
mod found;
mod heads;
mod held_out;
mod job;
pub mod labels;
mod language;
mod measured;
mod message;
mod outcome;
mod probe;
mod progress;
mod run;
mod running;
mod save;
mod stages;
mod stop;
mod stopwatch;
mod train;

pub use job::{Event, Job};
pub use message::{harmless, say, show};
pub use outcome::{is_disk_full, one_line};
pub use run::{Ended, run};
pub use save::NotSaved;
pub use stages::{is_cached, remove, tidy};
pub use stop::Stop;
