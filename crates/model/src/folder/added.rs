use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::tensors;
use crate::layout::Entry;
use crate::{ModelConfig, ModelError, config};

/// What a folder holds that is to be added to a model: a configuration and its tensors, each to be taken once.
pub(crate) struct Stored<C> {
    pub config: C,
    path: PathBuf,
    /// By name, without prefixes.
    tensors: RefCell<BTreeMap<String, FileTensor>>,
}

/// Shape and values, row-major.
type FileTensor = (Vec<usize>, Vec<f32>);

impl<C> Stored<C> {
    /// Reads the tensors beside a configuration; `canonical` strips prefixes from names.
    pub fn read(config: C, path: PathBuf, canonical: impl Fn(&str) -> String) -> Result<Self, ModelError> {
        let fail = |message: String| ModelError::Weights { path: path.clone(), message };
        if !path.exists() {
            return Err(fail("no such file; other forms are not read: save it again as safetensors".to_owned()));
        }
        let bytes = tensors::mapped(&path)?;
        let file = tensors::parse(&bytes).map_err(fail)?;
        let mut named = BTreeMap::new();
        for (name, view) in file.tensors() {
            let values = tensors::values(&view)
                .filter(|values| values.iter().all(|value| value.is_finite()))
                .ok_or_else(|| fail(format!("`{name}` is not of type F32, F16 or BF16, or not finite")))?;
            named.insert(canonical(&name), (view.shape().to_vec(), values));
        }
        Ok(Self { config, path, tensors: RefCell::new(named) })
    }

    /// The names of the tensors that are left.
    pub fn names(&self) -> Vec<String> {
        self.tensors.borrow().keys().cloned().collect()
    }

    /// The values of a parameter that the file calls `name`, as the model holds them.
    pub fn take_as(&self, entry: &Entry, name: &str) -> Result<Vec<f32>, ModelError> {
        let Some((shape, values)) = self.tensors.borrow_mut().remove(name) else {
            return Err(self.fault(format!("`{name}` {:?} is missing", entry.file_shape)));
        };
        if shape != entry.file_shape {
            return Err(self.fault(format!("`{name}`: expected {:?}, found {shape:?}", entry.file_shape)));
        }
        match (entry.transposed, shape.as_slice()) {
            (true, &[rows, columns]) => Ok(tensors::transposed(&values, rows, columns)),
            _ => Ok(values),
        }
    }

    pub fn check_all_taken(&self) -> Result<(), ModelError> {
        match self.tensors.borrow().first_key_value() {
            None => Ok(()),
            Some((name, (shape, _))) => Err(self.fault(format!("this model has no use for `{name}` {shape:?}"))),
        }
    }

    pub fn fault(&self, message: String) -> ModelError {
        ModelError::Weights { path: self.path.clone(), message }
    }
}

/// A configuration file's options.
pub(super) struct Options {
    pub path: PathBuf,
    pub values: Map<String, Value>,
}

impl Options {
    pub fn read(path: PathBuf) -> Result<Self, ModelError> {
        let text = files::read_text(&path, config::LARGEST).map_err(|source| ModelError::io(&path, source))?;
        match serde_json::from_str(&text) {
            Ok(values) => Ok(Self { path, values }),
            Err(error) => Err(ModelError::Config { path, message: format!("not a JSON object: {error}") }),
        }
    }

    /// The options under a key, under the same file's name.
    pub fn inner(&self, key: &str) -> Result<Self, ModelError> {
        match self.values.get(key).and_then(Value::as_object) {
            Some(values) => Ok(Self { path: self.path.clone(), values: values.clone() }),
            None => Err(self.fault(key, "missing, or no object")),
        }
    }

    pub fn fault(&self, key: &str, message: &str) -> ModelError {
        ModelError::Config { path: self.path.clone(), message: format!("{key}: {message}") }
    }

    /// The option, `None` where it is missing or null.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|value| !value.is_null())
    }

    pub fn text(&self, key: &str) -> Result<&str, ModelError> {
        self.get(key).and_then(Value::as_str).ok_or_else(|| self.fault(key, "missing, or no text"))
    }

    pub fn number(&self, key: &str) -> Result<f64, ModelError> {
        self.get(key).and_then(Value::as_f64).ok_or_else(|| self.fault(key, "missing, or no number"))
    }

    pub fn flag(&self, key: &str, default: bool) -> Result<bool, ModelError> {
        match self.get(key) {
            None => Ok(default),
            Some(value) => value.as_bool().ok_or_else(|| self.fault(key, "neither true nor false")),
        }
    }

    /// Refuses values other than one of these; what is missing or null passes.
    pub fn only(&self, key: &str, known: &[Value]) -> Result<(), ModelError> {
        let same = |a: &Value, b: &Value| a == b || a.as_f64().is_some_and(|a| Some(a) == b.as_f64());
        match self.get(key).filter(|value| !known.iter().any(|known| same(value, known))) {
            None => Ok(()),
            Some(value) => Err(self.fault(key, &format!("{value} is not supported"))),
        }
    }

    /// Refuses an encoder of another width.
    pub fn check_hidden_size(&self, model: &ModelConfig) -> Result<(), ModelError> {
        match self.get("hidden_size").and_then(Value::as_u64) {
            Some(size) if size != model.hidden_size as u64 => {
                Err(self.fault("hidden_size", &format!("{size}, but the model's is {}", model.hidden_size)))
            }
            _ => Ok(()),
        }
    }
}

/// A name without the first of these prefixes that it has.
pub(super) fn without(name: &str, prefixes: &[&str]) -> String {
    prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name).to_owned()
}
