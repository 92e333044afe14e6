use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Name, SpecError};

/// Which of a stage's memories take part: `none`, `all`, or those of one name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Memories {
    #[default]
    None,
    All,
    Named(Name),
}

impl Memories {
    pub(super) fn all() -> Self {
        Self::All
    }

    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// Whether a memory of this name takes part.
    pub fn take(&self, name: &Name) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Named(wanted) => wanted == name,
        }
    }
}

impl TryFrom<String> for Memories {
    type Error = SpecError;
    fn try_from(text: String) -> Result<Self, SpecError> {
        match text.as_str() {
            "none" => Ok(Self::None),
            "all" => Ok(Self::All),
            _ => Ok(Self::Named(Name::new(text)?)),
        }
    }
}

impl From<Memories> for String {
    fn from(memories: Memories) -> Self {
        memories.to_string()
    }
}

impl fmt::Display for Memories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.pad("none"),
            Self::All => f.pad("all"),
            Self::Named(name) => name.fmt(f),
        }
    }
}
