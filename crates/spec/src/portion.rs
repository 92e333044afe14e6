use std::fmt;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::SpecError;
use crate::several_forms::SeveralForms;

/// Which examples of a file are used, where not all of them are.
///
/// In suites `examples = 200` is a sample, `{ sample = 200, seed = 1 }` another one, and `{ first = 200 }` the head of the
/// file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portion {
    /// The first ones: of files in an order of their own, not what the file is like.
    First(usize),
    /// A draw that depends on the seed and the examples' ids alone: the larger one of two draws of a seed contains the
    /// smaller, and files whose ids say which examples belong together, as translations do, give the same ones.
    Sample { count: usize, seed: u64 },
}

impl Portion {
    /// The usual sample of this size.
    pub fn sample(count: usize) -> Self {
        Self::Sample { count, seed: 0 }
    }

    /// How many examples at most.
    pub fn count(self) -> usize {
        match self {
            Self::First(count) | Self::Sample { count, .. } => count,
        }
    }

    /// The same with another count.
    #[must_use]
    pub fn of(self, count: usize) -> Self {
        match self {
            Self::First(_) => Self::First(count),
            Self::Sample { seed, .. } => Self::Sample { count, seed },
        }
    }
}

/// `at most 200`, `a sample of 200`, `a sample of 200 (seed 1)`
impl fmt::Display for Portion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First(count) => write!(f, "at most {count}"),
            Self::Sample { count, seed: 0 } => write!(f, "a sample of {count}"),
            Self::Sample { count, seed } => write!(f, "a sample of {count} (seed {seed})"),
        }
    }
}

/// `200`, or `first:200`
impl FromStr for Portion {
    type Err = SpecError;
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let count = |text: &str| text.parse().ok().filter(|count| *count > 0);
        let found = match text.strip_prefix("first:") {
            Some(first) => count(first).map(Self::First),
            None => count(text).map(Self::sample),
        };
        found.ok_or_else(|| SpecError::unknown("portion of examples", text, ["200", "first:200"]))
    }
}

/// The forms that a portion is written in.
enum Written {
    Count(usize),
    Portion(Portion),
}

/// As a table it says which of the two it is.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Table {
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<usize>,
    #[serde(skip_serializing_if = "is_usual")]
    seed: u64,
}

impl SeveralForms for Written {
    const FORMS: &'static str = "`examples` as a number, { sample = …, seed = … } or { first = … }";

    fn of_count<E: Error>(count: u64) -> Result<Self, E> {
        usize::try_from(count).map(Self::Count).map_err(E::custom)
    }

    fn of_table<'de, A: MapAccess<'de>>(table: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        Ok(Self::Portion(match Table::deserialize(table)? {
            Table { first: Some(first), sample: None, seed: 0 } => Portion::First(first),
            Table { first: None, sample: Some(count), seed } => Portion::Sample { count, seed },
            _ => return Err(A::Error::invalid_value(Unexpected::Map, &Self::FORMS)),
        }))
    }
}

fn is_usual(seed: &u64) -> bool {
    *seed == 0
}

impl Written {
    /// `count` says what a number alone stands for.
    fn portion(self, count: impl Fn(usize) -> Portion) -> Portion {
        match self {
            Self::Count(number) => count(number),
            Self::Portion(portion) => portion,
        }
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer)
    }
}

/// As suites have it.
impl<'de> Deserialize<'de> for Portion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Written::deserialize(deserializer)?.portion(Self::sample))
    }
}

impl Serialize for Portion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::First(first) => Table { first: Some(first), ..Table::default() }.serialize(serializer),
            Self::Sample { count, seed } => Table { sample: Some(count), seed, first: None }.serialize(serializer),
        }
    }
}

/// As cells have it: there a number alone is the head of the file, as in records from before there were samples.
pub(crate) mod recorded {
    use super::*;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Portion>, D::Error> {
        let written = Option::<Written>::deserialize(deserializer)?;
        Ok(written.map(|written| written.portion(Portion::First)))
    }

    pub(crate) fn serialize<S: Serializer>(portion: &Option<Portion>, serializer: S) -> Result<S::Ok, S::Error> {
        match portion {
            Some(Portion::First(count)) => Some(count).serialize(serializer),
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Cell {
        #[serde(default, with = "recorded", skip_serializing_if = "Option::is_none")]
        examples: Option<Portion>,
    }

    #[test]
    fn cells_write_the_head_as_they_always_did_and_suites_mean_a_sample() {
        for (portion, in_cell, in_suite) in [
            (Portion::First(5), r#"{"examples":5}"#, "x = { first = 5 }"),
            (Portion::sample(5), r#"{"examples":{"sample":5}}"#, "x = 5"),
            (
                Portion::Sample { count: 5, seed: 9 },
                r#"{"examples":{"sample":5,"seed":9}}"#,
                "x = { sample = 5, seed = 9 }",
            ),
        ] {
            let cell = Cell { examples: Some(portion) };
            assert_eq!(serde_json::to_string(&cell).unwrap(), in_cell);
            assert_eq!(serde_json::from_str::<Cell>(in_cell).unwrap(), cell);
            let suite: std::collections::BTreeMap<String, Portion> = toml::from_str(in_suite).unwrap();
            assert_eq!(suite["x"], portion);
            // As knobs of a method are written and read alike.
            let text = serde_json::to_string(&portion).unwrap();
            assert_eq!(serde_json::from_str::<Portion>(&text).unwrap(), portion);
        }
        assert_eq!(serde_json::from_str::<Cell>("{}").unwrap(), Cell { examples: None });
        assert_eq!("first:7".parse::<Portion>().unwrap(), Portion::First(7));
        assert_eq!("7".parse::<Portion>().unwrap(), Portion::sample(7));
        assert!("0".parse::<Portion>().is_err() && "last:7".parse::<Portion>().is_err());
    }
}
