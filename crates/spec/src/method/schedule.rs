use std::num::NonZeroU64;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, SeqAccess};
use serde::{Deserialize, Serialize};

use super::knob::{KnobError, at_least_one, positive, within};
use crate::several_forms::SeveralForms;

/// Which of the trainable groups are open at a step.
///
/// A *unit* is a group that the structure trains, the head apart: the embeddings, a layer, or a layer's adapter. The head
/// is open all the time, except in chain-thaw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// All of them, always.
    #[default]
    #[serde(deserialize_with = "super::knob::none")]
    All,
    /// Gradual unfreezing: from the top unit down, one more every interval (Liu et al. 2024, Algorithm 1).
    Gu(Unfreezing),
    /// Linear probing, then fine-tuning: the head alone for one interval, then everything (Kumar et al. 2022, in the form
    /// of Liu et al. 2024).
    Lpft(Unfreezing),
    /// The top unit first, then every interval the closed unit of the largest Fisher trace (Liu et al. 2024), whose units are
    /// adapters of one size. Where they are not, as layers and embeddings, of the largest trace per parameter.
    Fun(Fun),
    /// The top unit first, then every interval a random closed unit.
    Random(Unfreezing),
    /// The top unit first, then from the bottom up.
    Reverse(Unfreezing),
    /// The top unit first, then the layers in a fixed order, then what has no layer number (the embeddings).
    Order(FixedOrder),
    /// The head alone, then each unit alone from the bottom up, then everything: an interval each, a fresh optimiser each,
    /// constant learning rates (Felbo et al. 2017, DeepMoji).
    ChainThaw(ChainThaw),
    /// Gradual unfreezing that starts at the head, learning rates that fall from unit to unit, and a slanted triangular
    /// learning rate (Howard and Ruder 2018).
    Ulmfit(Ulmfit),
}

/// Knobs of every schedule that opens units at equal intervals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Unfreezing {
    /// Default `paper`.
    pub variant: UnfreezingVariant,
    /// Steps between events, the paper's k. Default: the longest with which everything is open from half of the steps on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<NonZeroU64>,
}

/// Where Liu et al. 2024 (FUN) and the code released with it differ, which of them is followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnfreezingVariant {
    /// Algorithm 1: events at steps 0, k, 2k, … counted from 0; Fisher traces of sampled labels.
    #[default]
    Paper,
    /// UKPLab/naacl2024-fun: events at steps k, 2k, … counted from 1, those of gradual unfreezing one interval later;
    /// Fisher traces of the likeliest labels.
    Code,
}

/// Knobs of Fisher-based unfreezing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Fun {
    /// Default `paper`.
    pub variant: UnfreezingVariant,
    /// As in [`Unfreezing`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<NonZeroU64>,
    /// Training batches of one estimate of the Fisher traces. Default 41, as released.
    pub batches: usize,
    /// By what units of different sizes are ranked. Default `per-parameter`.
    pub scores: TraceScores,
}

impl Default for Fun {
    fn default() -> Self {
        Self { variant: UnfreezingVariant::Paper, interval: None, batches: 41, scores: TraceScores::default() }
    }
}

/// What ranks units of different sizes. Those of one size, such as the paper's adapters, rank alike either way, and have the
/// sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TraceScores {
    /// The trace over the unit's parameters that train.
    #[default]
    PerParameter,
    /// The trace itself, which grows with the unit.
    Sum,
}

/// Knobs of unfreezing in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FixedOrder {
    pub order: UnfreezingOrder,
    /// Default `paper`.
    #[serde(default)]
    pub variant: UnfreezingVariant,
    /// As in [`Unfreezing`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<NonZeroU64>,
}

/// The order in which layers open after the top one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum UnfreezingOrder {
    /// One of the ten orders that Liu et al. 2024 compare, 0 to 9, for 12 layers.
    Paper(usize),
    /// Layer numbers from 0 at the bottom: every trained layer but the top one, once.
    Layers(Vec<usize>),
}

impl SeveralForms for UnfreezingOrder {
    const FORMS: &'static str = "one of the paper's orders 0 to 9, or a list of layers such as [1, 0]";

    fn of_count<E: Error>(order: u64) -> Result<Self, E> {
        usize::try_from(order).map(Self::Paper).map_err(E::custom)
    }

    fn of_list<'de, A: SeqAccess<'de>>(list: SeqAccessDeserializer<A>) -> Result<Self, A::Error> {
        Vec::deserialize(list).map(Self::Layers)
    }
}

impl<'de> Deserialize<'de> for UnfreezingOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer)
    }
}

/// Knobs of chain-thaw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct ChainThaw {
    /// Steps of every phase but the last. Default as in [`Unfreezing`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<NonZeroU64>,
    /// Learning rate of the head's phase, in learning rates of the stage. Default 10.
    pub head_rate: f64,
}

impl Default for ChainThaw {
    fn default() -> Self {
        Self { interval: None, head_rate: 10.0 }
    }
}

/// Knobs of ULMFiT's schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Ulmfit {
    /// Steps between events; an epoch in the paper. Default as in [`Unfreezing`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<NonZeroU64>,
    /// A unit's learning rate is that of the one above it divided by this. Default 2.6.
    pub decay: f64,
    /// Share of the steps during which the learning rate rises. Default 0.1.
    pub cut: f64,
    /// The highest learning rate over the lowest. Default 32.
    pub ratio: f64,
}

impl Default for Ulmfit {
    fn default() -> Self {
        Self { interval: None, decay: 2.6, cut: 0.1, ratio: 32.0 }
    }
}

impl Schedule {
    /// As suites write it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Gu(_) => "gu",
            Self::Lpft(_) => "lpft",
            Self::Fun(_) => "fun",
            Self::Random(_) => "random",
            Self::Reverse(_) => "reverse",
            Self::Order(_) => "order",
            Self::ChainThaw(_) => "chain-thaw",
            Self::Ulmfit(_) => "ulmfit",
        }
    }

    /// Refuses knobs outside their ranges.
    ///
    /// # Errors
    /// [`KnobError`] naming the knob.
    pub fn check(&self) -> Result<(), KnobError> {
        match self {
            Self::All | Self::Gu(_) | Self::Lpft(_) | Self::Random(_) | Self::Reverse(_) => Ok(()),
            Self::Fun(fun) => at_least_one("batches", fun.batches),
            Self::Order(FixedOrder { order: UnfreezingOrder::Paper(number), .. }) => {
                within("order", *number as f64, *number < 10, "0 to 9, or a list of layers")
            }
            Self::Order(_) => Ok(()),
            Self::ChainThaw(ChainThaw { head_rate, .. }) => positive("head-rate", *head_rate),
            Self::Ulmfit(Ulmfit { decay, cut, ratio, .. }) => {
                let from_one = |value: f64| value >= 1.0 && value.is_finite();
                within("decay", *decay, from_one(*decay), "finite and not below 1")?;
                within("cut", *cut, *cut > 0.0 && *cut < 1.0, "between 0 and 1")?;
                within("ratio", *ratio, from_one(*ratio), "finite and not below 1")
            }
        }
    }
}
