//! SGS, stochastic gradient surgery. Findings of NAACL 2022, arXiv 2204.13869.
//!
//! The mean gradient loses what conflicts with the gradient g_o of one language, drawn anew at each step:
//!
//! ```text
//! g = mean_i g_i ;   result = g - min( g.g_o / |g_o|^2, 0 ) g_o
//! ```

use spec::Sgs;

use super::input::RuleInput;
use super::rule::{Combination, Event, Rule, RuleError, RuleState};
use crate::draw;

impl Rule for Sgs {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        let gram = input.gram;
        let m = gram.len();
        let drawn = random::below(&mut draw::generator(input.seed, "sgs", input.step), m);
        let mut combination = Combination::of(vec![1.0 / m as f64; m]);
        let product = gram.times(&combination.weights)[drawn];
        let norm = gram.norm(drawn);
        if product < 0.0 && norm > 0.0 {
            // Row m stands for the mean gradient, which is none of the rows.
            let cosine = (product / norm / gram.norm2(&combination.weights).sqrt()).max(-1.0);
            combination.events.push(Event::Conflict { row: m, other: drawn, cosine });
            combination.weights[drawn] -= product / norm / norm;
        }
        Ok(combination)
    }
}
