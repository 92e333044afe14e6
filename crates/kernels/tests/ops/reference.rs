//! The operations as their definitions read, over differentiable scalars.

use kernels::linear::Size;

use crate::tape::{self, Var};

fn sum(terms: impl IntoIterator<Item = Var>) -> Var {
    terms.into_iter().reduce(|a, b| a + b).expect("a sum has terms")
}

pub fn linear(x: &[Var], weight: &[Var], bias: Option<&[Var]>, Size { inputs, outputs }: Size) -> Vec<Var> {
    let mut y = Vec::new();
    for row in x.chunks(inputs) {
        for o in 0..outputs {
            let product = sum((0..inputs).map(|i| row[i] * weight[i * outputs + o]));
            y.push(bias.map_or(product, |bias| product + bias[o]));
        }
    }
    y
}

pub fn gelu(x: Var) -> Var {
    let distribution = (x.times(0.5f64.sqrt()).erf() + Var::new(1.0)).times(0.5);
    x * distribution
}

pub struct Heads<'a> {
    pub sequence: usize,
    pub hidden: usize,
    pub heads: usize,
    pub lengths: &'a [usize],
    /// `[batch, heads, sequence, sequence]` dropout factors.
    pub factors: Option<&'a [f32]>,
}

/// Rows of padded queries are 0.
pub fn attention(query: &[Var], key: &[Var], value: &[Var], head_mask: &[Var], heads: &Heads) -> Vec<Var> {
    let Heads { sequence, hidden, heads, lengths, factors } = *heads;
    let width = hidden / heads;
    let mut context = vec![Var::new(0.0); query.len()];
    for (example, &length) in lengths.iter().enumerate() {
        let at = |token: usize, head: usize, i: usize| (example * sequence + token) * hidden + head * width + i;
        for head in 0..heads {
            for q in 0..length {
                let exponentials: Vec<Var> = (0..length)
                    .map(|k| sum((0..width).map(|i| query[at(q, head, i)] * key[at(k, head, i)])))
                    .map(|score| score.times(1.0 / (width as f64).sqrt()).exp())
                    .collect();
                let total = sum(exponentials.iter().copied());
                let weights: Vec<Var> = (0..length)
                    .map(|k| {
                        let place = ((example * heads + head) * sequence + q) * sequence + k;
                        let factor = factors.map_or(1.0, |factors| f64::from(factors[place]));
                        (exponentials[k] / total).times(factor) * head_mask[head]
                    })
                    .collect();
                for i in 0..width {
                    context[at(q, head, i)] = sum((0..length).map(|k| weights[k] * value[at(k, head, i)]));
                }
            }
        }
    }
    context
}

/// `factors`: dropout factors of the branch.
pub fn layer_norm(x: &[Var], branch: Option<(&[Var], &[f32])>, gamma: &[Var], beta: &[Var], epsilon: f64) -> Vec<Var> {
    let hidden = gamma.len();
    let z: Vec<Var> = match branch {
        None => x.to_vec(),
        Some((branch, factors)) => (0..x.len()).map(|i| x[i] + branch[i].times(f64::from(factors[i]))).collect(),
    };
    let mut y = Vec::new();
    for row in z.chunks(hidden) {
        let mean = sum(row.iter().copied()).times(1.0 / hidden as f64);
        let variance = sum(row.iter().map(|&z| (z - mean) * (z - mean))).times(1.0 / hidden as f64);
        let deviation = (variance + Var::new(epsilon)).sqrt();
        y.extend((0..hidden).map(|i| (row[i] - mean) / deviation * gamma[i] + beta[i]));
    }
    y
}

pub fn cross_entropy(logits: &[Var], targets: &[i64], classes: usize) -> Vec<Var> {
    let losses: Vec<Var> = logits
        .chunks(classes)
        .zip(targets)
        .filter(|(_, target)| **target >= 0)
        .map(|(row, &target)| sum(row.iter().map(|z| z.exp())).ln() - row[target as usize])
        .collect();
    let counted = losses.len() as f64;
    vec![sum(losses).times(1.0 / counted)]
}

/// An operation's definition: from its operands to its output.
pub trait Definition: Fn(&[Vec<Var>]) -> Vec<Var> {}
impl<F: Fn(&[Vec<Var>]) -> Vec<Var>> Definition for F {}

/// Output, and the gradient of `sum_i dy_i y_i` for each operand.
pub struct Expected {
    pub y: Vec<f64>,
    pub gradients: Vec<Vec<f64>>,
}

pub fn evaluate(operands: &[&[f32]], dy: &[f32], definition: impl Definition) -> Expected {
    tape::clear();
    let variables: Vec<Vec<Var>> =
        operands.iter().map(|operand| operand.iter().map(|&x| Var::new(f64::from(x))).collect()).collect();
    let y = definition(&variables);
    let adjoints = weighted(&y, dy).backward();
    Expected {
        y: y.iter().map(|y| y.value).collect(),
        gradients: variables.iter().map(|operand| adjoints.of(operand)).collect(),
    }
}

/// The gradients of [`evaluate`] by central differences in `f64`, without the tape's derivatives.
pub fn differences(operands: &[&[f32]], dy: &[f32], definition: impl Definition) -> Vec<Vec<f64>> {
    const STEP: f64 = 1e-5;
    let value = |operand: usize, element: usize, shift: f64| {
        tape::clear();
        let mut variables: Vec<Vec<Var>> =
            operands.iter().map(|operand| operand.iter().map(|&x| Var::new(f64::from(x))).collect()).collect();
        variables[operand][element] = Var::new(f64::from(operands[operand][element]) + shift);
        weighted(&definition(&variables), dy).value
    };
    (0..operands.len())
        .map(|o| (0..operands[o].len()).map(|e| (value(o, e, STEP) - value(o, e, -STEP)) / (2.0 * STEP)).collect())
        .collect()
}

fn weighted(y: &[Var], weights: &[f32]) -> Var {
    sum(y.iter().zip(weights).map(|(y, &w)| y.times(f64::from(w))))
}
