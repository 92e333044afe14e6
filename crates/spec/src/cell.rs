use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Backend, Language, LanguageDistances, Method, Name, Protocol, Split, Task};

/// Raised whenever a change of ours alters the numbers that a cell gives, so that old results are not taken for new ones.
pub const NUMERIC_VERSION: u32 = 2;

/// One file of data: task, data set, language, split.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataKey {
    pub task: Task,
    pub data: Name,
    pub language: Language,
    pub split: Split,
}

impl DataKey {
    pub fn new(task: Task, data: &Name, language: Language, split: Split) -> Self {
        Self { task, data: data.clone(), language, split }
    }
}

impl fmt::Display for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.data, self.task, self.language, self.split)
    }
}

/// One unit of work: everything its outcome depends on, and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cell {
    pub numeric_version: u32,
    pub model: Name,
    /// Content hash of the model folder's configuration, weights and tokenizer.
    pub model_hash: String,
    pub method: Method,
    pub protocol: Protocol,
    pub seed: u64,
    pub backend: Backend,
    /// Content hash of every file of data the protocol reads, by [`DataKey`] as text.
    pub data: BTreeMap<String, String>,
    /// Between the protocol's languages, where the method asks for them; empty otherwise.
    #[serde(default, skip_serializing_if = "LanguageDistances::is_empty")]
    pub distances: LanguageDistances,
}

/// Hash of a cell's canonical form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CellId(String);

impl Cell {
    pub fn id(&self) -> CellId {
        // Fields serialise in declaration order and maps in key order, so equal cells give equal bytes.
        let canonical = serde_json::to_vec(self).unwrap_or_default();
        CellId(blake3::hash(&canonical).to_hex()[..16].to_owned())
    }

    /// Folder name for people and by content: `ner-frozen-en-s1-0123456789abcdef`.
    pub fn folder(&self) -> String {
        let sources: Vec<&str> = self.protocol.sources().into_iter().map(Language::code).collect();
        let sources = if sources.len() > 6 { format!("{}langs", sources.len()) } else { sources.join("+") };
        let sources = if sources.is_empty() { "probe".to_owned() } else { sources };
        format!("{}-{}-{}-s{}-{}", self.protocol.name, self.method.name, sources, self.seed, self.id())
    }
}

impl CellId {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Shard of `n` that this cell belongs to: stable when cells are added or removed.
    pub fn shard(&self, n: u64) -> u64 {
        let hash = blake3::hash(self.0.as_bytes());
        let mut first = [0u8; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_le_bytes(first) % n.max(1)
    }
}

impl fmt::Display for CellId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
