//! What is counted: every operation once on a small shape, on the calling thread.

use std::hint::black_box;

use kernels::attention::{Attention, Inputs};
use kernels::rows::Vector;
use kernels::{Dropout, adamw, attention, combine, cross_entropy, embedding, feed_forward, gelu, layer_norm, linear};
use kernels::{reduce, tied};

const BATCH: usize = 3;
const SEQUENCE: usize = 43;
const ROWS: usize = BATCH * SEQUENCE;
const HIDDEN: usize = 96;
const INNER: usize = 4 * HIDDEN;
const WORDS: usize = 500;

fn numbers(seed: u32, len: usize) -> Vec<f32> {
    let hash = |i: u32| {
        (i ^ seed.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b).rotate_left(13).wrapping_mul(0xc2b2_ae35)
    };
    (0..len as u32).map(|i| (hash(i) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// The function whose instructions are counted, by its name in the executable.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn lethe_counted(operation: &mut Operation) {
    (operation.run)();
}

pub struct Operation {
    pub name: &'static str,
    run: Box<dyn FnMut()>,
}

fn operation<T>(name: &'static str, mut run: impl FnMut() -> T + 'static) -> Operation {
    Operation { name, run: Box::new(move || drop(black_box(run()))) }
}

pub fn all() -> Vec<Operation> {
    let dropout = Some(Dropout::new(0.1, 7).unwrap());
    let [x, y, z, dy] = [1, 2, 3, 4].map(|seed| &*numbers(seed, ROWS * HIDDEN).leak());
    let [square, wide, narrow] =
        [(5, HIDDEN * HIDDEN), (6, HIDDEN * INNER), (7, HIDDEN * INNER)].map(|(seed, len)| &*numbers(seed, len).leak());
    let (bias, inner_bias) = (&x[..HIDDEN], &*numbers(8, INNER).leak());
    let (table, logits) = (&*numbers(9, WORDS * HIDDEN).leak(), &*numbers(10, ROWS * WORDS).leak());
    let mut operations = Vec::new();

    let size = linear::Size { inputs: HIDDEN, outputs: HIDDEN };
    operations.push(operation("linear forward", move || linear::forward(x, square, Some(bias), size).unwrap()));
    operations
        .push(operation("linear backward", move || linear::backward(dy, x, square, size, linear::Need::ALL).unwrap()));

    let call = Attention {
        batch: BATCH,
        sequence: SEQUENCE,
        hidden: HIDDEN,
        heads: 3,
        lengths: &[43, 20, 37],
        head_mask: None,
        dropout,
    };
    let inputs = Inputs { query: x, key: y, value: z };
    let (_, saved) = attention::forward(inputs, &call).unwrap();
    operations.push(operation("attention forward", move || attention::forward(inputs, &call).unwrap()));
    operations.push(operation("attention backward", move || attention::backward(dy, inputs, &saved, &call).unwrap()));

    let affine = layer_norm::Affine { gamma: bias, beta: bias, epsilon: 1e-5 };
    let branch = layer_norm::Branch { values: y, dropout };
    let (_, saved) = layer_norm::forward(x, Some(branch), affine).unwrap();
    operations.push(operation("norm forward", move || layer_norm::forward(x, Some(branch), affine).unwrap()));
    operations.push(operation("norm backward", move || layer_norm::backward(dy, bias, &saved).unwrap()));

    let size = feed_forward::Size { hidden: HIDDEN, inner: INNER };
    let weights = feed_forward::Weights { w1: wide, b1: inner_bias, w2: narrow, b2: bias };
    let (_, saved) = feed_forward::forward(x, weights, size).unwrap();
    operations.push(operation("feed forward forward", move || feed_forward::forward(x, weights, size).unwrap()));
    operations.push(operation("feed forward backward", move || {
        feed_forward::backward(dy, x, weights, &saved, size, feed_forward::Need::ALL).unwrap()
    }));

    operations.push(operation("gelu forward", move || gelu::forward(x)));
    operations.push(operation("gelu backward", move || gelu::backward(dy, x).unwrap()));

    let ids: &[u32] = (0..ROWS as u32).map(|i| i * i % 97).collect::<Vec<_>>().leak();
    let lookups = [embedding::Lookup { table, ids }; 2];
    operations.push(operation("embedding forward", move || embedding::forward(&lookups, HIDDEN).unwrap()));
    operations.push(operation("embedding backward", move || embedding::backward(dy, ids, HIDDEN).unwrap()));

    let size = tied::Size { hidden: HIDDEN, words: WORDS };
    let words = &logits[..WORDS];
    operations.push(operation("tied forward", move || tied::forward(x, table, words, size).unwrap()));
    operations
        .push(operation("tied backward", move || tied::backward(logits, x, table, size, linear::Need::ALL).unwrap()));

    let targets: &[i64] = (0..ROWS as i64).collect::<Vec<_>>().leak();
    let (_, saved) = cross_entropy::forward(logits, targets, WORDS).unwrap();
    operations
        .push(operation("cross entropy forward", move || cross_entropy::forward(logits, targets, WORDS).unwrap()));
    operations.push(operation("cross entropy backward", move || {
        cross_entropy::backward(1.0, logits, targets, WORDS, &saved).unwrap()
    }));

    let step = adamw::Step {
        gradient_scale: 0.5,
        learning_rate: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.01,
        bias_correction1: 0.5,
        bias_correction2: 0.1,
    };
    let (mut p, mut m) = (table.to_vec(), table.to_vec());
    let mut v: Vec<f32> = table.iter().map(|x| x * x).collect();
    let gradient = &logits[..table.len()];
    operations.push(operation("adamw", move || {
        let moments = adamw::Moments { first: &mut m, second: &mut v };
        adamw::step(&mut p, gradient, moments, &step).unwrap()
    }));
    let rows = embedding::backward(dy, ids, HIDDEN).unwrap();
    let (mut p, mut m, mut v) = (table.to_vec(), vec![0.0; table.len()], vec![0.0; table.len()]);
    operations.push(operation("adamw by rows", move || {
        let moments = adamw::Moments { first: &mut m, second: &mut v };
        adamw::step_rows(&mut p, &rows, &mut vec![1, 99], moments, &step).unwrap()
    }));

    operations.push(operation("gram", move || {
        let vectors = [x, y, z].map(Vector::Dense);
        reduce::gram(&[vectors.map(Some).to_vec()]).unwrap()
    }));
    let mut sum = x.to_vec();
    operations.push(operation("combine", move || {
        combine::combine(vec![combine::Combination { sum: &mut sum, first: 0.5, terms: vec![(y, 0.1), (z, 0.2)] }])
            .unwrap()
    }));
    operations
}
