//! Cost of one application of every gradient rule to m gradients, given their products.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use strategies::rules::*;

/// m gradients of 64 values, a deterministic mixture with conflicts, and an anchor direction as the last row.
fn vectors(m: usize) -> Vec<Vec<f64>> {
    let value = |i: usize, k: usize| ((i * 37 + k * 101 + i * k * 13) as f64 * 0.7).sin() + 0.1 * (k as f64).cos();
    (0..=m).map(|i| (0..64).map(|k| value(i, k) * (1.0 + i as f64)).collect()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn rules() -> Vec<(&'static str, Box<dyn Rule>)> {
    vec![
        ("mean", Box::new(Mean {})),
        ("pcgrad", Box::new(PcGrad::default())),
        ("gradvac", Box::new(GradVac::default())),
        ("mgda", Box::new(Mgda::default())),
        ("cagrad", Box::new(CaGrad::default())),
        ("nash-mtl", Box::new(NashMtl::default())),
        ("sgs", Box::new(Sgs::default())),
        ("agem", Box::new(AGem::default())),
        ("gem", Box::new(Gem::default())),
        ("lf-mlf-a", Box::new(LfMlf { form: LfMlfForm::Polyhedron, ..LfMlf::default() })),
        ("lf-mlf-b", Box::new(LfMlf::default())),
    ]
}

fn combine(criterion: &mut Criterion) {
    for m in [2, 4, 8, 15] {
        let rows = vectors(m);
        let h = &rows[m];
        let values = rows[..m].iter().flat_map(|a| rows[..m].iter().map(|b| dot(a, b))).collect();
        let gram = Gram::new(m, values).expect("products of vectors");
        let products: Vec<f64> = rows[..m].iter().map(|row| dot(row, h)).collect();
        let anchor = Some(AnchorDirection { products: &products, norm2: dot(h, h) });
        let mut group = criterion.benchmark_group("combine");
        for (name, rule) in rules() {
            group.bench_with_input(BenchmarkId::new(name, m), &gram, |bencher, gram| {
                let input = RuleInput { anchor, ..RuleInput::of(gram) };
                let mut state = RuleState::default();
                bencher.iter(|| rule.combine(black_box(&input), &mut state).expect("a solvable problem"));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, combine);
criterion_main!(benches);
