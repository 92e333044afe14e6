//! Time of the measures on the sizes of a full evaluation.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use evaluation::{
    Contribution, RESAMPLES, interval, maximum_spanning_tree, permutation_test, score_entities, score_qa,
    score_retrieval,
};

/// A fixed stream of numbers; only its spread matters here.
fn numbers() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(1_u64), |x| {
        Some(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    })
    .map(|x| x >> 33)
}

fn metrics(criterion: &mut Criterion) {
    let tags = ["O", "O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC", "I-ORG"];
    let mut draws = numbers();
    let mut sentences = || -> Vec<Vec<&str>> {
        (0..10_000).map(|_| draws.by_ref().take(12).map(|x| tags[x as usize % tags.len()]).collect()).collect()
    };
    let (gold, predicted) = (sentences(), sentences());
    criterion.bench_function("entity scores, 10k sentences", |b| {
        b.iter(|| score_entities("ner", black_box(&gold), &predicted))
    });

    let words = ["the", "Broncos’", "308", "defense,", "ein", "größer", "北京大学", "là", "القوات"];
    let mut draws = numbers();
    let mut answer = || draws.by_ref().take(4).map(|x| words[x as usize % words.len()]).collect::<Vec<_>>().join(" ");
    let gold: Vec<Vec<String>> = (0..10_000).map(|_| vec![answer()]).collect();
    let predicted: Vec<String> = (0..10_000).map(|_| answer()).collect();
    criterion.bench_function("answer scores, 10k questions", |b| {
        b.iter(|| score_qa("de", black_box(&gold), &predicted));
    });

    let vectors: Vec<f32> = numbers().map(|x| x as f32 / (1_u64 << 30) as f32 - 1.0).take(2 * 1000 * 384).collect();
    let (foreign, english) = vectors.split_at(1000 * 384);
    criterion.bench_function("retrieval, 1000 x 1000 x 384", |b| {
        b.iter(|| score_retrieval(black_box(foreign), english, 384));
    });

    let scores = |shift: u64| -> Vec<Contribution> {
        numbers().map(|x| Contribution::hit((x + shift) % 10 < 7)).take(10_000).collect()
    };
    let (first, second) = (scores(0), scores(1));
    criterion.bench_function("bootstrap, 1000 resamples of 10k", |b| {
        b.iter(|| interval(black_box(&first), 1, RESAMPLES));
    });
    criterion.bench_function("permutation test, 1000 exchanges of 10k", |b| {
        b.iter(|| permutation_test(black_box(&first), &second, 1, RESAMPLES));
    });

    let random: Vec<f32> = numbers().map(|x| x as f32).take(200 * 201).collect();
    criterion.bench_function("best tree, 200 words, random", |b| {
        b.iter(|| maximum_spanning_tree(black_box(&random), 200));
    });
    // As many contractions as there can be, each of a pair.
    let arcs = (1..=200_usize).flat_map(|word| (0..=200).map(move |head| (word, head)));
    let nested: Vec<f32> = arcs.map(|(word, head)| -(word.max(head) as f32)).collect();
    criterion.bench_function("best tree, 200 words, nested cycles", |b| {
        b.iter(|| maximum_spanning_tree(black_box(&nested), 200));
    });
}

criterion_group!(benches, metrics);
criterion_main!(benches);
