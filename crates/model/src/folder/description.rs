use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use spec::{Head, Labels, Task};

use crate::owner::Owner;
use crate::{AdapterStack, HeadMask, LanguageUse, ModelError};

/// Key of `config.json` with the description.
const KEY: &str = "lethe";

/// What a folder holds beyond what a class of Hugging Face's has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub(crate) struct Description {
    /// The task of the head that the class has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// The other heads, by task; the tensors of each are under `heads.TASK.`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    heads: BTreeMap<String, Head>,
    /// Each in a folder `adapters/NAME`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub adapters: Vec<String>,
    /// Which of them take part.
    #[serde(skip_serializing_if = "is_default")]
    pub stack: AdapterStack,
    /// Whether there are low-rank factors in a folder `lora`.
    #[serde(skip_serializing_if = "is_default")]
    pub lora: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_mask: Option<HeadMask>,
    /// What languages use, where they do not all use the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<LanguageUse>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Description {
    /// Of a model with a main head of this owner, and others.
    pub fn new<'a>(main: Option<Owner>, others: impl Iterator<Item = (Owner, &'a Head)>) -> Self {
        Self {
            task: main.and_then(Owner::task),
            heads: others.map(|(owner, head)| (owner.to_string(), head.clone())).collect(),
            ..Self::default()
        }
    }

    /// The part of a `config.json`; that of a plain folder if there is none.
    pub fn read(config: &Map<String, Value>, path: &Path) -> Result<Self, ModelError> {
        let Some(value) = config.get(KEY) else { return Ok(Self::default()) };
        serde_json::from_value(value.clone()).map_err(|error| fault(path, format!("{KEY}: {error}")))
    }

    /// Puts itself into a `config.json`, in the place of any other.
    pub fn write(&self, config: &mut Map<String, Value>) {
        match *self == Self::default() {
            true => config.remove(KEY),
            false => config.insert(KEY.to_owned(), json!(self)),
        };
    }

    /// The other heads.
    pub fn heads(&self, path: &Path) -> Result<Vec<(Owner, Head)>, ModelError> {
        let owner = |(name, head): (&String, &Head)| {
            let owner: Owner = name.parse().map_err(|error| fault(path, format!("{KEY}.heads: {error}")))?;
            Ok((owner, head.clone()))
        };
        self.heads.iter().map(owner).collect()
    }
}

/// The names of `count` labels by `id2label`; numbered ones where there is none.
pub(super) fn labels(config: &Map<String, Value>, count: usize, path: &Path) -> Result<Labels, ModelError> {
    let named = match config.get("id2label").filter(|value| !value.is_null()) {
        None => return Ok(Labels::numbered(count)),
        Some(value) => value.as_object().ok_or_else(|| fault(path, "id2label: no object".to_owned()))?,
    };
    if named.len() != count {
        return Err(fault(path, format!("id2label: {} labels, but the head's tensor has {count}", named.len())));
    }
    let name = |id: usize| {
        let name = named.get(&id.to_string()).and_then(Value::as_str);
        name.ok_or_else(|| fault(path, format!("id2label: label {id} is missing, or no text")))
    };
    let names = (0..count).map(name).collect::<Result<Vec<_>, _>>()?;
    Labels::new(names).map_err(|error| fault(path, format!("id2label: {error}")))
}

/// Names labels in a `config.json`, as Hugging Face does; takes names out where there are none.
pub(super) fn name_labels(labels: &Labels, config: &mut Map<String, Value>) {
    for stale in ["id2label", "label2id", "num_labels"] {
        config.remove(stale);
    }
    if labels.is_empty() {
        return;
    }
    let names = || labels.names().iter().enumerate();
    let by_id: Map<String, Value> = names().map(|(id, name)| (id.to_string(), json!(name))).collect();
    let by_name: Map<String, Value> = names().map(|(id, name)| (name.clone(), json!(id))).collect();
    config.insert("id2label".to_owned(), Value::Object(by_id));
    config.insert("label2id".to_owned(), Value::Object(by_name));
}

pub(super) fn fault(path: &Path, message: String) -> ModelError {
    ModelError::Config { path: path.to_owned(), message }
}
