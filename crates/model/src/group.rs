use std::fmt;
use std::str::FromStr;

use crate::ModelError;

/// A part of the model that is trained or frozen as a whole, ordered from the input to the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Word, position and segment embeddings with their LayerNorm.
    Embeddings,
    /// The invertible adapters behind the embeddings.
    Invertible,
    /// One encoder layer, counted from 0 at the bottom, without what has been added to it.
    Layer(usize),
    /// The adapters and low-rank factors of one encoder layer.
    Adapter(usize),
    /// The output layer of masked language modelling, without the word embeddings that it shares.
    LanguageModel,
    /// Everything else above the encoder, BERT's pooler included.
    Head,
}

/// Where a parameter belongs, and whether there was one before the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    pub group: Group,
    /// Made since the last stage ended (see [`crate::Learner::end_stage`]): a head of a task that is learnt for the first
    /// time, with BERT's pooler, and adapters and low-rank factors in their first stage. What comes with a model folder is
    /// not new.
    pub is_new: bool,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Group::Embeddings => f.pad("embeddings"),
            Group::Invertible => f.pad("invertible"),
            Group::Layer(index) => f.pad(&format!("layer.{index}")),
            Group::Adapter(index) => f.pad(&format!("adapter.{index}")),
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
            "invertible" => Ok(Group::Invertible),
            _ => {
                let index = |prefix: &str| text.strip_prefix(prefix).and_then(|index| index.parse().ok());
                let layer = index("layer.").map(Group::Layer);
                layer.or_else(|| index("adapter.").map(Group::Adapter)).ok_or_else(|| {
                    ModelError::state(format!(
                        "`{text}` is no group; known: embeddings, invertible, layer.N, adapter.N, language-model, head"
                    ))
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_order() {
        let layers = [0, 3, 11].map(Group::Layer);
        let adapters = [0, 3, 11].map(Group::Adapter);
        let ends = ([Group::Embeddings, Group::Invertible], [Group::LanguageModel, Group::Head]);
        let groups = [&ends.0, &layers[..], &adapters, &ends.1].concat();
        assert!(groups.is_sorted());
        for group in groups {
            assert_eq!(group.to_string().parse::<Group>().unwrap(), group);
        }
        assert!("layer.x".parse::<Group>().unwrap_err().to_string().contains("known"));
    }
}
