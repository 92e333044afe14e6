//! Parity on a real encoder, multilingual-e5-small-64k; the numbers come from `scripts/reference/model.py --real`.

mod common;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use common::{flat, max_abs, real, real_tokens, reference, train};
use model::Learner;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use spec::{Backend, Batch, Targets};

const FOLDER: &str = "models/multilingual-e5-small-64k";

static EXPECTED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&fs::read_to_string(reference("e5-small.json")).unwrap()).unwrap());

fn floats(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(list) => list.iter().flat_map(floats).collect(),
        number => vec![number.as_f64().unwrap() as f32],
    }
}

fn integers(value: &Value) -> Vec<i32> {
    floats(value).into_iter().map(|value| value as i32).collect()
}

fn batch(value: &Value) -> Batch {
    let lengths: Vec<usize> = integers(&value["lengths"]).into_iter().map(|length| length as usize).collect();
    let ids = integers(&value["ids"]);
    let targets = match (&value["labels"], &value["starts"]) {
        (Value::Null, _) => Targets::Spans { starts: integers(&value["starts"]), ends: integers(&value["ends"]) },
        (labels, _) if labels[0].is_array() => Targets::TokenLabels(integers(labels)),
        (labels, _) => Targets::Classes(integers(labels)),
    };
    Batch {
        seq: ids.len() / lengths.len(),
        type_ids: integers(&value["type_ids"]),
        ids,
        lengths,
        targets,
        ..Batch::default()
    }
}

/// The encoder with a head whose weights are 0.02 sin(0.37 i + phase), phase = the parameter's number within the head.
fn with_head(folder: &Path, architecture: &str, parameters: &[(&str, Vec<usize>)]) -> Learner {
    let bytes = fs::read(folder.join("model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let formula = |count: usize, phase: usize| -> Vec<u8> {
        (0..count).flat_map(|i| ((0.02 * (0.37 * i as f64 + phase as f64).sin()) as f32).to_le_bytes()).collect()
    };
    let heads: Vec<(String, Vec<usize>, Vec<u8>)> = parameters
        .iter()
        .enumerate()
        .map(|(phase, (name, shape))| ((*name).to_owned(), shape.clone(), formula(shape.iter().product(), phase)))
        .collect();
    let mut all: HashMap<String, TensorView<'_>> =
        file.tensors().into_iter().map(|(name, view)| (format!("bert.{name}"), view)).collect();
    for (name, shape, data) in &heads {
        all.insert(name.clone(), TensorView::new(Dtype::F32, shape.clone(), data).unwrap());
    }
    let copy = tempfile::tempdir().unwrap();
    safetensors::serialize_to_file(all, None, &copy.path().join("model.safetensors")).unwrap();
    let config = fs::read_to_string(folder.join("config.json"))
        .unwrap()
        .replace("\"BertModel\"", &format!("\"{architecture}\""));
    fs::write(copy.path().join("config.json"), config).unwrap();
    let mut learner = Learner::load(copy.path(), Backend::Cpu).unwrap();
    learner.set_dropout(Some(0.0));
    learner
}

fn tokens(folder: &Path) -> Learner {
    let parameters = [("classifier.weight", vec![7, 384]), ("classifier.bias", vec![7])];
    with_head(folder, "BertForTokenClassification", &parameters)
}

/// Number `index` of SplitMix64 from seed 0: a hash of a counter, which the reference script computes alike.
fn splitmix64(index: usize) -> u64 {
    let z = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Inner products with vectors of signs: entry `i` of vector `k` is -1 where bit `k` of hash `i` is set.
fn projections(values: &[f32]) -> [f64; 8] {
    let mut sums = [0.0; 8];
    for (index, &value) in values.iter().enumerate().filter(|(_, value)| **value != 0.0) {
        let hash = splitmix64(index);
        for (k, sum) in sums.iter_mut().enumerate() {
            *sum += if hash >> k & 1 == 1 { -f64::from(value) } else { f64::from(value) };
        }
    }
    sums
}

#[test]
fn sentence_embeddings_are_those_of_the_model_s_own_reference() {
    let Some(folder) = real(FOLDER) else { return };
    let learner = Learner::load(&folder, Backend::Cpu).unwrap();
    assert_eq!(learner.head(None), None);
    let text = fs::read_to_string(folder.join("reference.json")).unwrap();
    let reference: Value = serde_json::from_str(&text).unwrap();
    let items = reference["items"].as_array().unwrap();
    let rows: Vec<Vec<i32>> = items.iter().map(|item| integers(&item["ids"])).collect();
    let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
    let seq = lengths.iter().copied().max().unwrap();
    let ids: Vec<i32> =
        rows.iter().flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(1, seq - row.len()))).collect();
    let batch = Batch { type_ids: vec![0; ids.len()], ids, lengths, seq, targets: Targets::None, ..Batch::default() };
    let vectors = learner.sentence_vectors(&batch).unwrap();
    for (item, vector) in items.iter().zip(vectors.chunks_exact(384)) {
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        let unit: Vec<f32> = vector.iter().map(|x| x / norm).collect();
        let worst = common::difference(&unit, &floats(&item["embedding"]));
        assert!(worst < 1e-4, "{}: {worst}", item["text"]);
    }
}

/// Every gradient, all of it, without a committed copy: what is committed of a tensor's gradient `r` are its inner products
/// with eight vectors `s` of random signs. For ours, `g`, the mean of `(s·(g - r))²` is an unbiased estimate of
/// `‖g - r‖²`, in which every entry takes part; its root must be below 1e-4 of `‖r‖`. If the errors of the entries are many
/// and independent it is `‖g - r‖²` times a chi-squared of 8 degrees over 8: a tensor twice as far off as allowed slips
/// through with a chance of 1/50, three times with 1/1000, and a single wrong entry never. Eight entries are also compared
/// as they are.
#[test]
fn hidden_states_logits_and_gradients_within_1e_4() {
    let Some(folder) = real(FOLDER) else { return };
    let span = [("qa_outputs.weight", vec![2, 384]), ("qa_outputs.bias", vec![2])];
    let class = [
        ("bert.pooler.dense.weight", vec![384, 384]),
        ("bert.pooler.dense.bias", vec![384]),
        ("classifier.weight", vec![3, 384]),
        ("classifier.bias", vec![3]),
    ];
    for head in ["tokens", "spans", "classes"] {
        let mut learner = match head {
            "tokens" => tokens(&folder),
            "spans" => with_head(&folder, "BertForQuestionAnswering", &span),
            _ => with_head(&folder, "BertForSequenceClassification", &class),
        };
        let expected = &EXPECTED["heads"][head];
        let batch = batch(&expected["batch"]);
        // Fused operations leave padded queries out: nothing reads them.
        let logits = real_tokens(&batch, flat(learner.logits(&batch).unwrap()));
        let reference = real_tokens(&batch, floats(&expected["logits"]));
        assert!(common::difference(&logits, &reference) < 1e-4, "{head}: logits");
        if head == "tokens" {
            let hidden = real_tokens(&batch, learner.hidden_states(&batch).unwrap());
            let norms: Vec<f32> =
                hidden.chunks_exact(384).map(|row| row.iter().map(|x| x * x).sum::<f32>().sqrt()).collect();
            let first: Vec<f32> = hidden.chunks_exact(384).flat_map(|row| row[..6].to_vec()).collect();
            assert!(common::difference(&first, &real_tokens(&batch, floats(&EXPECTED["hidden"]["first"]))) < 1e-4);
            for (ours, theirs) in norms.iter().zip(real_tokens(&batch, floats(&EXPECTED["hidden"]["norms"]))) {
                assert!((ours - theirs).abs() < 1e-4 * theirs, "{ours} {theirs}");
            }
        }

        let (loss, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        assert!((loss - expected["loss"].as_f64().unwrap()).abs() < 1e-4, "{head}: loss {loss}");
        let all = expected["gradients"].as_object().unwrap();
        assert_eq!(all.len(), learner.parameter_names().len());
        for (name, expected) in all {
            let ours = learner.gradient(&gradients, name.trim_start_matches("bert.")).unwrap().unwrap();
            let scale = expected["max"].as_f64().unwrap() as f32;
            if scale < 1e-9 {
                // A true gradient of 0: what shifts all inputs of a softmax alike.
                assert!(max_abs(&ours) < 1e-5, "{head}: {name} is {} away from 0", max_abs(&ours));
                continue;
            }
            let picked: Vec<f32> = (0..8).map(|k| ours[(ours.len() - 1) * k / 7]).collect();
            let worst = common::difference(&picked, &floats(&expected["values"]));
            assert!(worst < 1e-4 * scale, "{head}: {name} differs by {worst}, largest entry {scale}");
            let norm = ours.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            let length = expected["norm"].as_f64().unwrap();
            assert!((norm - length).abs() < 1e-4 * length, "{head}: norm of {name} {norm}, expected {length}");
            let ours = projections(&ours);
            let theirs = expected["projections"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
            assert_eq!(theirs.len(), ours.len());
            let squares = ours.into_iter().zip(theirs).map(|(ours, theirs)| (ours - theirs).powi(2));
            let distance = (squares.sum::<f64>() / ours.len() as f64).sqrt();
            assert!(distance < 1e-4 * length, "{head}: {name} is {distance} off, its norm is {length}");
        }
    }
}

#[test]
fn projections_are_those_of_the_reference_script() {
    // The generator's published first numbers from seed 0.
    assert_eq!([0, 1, 2].map(splitmix64), [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
    // Their lowest bytes are 0xaf, 0xf4 and 0x4f.
    assert_eq!(projections(&[1.0, 10.0, 100.0]), [-91.0, -91.0, -111.0, -91.0, 91.0, 89.0, -109.0, 89.0]);
}

#[test]
fn loss_over_100_steps_within_1e_3() {
    let Some(folder) = real(FOLDER) else { return };
    let mut learner = tokens(&folder);
    let curve = &EXPECTED["curve"];
    let batches: Vec<Batch> = curve["batches"].as_array().unwrap().iter().map(batch).collect();
    let (losses, _) = train(&mut learner, &batches, 100, 5e-5);
    let expected = curve["losses"].as_array().unwrap();
    assert_eq!(expected.len(), 100);
    for (step, (loss, expected)) in losses.iter().zip(expected).enumerate() {
        let expected = expected.as_f64().unwrap();
        assert!((loss - expected).abs() < 1e-3, "step {step}: loss {loss}, expected {expected}");
    }
}
