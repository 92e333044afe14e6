//! Linear combinations of vectors in one pass over memory.

use rayon::prelude::*;

use crate::error::{KernelError, check};
use crate::simd::simd_fn;

/// Elements a thread computes at a time.
const PIECE: usize = 1 << 14;

/// `sum <- first · sum + Σ weight · term`, each product rounded, added up in the terms' order.
#[derive(Debug)]
pub struct Combination<'a> {
    pub sum: &'a mut [f32],
    pub first: f32,
    pub terms: Vec<(&'a [f32], f32)>,
}

/// Computes several combinations, one a parameter.
///
/// # Errors
/// When a term differs in length from its sum.
pub fn combine(combinations: Vec<Combination>) -> Result<(), KernelError> {
    for combination in &combinations {
        for (term, _) in &combination.terms {
            check("term", term.len(), &[combination.sum.len()])?;
        }
    }
    combinations.into_par_iter().for_each(|Combination { sum, first, terms }| {
        sum.par_chunks_mut(PIECE).enumerate().for_each(|(piece, sum)| {
            if first != 1.0 {
                sum.iter_mut().for_each(|sum| *sum *= first);
            }
            for (term, weight) in &terms {
                add_scaled(sum, &term[piece * PIECE..][..sum.len()], *weight);
            }
        });
    });
    Ok(())
}

simd_fn! {
    fn add_scaled<const FMA>(sum: &mut [f32], term: &[f32], weight: f32) {
        for (sum, x) in sum.iter_mut().zip(term) {
            *sum += x * weight;
        }
    }
}
