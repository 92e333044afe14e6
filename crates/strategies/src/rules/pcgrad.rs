//! PCGrad. Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020, arXiv 2001.06782.
//!
//! Each gradient is projected on the normal plane of every gradient it conflicts with:
//!
//! ```text
//! for each i:  p_i <- g_i
//!              for j != i in the visiting order:  if p_i.g_j < 0:  p_i <- p_i - (p_i.g_j / |g_j|^2) g_j
//! result = sum or mean of the p_i
//! ```
//!
//! g_j is always the original gradient, so `p_i = sum_k c_ik g_k` and all products follow from the Gram matrix.

use spec::{PcGrad, Reduction, VisitOrder};

use super::input::RuleInput;
use super::rule::{Combination, Event, Rule, RuleError, RuleState};
use crate::draw;

/// For each row, the other rows in the order in which it meets them.
pub(super) fn visits(order: VisitOrder, input: &RuleInput, purpose: &str) -> Vec<Vec<usize>> {
    let m = input.gram.len();
    let mut rng = draw::generator(input.seed, purpose, input.step);
    (0..m)
        .map(|row| {
            let mut others: Vec<usize> = (0..m).filter(|other| *other != row).collect();
            match order {
                VisitOrder::Random => random::shuffle(&mut rng, &mut others),
                VisitOrder::Ascending => {}
                VisitOrder::Descending => others.reverse(),
            }
            others
        })
        .collect()
}

/// Weights of the reduced gradient from the coefficients of each changed gradient over the original ones.
pub(super) fn reduce(reduction: Reduction, coefficients: &[Vec<f64>]) -> Vec<f64> {
    let m = coefficients.len();
    let divisor = match reduction {
        Reduction::Mean => m as f64,
        Reduction::Sum => 1.0,
    };
    (0..m).map(|k| coefficients.iter().map(|row| row[k]).sum::<f64>() / divisor).collect()
}

impl Rule for PcGrad {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        let gram = input.gram;
        let mut events = Vec::new();
        let mut coefficients = Vec::with_capacity(gram.len());
        for (row, others) in visits(self.visit, input, "pcgrad").into_iter().enumerate() {
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
        Ok(Combination::with(reduce(self.reduction, &coefficients), events))
    }
}
