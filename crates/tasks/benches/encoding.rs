//! Encoding of sentences with entity tags: made ones with a tiny tokenizer, and real ones where LETHE_REAL names data.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use data::{EncodeOptions, Examples, ExamplesBuilder, Tokenization, TrainingOrder, Value};
use spec::{Language, Task};
use tasks::{Format, Input, encode, read};

fn made(count: usize) -> Examples {
    let words = ["Maria", "lives", "in", "Lisbon", "Казань", "दिल्ली", "เชียงใหม่", "北京", "directora", "harbour", "."];
    let mut builder = ExamplesBuilder::new(Task::Ner, Task::Ner.usual_labels());
    for index in 0..count {
        let length = 3 + index * 7919 % 25;
        let words = (0..length).map(|word| words[(index * 31 + word * 17) % words.len()].to_owned()).collect();
        let tags = (0..length).map(|word| word % 7).collect();
        let pushed = builder.push(&index.to_string(), vec![Value::Texts(words), Value::Labels(tags)]);
        assert_eq!(pushed, Ok(()));
    }
    builder.finish()
}

fn encoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encoding");
    group.sample_size(10);
    let options = EncodeOptions { max_length: 128, stride: 0, prefix: String::new() };
    let mut cases =
        vec![("made-1k", Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/tiny-xlmr"), made(1_000))];
    match std::env::var_os("LETHE_REAL").map(PathBuf::from) {
        Some(root) => {
            let path = root.join("data/wikiann/de/train-00000-of-00001.parquet");
            let format: Format = "wikiann-parquet".parse().expect("a format of entities");
            if let Ok(read) = read(format, &Input::new(vec![path], Language::ENGLISH)) {
                cases.push(("wikiann-de-5k", root.join("models/multilingual-e5-small-64k"), read.examples));
            }
        }
        None => eprintln!("skipped: LETHE_REAL is not set"),
    }
    for (name, model, examples) in cases {
        let Ok(tokenization) = Tokenization::load(&model) else {
            eprintln!("skipped: no tokenizer in {}", model.display());
            continue;
        };
        let Ok(encoded) = encode(&examples, &tokenization, &options) else { continue };
        group.throughput(Throughput::Elements(encoded.lengths().iter().sum::<usize>() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| encode(black_box(&examples), &tokenization, &options)));
        let mut step = 0;
        if let Ok(mut order) = TrainingOrder::new(1, "bench", 16, vec![(Language::ENGLISH, encoded.lengths())]) {
            group.throughput(Throughput::Elements(16));
            group.bench_function(format!("{name}/batch"), |bencher| {
                bencher.iter(|| {
                    step += 1;
                    let batches = order.sub_batches(step);
                    encoded.batch(black_box(&batches[0].1), 8)
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, encoding);
criterion_main!(benches);
