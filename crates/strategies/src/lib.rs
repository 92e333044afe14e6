//! Update strategies: structure × gradient rule × schedule × outer loop over a [`model::Learner`].
//!
//! A strategy asks the learner for losses and gradients on one sub-batch per source language and for a step; it knows
//! neither files nor tensors. [`rules`] holds the mathematics of gradient rules as pure functions of the Gram matrix.

mod learning_rate;
pub mod rules;
mod strategy;

pub use learning_rate::linear_warmup_decay;
pub use strategy::{LanguageBatch, StepReport, Strategy, StrategyError};
