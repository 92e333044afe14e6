//! PCGrad. Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020, arXiv 2001.06782.

use serde::{Deserialize, Serialize};

use super::draw;
use super::input::RuleInput;
use super::rule::{Combination, Event, GradientRule, RuleError, RuleState};

/// Each gradient is projected on the normal plane of every gradient it conflicts with:
///
/// ```text
/// for each i:  p_i <- g_i
///              for j != i in the visiting order:  if p_i.g_j < 0:  p_i <- p_i - (p_i.g_j / |g_j|^2) g_j
/// result = sum or mean of the p_i
/// ```
///
/// g_j is always the original gradient, so `p_i = sum_k c_ik g_k` and all products follow from the Gram matrix.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct PcGrad {
    /// Order in which the other gradients are visited; `random` (the paper) by default.
    pub visit: VisitOrder,
    /// `mean` by default, so that learning rates mean what they mean for the mean gradient. The paper's result is `sum`.
    pub reduction: Reduction,
}

/// Order in which a gradient meets the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VisitOrder {
    /// A fresh order for every gradient and step, drawn from (seed, step): the paper's.
    #[default]
    Random,
    /// 0, 1, 2, ...: what the official code does, since it drops its shuffle's result.
    Ascending,
    /// ..., 2, 1, 0.
    Descending,
}

impl VisitOrder {
    /// For each row, the other rows in the order in which it meets them.
    pub(super) fn orders(self, input: &RuleInput, purpose: &str) -> Vec<Vec<usize>> {
        let m = input.gram.len();
        let mut rng = draw::generator(input.seed, purpose, input.step);
        (0..m)
            .map(|row| {
                let mut others: Vec<usize> = (0..m).filter(|other| *other != row).collect();
                match self {
                    Self::Random => draw::shuffle(&mut rng, &mut others),
                    Self::Ascending => {}
                    Self::Descending => others.reverse(),
                }
                others
            })
            .collect()
    }
}

/// How the m changed gradients become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reduction {
    /// Divide the sum by m.
    #[default]
    Mean,
    /// The sum, as in the papers of PCGrad and GradVac.
    Sum,
}

impl Reduction {
    /// Weights of the reduced gradient from the coefficients of each changed gradient over the original ones.
    pub(super) fn weights(self, coefficients: &[Vec<f64>]) -> Vec<f64> {
        let m = coefficients.len();
        let divisor = match self {
            Self::Mean => m as f64,
            Self::Sum => 1.0,
        };
        (0..m).map(|k| coefficients.iter().map(|row| row[k]).sum::<f64>() / divisor).collect()
    }
}

impl GradientRule for PcGrad {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        let gram = input.gram;
        let mut events = Vec::new();
        let mut coefficients = Vec::with_capacity(gram.len());
        for (row, others) in self.visit.orders(input, "pcgrad").into_iter().enumerate() {
            let mut c = vec![0.0; gram.len()];
            c[row] = 1.0;
            for other in others {
                let product: f64 = c.iter().enumerate().map(|(k, c)| c * gram.get(k, other)).sum();
                let norm = gram.norm(other);
                if product < 0.0 && norm > 0.0 {
                    let length = gram.norm2(&c).sqrt();
                    let cosine = if length > 0.0 { (product / length / norm).max(-1.0) } else { 0.0 };
                    events.push(Event::Conflict { row, other, cosine });
                    c[other] -= product / norm / norm;
                }
            }
            coefficients.push(c);
        }
        Ok(Combination::with(self.reduction.weights(&coefficients), events))
    }
}
