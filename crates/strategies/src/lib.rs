//! Update strategies: structure × gradient rule × schedule × outer loop over a [`model::Learner`].
//!
//! A strategy asks the learner for losses and gradients on one sub-batch per source language and for a step; it knows
//! neither files nor tensors. See `docs` of each file for the source of its equations.

mod learning_rate;
mod strategy;

pub use learning_rate::linear_warmup_decay;
pub use strategy::{LanguageBatch, StepReport, Strategy, StrategyError};
