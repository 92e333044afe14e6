//! `[method.NAME]` tables: a method of one's own, or what a preset is to do differently in this suite.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};

use super::tuning::{Grid, Tuning, TuningText};
use crate::method::preset;
use crate::{
    Anchor, Decay, GradientRule, Laft, Method, Name, OuterLoop, PerStage, Schedule, SpecError, StageSettings,
    Structure, Subnetworks,
};

#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct MethodText {
    preset: Option<String>,
    #[serde(default, deserialize_with = "word_or_table")]
    structure: Option<Structure>,
    #[serde(default, deserialize_with = "word_or_table")]
    rule: Option<GradientRule>,
    #[serde(default, deserialize_with = "word_or_table")]
    schedule: Option<Schedule>,
    #[serde(default, deserialize_with = "word_or_table")]
    outer: Option<OuterLoop>,
    #[serde(default, deserialize_with = "word_or_table")]
    anchor: Option<Anchor>,
    #[serde(default, deserialize_with = "word_or_table")]
    subnetworks: Option<Subnetworks>,
    #[serde(default, deserialize_with = "word_or_table")]
    sharing: Option<Laft>,
    learning_rate: Option<PerStage<f64>>,
    steps: Option<PerStage<u64>>,
    batch: Option<PerStage<usize>>,
    weight_decay: Option<PerStage<f64>>,
    warmup: Option<PerStage<f64>>,
    decay: Option<Decay>,
    clip: Option<PerStage<f64>>,
    /// The same for one protocol alone.
    #[serde(default)]
    protocol: BTreeMap<Name, MethodText>,
    tune: Option<Grid>,
}

/// `structure = "full"` and `structure = { kind = "full" }` mean the same.
fn word_or_table<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    struct WordOrTable<T>(std::marker::PhantomData<T>);
    impl<'de, T: DeserializeOwned> Visitor<'de> for WordOrTable<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a name, or a table with `kind` and knobs")
        }
        fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<T, E> {
            T::deserialize(MapDeserializer::new(std::iter::once(("kind", word))))
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }
    deserializer.deserialize_any(WordOrTable(std::marker::PhantomData)).map(Some)
}

/// The tables of a suite by name.
pub(super) struct MethodTexts<'a>(pub &'a BTreeMap<Name, MethodText>);

impl MethodTexts<'_> {
    /// The method that a suite lists by name: a preset, or what its table says.
    ///
    /// # Errors
    /// [`SpecError::UnknownWord`] for a name that is neither; [`SpecError::Invalid`] for a table with the name of a preset
    /// that makes another method of it.
    pub fn composed(&self, suite: &str, listed: &str) -> Result<Method, SpecError> {
        let name = Name::new(listed)?;
        let Some(text) = self.0.get(&name) else {
            let known = crate::presets().iter().map(|preset| preset.name).chain(self.0.keys().map(Name::as_str));
            return match preset(listed) {
                Ok(preset) => Ok(preset.method(name)),
                Err(_) => Err(SpecError::unknown("method", listed, known)),
            };
        };
        let Ok(own) = preset(listed) else {
            return Ok(text.over(preset(text.preset.as_deref().unwrap_or("ft"))?.method(name)));
        };
        let named = own.method(name);
        let method = text.over(named.clone());
        if text.preset.is_some() || kinds(&method) != kinds(&named) {
            let message = format!(
                "[method.{listed}] has the name of a preset and makes another method of it: choose another name (settings, \
                 knobs and `tune` of the preset itself are fine)"
            );
            return Err(SpecError::Invalid { suite: suite.to_owned(), message });
        }
        Ok(method)
    }

    /// Methods as their tables have them on single protocols.
    ///
    /// # Errors
    /// [`SpecError::UnknownWord`] for a protocol that the suite does not have; [`SpecError::Invalid`] for a table within
    /// that says more than settings and knobs.
    pub fn adjusted(
        &self,
        suite: &str,
        listed: &[String],
        protocols: &[&Name],
    ) -> Result<BTreeMap<(Name, Name), Method>, SpecError> {
        let mut adjusted = BTreeMap::new();
        for name in listed {
            let Some(text) = self.0.get(&Name::new(name.as_str())?) else { continue };
            for (protocol, own) in &text.protocol {
                if !protocols.contains(&protocol) {
                    return Err(SpecError::unknown(
                        "protocol",
                        protocol.as_str(),
                        protocols.iter().map(|name| name.as_str()),
                    ));
                }
                let general = self.composed(suite, name)?;
                let method = own.over(general.clone());
                let more = own.preset.is_some() || own.tune.is_some() || !own.protocol.is_empty();
                if more || kinds(&method) != kinds(&general) {
                    let message = format!(
                        "[method.{name}.protocol.{protocol}] may have settings of stages and knobs of the method only"
                    );
                    return Err(SpecError::Invalid { suite: suite.to_owned(), message });
                }
                adjusted.insert((method.name.clone(), protocol.clone()), method);
            }
        }
        Ok(adjusted)
    }

    /// The search that `[tune]` and the methods' own `tune` describe.
    ///
    /// # Errors
    /// [`SpecError::Invalid`] for grids of different sizes, or `tune` without `[tune]`.
    pub fn tuning(
        &self,
        suite: &str,
        text: Option<TuningText>,
        listed: &[String],
    ) -> Result<Option<Tuning>, SpecError> {
        let mut grids = BTreeMap::new();
        for name in listed {
            let name = Name::new(name.as_str())?;
            if let Some(grid) = self.0.get(&name).and_then(|text| text.tune.clone()) {
                grids.insert(name, grid);
            }
        }
        Tuning::new(text, grids).map_err(|message| SpecError::Invalid { suite: suite.to_owned(), message })
    }
}

impl MethodText {
    /// A method with what the table says instead.
    fn over(&self, base: Method) -> Method {
        let settings = StageSettings {
            learning_rate: self.learning_rate.clone(),
            steps: self.steps.clone(),
            batch: self.batch.clone(),
            weight_decay: self.weight_decay.clone(),
            warmup: self.warmup.clone(),
            decay: self.decay,
            clip: self.clip.clone(),
        };
        Method {
            structure: self.structure.clone().unwrap_or(base.structure),
            rule: self.rule.clone().unwrap_or(base.rule),
            schedule: self.schedule.clone().unwrap_or(base.schedule),
            outer: self.outer.clone().unwrap_or(base.outer),
            anchor: self.anchor.clone().unwrap_or(base.anchor),
            subnetworks: self.subnetworks.clone().or(base.subnetworks),
            sharing: self.sharing.clone().or(base.sharing),
            settings: settings.or(base.settings),
            name: base.name,
        }
    }
}

/// What a method is but for its knobs.
fn kinds(method: &Method) -> Vec<Option<String>> {
    let kind = |axis: serde_json::Result<serde_json::Value>| Some(axis.ok()?.get("kind")?.as_str()?.to_owned());
    vec![
        kind(serde_json::to_value(&method.structure)),
        kind(serde_json::to_value(&method.rule)),
        kind(serde_json::to_value(&method.schedule)),
        kind(serde_json::to_value(&method.outer)),
        kind(serde_json::to_value(&method.anchor)),
        kind(serde_json::to_value(&method.subnetworks)),
        kind(serde_json::to_value(&method.sharing)),
    ]
}
