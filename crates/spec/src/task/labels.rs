use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::SpecError;

/// The names of a label set, by index. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Labels(Arc<[String]>);

impl Labels {
    /// More are no label set, but a column of text taken for one.
    pub const MOST: usize = 10_000;

    /// # Errors
    /// [`SpecError::Labels`] for a name that is empty or stands twice, and for more than [`Labels::MOST`] names.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, SpecError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let refuse = |message: String| Err(SpecError::Labels { message });
        if names.len() > Self::MOST {
            return refuse(format!("{} label names; at most {} are one label set", names.len(), Self::MOST));
        }
        let mut seen = std::collections::HashSet::new();
        match names.iter().find(|name| name.is_empty() || !seen.insert(name.as_str())) {
            Some(name) if name.is_empty() => refuse("a label name is empty".to_owned()),
            Some(name) => refuse(format!("label `{name}` stands twice in the label names")),
            None => Ok(Self(names.into())),
        }
    }

    /// `LABEL_0`, `LABEL_1` …, as Hugging Face names labels that nobody has named.
    pub fn numbered(count: usize) -> Self {
        Self((0..count).map(|label| format!("LABEL_{label}")).collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The name of a label, if there is such an index.
    pub fn name(&self, index: usize) -> Option<&str> {
        self.0.get(index).map(String::as_str)
    }

    /// The index of a name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|known| known == name)
    }

    /// For each of these labels its index in `other`.
    ///
    /// # Errors
    /// The first name that `other` lacks.
    pub fn places_in(&self, other: &Labels) -> Result<Vec<usize>, &str> {
        self.0.iter().map(|name| other.index(name).ok_or(name.as_str())).collect()
    }

    /// These labels, and behind them those of `other` that are not among them.
    #[must_use]
    pub fn joined(&self, other: &Labels) -> Self {
        let new = other.0.iter().filter(|name| self.index(name).is_none());
        Self(self.0.iter().chain(new).cloned().collect())
    }
}

impl std::fmt::Display for Labels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0.join(" "))
    }
}

impl TryFrom<Vec<String>> for Labels {
    type Error = SpecError;
    fn try_from(names: Vec<String>) -> Result<Self, SpecError> {
        Self::new(names)
    }
}

impl From<Labels> for Vec<String> {
    fn from(labels: Labels) -> Self {
        labels.0.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::Labels;

    #[test]
    fn names_stand_once_and_have_places() {
        let one = Labels::new(["O", "B-DATE"]).unwrap();
        let other = Labels::new(["B-PROD", "O"]).unwrap();
        assert_eq!(one.joined(&other).names(), ["O", "B-DATE", "B-PROD"]);
        assert_eq!(other.places_in(&one.joined(&other)), Ok(vec![2, 0]));
        assert_eq!(other.places_in(&one), Err("B-PROD"));
        assert!(Labels::new(["O", "O"]).is_err() && Labels::new(["O", ""]).is_err());
        assert_eq!(Labels::numbered(2).to_string(), "LABEL_0 LABEL_1");
    }
}
