use model::Learner;
use spec::{Backend, Head, Labels};

use crate::SEED;
use crate::tokens::LABELS;

pub struct Size {
    pub name: &'static str,
    layers: usize,
    hidden: usize,
    heads: usize,
    pub vocabulary: usize,
}

pub const SIZES: [Size; 2] = [
    Size { name: "4x128", layers: 4, hidden: 128, heads: 4, vocabulary: 8_000 },
    Size { name: "12x384", layers: 12, hidden: 384, heads: 12, vocabulary: 64_000 },
];

impl Size {
    /// An encoder of this size with random weights, a tagging head, and the usual dropout of 0.1.
    pub fn learner(&self) -> Learner {
        let folder = tempfile::tempdir().unwrap();
        let config = serde_json::json!({
            "model_type": "bert", "architectures": ["BertForMaskedLM"], "vocab_size": self.vocabulary,
            "hidden_size": self.hidden, "num_hidden_layers": self.layers, "num_attention_heads": self.heads,
            "intermediate_size": self.hidden * 4, "hidden_act": "gelu", "max_position_embeddings": 512,
            "type_vocab_size": 2, "pad_token_id": 0, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
        });
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let mut learner = Learner::fresh(folder.path(), Backend::Cpu, SEED).unwrap();
        learner.set_head(None, Head::TokenLabels { labels: Labels::numbered(LABELS) }, SEED).unwrap();
        learner
    }
}
