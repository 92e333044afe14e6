//! Forward pass and training step of two encoder sizes, batch 16 × 128; `scripts/bench/training_step.py` is the PyTorch
//! twin. Run with `cargo bench -p model`; `LETHE_BENCH_BACKEND` chooses another back end than `cpu`.

use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::{Learner, OptimizerConfig};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use spec::{Backend, Batch, Head, Targets};

const ROWS: usize = 16;
const SEQ: usize = 128;

struct Size {
    name: &'static str,
    layers: usize,
    hidden: usize,
    heads: usize,
    vocabulary: usize,
}

const SIZES: [Size; 2] = [
    Size { name: "a-4x256", layers: 4, hidden: 256, heads: 4, vocabulary: 8_000 },
    Size { name: "b-12x384", layers: 12, hidden: 384, heads: 12, vocabulary: 30_000 },
];

/// Small numbers without pattern that matters: a linear congruential generator.
fn noise(count: usize, scale: f32) -> Vec<f32> {
    let mut state = 12_345u32;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 * 2.0 * scale - scale
        })
        .collect()
}

/// Writes a BERT folder of this size with random weights.
fn write(size: &Size, folder: &Path) {
    let (h, f) = (size.hidden, size.hidden * 4);
    let config = serde_json::json!({
        "model_type": "bert", "architectures": ["BertModel"], "vocab_size": size.vocabulary, "hidden_size": h,
        "num_hidden_layers": size.layers, "num_attention_heads": size.heads, "intermediate_size": f,
        "hidden_act": "gelu", "max_position_embeddings": 512, "type_vocab_size": 2, "pad_token_id": 0,
    });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![size.vocabulary, h]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![512, h]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, h]),
        ("embeddings.LayerNorm.weight".to_owned(), vec![h]),
        ("embeddings.LayerNorm.bias".to_owned(), vec![h]),
    ];
    for layer in 0..size.layers {
        for (part, output, input) in [
            ("attention.self.query", h, h),
            ("attention.self.key", h, h),
            ("attention.self.value", h, h),
            ("attention.output.dense", h, h),
            ("intermediate.dense", f, h),
            ("output.dense", h, f),
        ] {
            shapes.push((format!("encoder.layer.{layer}.{part}.weight"), vec![output, input]));
            shapes.push((format!("encoder.layer.{layer}.{part}.bias"), vec![output]));
        }
        for part in ["attention.output.LayerNorm", "output.LayerNorm"] {
            shapes.push((format!("encoder.layer.{layer}.{part}.weight"), vec![h]));
            shapes.push((format!("encoder.layer.{layer}.{part}.bias"), vec![h]));
        }
    }
    let data: Vec<(String, Vec<usize>, Vec<u8>)> = shapes
        .into_iter()
        .map(|(name, shape)| {
            let count = shape.iter().product();
            let values = if name.ends_with("LayerNorm.weight") { vec![1.0; count] } else { noise(count, 0.035) };
            (name, shape, values.into_iter().flat_map(f32::to_le_bytes).collect())
        })
        .collect();
    let views = data
        .iter()
        .map(|(name, shape, bytes)| (name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    safetensors::serialize_to_file(views, None, &folder.join("model.safetensors")).unwrap();
}

fn benches(criterion: &mut Criterion) {
    let backend = std::env::var("LETHE_BENCH_BACKEND").map_or(Backend::Cpu, |text| text.parse().unwrap());
    for size in &SIZES {
        let folder = tempfile::tempdir().unwrap();
        write(size, folder.path());
        let mut learner = Learner::load(folder.path(), backend).unwrap();
        learner.set_dropout(Some(0.0));
        learner.set_head(Head::TokenLabels { labels: 7 }, 1).unwrap();
        learner.begin_stage(OptimizerConfig { weight_decay: 0.01, ..OptimizerConfig::default() });
        let ids = (0..ROWS * SEQ).map(|k| 5 + (k * 7_919 % (size.vocabulary - 5)) as i32).collect();
        let labels = (0..ROWS * SEQ).map(|k| (k % 7) as i32).collect();
        let batch = Batch {
            ids,
            type_ids: vec![0; ROWS * SEQ],
            lengths: vec![SEQ; ROWS],
            seq: SEQ,
            targets: Targets::TokenLabels(labels),
        };
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
