use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, Error, Unexpected};
use serde::{Deserialize, Serialize};

use super::{Memories, Normaliser, Rows, RuleKnobs};
use crate::method::knob::{KnobError, at_least_one, not_negative, positive, within};
use crate::several_forms::SeveralForms;

/// LF-MLF-style (our reconstruction of Mao et al., NeurIPS 2022, of which only the abstract is confirmed): forget as
/// little as possible while every language's loss falls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct LfMlf {
    /// Default `simplex`.
    pub form: LfMlfForm,
    /// The measure of forgetting, whose gradient is h. Default `l2`.
    pub forgetting: Forgetting,
    /// Weight of h. Default 1.
    pub mu: Mu,
    /// How h is brought to the gradients' size. Default `clip` for form A and `none` for form B.
    pub h_rescale: Option<AnchorRescale>,
    /// `|h|` relative to `|g*|` for `clip` and `normalise`, above 0. Default 0.5.
    pub kappa: f64,
    /// Form A's margin, in (0, 1]. Default 1.
    pub rho: f64,
    /// What each gradient is divided by beforehand. Default `none`; the weights returned are those of the gradients given.
    pub gradient_normalise: Normaliser,
    /// Added to the unit diagonal of the scaled problem, at least 0. Default 1e-12.
    pub solver_ridge: f64,
    /// `|g*|^2` at or below this times the mean squared gradient norm, trace(Q)/K, counts as Pareto stationary.
    /// At least 0; default 1e-10. Relative, so that scaling all losses changes nothing.
    pub pareto_tol: f64,
    /// Memories of all measures but `l2`. Default all.
    pub memory: Memories,
    /// Batches of each memory for the Fisher information. Default 16.
    pub fisher_batches: usize,
    /// Every so many steps the step's losses are measured again after it, to count those that rose; 0 is never. Default 50.
    pub rise_probe_every: u64,
}

impl Default for LfMlf {
    fn default() -> Self {
        Self {
            form: LfMlfForm::default(),
            forgetting: Forgetting::default(),
            mu: Mu::default(),
            h_rescale: None,
            kappa: 0.5,
            rho: 1.0,
            gradient_normalise: Normaliser::default(),
            solver_ridge: 1e-12,
            pareto_tol: 1e-10,
            memory: Memories::all(),
            fisher_batches: 16,
            rise_probe_every: 50,
        }
    }
}

/// The two reconstructions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LfMlfForm {
    /// B: loss weights in the simplex.
    #[default]
    Simplex,
    /// A: projection of -h on the directions that lower every loss.
    Polyhedron,
}

/// A measure of forgetting F. theta0 are the parameters at the start of the stage; what is new in it has no part in F.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forgetting {
    /// `1/2 |theta - theta0|^2`.
    #[default]
    L2,
    /// `1/2 sum_i Fisher_i (theta_i - theta0_i)^2`, the empirical Fisher information on the memories at theta0.
    Fisher,
    /// The loss on memories of multilingual text.
    MlmMemory,
    /// `KL(p(theta0), p(theta))` of masked tokens on memories of multilingual text, estimated at each step from labels
    /// that are drawn from p(theta0).
    Kl,
}

/// Weight of the direction h.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Mu {
    Weight(f64),
    Rule(MuRule),
}

/// `mu` as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MuRule {
    /// 1 / (the step's learning rate): form B then ends each step as near to theta0 as it can.
    InverseLr,
}

impl SeveralForms for Mu {
    const FORMS: &'static str = "a number or \"inverse-lr\" for `mu`";

    fn of_number<E: Error>(weight: f64) -> Result<Self, E> {
        Ok(Self::Weight(weight))
    }

    fn of_word<E: Error>(word: StrDeserializer<E>) -> Result<Self, E> {
        let of_forms = |_| E::invalid_value(Unexpected::Other("another word"), &Self::FORMS);
        MuRule::deserialize(word).map(Self::Rule).map_err(of_forms)
    }
}

impl<'de> Deserialize<'de> for Mu {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer)
    }
}

impl Default for Mu {
    fn default() -> Self {
        Self::Weight(1.0)
    }
}

/// How the anchor direction h is rescaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnchorRescale {
    /// Not at all.
    None,
    /// Shortened to kappa |g*| where it is longer.
    Clip,
    /// Always kappa |g*| long (unless it is 0).
    Normalise,
}

impl RuleKnobs for LfMlf {
    fn memories(&self) -> &Memories {
        if self.forgetting == Forgetting::L2 { &Memories::None } else { &self.memory }
    }

    fn rows(&self) -> Rows {
        Rows::LanguagesAndAnchor
    }

    fn check(&self) -> Result<(), KnobError> {
        if let Mu::Weight(mu) = self.mu {
            not_negative("mu", mu)?;
        }
        positive("kappa", self.kappa)?;
        within("rho", self.rho, self.rho > 0.0 && self.rho <= 1.0, "in (0, 1]")?;
        not_negative("solver-ridge", self.solver_ridge)?;
        not_negative("pareto-tol", self.pareto_tol)?;
        at_least_one("fisher-batches", self.fisher_batches)
    }
}
