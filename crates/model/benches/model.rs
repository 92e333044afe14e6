//! Forward pass and training step of the two smaller encoders, batch 16 × 128, under criterion. Run with
//! `cargo bench -p model --bench model`; `LETHE_BENCH_BACKEND` chooses another back end than `cpu`. The comparison with
//! PyTorch is `scripts/bench/compare_step.py`, which runs the benchmark `step`.

mod encoder;

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use encoder::{ROWS, SEQ, SIZES};
use model::OptimizerConfig;
use spec::Backend;

fn benches(criterion: &mut Criterion) {
    let backend = std::env::var("LETHE_BENCH_BACKEND").map_or(Backend::Cpu, |text| text.parse().unwrap());
    for size in &SIZES[..2] {
        let (mut learner, batch) = (size.learner(backend), size.batch());
        learner.begin_stage(OptimizerConfig { weight_decay: 0.01, ..OptimizerConfig::default() });
        let mut group = criterion.benchmark_group(format!("{}-{backend}", size.name));
        group.throughput(Throughput::Elements((ROWS * SEQ) as u64)).sample_size(10);
        group.measurement_time(Duration::from_secs(20));
        group.bench_function("forward", |bencher| bencher.iter(|| learner.logits(&batch).unwrap()));
        group.bench_function("training-step", |bencher| {
            bencher.iter(|| {
                let (_, gradients) = learner.loss_and_gradients(&batch, 1).unwrap();
                learner.step(gradients, 1e-5).unwrap()
            });
        });
        group.finish();
    }
}

criterion_group!(model, benches);
criterion_main!(model);
