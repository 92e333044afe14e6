//! Subnetworks-style: each language trains and uses a part of the attention heads only.
//!
//! A reconstruction of Choenni, Garrette, Shutova, "Data-Efficient Cross-Lingual Transfer with Language-Specific
//! Subnetworks", Computational Linguistics 49(3), 2023, of which the abstract is confirmed. Importance and pruning follow
//! Michel, Levy, Neubig, "Are Sixteen Heads Really Better than One?", NeurIPS 2019, and the public code made from it.
//!
//! With a mask m `[layers, heads]` multiplied onto the attention probabilities:
//!
//! ```text
//! I[l, h] = sum over batches of |d loss / d m[l, h]|, per token             Importance
//! I[l] / |I[l]|, then (I - min I) / (max I - min I)                         Scores
//! drop the least important heads while the score stays near the full one    Pruning
//! ```
//!
//! Static masks stay as found; dynamic masks are the most important heads by a moving average of `|d loss / d m|` that is
//! kept up while the model is trained ([`DynamicMasks`]). Masks are found before a stage (`discovery`), and in it every
//! source language's batches go through its own (`stage`).

mod control;
mod discovery;
mod dynamic;
mod importance;
mod mask;
mod pruning;
mod stage;
mod target;

pub use control::{MaskSource, cross_masks};
pub use discovery::Discovered;
pub use dynamic::{DynamicMasks, SavedDynamic};
pub use importance::{Importance, Scores};
pub use mask::{Mask, MaskError};
pub use pruning::{Ask, Pruning, PruningError, Round};
pub(crate) use stage::{SavedMasks, StageMasks};
pub use target::{TargetError, nearest, target_mask};
