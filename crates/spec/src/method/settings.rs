use std::borrow::Cow;
use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error, IntoDeserializer, SeqAccess};
use serde::{Deserialize, Serialize};

use crate::several_forms::SeveralForms;
use crate::{Decay, Method, Protocol, Stage};

/// Settings of stages that a method brings along, instead of those that its protocol has for all methods: what suits all
/// weights of an encoder leaves an adapter untrained.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct StageSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<PerStage<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<PerStage<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<PerStage<usize>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<PerStage<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<PerStage<f64>>,
    /// Of all stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decay: Option<Decay>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<PerStage<f64>>,
}

/// One value for all stages, or a list with one for each.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PerStage<T> {
    All(T),
    Each(Vec<T>),
}

impl<T: DeserializeOwned> SeveralForms for PerStage<T> {
    const FORMS: &'static str = "a number for all stages, or a list of numbers, one for each";

    fn of_number<E: Error>(number: f64) -> Result<Self, E> {
        T::deserialize(number.into_deserializer()).map(Self::All)
    }

    fn of_count<E: Error>(count: u64) -> Result<Self, E> {
        T::deserialize(count.into_deserializer()).map(Self::All)
    }

    fn of_list<'de, A: SeqAccess<'de>>(list: SeqAccessDeserializer<A>) -> Result<Self, A::Error> {
        Vec::deserialize(list).map(Self::Each)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for PerStage<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer)
    }
}

impl<T: Copy> PerStage<T> {
    /// Of the stage with this number, from 0; `None` beyond the list.
    fn of(&self, stage: usize) -> Option<T> {
        match self {
            Self::All(value) => Some(*value),
            Self::Each(values) => values.get(stage).copied(),
        }
    }

    fn check(&self, name: &str, stages: usize) -> Result<(), String> {
        match self {
            Self::Each(values) if values.len() != stages => Err(format!(
                "`{name}` lists {} values for {stages} stages: give one for each, or one for all",
                values.len()
            )),
            _ => Ok(()),
        }
    }
}

impl StageSettings {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These, and where they say nothing what `others` say.
    #[must_use]
    pub(crate) fn or(self, others: Self) -> Self {
        Self {
            learning_rate: self.learning_rate.or(others.learning_rate),
            steps: self.steps.or(others.steps),
            batch: self.batch.or(others.batch),
            weight_decay: self.weight_decay.or(others.weight_decay),
            warmup: self.warmup.or(others.warmup),
            decay: self.decay.or(others.decay),
            clip: self.clip.or(others.clip),
        }
    }

    /// Refuses lists of another length than the protocol.
    pub(crate) fn check(&self, protocol: &Protocol) -> Result<(), String> {
        fn one<T: Copy>(value: &Option<PerStage<T>>, name: &str, stages: usize) -> Result<(), String> {
            value.as_ref().map_or(Ok(()), |value| value.check(name, stages))
        }
        let stages = protocol.stages.len();
        one(&self.learning_rate, "learning-rate", stages)?;
        one(&self.steps, "steps", stages)?;
        one(&self.batch, "batch", stages)?;
        one(&self.weight_decay, "weight-decay", stages)?;
        one(&self.warmup, "warmup", stages)?;
        one(&self.clip, "clip", stages)
    }

    /// A stage with what these say of it; memories and probes stay as they are.
    fn of(&self, index: usize, stage: &Stage) -> Stage {
        fn one<T: Copy>(value: &Option<PerStage<T>>, index: usize, otherwise: T) -> T {
            value.as_ref().and_then(|value| value.of(index)).unwrap_or(otherwise)
        }
        Stage {
            learning_rate: one(&self.learning_rate, index, stage.learning_rate),
            steps: one(&self.steps, index, stage.steps),
            batch: one(&self.batch, index, stage.batch),
            weight_decay: one(&self.weight_decay, index, stage.weight_decay),
            warmup: one(&self.warmup, index, stage.warmup),
            decay: self.decay.unwrap_or(stage.decay),
            clip: one(&self.clip, index, stage.clip),
            ..stage.clone()
        }
    }
}

/// `learning-rate 0.003, steps 40/20`; nothing for none.
impl fmt::Display for StageSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn one<T: fmt::Display>(value: &Option<PerStage<T>>, name: &str) -> Option<String> {
            Some(match value.as_ref()? {
                PerStage::All(value) => format!("{name} {value}"),
                PerStage::Each(values) => {
                    let values: Vec<String> = values.iter().map(T::to_string).collect();
                    format!("{name} {}", values.join("/"))
                }
            })
        }
        let said = [
            one(&self.learning_rate, "learning-rate"),
            one(&self.steps, "steps"),
            one(&self.batch, "batch"),
            one(&self.weight_decay, "weight-decay"),
            one(&self.warmup, "warmup"),
            self.decay.map(|decay| format!("decay {decay}")),
            one(&self.clip, "clip"),
        ];
        f.write_str(&said.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

impl Method {
    /// The protocol as this method goes through it: with its own settings of the stages.
    pub fn goes_through<'a>(&self, protocol: &'a Protocol) -> Cow<'a, Protocol> {
        if self.settings.is_empty() {
            return Cow::Borrowed(protocol);
        }
        let stages = protocol.stages.iter().enumerate().map(|(index, stage)| self.settings.of(index, stage)).collect();
        Cow::Owned(Protocol { stages, ..protocol.clone() })
    }
}
