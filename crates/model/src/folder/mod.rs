//! Hugging Face model folders: `config.json`, `model.safetensors`, `tokenizer.json`.

pub(crate) mod adapter_hub;
mod added;
mod description;
mod hash;
mod parts;
pub(crate) mod peft;
mod read;
mod tensors;
mod write;

pub(crate) use description::Description;
pub use hash::content_hash;
pub use parts::{AddedParts, added_parts};
pub use read::holds_language_model;
pub(crate) use read::{Pooler, read};
pub(crate) use tensors::{file_order, mapped, parse, values};
pub use write::Precision;
pub(crate) use write::{HostView, Saved, write};

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const WEIGHTS: &str = "model.safetensors";
