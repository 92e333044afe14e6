use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use spec::{Head, SpecError, Task};

const UNKNOWN: &str = "unknown";

/// Whose head it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Owner {
    /// No known task's: read from a folder that does not say, or of use in pre-training only.
    Unknown,
    Task(Task),
}

impl Owner {
    pub fn of(task: Option<Task>) -> Self {
        task.map_or(Self::Unknown, Self::Task)
    }

    pub fn task(self) -> Option<Task> {
        match self {
            Self::Unknown => None,
            Self::Task(task) => Some(task),
        }
    }

    /// What the names of its parameters begin with.
    pub fn prefix(self) -> String {
        match self {
            Self::Unknown => String::new(),
            Self::Task(task) => format!("heads.{task}."),
        }
    }

    /// The same in files that name another head's parameters as Hugging Face does.
    pub fn file_prefix(self) -> String {
        format!("heads.{self}.")
    }
}

/// The task's name; `unknown`, which no task bears.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.pad(UNKNOWN),
            Self::Task(task) => task.fmt(f),
        }
    }
}

impl FromStr for Owner {
    type Err = SpecError;
    fn from_str(text: &str) -> Result<Self, SpecError> {
        if text == UNKNOWN { Ok(Self::Unknown) } else { text.parse().map(Self::Task) }
    }
}

/// A head that a model has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnedHead {
    pub owner: Owner,
    pub head: Head,
}

/// Which of a model's heads are used how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeadUse {
    /// Serves batches of no task; folders show it as Hugging Face's classes do. There is one if there are heads.
    pub main: Option<Owner>,
    pub trained: BTreeSet<Owner>,
}

impl HeadUse {
    /// One head, which trains.
    pub fn only(owner: Owner) -> Self {
        Self { main: Some(owner), trained: [owner].into() }
    }
}

/// The head that serves a task: its own, else that of no known task if it has the task's objective. Of no task: the main
/// one.
pub(crate) fn serving(heads: &[OwnedHead], main: Option<Owner>, task: Option<Task>) -> Option<usize> {
    let place = |owner: Owner| heads.iter().position(|owned| owned.owner == owner);
    let Some(task) = task else { return place(main?) };
    place(Owner::Task(task)).or_else(|| {
        let index = place(Owner::Unknown)?;
        (heads[index].head.objective() == task.objective()).then_some(index)
    })
}
