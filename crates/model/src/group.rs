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
    /// Everything above the encoder, BERT's pooler included.
    Head,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Group::Embeddings => f.pad("embeddings"),
            Group::Layer(index) => f.pad(&format!("layer.{index}")),
            Group::Head => f.pad("head"),
        }
    }
}

impl FromStr for Group {
    type Err = ModelError;
    fn from_str(text: &str) -> Result<Self, ModelError> {
        match text {
            "embeddings" => Ok(Group::Embeddings),
            "head" => Ok(Group::Head),
            _ => text
                .strip_prefix("layer.")
                .and_then(|index| index.parse().ok())
                .map(Group::Layer)
                .ok_or_else(|| ModelError::state(format!("`{text}` is no group; known: embeddings, layer.N, head"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_order() {
        let groups = [Group::Embeddings, Group::Layer(0), Group::Layer(3), Group::Layer(11), Group::Head];
        assert!(groups.is_sorted());
        for group in groups {
            assert_eq!(group.to_string().parse::<Group>().unwrap(), group);
        }
        assert!("layer.x".parse::<Group>().unwrap_err().to_string().contains("known"));
    }
}
