//! Schedules: which of the trainable groups are open at a step, as pure functions of the step.
//!
//! A *unit* is a group that the structure trains, the head apart: the embeddings, a layer, or a layer's adapter, in order
//! from the input to the output. Steps count from 0, and an event of step `s` comes before the forward pass of step `s`.
//! Only FUN depends on more than the step: it asks for Fisher traces ([`Request`]) and remembers what it opened.
//!
//! The codes released with the papers (FUN, DeepMoji, ULMFiT) freeze by leaving parameters without gradients, so that
//! dropout stays on in frozen parts. This model applies dropout only in groups that are open: all schedules differ from
//! those codes in this one thing. What is opened later starts with empty optimiser moments, as there.

mod chain_thaw;
mod cumulative;
mod fisher;
mod fun;
mod gradual;
mod interval;
mod lpft;
mod order;
mod random;
mod reverse;
mod state;
mod ulmfit;

pub(crate) use fisher::comparable;
pub use fisher::fisher_trace;
pub use state::{Labels, Open, Opened, Request, SavedSchedule, ScheduleError, ScheduleState};
