use std::fmt;

use serde::{Deserialize, Serialize};

use crate::SpecError;

/// A name that is safe as a single path component: data sets, models, suites, protocols, probes, methods.
///
/// Letters, digits, `.`, `_` and `-` only, so that no name read from a file can lead outside the folders we were given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// # Errors
    /// [`SpecError::UnsafeName`] if the text is empty, too long, or has a character outside the alphabet.
    pub fn new(text: impl Into<String>) -> Result<Self, SpecError> {
        let text = text.into();
        let safe = (1..=100).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
            && !text.starts_with(['.', '-']);
        if safe { Ok(Self(text)) } else { Err(SpecError::UnsafeName { text }) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = SpecError;
    fn try_from(text: String) -> Result<Self, SpecError> {
        Self::new(text)
    }
}

impl std::str::FromStr for Name {
    type Err = SpecError;
    fn from_str(text: &str) -> Result<Self, SpecError> {
        Self::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
