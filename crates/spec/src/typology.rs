use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, MapAccess};
use serde::{Deserialize, Serialize};

use crate::Language;
use crate::method::KnobError;
use crate::several_forms::SeveralForms;

/// A typological distance between two languages, computed from their URIEL feature vectors x and y (Littell et al. 2017).
///
/// ```text
/// cosine    1 - x.y / (|x| |y|)
/// angular   (2/pi) arccos(x.y / (|x| |y|))
/// maxabs    max_i |x_i - y_i|
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TypologicalDistance {
    /// Cosine of 103 syntactic features, missing ones predicted from neighbours.
    #[default]
    SyntaxKnnCosine,
    /// Cosine of 28 phonological features, missing ones predicted. Coarse: several languages are at distance 0.
    PhonologyKnnCosine,
    /// Cosine of 158 features of the phoneme inventory, missing ones predicted.
    InventoryKnnCosine,
    /// Cosine of memberships in language families: 1 for all unrelated languages.
    FamCosine,
    /// Cosine of great-circle distances to 299 fixed points.
    GeoCosine,
    /// Largest difference of these: great-circle distance over half the Earth's circumference.
    GeoMaxabs,
    /// Angular, of the syntactic features known to WALS, SSWL or Ethnologue, others counting as absent. The nearest to
    /// the distance that lang2vec once shipped as "syntactic".
    SyntaxUnionAngular,
}

impl TypologicalDistance {
    pub const ALL: [Self; 7] = [
        Self::SyntaxKnnCosine,
        Self::PhonologyKnnCosine,
        Self::InventoryKnnCosine,
        Self::FamCosine,
        Self::GeoCosine,
        Self::GeoMaxabs,
        Self::SyntaxUnionAngular,
    ];

    /// As suites write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SyntaxKnnCosine => "syntax-knn-cosine",
            Self::PhonologyKnnCosine => "phonology-knn-cosine",
            Self::InventoryKnnCosine => "inventory-knn-cosine",
            Self::FamCosine => "fam-cosine",
            Self::GeoCosine => "geo-cosine",
            Self::GeoMaxabs => "geo-maxabs",
            Self::SyntaxUnionAngular => "syntax-union-angular",
        }
    }
}

impl fmt::Display for TypologicalDistance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One distance, or the weighted mean of several: `"geo-maxabs"` or `{ geo-maxabs = 1, fam-cosine = 2 }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum LanguageDistance {
    One(TypologicalDistance),
    /// Weights are relative to their sum.
    Mean(BTreeMap<TypologicalDistance, f64>),
}

impl SeveralForms for LanguageDistance {
    const FORMS: &'static str =
        "the name of a distance, such as \"syntax-knn-cosine\", or a table of names and weights";

    fn of_word<E: Error>(word: StrDeserializer<E>) -> Result<Self, E> {
        TypologicalDistance::deserialize(word).map(Self::One)
    }

    fn of_table<'de, A: MapAccess<'de>>(table: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        BTreeMap::deserialize(table).map(Self::Mean)
    }
}

impl<'de> Deserialize<'de> for LanguageDistance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer)
    }
}

impl Default for LanguageDistance {
    fn default() -> Self {
        Self::One(TypologicalDistance::default())
    }
}

impl LanguageDistance {
    /// The distances that take part, with their weights.
    pub fn parts(&self) -> Vec<(TypologicalDistance, f64)> {
        match self {
            Self::One(distance) => vec![(*distance, 1.0)],
            Self::Mean(weights) => weights.iter().map(|(&distance, &weight)| (distance, weight)).collect(),
        }
    }

    /// Refuses weights that give no mean; `knob` is what the distance is called.
    pub(crate) fn check(&self, knob: &'static str) -> Result<(), KnobError> {
        let error = |value, allowed| Err(KnobError { knob, value, allowed });
        let weights = self.parts();
        if let Some((_, weight)) = weights.iter().find(|(_, weight)| !(*weight >= 0.0 && weight.is_finite())) {
            return error(*weight, "a table of finite weights, none of them negative");
        }
        match weights.iter().map(|(_, weight)| weight).sum::<f64>() {
            total if total > 0.0 => Ok(()),
            total => error(total, "a table with a weight above 0"),
        }
    }
}

/// The distances between some languages: symmetric, and 0 between a language and itself. A language without features has
/// none, not even to itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LanguageDistances(BTreeMap<Language, BTreeMap<Language, f64>>);

impl LanguageDistances {
    /// Asks for the distance of every pair; `None` if one of the two has no features. Distances are rounded to 12 decimal
    /// places, so that they are written and read back without loss.
    pub fn between_all(languages: &[Language], distance: impl Fn(Language, Language) -> Option<f64>) -> Self {
        let round = |value: f64| (value * 1e12).round() / 1e12;
        let row = |first: Language| {
            let later = languages.iter().copied().filter(|&second| first <= second);
            let found: BTreeMap<Language, f64> =
                later.filter_map(|second| Some((second, round(distance(first, second)?)))).collect();
            (!found.is_empty()).then_some((first, found))
        };
        Self(languages.iter().filter_map(|&first| row(first)).collect())
    }

    pub fn between(&self, first: Language, second: Language) -> Option<f64> {
        self.0.get(&first.min(second))?.get(&first.max(second)).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
