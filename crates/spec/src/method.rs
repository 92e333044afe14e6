use serde::{Deserialize, Serialize};

use crate::{Name, SpecError};

/// How a model is updated: structure × gradient rule × schedule × outer loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Method {
    pub name: Name,
    pub structure: Structure,
    pub rule: GradientRule,
    pub schedule: Schedule,
    pub outer: OuterLoop,
}

/// Which parameters exist and which of them may ever be trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Structure {
    /// Every parameter of encoder and head.
    Full,
    /// Embeddings and the lower `layers` encoder layers keep their pre-trained values and take part without dropout.
    /// Without `layers`: two thirds of the encoder's layers, rounded down (8 of 12).
    FrozenLower {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layers: Option<usize>,
    },
}

/// How gradients of several losses become one direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GradientRule {
    /// The gradient of the mean loss over the batch, languages mixed in equal parts.
    Mean,
}

/// Which of the trainable groups are open at a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// All of them, always.
    All,
}

/// What surrounds the steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OuterLoop {
    Plain,
}

impl Structure {
    /// Encoder layers that stay frozen, counted from below, in an encoder of `layers` layers; embeddings are frozen
    /// exactly if this is not `None`.
    ///
    /// # Errors
    /// [`SpecError::Composition`] if more layers are to be frozen than there are.
    pub fn frozen_layers(&self, method: &Name, layers: usize) -> Result<Option<usize>, SpecError> {
        match self {
            Structure::Full => Ok(None),
            Structure::FrozenLower { layers: None } => Ok(Some(layers * 2 / 3)),
            Structure::FrozenLower { layers: Some(frozen) } if *frozen <= layers => Ok(Some(*frozen)),
            Structure::FrozenLower { layers: Some(frozen) } => Err(SpecError::Composition {
                method: method.to_string(),
                reason: format!("{frozen} frozen layers asked of an encoder that has {layers}"),
            }),
        }
    }
}

/// A named method: a row of a paper's method list, or a control.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    pub name: &'static str,
    pub summary: &'static str,
    /// Where the method comes from.
    pub source: &'static str,
    /// `exact`, or `style` where only an abstract is confirmed.
    pub fidelity: &'static str,
    /// What a suite may change, with the default.
    pub knobs: &'static str,
    build: fn() -> (Structure, GradientRule, Schedule, OuterLoop),
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "ft",
        summary: "plain fine-tuning: every parameter follows the mean gradient",
        source: "Devlin et al. 2019 (BERT), section 4",
        fidelity: "exact",
        knobs: "none",
        build: || (Structure::Full, GradientRule::Mean, Schedule::All, OuterLoop::Plain),
    },
    Preset {
        name: "frozen",
        summary: "embeddings and lower layers frozen, the rest fine-tuned",
        source: "control; for multilingual transfer Wu and Dredze 2019 (Beto, Bentz, Becas), section 5",
        fidelity: "exact",
        knobs: "structure.layers (two thirds of the encoder's layers)",
        build: || (Structure::FrozenLower { layers: None }, GradientRule::Mean, Schedule::All, OuterLoop::Plain),
    },
];

/// Every preset, in the order in which tables show them.
pub fn presets() -> &'static [Preset] {
    PRESETS
}

/// The preset of that name.
///
/// # Errors
/// [`SpecError::UnknownWord`] with the nearest name.
pub fn preset(name: &str) -> Result<&'static Preset, SpecError> {
    PRESETS
        .iter()
        .find(|preset| preset.name == name)
        .ok_or_else(|| SpecError::unknown("method", name, PRESETS.iter().map(|preset| preset.name)))
}

impl Preset {
    /// The composition this preset stands for, under the given name.
    pub fn method(&self, name: Name) -> Method {
        let (structure, rule, schedule, outer) = (self.build)();
        Method { name, structure, rule, schedule, outer }
    }
}
