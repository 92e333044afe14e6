use serde::{Deserialize, Serialize};

/// What a cell ended as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome", deny_unknown_fields)]
pub enum Outcome {
    Done,
    /// A loss, gradient or parameter stopped being finite.
    Diverged {
        step: u64,
        what: String,
    },
    /// Of earlier builds; memory is the machine's, so that such a cell is now left undone.
    OutOfMemory {
        detail: String,
    },
    TimedOut {
        seconds: u64,
    },
    /// The process died: a panic, a signal.
    Crashed {
        detail: String,
    },
    /// Known when planned: the method does not apply.
    Skipped {
        reason: String,
    },
    /// Bad input: data, model or spec.
    Invalid {
        error: String,
    },
}

impl Outcome {
    pub fn label(&self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Diverged { .. } => "diverged",
            Outcome::OutOfMemory { .. } => "out of memory",
            Outcome::TimedOut { .. } => "timed out",
            Outcome::Crashed { .. } => "crashed",
            Outcome::Skipped { .. } => "skipped",
            Outcome::Invalid { .. } => "invalid",
        }
    }

    /// The cause in one line; empty for [`Outcome::Done`].
    pub fn cause(&self) -> String {
        match self {
            Outcome::Done => String::new(),
            Outcome::Diverged { step, what } => format!("{what} is not finite at step {step}"),
            Outcome::TimedOut { seconds } => format!("stopped after {seconds} s"),
            Outcome::OutOfMemory { detail: text }
            | Outcome::Crashed { detail: text }
            | Outcome::Skipped { reason: text }
            | Outcome::Invalid { error: text } => text.clone(),
        }
    }
}
