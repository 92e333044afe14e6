//! One cell in a process of its own.

mod analysis;
mod control;
mod few_shot;
mod kept;
mod language;
mod memory;
mod probe;
mod progress;
mod runner;
mod shared;
mod supply;
mod timing;
mod train;

pub use kept::{forget, is_kept};
pub use memory::keep_freed_memory;
pub use runner::run;
