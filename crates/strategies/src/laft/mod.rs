//! LAFT-URIEL-style: in an update only a small module is trained, and how strongly a language feels it depends on how
//! near the language is to the updated ones.
//!
//! A reconstruction of the aims of Badola et al., "Parameter-Efficient Finetuning for Robust Continual Multilingual
//! Learning", Findings of ACL 2023, of which the abstract is confirmed; every formula here is ours.
//!
//! Stage 1 trains all languages and gives theta1. An update has new data in the languages U and trains modules delta,
//! bottleneck adapters or LoRA; theta1 stays. Language l then uses delta with a strength s in `[0, 1]`: an adapter's output
//! is scaled by s before its residual, LoRA's increment by s. With s = 0 it is theta1, so that such a language cannot lose.
//!
//! | `kind` | modules | strength in language l |
//! | --- | --- | --- |
//! | `all` | one | 1 |
//! | `updated-only` | one | 1 in U, else 0 |
//! | `scaled` | one | `max_{u in U} kappa(d(l, u))` |
//! | `mixture` | one for each u | `softmax_u(-d(l, u) / tau) * max_{u' in U} kappa(d(l, u'))` |
//! | `shuffled` | one | as `scaled`, with distances between other languages: a control |
//!
//! Modules of several updates work side by side: all read what a single one would, and their outputs are added up.
//! What an update did is measured by `evaluation::Update`.

mod kernel;
mod module;
mod sharing;

pub use kernel::kappa;
pub use module::{Module, Trained, trained, trained_by};
pub use sharing::{LaftError, Strengths, strengths};
