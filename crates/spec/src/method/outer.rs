use serde::{Deserialize, Serialize};

use super::knob::{KnobError, at_least_one, positive};

/// What surrounds the steps. In the meta-learning loops every source language is a task of its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OuterLoop {
    #[default]
    Plain,
    Fomaml(Fomaml),
    Reptile(Reptile),
}

/// First-order MAML (Finn et al. 2017): a language's gradient is taken on a fresh batch after `inner-steps` plain steps on
/// one other batch, and used on the parameters before those steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Fomaml {
    /// Default 5.
    pub inner_steps: usize,
    /// Of the encoder. Default 1e-3. At the 1e-5 of annaproxy/udify-metalearning, for a parser on mBERT, five steps change
    /// nothing: on the built-in encoder the scores are those of no inner steps.
    pub inner_learning_rate: f64,
    /// Of the head; default ten times the encoder's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_inner_learning_rate: Option<f64>,
}

impl Default for Fomaml {
    fn default() -> Self {
        Self { inner_steps: 5, inner_learning_rate: 1e-3, head_inner_learning_rate: None }
    }
}

/// Reptile (Nichol et al. 2018): the parameters move towards the mean of where `inner-steps` plain steps, each on a batch
/// of its own, lead in each language. There is no other optimiser: `meta-step` takes the place of the stage's learning
/// rate, with the same warm-up and decay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Reptile {
    /// Default 5.
    pub inner_steps: usize,
    /// Default 0.05. Inner steps are plain: a rate has to be far above Adam's, which the paper's 1e-3 is. On the built-in
    /// encoder 1e-3 learns nothing in 150 steps of five, 0.02 most of a task, 0.05 all of it.
    pub inner_learning_rate: f64,
    /// Share of the way, at its highest. Default 1.
    pub meta_step: f64,
}

impl Default for Reptile {
    fn default() -> Self {
        Self { inner_steps: 5, inner_learning_rate: 0.05, meta_step: 1.0 }
    }
}

impl OuterLoop {
    /// As suites write it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Fomaml(_) => "fomaml",
            Self::Reptile(_) => "reptile",
        }
    }

    /// Batches of each language that a step uses, and how often each is gone through.
    pub fn batches(&self) -> (u64, u64) {
        match self {
            Self::Plain => (1, 1),
            Self::Fomaml(fomaml) => (2, fomaml.inner_steps as u64 + 1),
            Self::Reptile(reptile) => (reptile.inner_steps as u64, reptile.inner_steps as u64),
        }
    }

    /// Refuses knobs outside their ranges.
    ///
    /// # Errors
    /// [`KnobError`] naming the knob.
    pub fn check(&self) -> Result<(), KnobError> {
        match self {
            Self::Plain => Ok(()),
            Self::Fomaml(fomaml) => {
                at_least_one("inner-steps", fomaml.inner_steps)?;
                super::knob::not_negative("inner-learning-rate", fomaml.inner_learning_rate)?;
                super::knob::not_negative("head-inner-learning-rate", fomaml.head_inner_learning_rate.unwrap_or(0.0))
            }
            Self::Reptile(reptile) => {
                at_least_one("inner-steps", reptile.inner_steps)?;
                positive("inner-learning-rate", reptile.inner_learning_rate)?;
                positive("meta-step", reptile.meta_step)
            }
        }
    }
}
