//! What must not change a result: the number of threads (bit for bit) and, within rounding, the instruction set.

use std::sync::{Mutex, PoisonError};

use kernels::attention::{Attention, Inputs};
use kernels::cross_entropy::IGNORED;
use kernels::rows::{RowSparse, Vector};
use kernels::{
    Dropout, Simd, adamw, attention, combine, cross_entropy, dropout, embedding, feed_forward, gelu, layer_norm,
    linear, reduce, tied,
};

/// [`Simd::limit`] concerns the whole process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn numbers(seed: u32, len: usize) -> Vec<f32> {
    let hash = |i: u32| {
        (i ^ seed.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b).rotate_left(13).wrapping_mul(0xc2b2_ae35)
    };
    (0..len as u32).map(|i| (hash(i) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// Every operation on shapes of several pieces with ragged ends: name and output.
fn everything() -> Vec<(&'static str, Vec<f32>)> {
    let (batch, sequence, hidden, heads, inner) = (5, 141, 48, 3, 100);
    let rows = batch * sequence;
    let mut outputs: Vec<(&'static str, Vec<f32>)> = Vec::new();
    let drop = Dropout::new(0.2, 99).unwrap();
    let (x, y, z, dy) =
        (numbers(1, rows * hidden), numbers(2, rows * hidden), numbers(3, rows * hidden), numbers(4, rows * hidden));

    let size = linear::Size { inputs: hidden, outputs: hidden };
    let weight = numbers(5, hidden * hidden);
    outputs.push(("linear", linear::forward(&x, &weight, Some(&x[..hidden]), size).unwrap()));
    let g = linear::backward(&dy, &x, &weight, size, linear::Need::ALL).unwrap();
    outputs.extend([("linear dx", g.input.unwrap()), ("linear dw", g.weight.unwrap()), ("linear db", g.bias.unwrap())]);

    let call = Attention {
        batch,
        sequence,
        hidden,
        heads,
        lengths: &[141, 1, 77, 0, 130],
        head_mask: Some(&[1.0, 0.5, 2.0]),
        dropout: Some(drop),
    };
    let inputs = Inputs { query: &x, key: &y, value: &z };
    let (context, saved) = attention::forward(inputs, &call).unwrap();
    let g = attention::backward(&dy, inputs, &saved, &call).unwrap();
    outputs.extend([
        ("context", context),
        ("dq", g.query),
        ("dk", g.key),
        ("dv", g.value),
        ("d mask", g.head_mask.unwrap()),
    ]);

    let affine = layer_norm::Affine { gamma: &y[..hidden], beta: &z[..hidden], epsilon: 1e-5 };
    let branch = layer_norm::Branch { values: &y, dropout: Some(drop) };
    let (normed, saved) = layer_norm::forward(&x, Some(branch), affine).unwrap();
    let g = layer_norm::backward(&dy, affine.gamma, &saved).unwrap();
    outputs.extend([
        ("norm", normed),
        ("norm dx", g.input),
        ("norm d branch", g.branch.unwrap()),
        ("d gamma", g.gamma),
        ("d beta", g.beta),
    ]);

    let size = feed_forward::Size { hidden, inner };
    let (w1, w2, b1) = (numbers(6, hidden * inner), numbers(7, hidden * inner), numbers(8, inner));
    let weights = feed_forward::Weights { w1: &w1, b1: &b1, w2: &w2, b2: &x[..hidden] };
    let (out, saved) = feed_forward::forward(&x, weights, size).unwrap();
    let g = feed_forward::backward(&dy, &x, weights, &saved, size, feed_forward::Need::ALL).unwrap();
    outputs.push(("feed forward", out));
    outputs.extend(
        [("ff dx", g.input), ("ff dw1", g.w1), ("ff db1", g.b1), ("ff dw2", g.w2), ("ff db2", g.b2)]
            .map(|(n, g)| (n, g.unwrap())),
    );

    outputs.extend([("gelu", gelu::forward(&x)), ("gelu dx", gelu::backward(&dy, &x).unwrap())]);

    let size = tied::Size { hidden, words: 131 };
    let (table, bias, d_words) = (numbers(9, hidden * 131), numbers(10, 131), numbers(11, rows * 131));
    outputs.push(("tied", tied::forward(&x, &table, &bias, size).unwrap()));
    let g = tied::backward(&d_words, &x, &table, size, linear::Need::ALL).unwrap();
    outputs
        .extend([("tied dx", g.input), ("tied d table", g.weight), ("tied db", g.bias)].map(|(n, g)| (n, g.unwrap())));

    let ids: Vec<u32> = (0..rows as u32).map(|i| i * i % 97).collect();
    outputs.push((
        "embedding",
        embedding::forward(&[embedding::Lookup { table: &x[..97 * hidden], ids: &ids }], hidden).unwrap(),
    ));
    outputs.push(("embedding d", embedding::backward(&dy, &ids, hidden).unwrap().values));

    let targets: Vec<i64> = (0..rows as i64).map(|i| if i % 7 == 0 { IGNORED } else { i % 48 }).collect();
    let (loss, saved) = cross_entropy::forward(&x, &targets, hidden).unwrap();
    outputs.push(("loss", vec![loss]));
    let counted: Vec<i64> = targets.iter().map(|&target| target.max(0)).collect();
    let scores = cross_entropy::scores(&x, &counted, hidden).unwrap();
    outputs.push(("scores", scores.iter().flat_map(|score| [score.loss, score.best as f32]).collect()));
    outputs.push(("d logits", cross_entropy::backward(1.0, &x, &targets, hidden, &saved).unwrap()));

    let (mut p, mut first, mut second) = (x.clone(), y.clone(), z.iter().map(|z| z * z).collect::<Vec<f32>>());
    let step = adamw::Step {
        gradient_scale: 1.0,
        learning_rate: 0.01,
        beta1: 0.9,
        beta2: 0.99,
        epsilon: 1e-8,
        weight_decay: 0.1,
        bias_correction1: 0.1,
        bias_correction2: 0.01,
    };
    let moments = adamw::Moments { first: &mut first, second: &mut second };
    adamw::step(&mut p, &dy, moments, &step).unwrap();
    outputs.extend([("adamw", p), ("m", first), ("v", second)]);

    // The table has the rows of `x`, of which the ids touch some.
    let sparse = embedding::backward(&dy, &ids, hidden).unwrap();
    let (mut p, mut first, mut second) = (x.clone(), vec![0.0; x.len()], vec![0.0; x.len()]);
    let moments = adamw::Moments { first: &mut first, second: &mut second };
    adamw::step_rows(&mut p, &sparse, &mut vec![1, 300], moments, &step).unwrap();
    outputs.extend([("adamw by rows", p), ("m by rows", first), ("v by rows", second)]);
    let sum = RowSparse::combine(&[(&sparse, 0.3), (&sparse, -1.1)]).unwrap();
    outputs.push(("sum of rows", sum.values));
    let mut sum = x.clone();
    combine::combine(vec![combine::Combination { sum: &mut sum, first: 0.3, terms: vec![(&y, 0.1), (&z, 1.0)] }])
        .unwrap();
    outputs.push(("combination", sum));

    outputs.push(("dropout", dropout::apply(&x, hidden, drop).unwrap()));
    let vectors = [Vector::Dense(&x), Vector::Dense(&y), Vector::Rows(&sparse)];
    let sums = reduce::gram(&[vectors.map(Some).to_vec()]).unwrap().remove(0);
    for (name, sum) in [("squares", sums[0]), ("dot", sums[1]), ("dot by rows", sums[2]), ("squares by rows", sums[8])]
    {
        let bits = sum.to_bits();
        outputs.push((name, vec![sum as f32, f32::from_bits(bits as u32), f32::from_bits((bits >> 32) as u32)]));
    }
    outputs
}

fn with_threads(threads: usize) -> Vec<(&'static str, Vec<f32>)> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(everything)
}

#[test]
fn threads_change_no_bit() {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let bits = |outputs: Vec<(&'static str, Vec<f32>)>| -> Vec<(&'static str, Vec<u32>)> {
        outputs.into_iter().map(|(name, x)| (name, x.into_iter().map(f32::to_bits).collect())).collect()
    };
    let one = bits(with_threads(1));
    for threads in [1, 2, 3, 7] {
        for ((name, expected), (_, got)) in one.iter().zip(bits(with_threads(threads))) {
            assert!(*expected == got, "{name} differs with {threads} threads");
        }
    }
}

#[test]
fn instruction_sets_agree() {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(Simd::limit(Simd::Portable), Simd::Portable);
    let portable = everything();
    for set in [Simd::Avx2, Simd::Avx512] {
        let used = Simd::limit(set);
        if used < set {
            eprintln!("skipped: this processor has no {set:?}");
            continue;
        }
        for ((name, expected), (_, got)) in portable.iter().zip(everything()) {
            if ["dropout", "dot", "squares"].contains(name) {
                let same = expected.iter().zip(&got).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{name} with {set:?}: these must be equal bit for bit");
                continue;
            }
            let largest = expected.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
            for (i, (a, b)) in expected.iter().zip(&got).enumerate() {
                assert!((a - b).abs() <= 2e-6 * largest, "{name}[{i}] with {set:?}: {b} instead of {a}");
            }
        }
    }
    Simd::limit(Simd::Avx512);
}
