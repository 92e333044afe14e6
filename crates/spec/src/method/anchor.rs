use serde::{Deserialize, Serialize};

use super::knob::{KnobError, at_least_one, not_negative, positive, within};
use super::rule::Memories;

/// What holds the parameters near theta0, their values at the start of the stage. A head that is new in the stage has no
/// theta0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Anchor {
    #[default]
    None,
    L2Sp(L2Sp),
    Ewc(Ewc),
    RecAdam(RecAdam),
    Mixout(Mixout),
}

/// L2-SP (Li et al., ICML 2018): `L + alpha/2 |w - theta0|^2 + beta/2 |w_new|^2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct L2Sp {
    /// Default 0.01.
    pub alpha: f64,
    /// Of a new head's parameters. Default 0.01.
    pub beta: f64,
}

impl Default for L2Sp {
    fn default() -> Self {
        Self { alpha: 0.01, beta: 0.01 }
    }
}

/// EWC (Kirkpatrick et al., PNAS 2017): `L + lambda/2 sum_i F_i (theta_i - theta0_i)^2` with the diagonal empirical Fisher
/// information F of the stage's memories at theta0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Ewc {
    /// Default 1. The papers choose it by task.
    pub lambda: f64,
    /// The textbook's factor 1/2; without it the pull is twice as strong, as in GEM's repository. Default true.
    pub half_factor: bool,
    /// Default `per-example`.
    pub fisher_square: FisherSquare,
    /// Default all.
    pub memory: Memories,
    /// Batches of each memory for the Fisher information. Default 16.
    pub fisher_batches: usize,
}

impl Default for Ewc {
    fn default() -> Self {
        Self {
            lambda: 1.0,
            half_factor: true,
            fisher_square: FisherSquare::default(),
            memory: Memories::All,
            fisher_batches: 16,
        }
    }
}

/// What is squared for the Fisher information.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FisherSquare {
    /// Every example's gradient.
    #[default]
    PerExample,
    /// The gradient of a batch's mean loss, as in GEM's repository: cheaper, and smaller.
    BatchMean,
}

/// RecAdam (Chen et al., EMNLP 2020): Adam's step is annealed in and a pull towards theta0 annealed out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct RecAdam {
    /// Strength of the pull. Default 5000.
    pub gamma: f64,
    /// Upper end of the annealing. Default 1.
    pub w: f64,
    /// Rate of the annealing. Default 0.5.
    pub k: f64,
    /// Step (from 1) at which the annealing is half done. Default 250.
    pub t0: f64,
}

impl Default for RecAdam {
    fn default() -> Self {
        Self { gamma: 5000.0, w: 1.0, k: 0.5, t0: 250.0 }
    }
}

/// Mixout (Lee et al., ICLR 2020): in every forward pass of training each input column of a weight matrix is theta0's with
/// probability p.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Mixout {
    /// In [0, 1). Default 0.7.
    pub p: f64,
    /// Default `exact`.
    pub backward: MixoutBackward,
}

impl Default for Mixout {
    fn default() -> Self {
        Self { p: 0.7, backward: MixoutBackward::default() }
    }
}

/// The derivative of the mixed weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MixoutBackward {
    /// mask / (1 - p), the derivative of the forward pass.
    #[default]
    Exact,
    /// mask alone, as in the released code.
    Released,
}

impl Anchor {
    /// As suites write it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::L2Sp(_) => "l2-sp",
            Self::Ewc(_) => "ewc",
            Self::RecAdam(_) => "rec-adam",
            Self::Mixout(_) => "mixout",
        }
    }

    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// The memories of a stage that this anchor asks for its Fisher information.
    pub fn memories(&self) -> &Memories {
        match self {
            Self::Ewc(ewc) => &ewc.memory,
            Self::None | Self::L2Sp(_) | Self::RecAdam(_) | Self::Mixout(_) => &Memories::None,
        }
    }

    /// Refuses knobs outside their ranges.
    ///
    /// # Errors
    /// [`KnobError`] naming the knob.
    pub fn check(&self) -> Result<(), KnobError> {
        match self {
            Self::None => Ok(()),
            Self::L2Sp(L2Sp { alpha, beta }) => {
                not_negative("alpha", *alpha)?;
                not_negative("beta", *beta)
            }
            Self::Ewc(ewc) => {
                not_negative("lambda", ewc.lambda)?;
                at_least_one("fisher-batches", ewc.fisher_batches)
            }
            Self::RecAdam(RecAdam { gamma, w, k, t0 }) => {
                not_negative("gamma", *gamma)?;
                positive("w", *w)?;
                positive("k", *k)?;
                not_negative("t0", *t0)
            }
            Self::Mixout(Mixout { p, .. }) => within("p", *p, (0.0..1.0).contains(p), "in [0, 1)"),
        }
    }
}
