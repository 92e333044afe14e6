//! The multilingual encoder, its heads, and the learner that trains them.
//!
//! Burn lives in this crate; the [`Learner`] shows no tensor. Models are Hugging Face folders of BERT or XLM-R type, read
//! and written in their own layout, and the device is chosen at run time.

mod adapter;
mod batch;
mod checkpoint;
mod config;
mod device;
mod encoder;
mod error;
mod folder;
mod frozen_trunk;
mod fused;
mod gradients;
mod group;
mod head_mask;
mod layout;
mod learner;
mod lookup;
mod lora;
mod network;
mod objective;
mod ops;
mod optimizer;
mod owner;
mod random;
mod setup;
mod state;
mod weights;

pub use adapter::{Activation, AdapterConfig, AdapterInit, AdapterStack, StackResidual};
pub use config::{Family, ModelConfig};
pub use device::{built_in, compose_operations};
pub use error::ModelError;
pub use folder::{AddedParts, Precision, added_parts, content_hash, holds_language_model};
pub use gradients::Gradients;
pub use group::{Group, Part};
pub use head_mask::HeadMask;
pub use learner::{LanguageUse, Learner};
pub use lora::{LoraConfig, Projection};
pub use objective::{Logits, MaskedScore};
pub use optimizer::{OptimizerConfig, StepNorms};
pub use setup::Tuned;
pub use state::SavePoint;
