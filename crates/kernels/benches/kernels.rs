//! Every operation at the shapes of two encoders, and a whole layer.
//!
//! The same layer in PyTorch, for the ratio: `scripts/bench/layer.py`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kernels::attention::{Attention, Inputs};
use kernels::rows::Vector;
use kernels::{Dropout, adamw, attention, cross_entropy, embedding, feed_forward, layer_norm, linear, reduce};

struct Model {
    name: &'static str,
    hidden: usize,
    heads: usize,
    inner: usize,
    words: usize,
}

const BATCH: usize = 16;
const SEQUENCE: usize = 128;
const ROWS: usize = BATCH * SEQUENCE;
const MODELS: [Model; 2] = [
    Model { name: "A", hidden: 256, heads: 4, inner: 1024, words: 8000 },
    Model { name: "B", hidden: 384, heads: 12, inner: 1536, words: 30_000 },
];

fn numbers(seed: u32, len: usize, scale: f32) -> Vec<f32> {
    let hash = |i: u32| {
        (i ^ seed.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b).rotate_left(13).wrapping_mul(0xc2b2_ae35)
    };
    (0..len as u32).map(|i| ((hash(i) >> 8) as f32 / (1 << 23) as f32 - 1.0) * scale).collect()
}

impl Model {
    fn attention<'a>(&self, lengths: &'a [usize], dropout: Option<Dropout>) -> Attention<'a> {
        Attention {
            batch: BATCH,
            sequence: SEQUENCE,
            hidden: self.hidden,
            heads: self.heads,
            lengths,
            head_mask: None,
            dropout,
        }
    }

    fn square(&self) -> linear::Size {
        linear::Size { inputs: self.hidden, outputs: self.hidden }
    }

    fn feed_forward(&self) -> feed_forward::Size {
        feed_forward::Size { hidden: self.hidden, inner: self.inner }
    }
}

fn operations(criterion: &mut Criterion) {
    for model in &MODELS {
        let Model { hidden, inner, words, .. } = *model;
        let mut group = criterion.benchmark_group(model.name);
        let x = numbers(1, ROWS * hidden, 1.0);
        let [key, value, dy] = [2, 3, 4].map(|seed| numbers(seed, ROWS * hidden, 1.0));
        let weight = numbers(5, hidden * hidden, 0.1);
        let bias = numbers(6, hidden, 0.1);

        let size = model.square();
        group.throughput(Throughput::Elements((2 * ROWS * hidden * hidden) as u64));
        group.bench_function("linear forward", |b| b.iter(|| linear::forward(&x, &weight, Some(&bias), size)));
        group.throughput(Throughput::Elements((4 * ROWS * hidden * hidden) as u64));
        group.bench_function("linear backward", |b| {
            b.iter(|| linear::backward(&dy, &x, &weight, size, linear::Need::ALL))
        });

        let inputs = Inputs { query: &x, key: &key, value: &value };
        let full = [SEQUENCE; BATCH];
        let dropout = Some(Dropout::new(0.1, 1).unwrap());
        for (name, call) in
            [("attention", model.attention(&full, None)), ("attention with dropout", model.attention(&full, dropout))]
        {
            group.throughput(Throughput::Elements((4 * ROWS * SEQUENCE * hidden) as u64));
            group.bench_function(format!("{name} forward"), |b| b.iter(|| attention::forward(inputs, &call)));
            let (_, saved) = attention::forward(inputs, &call).unwrap();
            group.throughput(Throughput::Elements((10 * ROWS * SEQUENCE * hidden) as u64));
            group.bench_function(format!("{name} backward"), |b| {
                b.iter(|| attention::backward(&dy, inputs, &saved, &call))
            });
        }

        let affine = layer_norm::Affine { gamma: &bias, beta: &bias, epsilon: 1e-5 };
        group.throughput(Throughput::Elements((ROWS * hidden) as u64));
        for (name, dropout) in [("norm", None), ("norm with dropout", dropout)] {
            let branch = layer_norm::Branch { values: &key, dropout };
            group.bench_function(format!("{name} forward"), |b| {
                b.iter(|| layer_norm::forward(&x, Some(branch), affine))
            });
            let (_, saved) = layer_norm::forward(&x, Some(branch), affine).unwrap();
            group.bench_function(format!("{name} backward"), |b| b.iter(|| layer_norm::backward(&dy, &bias, &saved)));
        }

        let size = model.feed_forward();
        let [w1, w2] = [7, 8].map(|seed| numbers(seed, hidden * inner, 0.1));
        let b1 = numbers(9, inner, 0.1);
        let weights = feed_forward::Weights { w1: &w1, b1: &b1, w2: &w2, b2: &bias };
        group.throughput(Throughput::Elements((4 * ROWS * hidden * inner) as u64));
        group.bench_function("feed forward forward", |b| b.iter(|| feed_forward::forward(&x, weights, size)));
        let (_, saved) = feed_forward::forward(&x, weights, size).unwrap();
        group.throughput(Throughput::Elements((8 * ROWS * hidden * inner) as u64));
        group.bench_function("feed forward backward", |b| {
            b.iter(|| feed_forward::backward(&dy, &x, weights, &saved, size, feed_forward::Need::ALL))
        });

        group.throughput(Throughput::Elements((ROWS * hidden) as u64));
        let table = numbers(10, words * hidden, 1.0);
        let ids: Vec<u32> = (0..ROWS).map(|i| (i * i % words) as u32).collect();
        let lookups = [embedding::Lookup { table: &table, ids: &ids }; 2];
        group.bench_function("embedding forward", |b| b.iter(|| embedding::forward(&lookups, hidden)));
        group.bench_function("embedding backward", |b| b.iter(|| embedding::backward(&dy, &ids, hidden)));

        let logits = &table[..words * 256];
        let targets: Vec<i64> = (0..256).collect();
        group.throughput(Throughput::Elements(logits.len() as u64));
        group.bench_function("cross-entropy forward", |b| b.iter(|| cross_entropy::forward(logits, &targets, words)));
        let (_, saved) = cross_entropy::forward(logits, &targets, words).unwrap();
        group.bench_function("cross-entropy backward", |b| {
            b.iter(|| cross_entropy::backward(1.0, logits, &targets, words, &saved))
        });

        group.throughput(Throughput::Elements(table.len() as u64));
        let gradient = numbers(11, table.len(), 0.01);
        group.bench_function("dot", |b| b.iter(|| reduce::dot(Vector::Dense(&table), Vector::Dense(&gradient))));
        let (mut p, mut m, mut v) =
            (table.clone(), gradient.clone(), gradient.iter().map(|g| g * g).collect::<Vec<_>>());
        let step = adamw::Step {
            gradient_scale: 1.0,
            learning_rate: 1e-5,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            bias_correction1: 0.5,
            bias_correction2: 0.1,
        };
        let rows = embedding::backward(&dy, &ids, hidden).unwrap();
        let mut live: Vec<u32> = (0..words as u32).filter(|row| row % 8 == 0).collect();
        let no_decay = adamw::Step { weight_decay: 0.0, ..step };
        group.bench_function("adamw by rows, an eighth live", |b| {
            b.iter(|| {
                let moments = adamw::Moments { first: &mut m, second: &mut v };
                adamw::step_rows(&mut p, &rows, &mut live, moments, &no_decay)
            })
        });
        group.bench_function("dot by rows", |b| b.iter(|| reduce::dot(Vector::Rows(&rows), Vector::Rows(&rows))));
        group.bench_function("adamw", |b| {
            b.iter(|| {
                let moments = adamw::Moments { first: &mut m, second: &mut v };
                adamw::step(&mut p, &gradient, moments, &step)
            })
        });
        group.finish();
    }
}

/// One post-norm encoder layer, all gradients, no dropout.
struct Layer<'a> {
    model: &'a Model,
    squares: [Vec<f32>; 4],
    bias: Vec<f32>,
    gamma: Vec<f32>,
    w1: Vec<f32>,
    b1: Vec<f32>,
    w2: Vec<f32>,
}

impl<'a> Layer<'a> {
    fn new(model: &'a Model) -> Self {
        let Model { hidden, inner, .. } = *model;
        Self {
            model,
            squares: [1, 2, 3, 4].map(|seed| numbers(seed, hidden * hidden, 0.05)),
            bias: numbers(5, hidden, 0.1),
            gamma: vec![1.0; hidden],
            w1: numbers(6, hidden * inner, 0.05),
            b1: numbers(7, inner, 0.1),
            w2: numbers(8, hidden * inner, 0.05),
        }
    }

    fn step(&self, x: &[f32], dy: &[f32]) -> Result<(), kernels::KernelError> {
        let (size, ff_size) = (self.model.square(), self.model.feed_forward());
        let lengths = [SEQUENCE; BATCH];
        let call = self.model.attention(&lengths, None);
        let affine = layer_norm::Affine { gamma: &self.gamma, beta: &self.bias, epsilon: 1e-5 };
        let [wq, wk, wv, wo] = &self.squares;
        let weights = feed_forward::Weights { w1: &self.w1, b1: &self.b1, w2: &self.w2, b2: &self.bias };
        let project = |x: &[f32], w: &[f32]| linear::forward(x, w, Some(&self.bias), size);
        let residual = |values| Some(layer_norm::Branch { values, dropout: None });
        let (q, k, v) = (project(x, wq)?, project(x, wk)?, project(x, wv)?);
        let inputs = Inputs { query: &q, key: &k, value: &v };
        let (context, softmax) = attention::forward(inputs, &call)?;
        let out = project(&context, wo)?;
        let (middle, norm1) = layer_norm::forward(x, residual(&out), affine)?;
        let (inner, pre) = feed_forward::forward(&middle, weights, ff_size)?;
        let (y, norm2) = layer_norm::forward(&middle, residual(&inner), affine)?;
        black_box(y);

        let d2 = layer_norm::backward(dy, &self.gamma, &norm2)?;
        let need = feed_forward::Need::ALL;
        let ff = feed_forward::backward(&d2.input, &middle, weights, &pre, ff_size, need)?;
        let d_middle = add(d2.input, ff.input.unwrap_or_default());
        let d1 = layer_norm::backward(&d_middle, &self.gamma, &norm1)?;
        let back = |dy: &[f32], x: &[f32], w: &[f32]| linear::backward(dy, x, w, size, linear::Need::ALL);
        let o = back(&d1.input, &context, wo)?;
        let d = attention::backward(&o.input.unwrap_or_default(), inputs, &softmax, &call)?;
        let mut dx = d1.input;
        for (dy, w) in [(&d.query, wq), (&d.key, wk), (&d.value, wv)] {
            let g = back(dy, x, w)?;
            dx = add(dx, g.input.unwrap_or_default());
            black_box((g.weight, g.bias));
        }
        black_box((dx, ff.w1, ff.b1, ff.w2, ff.b2, o.weight, o.bias));
        Ok(())
    }
}

fn add(mut a: Vec<f32>, b: Vec<f32>) -> Vec<f32> {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

fn layer(criterion: &mut Criterion) {
    for model in &MODELS {
        let Model { hidden, inner, .. } = *model;
        let layer = Layer::new(model);
        let (x, dy) = (numbers(1, ROWS * hidden, 1.0), numbers(2, ROWS * hidden, 1.0));
        let mut group = criterion.benchmark_group(model.name);
        // Multiplications and additions of the products, forward once and backward twice (recomputed scores not counted).
        let products = 2 * ROWS * (4 * hidden * hidden + 2 * hidden * inner + 2 * SEQUENCE * hidden);
        group.throughput(Throughput::Elements(3 * products as u64));
        group.bench_function("layer", |b| b.iter(|| layer.step(&x, &dy)));
        group.finish();
    }
}

criterion_group!(benches, operations, layer);
criterion_main!(benches);
