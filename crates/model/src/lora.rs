use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::layout::Entry;
use crate::random::Uniform;
use crate::{ModelConfig, ModelError};

/// Low-rank adaptation of dense layers (Hu et al. 2022, equation 3), without dropout:
/// `y = x W + b + (α / r) · (x A) B`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraConfig {
    /// r
    pub rank: usize,
    /// α
    pub alpha: f64,
    /// The dense layers of every encoder layer that are adapted.
    pub projections: BTreeSet<Projection>,
}

/// A dense layer of an encoder layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Projection {
    Query,
    Key,
    Value,
    AttentionOutput,
    /// The first of the feed-forward network.
    Up,
    /// The second of the feed-forward network.
    Down,
}

impl Projection {
    pub const ALL: [Self; 6] = [Self::Query, Self::Key, Self::Value, Self::AttentionOutput, Self::Up, Self::Down];

    /// Hugging Face's name within a layer.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Projection::Query => "attention.self.query",
            Projection::Key => "attention.self.key",
            Projection::Value => "attention.self.value",
            Projection::AttentionOutput => "attention.output.dense",
            Projection::Up => "intermediate.dense",
            Projection::Down => "output.dense",
        }
    }
}

/// Rank 8, α 8, on queries and values.
impl Default for LoraConfig {
    fn default() -> Self {
        Self { rank: 8, alpha: 8.0, projections: [Projection::Query, Projection::Value].into() }
    }
}

impl LoraConfig {
    /// α / r
    pub(crate) fn scale(&self) -> f64 {
        self.alpha / self.rank as f64
    }

    pub(crate) fn check(&self, model: &ModelConfig) -> Result<(), ModelError> {
        let problem = if self.rank == 0 || self.rank > model.hidden_size {
            format!("rank {} is not between 1 and the hidden size {}", self.rank, model.hidden_size)
        } else if !(self.alpha.is_finite() && self.alpha > 0.0) {
            format!("alpha {} is not a number above 0", self.alpha)
        } else if self.projections.is_empty() {
            "no dense layer is chosen".to_owned()
        } else {
            return Ok(());
        };
        Err(ModelError::state(format!("LoRA: {problem}")))
    }
}

/// A low-rank factor before training: A uniform in ±1/√in (Kaiming with slope √5), B 0.
pub(crate) fn fresh(entry: &Entry, seed: u64) -> Vec<f32> {
    match (entry.name.ends_with(".lora_A.weight"), entry.file_shape.as_slice()) {
        (true, &[_, inputs]) => {
            let (mut uniform, bound) = (Uniform::new(seed, "lora", &entry.name), 1.0 / (inputs as f64).sqrt());
            (0..entry.len()).map(|_| ((2.0 * uniform.draw() - 1.0) * bound) as f32).collect()
        }
        _ => vec![0.0; entry.len()],
    }
}
