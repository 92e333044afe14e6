use std::path::Path;

use serde_json::{Map, Value};

use crate::ModelError;

/// The two encoder families: they differ in how positions are counted and in the classification head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `"model_type": "bert"`: positions from 0; mBERT, multilingual-e5, MiniLM.
    Bert,
    /// `"model_type": "xlm-roberta"`: positions from `pad_token_id + 1`, running over tokens that are not padding.
    XlmRoberta,
}

impl Family {
    /// Prefix of encoder tensors in a file that also holds a head.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Family::Bert => "bert.",
            Family::XlmRoberta => "roberta.",
        }
    }

    /// Its `model_type`.
    pub(crate) fn model_type(self) -> &'static str {
        match self {
            Family::Bert => "bert",
            Family::XlmRoberta => "xlm-roberta",
        }
    }

    /// First part of the names in `architectures`.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Family::Bert => "Bert",
            Family::XlmRoberta => "XLMRoberta",
        }
    }
}

/// Bytes of a `config.json`; labels of a head are in it.
pub(crate) const LARGEST: u64 = 1 << 22;

/// What a Hugging Face `config.json` says about an encoder; the fields bear its names.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    pub family: Family,
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    /// Rows of the position table; see [`ModelConfig::max_tokens`] for the longest input.
    pub max_position_embeddings: usize,
    pub type_vocab_size: usize,
    pub pad_token_id: usize,
    pub layer_norm_eps: f64,
    pub hidden_dropout_prob: f64,
    pub attention_probs_dropout_prob: f64,
    /// Dropout in front of a classifier; [`ModelConfig::hidden_dropout_prob`] where the file has none.
    pub classifier_dropout: f64,
    /// Standard deviation of fresh weights.
    pub initializer_range: f64,
    /// The whole file, to be written back with what this crate does not read.
    pub(crate) raw: Map<String, Value>,
}

impl ModelConfig {
    /// Reads and checks a `config.json`.
    ///
    /// # Errors
    /// [`ModelError::Io`] if the file cannot be read, [`ModelError::Config`] with the field that is missing, malformed
    /// or not supported (an activation other than exact GELU, relative positions, decoders).
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let text = files::read_text(path, LARGEST).map_err(|source| ModelError::io(path, source))?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ModelError> {
        let fail = |message: String| ModelError::Config { path: path.to_owned(), message };
        let raw: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| fail(format!("not a JSON object: {error}")))?;
        let fields = Fields { raw: &raw, path };

        let family = match fields.text("model_type")? {
            Some("bert") => Family::Bert,
            Some("xlm-roberta") => Family::XlmRoberta,
            Some(other) => {
                return Err(fail(format!("model_type: `{other}` is not supported; known: bert, xlm-roberta")));
            }
            None => return Err(fail("model_type: missing; expected bert or xlm-roberta".to_owned())),
        };
        fields.only("hidden_act", &["gelu"], "only exact GELU is implemented")?;
        fields.only("position_embedding_type", &["absolute"], "only absolute positions are implemented")?;
        for field in ["is_decoder", "add_cross_attention"] {
            if raw.get(field).is_some_and(|value| *value != Value::Bool(false)) {
                return Err(fail(format!("{field}: only encoders are supported, so it must be false")));
            }
        }

        let hidden_dropout_prob = fields.probability("hidden_dropout_prob")?.unwrap_or(0.1);
        let config = Self {
            family,
            vocab_size: fields.size("vocab_size", 1 << 24)?,
            hidden_size: fields.size("hidden_size", 1 << 16)?,
            num_hidden_layers: fields.size("num_hidden_layers", 1 << 10)?,
            num_attention_heads: fields.size("num_attention_heads", 1 << 16)?,
            intermediate_size: fields.size("intermediate_size", 1 << 18)?,
            max_position_embeddings: fields.size("max_position_embeddings", 1 << 20)?,
            type_vocab_size: fields.size("type_vocab_size", 1 << 10)?,
            pad_token_id: fields.count("pad_token_id")?.unwrap_or(match family {
                Family::Bert => 0,
                Family::XlmRoberta => 1,
            }),
            layer_norm_eps: fields.positive("layer_norm_eps")?.unwrap_or(1e-12),
            hidden_dropout_prob,
            attention_probs_dropout_prob: fields.probability("attention_probs_dropout_prob")?.unwrap_or(0.1),
            classifier_dropout: fields.probability("classifier_dropout")?.unwrap_or(hidden_dropout_prob),
            initializer_range: fields.positive("initializer_range")?.unwrap_or(0.02),
            raw: raw.clone(),
        };
        if !config.hidden_size.is_multiple_of(config.num_attention_heads) {
            return Err(fail(format!(
                "num_attention_heads: {} heads do not divide hidden_size {}",
                config.num_attention_heads, config.hidden_size
            )));
        }
        if config.pad_token_id >= config.vocab_size {
            return Err(fail(format!(
                "pad_token_id: {} is not below vocab_size {}",
                config.pad_token_id, config.vocab_size
            )));
        }
        if config.family == Family::XlmRoberta && config.max_position_embeddings <= config.pad_token_id + 1 {
            return Err(fail(format!(
                "max_position_embeddings: {} leaves no position behind the padding id {}",
                config.max_position_embeddings, config.pad_token_id
            )));
        }
        Ok(config)
    }

    /// Longest row that has a position for every token.
    pub fn max_tokens(&self) -> usize {
        match self.family {
            Family::Bert => self.max_position_embeddings,
            Family::XlmRoberta => self.max_position_embeddings - self.pad_token_id - 1,
        }
    }
}

/// Typed access to the file's fields, with errors that name file and field.
struct Fields<'a> {
    raw: &'a Map<String, Value>,
    path: &'a Path,
}

/// Values that are no sizes, such as the padding id. Sizes have limits of their own, ten times and more what the largest
/// public encoders have (XLM-R XXL: 48 layers of 4,096, 250,002 pieces): what depends on them is made before the weights,
/// whose shapes must agree with them, are looked at.
const LARGEST_COUNT: u64 = 1 << 28;

impl<'a> Fields<'a> {
    fn fail(&self, field: &str, message: &str) -> ModelError {
        ModelError::Config { path: self.path.to_owned(), message: format!("{field}: {message}") }
    }

    fn get(&self, field: &str) -> Option<&'a Value> {
        self.raw.get(field).filter(|value| !value.is_null())
    }

    fn text(&self, field: &str) -> Result<Option<&'a str>, ModelError> {
        self.get(field)
            .map(|value| value.as_str().ok_or_else(|| self.fail(field, &format!("expected a text, found {value}"))))
            .transpose()
    }

    fn only(&self, field: &str, known: &[&str], reason: &str) -> Result<(), ModelError> {
        match self.text(field)? {
            Some(text) if !known.contains(&text) => {
                Err(self.fail(field, &format!("`{text}` is not supported: {reason}")))
            }
            _ => Ok(()),
        }
    }

    fn count(&self, field: &str) -> Result<Option<usize>, ModelError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        match value.as_u64() {
            Some(count) if count <= LARGEST_COUNT => Ok(Some(count as usize)),
            _ => Err(self.fail(field, &format!("expected a whole number from 0 to {LARGEST_COUNT}, found {value}"))),
        }
    }

    fn size(&self, field: &str, most: usize) -> Result<usize, ModelError> {
        match self.count(field)? {
            Some(0) => Err(self.fail(field, "must be at least 1, found 0")),
            Some(size) if size > most => {
                Err(self.fail(field, &format!("{size} is more than this program reads: {most}")))
            }
            Some(size) => Ok(size),
            None => Err(self.fail(field, "missing")),
        }
    }

    fn positive(&self, field: &str) -> Result<Option<f64>, ModelError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        match value.as_f64() {
            Some(number) if number > 0.0 => Ok(Some(number)),
            _ => Err(self.fail(field, &format!("expected a number above 0, found {value}"))),
        }
    }

    fn probability(&self, field: &str) -> Result<Option<f64>, ModelError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        match value.as_f64() {
            Some(number) if (0.0..1.0).contains(&number) => Ok(Some(number)),
            _ => Err(self.fail(field, &format!("expected a probability in [0, 1), found {value}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"model_type": "xlm-roberta", "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 40, "type_vocab_size": 1,
        "hidden_dropout_prob": 0.2, "classifier_dropout": null, "pad_token_id": 1, "hidden_act": "gelu"}"#;

    fn parse(text: &str) -> Result<ModelConfig, String> {
        ModelConfig::parse(text, Path::new("m/config.json")).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_fields_and_defaults() {
        let config = parse(GOOD).unwrap();
        assert_eq!(config.family, Family::XlmRoberta);
        assert_eq!(config.max_tokens(), 38);
        assert_eq!(config.classifier_dropout, 0.2);
        assert_eq!(parse(&GOOD.replace("xlm-roberta", "bert")).unwrap().max_tokens(), 40);
    }

    #[test]
    fn every_refusal_names_file_and_field() {
        for (from, to, field) in [
            ("xlm-roberta", "gpt2", "model_type"),
            ("\"gelu\"", "\"gelu_new\"", "hidden_act"),
            ("\"hidden_size\": 32", "\"hidden_size\": 30", "num_attention_heads"),
            ("\"hidden_size\": 32", "\"hidden_size\": -1", "hidden_size"),
            ("\"hidden_size\": 32", "\"hidden_size\": 1e99", "hidden_size"),
            ("\"vocab_size\": 100,", "", "vocab_size"),
            ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 10000000", "num_hidden_layers: 10000000 is more"),
            ("\"type_vocab_size\": 1", "\"type_vocab_size\": 100000000", "type_vocab_size: 100000000 is more"),
            ("\"vocab_size\": 100", "\"vocab_size\": 0", "vocab_size"),
            ("\"pad_token_id\": 1", "\"pad_token_id\": 100", "pad_token_id"),
            ("\"pad_token_id\": 1", "\"pad_token_id\": 60", "max_position_embeddings"),
            ("0.2", "1.0", "hidden_dropout_prob"),
            ("\"type_vocab_size\": 1", "\"position_embedding_type\": \"relative_key\"", "position_embedding_type"),
            ("\"type_vocab_size\": 1", "\"is_decoder\": true", "is_decoder"),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD, "{from}");
            let error = parse(&text).unwrap_err();
            assert!(error.starts_with("m/config.json: ") && error.contains(field), "{field}: {error}");
        }
        assert!(parse("[]").unwrap_err().contains("not a JSON object"));
        assert!(parse("{\"model_type\": \"bert\"").unwrap_err().contains("line 1"));
    }
}
