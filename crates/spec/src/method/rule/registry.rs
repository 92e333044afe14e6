//! The registry of gradient rules: one line a rule.

use serde::{Deserialize, Serialize};

use super::*;
use crate::method::knob::{self, KnobError};

/// Hands the registry to the macro `$make`: a rule's knobs, and its name in suites and cell ids.
///
/// [`GradientRule`] is made of it here; in `strategies`, the way from each member to its equations. A name must never
/// change: records are filed under it.
#[macro_export]
macro_rules! gradient_rules {
    ($make:ident) => {
        $make! {
            Multitask = "multitask",
            PcGrad = "pcgrad",
            GradVac = "gradvac",
            Mgda = "mgda",
            CaGrad = "cagrad",
            NashMtl = "nash-mtl",
            ImtlG = "imtl-g",
            Sgs = "sgs",
            AGem = "a-gem",
            Gem = "gem",
            LfMlf = "lf-mlf",
        }
    };
}

macro_rules! define {
    ($($member:ident = $name:literal,)*) => {
        /// How gradients of several losses become one direction.
        ///
        /// Every source language gives one gradient a step, and so does every memory that the rule asks for. All of them
        /// are held at once, except for [`GradientRule::Mean`] and [`GradientRule::Multitask`], which add them up as they
        /// come.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", deny_unknown_fields)]
        pub enum GradientRule {
            /// The gradient of the mean loss over the batch, languages mixed in equal parts.
            #[default]
            #[serde(rename = "mean", deserialize_with = "knob::none")]
            Mean,
            $(#[serde(rename = $name)] $member($member),)*
        }

        impl GradientRule {
            /// As suites write it.
            pub fn name(&self) -> &'static str {
                match self {
                    Self::Mean => "mean",
                    $(Self::$member(_) => $name,)*
                }
            }

            /// `None` for the mean, which has no knobs.
            fn knobs(&self) -> Option<&dyn RuleKnobs> {
                match self {
                    Self::Mean => None,
                    $(Self::$member(knobs) => Some(knobs),)*
                }
            }
        }
    };
}

gradient_rules!(define);

impl GradientRule {
    /// The memories of a stage that this rule asks for gradients.
    pub fn memories(&self) -> &Memories {
        self.knobs().map_or(&Memories::None, RuleKnobs::memories)
    }

    /// What the rows of the Gram matrix are.
    pub fn rows(&self) -> Rows {
        self.knobs().map_or(Rows::Tasks, RuleKnobs::rows)
    }

    /// Refuses knobs outside their ranges.
    ///
    /// # Errors
    /// [`KnobError`] naming the knob.
    pub fn check(&self) -> Result<(), KnobError> {
        self.knobs().map_or(Ok(()), RuleKnobs::check)
    }
}
