use serde::{Deserialize, Serialize};

use super::knob::{KnobError, at_least_one, not_negative, positive, within};
use super::rule::Memories;

/// What holds the parameters near theta0, their values at the start of the stage: of all that trains, heads and adapters of
/// earlier stages too. What is new in the stage has no theta0.
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

/// L2-SP (Li et al., ICML 2018): `L + alpha/2 |w - theta0|^2 + beta/2 |w_new|^2`; `w_new` is what is new in the stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct L2Sp {
    /// Default 0.01.
    pub alpha: f64,
    /// Of the parameters that are new in the stage. Default 0.01.
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
    /// Default 100; papers choose it by task. Of the built-in encoder on entities (one seed, 150 steps) 1 saves nothing of the
    /// language model, 100 about half of what fine-tuning costs it, and 1000 nearly all, at an eighth of the task's score.
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
            lambda: 100.0,
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
///
/// The paper counts the annealing in steps (k, t0) and chooses it by task, for runs of 7,800 steps and more; in shares of
/// the stage's steps it means the same in a stage of any length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct RecAdam {
    /// Strength of the pull. Default 0.1 over the stage's learning rate: the released 5000 at its rate for BERT, 2e-5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gamma: Option<f64>,
    /// Upper end of the annealing. Default 1.
    pub w: f64,
    /// Share of the stage's steps after which the annealing is half done, in [0, 1]. Default 0.1; the released examples have
    /// 1000 of 9000 steps and 1000 of 5336.
    pub t0: f64,
    /// Width of the annealing as a share of the stage's steps, the paper's 1/k: a width before t0 it has come to 27 %, a
    /// width behind it to 73 %. Default 0.01, a tenth of t0; the paper's choices of k and t0 lie between a fifth of t0 and a
    /// thousandth.
    pub width: f64,
}

impl Default for RecAdam {
    fn default() -> Self {
        Self { gamma: None, w: 1.0, t0: 0.1, width: 0.01 }
    }
}

impl RecAdam {
    /// Share of the way to theta0 that a step at the default strength and the stage's highest rate goes back.
    const RECALL: f64 = 0.1;

    /// gamma in a stage of this learning rate.
    pub fn strength(&self, learning_rate: f64) -> f64 {
        self.gamma.unwrap_or(Self::RECALL / learning_rate)
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
    /// Default `off`.
    pub dropout: MixoutDropout,
}

impl Default for Mixout {
    fn default() -> Self {
        Self { p: 0.7, backward: MixoutBackward::default(), dropout: MixoutDropout::default() }
    }
}

/// What becomes of the model's own dropout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MixoutDropout {
    /// Mixout takes its place, as in the example for transformers models in the released code.
    #[default]
    Off,
    /// Beside mixout.
    Kept,
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
            Self::RecAdam(RecAdam { gamma, w, t0, width }) => {
                not_negative("gamma", gamma.unwrap_or_default())?;
                positive("w", *w)?;
                within("t0", *t0, (0.0..=1.0).contains(t0), "a share of the stage's steps, in [0, 1]")?;
                positive("width", *width)
            }
            Self::Mixout(Mixout { p, .. }) => within("p", *p, (0.0..1.0).contains(p), "in [0, 1)"),
        }
    }
}
