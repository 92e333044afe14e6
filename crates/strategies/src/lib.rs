//! Update strategies: structure × gradient rule × schedule × outer loop over a [`model::Learner`].
//!
//! A strategy asks a [`BatchSource`] for sub-batches by number and the learner for losses, gradients and a step; it knows
//! neither files nor tensors. [`rules`] holds the mathematics of gradient rules as pure functions of the Gram matrix,
//! [`schedules`] that of unfreezing as functions of the step.

mod anchors;
mod batch_source;
mod direction;
mod draw;
mod error;
mod evaluate;
mod few_shot;
mod fisher;
mod forgetting;
pub mod laft;
mod memories;
mod modules;
mod outer;
mod outputs;
mod report;
pub mod rules;
pub mod schedules;
mod strategy;
mod structures;
pub mod subnetworks;

pub use batch_source::{BatchError, BatchSource, SubBatch};
pub use error::StrategyError;
pub use few_shot::{SupportError, SupportSet, adapt};
pub use modules::Modules;
pub use report::{Began, StepReport};
pub use strategy::Strategy;
pub use structures::check_schedule;
