//! AdamW (Loshchilov and Hutter, 2019, algorithm 2, with the constants of PyTorch): one pass over memory, in place.

use rayon::prelude::*;

use crate::error::{KernelError, check};
use crate::math::mul_add;
use crate::simd::simd_fn;

/// Elements a thread computes at a time.
const PIECE: usize = 1 << 14;

/// The numbers of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Factor on the gradient, from clipping; 1 leaves it as it is.
    pub gradient_scale: f64,
    pub learning_rate: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub weight_decay: f64,
    /// `1 - beta1^t`, t counting from 1.
    pub bias_correction1: f64,
    /// `1 - beta2^t`
    pub bias_correction2: f64,
}

/// A parameter's moments, shaped as it.
#[derive(Debug)]
pub struct Moments<'a> {
    pub first: &'a mut [f32],
    pub second: &'a mut [f32],
}

#[derive(Clone, Copy)]
struct Factors {
    scale: f32,
    keep: f32,
    beta1_rest: f32,
    beta2: f32,
    beta2_rest: f32,
    step_size: f32,
    inverse_root_correction: f32,
    epsilon: f32,
}

/// With `g` the scaled gradient: `p -= lr wd p`; `m += (1 - b1)(g - m)`; `v = b2 v + (1 - b2) g^2`; `p -= lr / c1 * m / (sqrt(v / c2) + eps)`.
///
/// # Errors
/// When the slices differ in length.
pub fn step(parameter: &mut [f32], gradient: &[f32], moments: Moments, step: &Step) -> Result<(), KernelError> {
    let shape = [parameter.len()];
    check("gradient", gradient.len(), &shape)?;
    check("first moment", moments.first.len(), &shape)?;
    check("second moment", moments.second.len(), &shape)?;
    let factors = Factors {
        scale: step.gradient_scale as f32,
        keep: (1.0 - step.learning_rate * step.weight_decay) as f32,
        beta1_rest: (1.0 - step.beta1) as f32,
        beta2: step.beta2 as f32,
        beta2_rest: (1.0 - step.beta2) as f32,
        step_size: (step.learning_rate / step.bias_correction1) as f32,
        inverse_root_correction: (1.0 / step.bias_correction2.sqrt()) as f32,
        epsilon: step.epsilon as f32,
    };
    (
        parameter.par_chunks_mut(PIECE),
        gradient.par_chunks(PIECE),
        moments.first.par_chunks_mut(PIECE),
        moments.second.par_chunks_mut(PIECE),
    )
        .into_par_iter()
        .for_each(|(p, g, m, v)| update(p, g, m, v, factors));
    Ok(())
}

simd_fn! {
    fn update<const FMA>(p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], f: Factors) {
        for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            let g = g * f.scale;
            *m = mul_add::<FMA>(f.beta1_rest, g - *m, *m);
            *v = mul_add::<FMA>(f.beta2_rest * g, g, f.beta2 * *v);
            let denominator = mul_add::<FMA>(v.sqrt(), f.inverse_root_correction, f.epsilon);
            *p = *p * f.keep - f.step_size * (*m / denominator);
        }
    }
}
