//! The contract of every gradient rule.

use serde::{Deserialize, Serialize};

use super::gram::Gram;
use super::input::RuleInput;
use super::solver::{Solution, SolveError};

/// A gradient rule. Pure: equal inputs and state give equal outputs, bit for bit.
pub trait Rule: Send + Sync {
    /// The weights of the new gradient.
    ///
    /// # Errors
    /// [`RuleError::Input`] or [`RuleError::Knob`] when the input or a knob is outside what the rule is defined for,
    /// [`RuleError::Solve`] when its solver cannot prove its answer. `state` is untouched then.
    fn combine(&self, input: &RuleInput, state: &mut RuleState) -> Result<Combination, RuleError>;
}

macro_rules! dispatch {
    ($($member:ident = $name:literal,)*) => {
        /// The rule that a method names.
        pub fn rule(named: &spec::GradientRule) -> &dyn Rule {
            match named {
                spec::GradientRule::Mean => &super::Mean {},
                $(spec::GradientRule::$member(rule) => rule,)*
            }
        }
    };
}

spec::gradient_rules!(dispatch);

/// What a rule remembers from one step to the next. Empty at the start of a run; saved and loaded with it.
/// A rule applied to each layer on its own needs one state a layer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RuleState {
    /// GradVac's running target cosines `[m, m]`, row major; empty before its first step and for other rules.
    /// Written as the bits of each number in hexadecimal: some text formats read decimal numbers back inexactly, and a
    /// resumed run must equal one that never stopped.
    #[serde(default, with = "bits")]
    pub target_cosines: Vec<f64>,
    /// Nash-MTL's weights of the last bargain `[m]`, before clipping, where they are used for several steps; empty
    /// otherwise.
    #[serde(default, with = "bits", skip_serializing_if = "Vec::is_empty")]
    pub bargain: Vec<f64>,
}

mod bits {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| format!("{:016x}", value.to_bits())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(|text| match u64::from_str_radix(text, 16).map(f64::from_bits) {
                Ok(value) if value.is_finite() => Ok(value),
                _ => Err(D::Error::custom(format!("`{text}` is not the 16 hexadecimal digits of a finite number"))),
            })
            .collect()
    }
}

/// The new gradient, as `sum_i weights[i] g_i + anchor h`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Combination {
    /// One weight a row, `[m]`.
    pub weights: Vec<f64>,
    /// Coefficient of the anchor direction h as it was given; 0 for rules that add none.
    pub anchor: f64,
    /// What happened on the way, for the record of the step.
    pub events: Vec<Event>,
}

impl Combination {
    pub(super) fn of(weights: Vec<f64>) -> Self {
        Self { weights, anchor: 0.0, events: Vec::new() }
    }

    pub(super) fn with(weights: Vec<f64>, events: Vec<Event>) -> Self {
        Self { weights, anchor: 0.0, events }
    }

    /// Inner products of every row with the new gradient, `[m]`: `g_i . (sum_j w_j g_j + c h)`.
    /// Positive means that a small step against the new gradient lowers loss i.
    pub fn products(&self, gram: &Gram, anchor_products: Option<&[f64]>) -> Vec<f64> {
        let mut products = gram.times(&self.weights);
        for (product, along) in products.iter_mut().zip(anchor_products.unwrap_or_default()) {
            *product += self.anchor * along;
        }
        products
    }
}

/// One thing worth recording about a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", tag = "event")]
pub enum Event {
    /// The (partly changed) gradient of `row` was turned because of `other`; `cosine` is between the two before that.
    Conflict { row: usize, other: usize, cosine: f64 },
    /// Some convex combination of the gradients vanishes: no direction lowers all losses.
    /// `norm2` is the squared norm of the shortest combination found.
    ParetoStationary { norm2: f64 },
    /// The squared norm of the shortest convex combination of the (normalised) gradients, `|g*|^2`.
    MinNorm { norm2: f64 },
    /// A solver ran: its iterations and its largest optimality (KKT) residual on the scaled problem.
    Solved { iterations: usize, residual: f64 },
}

impl Event {
    pub(super) fn solved(solution: &Solution) -> Self {
        Self::Solved { iterations: solution.iterations, residual: solution.residual }
    }
}

/// Why a rule has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RuleError {
    /// The input does not fit the rule.
    #[error("{0}")]
    Input(String),
    /// A knob is outside its range.
    #[error(transparent)]
    Knob(#[from] spec::KnobError),
    /// The rule's solver failed.
    #[error(transparent)]
    Solve(#[from] SolveError),
}
