use std::fmt;
use std::str::FromStr;

use crate::ModelError;

/// A part of the model that is trained or frozen as a whole, ordered from the input to the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Word, position and segment embeddings with their LayerNorm.
    Embeddings,
    /// One encoder layer, counted from 0 at the bottom.
    Layer(usize),
    /// The output layer of masked language modelling, without the word embeddings that it shares.
    LanguageModel,
    /// Everything else above the encoder, BERT's pooler included.
    Head,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Group::Embeddings => f.pad("embeddings"),
            Group::Layer(index) => f.pad(&format!("layer.{index}")),
            Group::LanguageModel => f.pad("language-model"),
            Group::Head => f.pad("head"),
        }
    }
}

impl FromStr for Group {
    type Err = ModelError;
    fn from_str(text: &str) -> Result<Self, ModelError> {
        match text {
            "embeddings" => Ok(Group::Embeddings),
            "language-model" => Ok(Group::LanguageModel),
            "head" => Ok(Group::Head),
            _ => text.strip_prefix("layer.").and_then(|index| index.parse().ok()).map(Group::Layer).ok_or_else(|| {
                ModelError::state(format!("`{text}` is no group; known: embeddings, layer.N, language-model, head"))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_order() {
        let layers = [0, 3, 11].map(Group::Layer);
        let groups = [&[Group::Embeddings], &layers[..], &[Group::LanguageModel, Group::Head]].concat();
        assert!(groups.is_sorted());
        for group in groups {
            assert_eq!(group.to_string().parse::<Group>().unwrap(), group);
        }
        assert!("layer.x".parse::<Group>().unwrap_err().to_string().contains("known"));
    }
}
