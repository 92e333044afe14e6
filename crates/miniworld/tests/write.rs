//! The data folder: the same bytes from the same seed, the public schemas, and refusals.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use arrow::array::{Array, RecordBatch};
use miniworld::{Language, Manifest, Sizes, generate};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

const SMALL: Sizes =
    Sizes { ner: [20, 10, 10], qa: [12, 6, 6], nli: [30, 9, 9], pos: [8, 4, 4], retrieval: [10, 10], text: 120 };

fn read(path: &Path) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
    builder.build().unwrap().next().unwrap().unwrap()
}

/// The committed data.
fn committed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/mini")
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let languages = [Language::Chinese, Language::Arabic];
    let written = |folder: &tempfile::TempDir, seed| generate(folder.path(), &languages, seed, &SMALL).unwrap();
    let (one, two, other) = (written(&folders[0], 1), written(&folders[1], 1), written(&folders[2], 2));
    assert_eq!(one, two);
    assert_ne!(one.files[0].blake3, other.files[0].blake3);
    for file in &one.files {
        let bytes = fs::read(folders[1].path().join(&file.path)).unwrap();
        assert_eq!(blake3::hash(&bytes).to_hex().to_string(), file.blake3, "{}", file.path);
    }
    let card = |folder: &tempfile::TempDir| fs::read_to_string(folder.path().join("README.md")).unwrap();
    assert_eq!(card(&folders[0]), card(&folders[1]));
    let listing = fs::read_to_string(folders[0].path().join("manifest.toml")).unwrap();
    assert_eq!(toml::from_str::<Manifest>(&listing).unwrap(), one);
}

#[test]
fn the_committed_files_are_the_manifests_and_come_back_from_the_seed() {
    let root = committed();
    let listing = fs::read_to_string(root.join("manifest.toml")).expect("datasets/mini/manifest.toml");
    let manifest: Manifest = toml::from_str(&listing).unwrap();
    let mut size = 0;
    for file in &manifest.files {
        let bytes = fs::read(root.join(&file.path)).unwrap_or_else(|error| panic!("{}: {error}", file.path));
        assert_eq!(blake3::hash(&bytes).to_hex().to_string(), file.blake3, "{}", file.path);
        size += bytes.len();
    }
    assert!(size <= 15_000_000, "{size} bytes");
    // The plans are drawn for all languages at once, so that any one language stands for the rest.
    let folder = tempfile::tempdir().unwrap();
    let again = generate(folder.path(), &[Language::Swahili], manifest.seed, &Sizes::default()).unwrap();
    let of_language: Vec<_> = manifest.files.into_iter().filter(|file| file.language == "sw").collect();
    assert_eq!(
        again.files, of_language,
        "regenerate with `cargo run -p miniworld --example generate -- datasets/mini`"
    );
}

#[test]
fn tables_have_the_public_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = generate(folder.path(), &[Language::German], 1, &SMALL).unwrap();
    let described = |path: &str| {
        let file = fs::File::open(folder.path().join(path)).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let fields: Vec<String> =
            builder.schema().fields().iter().map(|field| format!("{}: {}", field.name(), field.data_type())).collect();
        let description = builder.metadata().file_metadata();
        let features = description.key_value_metadata().unwrap().iter().find(|pair| pair.key == "huggingface").unwrap();
        (fields, features.value.clone().unwrap(), description.num_rows())
    };
    let (fields, features, rows) = described("ner/de/train.parquet");
    assert_eq!(
        fields,
        [
            "tokens: List(Utf8, field: 'element')",
            "ner_tags: List(Int64, field: 'element')",
            "langs: List(Utf8, field: 'element')",
            "spans: List(Utf8, field: 'element')",
        ]
    );
    assert!(
        features
            .contains(r#""names": ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"], "_type": "ClassLabel""#)
    );
    assert_eq!(rows, 20);
    let (fields, _, rows) = described("qa/de/test.parquet");
    assert_eq!(fields[..3], ["id: Utf8", "context: Utf8", "question: Utf8"]);
    assert!(fields[3].starts_with("answers: Struct("), "{}", fields[3]);
    assert_eq!(rows, 6);
    let (fields, features, _) = described("nli/de/validation.parquet");
    assert_eq!(fields, ["premise: Utf8", "hypothesis: Utf8", "label: Int64"]);
    assert!(features.contains(r#""names": ["entailment", "neutral", "contradiction"]"#));
    let table = read(&folder.path().join("retrieval/de/test.parquet"));
    assert!((0..table.num_columns()).all(|column| table.column(column).null_count() == 0));
    let tasks: BTreeSet<&str> = manifest.files.iter().map(|file| file.task.as_str()).collect();
    assert_eq!(tasks.into_iter().collect::<Vec<_>>(), ["ner", "nli", "pos", "qa", "retrieval", "text"]);
}

#[test]
fn impossible_sizes_and_no_language_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused =
        |languages: &[Language], sizes: &Sizes| generate(folder.path(), languages, 1, sizes).unwrap_err().to_string();
    let none = Sizes { qa: [5, 0, 5], ..SMALL };
    assert_eq!(refused(&[Language::Greek], &none), "the size qa = 0 is out of range: give 1 to 100000");
    let huge = Sizes { text: 10_000_000, ..SMALL };
    assert_eq!(refused(&[Language::Greek], &huge), "the size text = 10000000 is out of range: give 1 to 100000");
    assert_eq!(refused(&[], &SMALL), "no language is given: name at least one");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("taken");
    fs::write(&file, "").unwrap();
    let error = generate(&file, &[Language::Greek], 1, &SMALL).unwrap_err().to_string();
    assert!(error.starts_with("cannot write ") && error.contains("taken"), "{error}");
}
