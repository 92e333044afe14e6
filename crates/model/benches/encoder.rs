//! The encoders that the benchmarks of this crate measure; `scripts/bench/training_step.py` has the same.

use model::Learner;
use spec::{Backend, Batch, Head, Labels, Targets};

pub const ROWS: usize = 16;
pub const SEQ: usize = 128;
const LABELS: usize = 7;

pub struct Size {
    pub name: &'static str,
    pub layers: usize,
    pub hidden: usize,
    heads: usize,
    vocabulary: usize,
}

pub const SIZES: [Size; 3] = [
    Size { name: "4x256", layers: 4, hidden: 256, heads: 4, vocabulary: 8_000 },
    Size { name: "12x384", layers: 12, hidden: 384, heads: 12, vocabulary: 30_000 },
    Size { name: "12x768", layers: 12, hidden: 768, heads: 12, vocabulary: 30_000 },
];

impl Size {
    /// An encoder of this size with random weights and a tagging head, without dropout.
    pub fn learner(&self, backend: Backend) -> Learner {
        let folder = tempfile::tempdir().unwrap();
        let config = serde_json::json!({
            "model_type": "bert", "architectures": ["BertForMaskedLM"], "vocab_size": self.vocabulary,
            "hidden_size": self.hidden, "num_hidden_layers": self.layers, "num_attention_heads": self.heads,
            "intermediate_size": self.hidden * 4, "hidden_act": "gelu", "max_position_embeddings": 512,
            "type_vocab_size": 2, "pad_token_id": 0,
        });
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let mut learner = Learner::fresh(folder.path(), backend, 1).unwrap();
        learner.set_dropout(Some(0.0));
        learner.set_head(None, Head::TokenLabels { labels: Labels::numbered(LABELS) }, 1).unwrap();
        learner
    }

    /// A batch without padding.
    pub fn batch(&self) -> Batch {
        Batch {
            ids: (0..ROWS * SEQ).map(|k| 5 + (k * 7_919 % (self.vocabulary - 5)) as i32).collect(),
            type_ids: vec![0; ROWS * SEQ],
            lengths: vec![SEQ; ROWS],
            seq: SEQ,
            targets: Targets::TokenLabels((0..ROWS * SEQ).map(|k| (k % LABELS) as i32).collect()),
            ..Batch::default()
        }
    }
}
