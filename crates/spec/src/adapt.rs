use serde::{Deserialize, Serialize};

use crate::Split;
use crate::method::KnobError;
use crate::method::knob::{at_least_one, not_negative};

/// Few-shot adaptation of a probe: several times from the same model, plain steps on one small support set of the
/// language, then its score. The protocol of Langedijk et al. 2022 (annaproxy/udify-metalearning).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Adapt {
    /// Where support examples come from. Where it is what the probe scores, a set's own examples are not scored after it.
    /// Default `train`.
    pub split: Split,
    /// Examples of a set. Default 20.
    pub support: usize,
    /// Sets of a language. Default 20.
    pub sets: usize,
    /// Steps on a set, each on all of it. Default 20.
    pub steps: usize,
    /// Of the encoder. Default 1e-5.
    pub learning_rate: f64,
    /// Of the head; default ten times the encoder's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_learning_rate: Option<f64>,
}

impl Default for Adapt {
    fn default() -> Self {
        Self { split: Split::Train, support: 20, sets: 20, steps: 20, learning_rate: 1e-5, head_learning_rate: None }
    }
}

impl Adapt {
    /// Refuses knobs outside their ranges.
    ///
    /// # Errors
    /// [`KnobError`] naming the knob.
    pub fn check(&self) -> Result<(), KnobError> {
        at_least_one("support", self.support)?;
        at_least_one("sets", self.sets)?;
        at_least_one("steps", self.steps)?;
        not_negative("learning-rate", self.learning_rate)?;
        not_negative("head-learning-rate", self.head_learning_rate.unwrap_or_default())
    }
}
