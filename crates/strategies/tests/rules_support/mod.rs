//! Gradients as explicit vectors, and random problems. Shared by the tests of the gradient rules.
#![allow(dead_code, reason = "each test file uses a part")]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use strategies::rules::*;

pub type Rows = Vec<Vec<f64>>;

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub fn norm(a: &[f64]) -> f64 {
    // Scaled, so that 1e-200 and 1e200 have a norm.
    let largest = a.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    if largest == 0.0 { 0.0 } else { largest * a.iter().map(|v| (v / largest).powi(2)).sum::<f64>().sqrt() }
}

pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    norm(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
}

pub fn gram(rows: &[Vec<f64>]) -> Gram {
    let values = rows.iter().flat_map(|a| rows.iter().map(move |b| dot(a, b))).collect();
    Gram::new(rows.len(), values).unwrap()
}

pub fn expand(weights: &[f64], rows: &[Vec<f64>]) -> Vec<f64> {
    (0..rows[0].len()).map(|k| weights.iter().zip(rows).map(|(w, row)| w * row[k]).sum()).collect()
}

pub fn combine(rule: &dyn Rule, gram: &Gram) -> Result<Combination, RuleError> {
    rule.combine(&RuleInput::of(gram), &mut RuleState::default())
}

/// The new gradient as a vector.
pub fn direction(rule: &dyn Rule, rows: &[Vec<f64>]) -> Vec<f64> {
    expand(&combine(rule, &gram(rows)).unwrap().weights, rows)
}

/// Combination and new gradient of a rule with the anchor h.
pub fn combine_with_anchor(
    rule: &dyn Rule,
    rows: &[Vec<f64>],
    h: &[f64],
) -> Result<(Combination, Vec<f64>), RuleError> {
    let products: Vec<f64> = rows.iter().map(|row| dot(row, h)).collect();
    let gram = gram(rows);
    let anchor = Some(AnchorDirection { products: &products, norm2: dot(h, h) });
    let input = RuleInput { anchor, ..RuleInput::of(&gram) };
    let combination = rule.combine(&input, &mut RuleState::default())?;
    let mut gradient = expand(&combination.weights, rows);
    gradient.iter_mut().zip(h).for_each(|(value, h)| *value += combination.anchor * h);
    Ok((combination, gradient))
}

/// A reproducible source of random problems.
pub struct Random(ChaCha8Rng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.uniform() * n as f64) as usize
    }

    /// Approximately normal: the sum of twelve uniform values, shifted.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    pub fn vector(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.normal()).collect()
    }

    pub fn rows(&mut self, m: usize, n: usize) -> Rows {
        (0..m).map(|_| self.vector(n)).collect()
    }

    pub fn permutation(&mut self, m: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..m).collect();
        (1..m).rev().for_each(|last| order.swap(last, self.below(last + 1)));
        order
    }
}

/// The kinds of problems the rules must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Generic,
    /// Fewer dimensions than gradients.
    RankDeficient,
    Opposite,
    Duplicate,
    Zero,
    AllZero,
    Huge,
    Tiny,
    /// Each gradient has a scale of its own between 1e-20 and 1e20.
    MixedScales,
    /// All gradients within an angle of about 1e-4.
    NearlyParallel,
}

pub const KINDS: [Kind; 10] = [
    Kind::Generic,
    Kind::RankDeficient,
    Kind::Opposite,
    Kind::Duplicate,
    Kind::Zero,
    Kind::AllZero,
    Kind::Huge,
    Kind::Tiny,
    Kind::MixedScales,
    Kind::NearlyParallel,
];

pub fn scaled(rows: &[Vec<f64>], factor: f64) -> Rows {
    rows.iter().map(|row| row.iter().map(|value| value * factor).collect()).collect()
}

pub fn problem(kind: Kind, random: &mut Random) -> Rows {
    let m = 1 + random.below(9);
    let n = m + random.below(8);
    let mut rows = random.rows(m, n);
    match kind {
        Kind::Generic => {}
        Kind::RankDeficient => rows = random.rows(m, 1 + m / 2),
        Kind::Opposite if m > 1 => {
            let factor = -random.uniform() - 0.1;
            rows[m - 1] = rows[0].iter().map(|value| value * factor).collect();
        }
        Kind::Duplicate if m > 1 => rows[m - 1] = rows[0].clone(),
        Kind::Opposite | Kind::Duplicate => {}
        Kind::Zero => {
            let row = random.below(m);
            rows[row].fill(0.0);
        }
        Kind::AllZero => rows.iter_mut().for_each(|row| row.fill(0.0)),
        Kind::Huge => rows = scaled(&rows, 1e20),
        Kind::Tiny => rows = scaled(&rows, 1e-20),
        Kind::MixedScales => {
            for row in &mut rows {
                let factor = 10f64.powf(40.0 * random.uniform() - 20.0);
                row.iter_mut().for_each(|value| *value *= factor);
            }
        }
        Kind::NearlyParallel => {
            let base = random.vector(n);
            for row in &mut rows {
                row.iter_mut().zip(&base).for_each(|(value, base)| *value = base + 1e-4 * *value);
            }
        }
    }
    rows
}

/// Problems of each kind in a test.
pub const PER_KIND: usize = 100;

/// LF-MLF without ridge and with h as it is.
pub fn exact_lf_mlf(form: LfMlfForm) -> LfMlf {
    LfMlf { form, h_rescale: Some(AnchorRescale::None), solver_ridge: 0.0, ..LfMlf::default() }
}

/// Every rule with its defaults and with its other settings.
pub fn rules() -> Vec<(&'static str, Box<dyn Rule>)> {
    let ascending = VisitOrder::Ascending;
    vec![
        ("mean", Box::new(Mean {})),
        ("pcgrad", Box::new(PcGrad::default())),
        ("pcgrad ascending", Box::new(PcGrad { visit: ascending, reduction: Reduction::Sum, ..PcGrad::default() })),
        ("gradvac", Box::new(GradVac::default())),
        ("gradvac 0.5", Box::new(GradVac { fixed_target: Some(0.5), ..GradVac::default() })),
        ("mgda", Box::new(Mgda::default())),
        ("mgda l2", Box::new(Mgda { gradient_normalise: Normaliser::L2, ..Mgda::default() })),
        ("cagrad", Box::new(CaGrad::default())),
        ("cagrad 0.9", Box::new(CaGrad { c: 0.9, rescale: CaGradRescale::OnePlusLambda, ..CaGrad::default() })),
        ("nash", Box::new(NashMtl::default())),
        ("nash unclipped", Box::new(NashMtl { max_norm: 0.0, ..NashMtl::default() })),
        ("sgs", Box::new(Sgs::default())),
        ("agem", Box::new(AGem::default())),
        ("gem", Box::new(Gem::default())),
        ("gem exact", Box::new(Gem { margin: 0.0, ridge: 0.0, ..Gem::default() })),
        ("gem margin", Box::new(Gem { margin: 0.5, ridge: 1e-3, ..Gem::default() })),
        ("lf-mlf a", Box::new(LfMlf { form: LfMlfForm::Polyhedron, ..LfMlf::default() })),
        ("lf-mlf b", Box::new(LfMlf::default())),
        ("lf-mlf a exact", Box::new(exact_lf_mlf(LfMlfForm::Polyhedron))),
        ("lf-mlf b exact", Box::new(exact_lf_mlf(LfMlfForm::Simplex))),
    ]
}

/// Runs `law` on problems of every kind.
pub fn for_problems(seed: u64, mut law: impl FnMut(Kind, &[Vec<f64>], &mut Random)) {
    let mut random = Random::new(seed);
    for kind in KINDS {
        for _ in 0..PER_KIND {
            let rows = problem(kind, &mut random);
            law(kind, &rows, &mut random);
        }
    }
}

pub fn largest_norm(rows: &[Vec<f64>]) -> f64 {
    rows.iter().map(|row| norm(row)).fold(0.0, f64::max)
}

pub fn anchor_for(rows: &[Vec<f64>], random: &mut Random) -> Vec<f64> {
    scaled(&[random.vector(rows[0].len())], largest_norm(rows)).remove(0)
}

pub fn stationary(combination: &Combination) -> bool {
    combination.events.iter().any(|event| matches!(event, Event::ParetoStationary { .. }))
}

pub fn needs_memory(name: &str) -> bool {
    name.contains("gem")
}
