//! A training step of parsing against one of tagging the same tokens, on the encoder that comes inside: what the parser's
//! head costs. Run with `cargo bench -p model --bench objectives`.

use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::{Learner, OptimizerConfig};
use spec::{Backend, Batch, Head, Labels, ParserSizes, Targets, Words};

const ROWS: usize = 16;
const SEQ: usize = 26;
/// Words of a row; about one in four has a second token.
const WORDS: usize = 19;
const LABELS: usize = 17;

/// Sentences without targets.
fn sentences() -> Batch {
    let tokens: Vec<i32> = (0..ROWS).flat_map(|_| (0..WORDS).map(|word| 1 + (word * 24 / WORDS) as i32)).collect();
    Batch {
        ids: (0..ROWS * SEQ).map(|k| 5 + (k * 7_919 % 200) as i32).collect(),
        type_ids: vec![0; ROWS * SEQ],
        lengths: vec![SEQ; ROWS],
        seq: SEQ,
        words: Some(Words { first: tokens.clone(), last: tokens, width: WORDS }),
        ..Batch::default()
    }
}

fn benches(criterion: &mut Criterion) {
    let labels = || Labels::numbered(LABELS);
    let tags = Targets::TokenLabels((0..ROWS * SEQ).map(|k| (k % LABELS) as i32).collect());
    // Every word depends on the one before it.
    let heads = (0..ROWS * WORDS).map(|k| (k % WORDS) as i32).collect();
    let arcs = Targets::Arcs { heads, relations: (0..ROWS * WORDS).map(|k| (k % LABELS) as i32).collect() };
    let mut group = criterion.benchmark_group("mini");
    group.throughput(Throughput::Elements((ROWS * SEQ) as u64));
    let mut measure = |name: String, head: Head, targets: &Targets| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../encoders/mini");
        let mut learner = Learner::load(&folder, Backend::Cpu).unwrap();
        learner.set_head(None, head, 1).unwrap();
        learner.begin_stage(OptimizerConfig::default());
        let batch = Batch { targets: targets.clone(), ..sentences() };
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (_, gradients) = learner.loss_and_gradients(&batch, 1).unwrap();
                learner.step(gradients, 1e-5).unwrap()
            });
        });
    };
    measure("tags".to_owned(), Head::TokenLabels { labels: labels() }, &tags);
    for (arc, label, mix) in [(64, 32, false), (64, 32, true), (128, 64, false), (256, 64, false), (768, 256, false)] {
        let sizes = ParserSizes { arc, label, mix, ..ParserSizes::default() };
        let name = format!("arcs {arc}/{label}{}", if mix { ", mixed layers" } else { "" });
        measure(name, Head::Arcs { labels: labels(), sizes }, &arcs);
    }
    group.finish();
}

criterion_group!(objectives, benches);
criterion_main!(objectives);
