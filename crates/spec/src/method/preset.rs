use super::{GradientRule, Method, OuterLoop, Schedule, Structure};
use crate::{Name, SpecError};

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
