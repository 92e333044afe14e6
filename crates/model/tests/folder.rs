//! Model folders: what is read, what is written, and what is refused, each refusal with one clear message.

mod common;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Expected, FOLDERS, bits, flat, reference, tiny};
use model::{Learner, OptimizerConfig, Precision};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use spec::{Backend, Batch, Head, Labels, Task};

/// A tensor that a test may change before it is written.
struct Raw {
    dtype: Dtype,
    shape: Vec<usize>,
    data: Vec<u8>,
}

/// A copy of a reference folder whose tensors and configuration have been changed.
fn altered(
    name: &str,
    tensors: impl FnOnce(&mut HashMap<String, Raw>),
    config: impl FnOnce(String) -> String,
) -> tempfile::TempDir {
    let (from, to) = (reference(name), tempfile::tempdir().unwrap());
    let bytes = fs::read(from.join("model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut all: HashMap<String, Raw> = file
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            (name, Raw { dtype: view.dtype(), shape: view.shape().to_vec(), data: view.data().to_vec() })
        })
        .collect();
    tensors(&mut all);
    let views = all.iter().map(|(name, raw)| (name, TensorView::new(raw.dtype, raw.shape.clone(), &raw.data).unwrap()));
    safetensors::serialize_to_file(views, None, &to.path().join("model.safetensors")).unwrap();
    let text = fs::read_to_string(from.join("config.json")).unwrap();
    fs::write(to.path().join("config.json"), config(text)).unwrap();
    to
}

fn load(folder: &Path) -> Result<Learner, String> {
    Learner::load(folder, Backend::Cpu).map_err(|error| error.to_string())
}

fn f32_to(dtype: Dtype, raw: &mut Raw) {
    let values = raw.data.as_chunks().0.iter().map(|&chunk| f32::from_le_bytes(chunk));
    raw.data = match dtype {
        Dtype::F16 => values.flat_map(|value| half::f16::from_f32(value).to_le_bytes()).collect(),
        _ => values.flat_map(|value| half::bf16::from_f32(value).to_le_bytes()).collect(),
    };
    raw.dtype = dtype;
}

#[test]
fn half_precision_and_every_prefix_load() {
    let batch = Expected::read("bert-tokens").batch("batch");
    let expected = flat(tiny("bert-tokens", Backend::Cpu).logits(&batch).unwrap());
    for (dtype, tolerance) in [(Dtype::F16, 0.02), (Dtype::BF16, 0.2)] {
        let folder = altered("bert-tokens", |all| all.values_mut().for_each(|raw| f32_to(dtype, raw)), |text| text);
        let logits = flat(load(folder.path()).unwrap().logits(&batch).unwrap());
        let worst = common::difference(&logits, &expected);
        assert!(worst > 0.0 && worst < tolerance, "{dtype:?}: {worst}");
    }
    let rename = |from: &'static str, to: &'static str| {
        move |all: &mut HashMap<String, Raw>| {
            *all = all.drain().map(|(name, raw)| (name.replace(from, to), raw)).collect()
        }
    };
    for (from, to) in [("bert.", ""), ("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")] {
        let folder = altered("bert-tokens", rename(from, to), |text| text);
        assert_eq!(flat(load(folder.path()).unwrap().logits(&batch).unwrap()), expected, "{from} as {to}");
    }
}

#[test]
fn the_head_of_the_folder_is_found() {
    for folder in FOLDERS {
        let head = match folder.rsplit_once('-').unwrap().1 {
            "tokens" => Head::TokenLabels { labels: Labels::numbered(7) },
            "spans" => Head::Span,
            _ => Head::RowLabels { labels: Labels::numbered(3) },
        };
        assert_eq!(tiny(folder, Backend::Cpu).head(None), Some(&head), "{folder}");
    }
    let folder = altered("bert-tokens", |_| (), |text| text.replace("BertForTokenClassification", "BertForMaskedLM"));
    let learner = load(folder.path()).unwrap();
    assert_eq!(learner.head(None), None);
    let notes = learner.notes().join("\n");
    assert!(notes.contains("`classifier.weight` [7, 16]") && notes.contains("`classifier.bias` [7]"), "{notes}");
    let error = learner.logits(&Expected::read("bert-tokens").batch("batch")).unwrap_err().to_string();
    assert!(error.contains("no head"), "{error}");
}

#[test]
fn a_pre_trained_pooler_starts_the_classifier_of_bert() {
    let folder = altered("bert-classes", |_| (), |text| text.replace("BertForSequenceClassification", "BertModel"));
    let mut learner = load(folder.path()).unwrap();
    learner.set_head(None, Head::RowLabels { labels: Labels::numbered(3) }, 1).unwrap();
    let original = tiny("bert-classes", Backend::Cpu);
    for name in ["pooler.dense.weight", "pooler.dense.bias"] {
        assert_eq!(learner.parameter(name).unwrap(), original.parameter(name).unwrap());
    }
    assert_ne!(learner.parameter("classifier.weight").unwrap(), original.parameter("classifier.weight").unwrap());
}

#[test]
fn every_fault_of_the_tensors_is_listed_by_name() {
    let folder = altered(
        "bert-tokens",
        |all| {
            let key = "bert.encoder.layer.1.attention.self.key.weight";
            let moved = all.remove(key).unwrap();
            all.insert("bert.encoder.layer.1.attention.self.kee.weight".to_owned(), moved);
            let table = all.get_mut("bert.embeddings.word_embeddings.weight").unwrap();
            table.shape = vec![60, 32];
            let bias = all.get_mut("bert.encoder.layer.0.output.dense.bias").unwrap();
            bias.data[..4].copy_from_slice(&f32::NAN.to_le_bytes());
            bias.data[8..12].copy_from_slice(&f32::INFINITY.to_le_bytes());
            all.get_mut("bert.encoder.layer.2.output.dense.bias").unwrap().dtype = Dtype::I32;
        },
        |text| text,
    );
    let error = load(folder.path()).err().unwrap();
    for part in [
        "model.safetensors: ",
        "`encoder.layer.1.attention.self.key.weight` [16, 16] (nearest in the file: `bert.encoder.layer.1.attention.self.kee.weight` [16, 16])",
        "`bert.embeddings.word_embeddings.weight`: expected [120, 16], found [60, 32]",
        "`bert.encoder.layer.0.output.dense.bias`: 2 of 16 values",
        "`bert.encoder.layer.2.output.dense.bias`: I32",
        "1 tensor that no encoder of this kind has",
    ] {
        assert!(error.contains(part), "{part}\n{error}");
    }
}

#[test]
fn folders_that_contradict_themselves_are_refused() {
    let ambiguous = altered(
        "bert-tokens",
        |all| {
            let name = "embeddings.LayerNorm.bias";
            let copy = &all[&format!("bert.{name}")];
            let copy = Raw { dtype: copy.dtype, shape: copy.shape.clone(), data: copy.data.clone() };
            all.insert(name.to_owned(), copy);
        },
        |text| text,
    );
    let error = load(ambiguous.path()).err().unwrap();
    assert!(error.contains("stand for the same parameter"), "{error}");
    let headless = altered("bert-tokens", |all| drop(all.remove("classifier.weight")), |text| text);
    let error = load(headless.path()).err().unwrap();
    assert!(error.contains("BertForTokenClassification, but there is no tensor `classifier.weight`"), "{error}");
    let deeper =
        altered("bert-tokens", |_| (), |text| text.replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4"));
    let error = load(deeper.path()).err().unwrap();
    assert!(error.contains("16 tensors missing") && error.contains("encoder.layer.3.output.dense.bias"), "{error}");
    let shallower =
        altered("bert-tokens", |_| (), |text| text.replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 2"));
    let error = load(shallower.path()).err().unwrap();
    assert!(error.contains("16 tensors that no encoder"), "{error}");
}

#[test]
fn damaged_files_are_refused_by_name() {
    let folder = altered("bert-tokens", |_| (), |text| text);
    let weights = folder.path().join("model.safetensors");
    let good = fs::read(&weights).unwrap();
    let with = |start: &[u8]| [start, &good[start.len()..]].concat();
    let type_at = good.windows(3).position(|bytes| bytes == b"F32").unwrap();
    let unknown_type = [&good[..type_at], b"Q32", &good[type_at + 3..]].concat();
    let cases: [(Vec<u8>, &str); 6] = [
        (good[..good.len() - 100].to_vec(), "another amount of data"),
        (good[..200].to_vec(), "cut off inside its header"),
        (Vec::new(), "cut off inside its header"),
        (with(&u64::MAX.to_le_bytes()), "larger than 100 MB"),
        (with(b"\x10\0\0\0\0\0\0\0not json"), "header"),
        (unknown_type, "header is malformed"),
    ];
    for (bytes, word) in cases {
        fs::write(&weights, bytes).unwrap();
        let error = load(folder.path()).err().expect(word);
        assert!(error.contains("model.safetensors: ") && error.contains(word), "{word}: {error}");
    }
    fs::remove_file(&weights).unwrap();
    fs::write(folder.path().join("pytorch_model.bin"), "").unwrap();
    let error = load(folder.path()).err().unwrap();
    assert!(error.contains("no such file") && error.contains("pytorch_model.bin"), "{error}");
    fs::write(folder.path().join("config.json"), "{\"model_type\": ").unwrap();
    assert!(load(folder.path()).err().unwrap().contains("config.json: not a JSON object"));
    fs::remove_file(folder.path().join("config.json")).unwrap();
    assert!(load(folder.path()).err().unwrap().contains("config.json"));
}

#[test]
fn a_saved_folder_loads_with_the_same_bits() {
    for name in FOLDERS {
        let batch = Expected::read(name).batch("batch");
        let mut learner = tiny(name, Backend::Cpu);
        learner.begin_stage(OptimizerConfig::default());
        let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        learner.step(gradients, 1e-3).unwrap();
        let folder = tempfile::tempdir().unwrap();
        learner.save_folder(folder.path(), Precision::F32).unwrap();
        let again = Learner::load(folder.path(), Backend::Cpu).unwrap();
        assert!(bits(&learner) == bits(&again), "{name}");
        assert_eq!(again.head(None), learner.head(None));
        let mut files: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort_unstable();
        assert_eq!(files, ["config.json", "model.safetensors"], "no partial file stays behind");

        // Same names and shapes as transformers' own file.
        let names = |folder: &Path| {
            let bytes = fs::read(folder.join("model.safetensors")).unwrap();
            let file = SafeTensors::deserialize(&bytes).unwrap();
            let mut names: Vec<_> =
                file.tensors().into_iter().map(|(name, view)| (name, view.shape().to_vec())).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names(folder.path()), names(&reference(name)), "{name}");
    }
}

#[test]
fn the_tokenizer_is_copied_and_labels_have_the_names_of_the_head() {
    let from =
        altered("bert-tokens", |_| (), |text| text.replace("\"dtype\": \"float32\"", "\"torch_dtype\": \"float16\""));
    fs::write(from.path().join("tokenizer.json"), "{\"a tokenizer\": 1}").unwrap();
    let to = tempfile::tempdir().unwrap();
    let mut learner = load(from.path()).unwrap();
    let labels = ["entailment", "neutral", "contradiction"];
    learner.set_head(Some(Task::Nli), Head::RowLabels { labels: Labels::new(labels).unwrap() }, 1).unwrap();
    learner.save_folder(&to.path().join("a/b"), Precision::F32).unwrap();
    let read = |name: &str| fs::read_to_string(to.path().join("a/b").join(name)).unwrap();
    assert_eq!(read("tokenizer.json"), "{\"a tokenizer\": 1}");
    let config: serde_json::Value = serde_json::from_str(&read("config.json")).unwrap();
    assert_eq!(config["architectures"][0], "BertForSequenceClassification");
    assert_eq!(config["id2label"]["1"], "neutral");
    assert_eq!(config["label2id"]["contradiction"], 2);
    assert_eq!((&config["dtype"], &config["torch_dtype"]), (&"float32".into(), &serde_json::Value::Null));
}

/// What `scripts/reference/model.py --check` compares with.
fn write_check(folder: &Path, learner: &Learner, batch: &Batch, head: &str) {
    let logits = match learner.logits(batch).unwrap() {
        model::Logits::Spans { starts, .. } => starts,
        other => flat(other),
    };
    let rows = |values: &[i32]| values.chunks_exact(batch.seq).map(<[i32]>::to_vec).collect::<Vec<_>>();
    let check = serde_json::json!({
        "head": head, "ids": rows(&batch.ids), "type_ids": rows(&batch.type_ids), "lengths": batch.lengths, "logits": logits,
    });
    fs::write(folder.join("check.json"), check.to_string()).unwrap();
}

#[test]
fn transformers_reads_saved_folders_and_gets_the_same_logits() {
    let Some(python) = std::env::var_os("LETHE_PYTHON") else {
        eprintln!("skipped: LETHE_PYTHON is not set to a Python that has torch and transformers");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/reference/model.py");
    for name in FOLDERS {
        let batch = Expected::read(name).batch("batch");
        let mut learner = tiny(name, Backend::Cpu);
        let (_, gradients) = learner.loss_and_gradients(&batch, 0).unwrap();
        learner.step(gradients, 1e-2).unwrap();
        let folder = tempfile::tempdir().unwrap();
        learner.save_folder(folder.path(), Precision::F32).unwrap();
        write_check(folder.path(), &learner, &batch, name.rsplit_once('-').unwrap().1);
        let output = Command::new(&python).arg(&script).arg("--check").arg(folder.path()).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        eprint!("{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
