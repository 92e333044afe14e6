use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

use half::f16;
use safetensors::{Dtype, View};
use serde_json::{Value, json};
use spec::Head;

use super::description::{Description, name_labels};
use super::{CONFIG, WEIGHTS, tensors};
use crate::layout::Entry;
use crate::network::Parts;
use crate::objective;
use crate::owner::Owner;
use crate::{Family, ModelConfig, ModelError};

/// Files that belong to a tokenizer; those that the source folder has are copied.
const TOKENIZER_FILES: [&str; 5] =
    ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "sentencepiece.bpe.model", "vocab.txt"];

/// Bytes of such a file; the largest public ones have about 35 million.
const LARGEST_TOKENIZER: u64 = 200_000_000;

/// The number type of saved weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    F32,
    /// Half the size; values are rounded to 11 significant bits.
    F16,
}

impl Precision {
    /// PyTorch's name.
    fn name(self) -> &'static str {
        match self {
            Precision::F32 => "float32",
            Precision::F16 => "float16",
        }
    }
}

/// What goes into a folder.
pub(crate) struct Saved<'a> {
    pub config: &'a ModelConfig,
    pub parts: &'a Parts,
    /// The owner of the head that the class has.
    pub main: Option<Owner>,
    pub description: Description,
    pub precision: Precision,
    /// Parameters with their values, as the model holds them.
    pub parameters: Vec<(&'a Entry, Vec<f32>)>,
    /// Where the tokenizer is copied from.
    pub source: &'a Path,
}

/// Writes a folder that transformers' `from_pretrained` reads. Each file appears complete or not at all.
pub(crate) fn write(saved: Saved<'_>, folder: &Path) -> Result<(), ModelError> {
    fs::create_dir_all(folder).map_err(|source| ModelError::io(folder, source))?;
    // A folder that has gone since would give a model without its tokenizer.
    fs::metadata(saved.source).map_err(|source| ModelError::io(saved.source, source))?;
    for name in TOKENIZER_FILES {
        let from = saved.source.join(name);
        if from.exists() {
            let bytes = files::read(&from, LARGEST_TOKENIZER).map_err(|source| ModelError::io(&from, source))?;
            put(folder, name, |path| fs::write(path, &bytes).map_err(|source| ModelError::io(path, source)))?;
        }
    }
    let precision = saved.precision;
    let config = config_json(&saved);
    put(folder, CONFIG, |path| fs::write(path, &config).map_err(|source| ModelError::io(path, source)))?;

    let prefix = if saved.parts.has_output() { saved.config.family.prefix() } else { "" };
    let views = saved.parameters.into_iter().map(|(entry, values)| {
        let prefix = if entry.in_base(saved.main) { prefix } else { "" };
        let name = format!("{prefix}{}", entry.file_name(saved.main));
        let largest = f32::from(f16::MAX);
        match values.iter().find(|value| precision == Precision::F16 && value.abs() > largest) {
            Some(value) => Err(ModelError::Weights {
                path: folder.join(WEIGHTS),
                message: format!("`{name}` holds {value}, which no f16 can: save the model in f32"),
            }),
            None => {
                let values = tensors::file_order(entry, values);
                Ok((name, HostView { shape: entry.file_shape.clone(), values, precision }))
            }
        }
    });
    let views = views.collect::<Result<Vec<_>, _>>()?;
    // transformers refuses files without this key.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    put(folder, WEIGHTS, |path| {
        safetensors::serialize_to_file(views, Some(metadata), path).map_err(|error| ModelError::unwritten(path, error))
    })
}

/// Writes a folder of what has been added to a model: a configuration and tensors under a prefix.
pub(super) fn write_added(
    folder: &Path,
    config_name: &str,
    config: &Value,
    weights_name: &str,
    prefix: &str,
    parameters: Vec<(&Entry, Vec<f32>)>,
) -> Result<(), ModelError> {
    fs::create_dir_all(folder).map_err(|source| ModelError::io(folder, source))?;
    let text = format!("{config:#}\n");
    put(folder, config_name, |path| fs::write(path, &text).map_err(|source| ModelError::io(path, source)))?;
    let views = parameters.into_iter().map(|(entry, values)| {
        let (shape, values) = (entry.file_shape.clone(), tensors::file_order(entry, values));
        (format!("{prefix}{}", entry.name), HostView { shape, values, precision: Precision::F32 })
    });
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    put(folder, weights_name, |path| {
        safetensors::serialize_to_file(views, Some(metadata), path).map_err(|error| ModelError::unwritten(path, error))
    })
}

/// Writes a file that appears complete or not at all.
fn put(folder: &Path, name: &str, write: impl FnOnce(&Path) -> Result<(), ModelError>) -> Result<(), ModelError> {
    let path = folder.join(name);
    files::write_with(&path, |source| ModelError::io(&path, source), write)
}

/// The file that was read, with class, labels, number type and description set to what is saved.
fn config_json(saved: &Saved) -> String {
    let Saved { config, parts, main, .. } = saved;
    let mut raw = config.raw.clone();
    let head = parts.heads.iter().find(|owned| Some(owned.owner) == *main).map(|owned| &owned.head);
    raw.insert("architectures".to_owned(), json!([class(config.family, parts.language_model, head)]));
    raw.insert("dtype".to_owned(), json!(saved.precision.name()));
    raw.remove("torch_dtype");
    name_labels(&head.map(Head::labels).unwrap_or_default(), &mut raw);
    objective::describe(head, &mut raw);
    saved.description.write(&mut raw);
    format!("{:#}\n", Value::Object(raw))
}

/// The name of Hugging Face's class for an encoder with these output layers.
fn class(family: Family, language_model: bool, head: Option<&Head>) -> String {
    let suffix = match head {
        Some(head) => objective::class(head),
        None if language_model => "ForMaskedLM",
        None => "Model",
    };
    format!("{}{suffix}", family.class())
}

/// Host values as a tensor of a safetensors file.
pub(crate) struct HostView {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
    pub precision: Precision,
}

impl HostView {
    /// A list in full precision.
    pub fn flat(values: Vec<f32>) -> Self {
        Self { shape: vec![values.len()], values, precision: Precision::F32 }
    }
}

impl View for HostView {
    fn dtype(&self) -> Dtype {
        match self.precision {
            Precision::F32 => Dtype::F32,
            Precision::F16 => Dtype::F16,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let values = self.values.iter();
        let bytes: Vec<u8> = match self.precision {
            Precision::F32 => values.flat_map(|value| value.to_le_bytes()).collect(),
            Precision::F16 => values.flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect(),
        };
        bytes.into()
    }

    fn data_len(&self) -> usize {
        match self.precision {
            Precision::F32 => self.values.len() * size_of::<f32>(),
            Precision::F16 => self.values.len() * size_of::<f16>(),
        }
    }
}
