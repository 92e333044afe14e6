//! The data folder: import, verification, and what damage does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use data::{DataError, DataFolder, Examples, Format, ImportFile, Selection, import, import_file};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use spec::{DataKey, Language, Name, Split, Task};
use tempfile::TempDir;

const SENTENCES: &str = "Ada\tB-PER\nran\tO\n\nเชียงใหม่\tB-LOC\n\n🙂\tO\nZu\u{308}rich\tB-LOC\nLake\tI-LOC\n";

fn small(source: &Path, dataset: &str, split: Split) -> ImportFile {
    ImportFile {
        paths: vec![source.to_owned()],
        format: Format::WikiannText,
        dataset: Name::new(dataset).unwrap(),
        task: Task::Ner,
        language: Language::ENGLISH,
        split,
        licence: "none".into(),
        source: String::new(),
    }
}

fn key(dataset: &str, split: Split) -> DataKey {
    DataKey::new(Task::Ner, &Name::new(dataset).unwrap(), Language::ENGLISH, split)
}

/// A folder with one imported file, and that file.
fn imported() -> (TempDir, DataFolder, PathBuf) {
    let place = TempDir::new().unwrap();
    let source = place.path().join("train.tsv");
    fs::write(&source, SENTENCES).unwrap();
    let folder = DataFolder::open(&place.path().join("data"));
    import_file(&small(&source, "wiki", Split::Train), &folder, &mut |_| {}).unwrap();
    let file = folder.root().join("wiki/ner/en/train.parquet");
    (place, folder, file)
}

fn tree(root: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            files.extend(tree(&entry.path()));
        } else {
            let changed = entry.metadata().unwrap().modified().unwrap();
            files.insert(entry.path(), (fs::read(entry.path()).unwrap(), changed));
        }
    }
    files
}

/// Re-encodes a canonical file with other compression and row groups.
fn rewrite(file: &Path, rows_per_group: usize) {
    use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
    use parquet::{basic::Compression, file::properties::WriterProperties};
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(file).unwrap()).unwrap().build().unwrap();
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(rows_per_group))
        .build();
    let mut writer =
        ArrowWriter::try_new(fs::File::create(file).unwrap(), batches[0].schema(), Some(properties)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
}

#[test]
fn what_is_imported_is_loaded() {
    let (_place, folder, file) = imported();
    let Examples::Ner(examples) = folder.load(&key("wiki", Split::Train), None).unwrap() else { panic!() };
    assert_eq!(examples[2].words, ["🙂", "Zu\u{308}rich", "Lake"]);
    assert_eq!(examples[2].tags, [0, 5, 6]);
    assert_eq!(folder.load(&key("wiki", Split::Train), Some(2)).unwrap().len(), 2);
    assert_eq!(folder.load(&key("wiki", Split::Train), Some(9)).unwrap().len(), 3);
    let before = folder.entry(&key("wiki", Split::Train)).unwrap();
    assert_eq!((before.rows, before.source.as_str()), (3, "train.tsv"));

    // The same rows in another file layout are the same data.
    let bytes = fs::read(&file).unwrap();
    rewrite(&file, 1);
    assert_ne!(bytes, fs::read(&file).unwrap());
    assert_eq!(folder.load(&key("wiki", Split::Train), None).unwrap().content_hash(), before.hash);
}

#[test]
fn importing_again_changes_nothing_and_heals_damage() {
    let (place, folder, file) = imported();
    let again = small(&place.path().join("train.tsv"), "wiki", Split::Train);
    let before = tree(folder.root());
    import_file(&again, &folder, &mut |_| {}).unwrap();
    let same = |name: &&PathBuf| !name.ends_with(".lock");
    let after = tree(folder.root());
    assert!(before.keys().filter(same).all(|name| before[name] == after[name]));
    assert_eq!(before.len(), after.len());

    fs::write(&file, "PAR1").unwrap();
    let damage = folder.check(&mut |_| {}).unwrap().remove(0).damage.unwrap();
    assert!(damage.contains("train.parquet") && damage.contains("import it again"), "{damage}");
    import_file(&again, &folder, &mut |_| {}).unwrap();
    assert_eq!(fs::read(&file).unwrap(), before[&file].0);
    assert_eq!(folder.check(&mut |_| {}).unwrap()[0].damage, None);
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let (_place, folder, file) = imported();
    let says = |key: &DataKey, words: &[&str]| {
        let error = folder.load(key, None).unwrap_err();
        assert!(matches!(error, DataError::Missing { .. }));
        let message = error.to_string();
        words.iter().for_each(|word| assert!(message.contains(word), "`{message}` does not say `{word}`"));
    };
    says(&key("wikki", Split::Train), &["did you mean `wiki`"]);
    says(&key("wiki", Split::Test), &["only train"]);
    says(&DataKey { language: Language::parse("de").unwrap(), ..key("wiki", Split::Train) }, &["languages en"]);
    says(&DataKey { task: Task::Nli, ..key("wiki", Split::Train) }, &["data for ner"]);
    let empty = DataFolder::open(Path::new("/nowhere/at-all"));
    assert!(empty.load(&key("wiki", Split::Train), None).unwrap_err().to_string().contains("data import"));
    fs::remove_file(file).unwrap();
    assert!(matches!(folder.load(&key("wiki", Split::Train), None), Err(DataError::Damaged { .. })));
}

#[test]
fn every_truncation_and_every_flipped_byte_is_noticed() {
    let (_place, folder, file) = imported();
    let key = key("wiki", Split::Train);
    let good = fs::read(&file).unwrap();
    let examples = folder.load(&key, None).unwrap();
    for part in 0..64 {
        fs::write(&file, &good[..good.len() * part / 64]).unwrap();
        let message = folder.load(&key, None).expect_err("a part of a file is not the file").to_string();
        assert!(message.contains("train.parquet") && message.contains("import it again"), "{message}");
    }
    let mut random = ChaCha8Rng::from_seed([7; 32]);
    let mut refused = 0;
    for _ in 0..300 {
        let mut bytes = good.clone();
        let position = random.next_u64() as usize % bytes.len();
        bytes[position] ^= 1 << (random.next_u32() % 8);
        fs::write(&file, bytes).unwrap();
        match folder.load(&key, None) {
            Ok(loaded) => assert_eq!(loaded, examples, "changed at byte {position}"),
            Err(error) => {
                assert!(error.to_string().contains("train.parquet"), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 100, "only {refused} of 300 flips were refused");
}

#[test]
fn a_bad_manifest_is_refused() {
    let (_place, folder, _) = imported();
    let path = folder.root().join("wiki/manifest.toml");
    let good = fs::read_to_string(&path).unwrap();
    let cases = [
        (good.replace("format = 1", "format = 2"), "format 2"),
        (good.replace("rows", "rovs"), "rovs"),
        (good.replace("language = \"en\"", "language = \"../../en\""), "../../en"),
        (good.replace("dataset = \"wiki\"", "dataset = \"../x\""), "../x"),
        (good.replace("dataset = \"wiki\"", "dataset = \"other\""), "other"),
    ];
    for (text, word) in cases {
        assert_ne!(text, good);
        fs::write(&path, text).unwrap();
        let message = folder.load(&key("wiki", Split::Train), None).unwrap_err().to_string();
        assert!(message.contains("manifest.toml") && message.contains(word), "{message}");
    }
}

#[test]
fn two_imports_at_once_lose_nothing() {
    let place = TempDir::new().unwrap();
    let source = place.path().join("train.tsv");
    fs::write(&source, SENTENCES).unwrap();
    let folder = DataFolder::open(&place.path().join("data"));
    std::thread::scope(|scope| {
        for split in Split::ALL {
            let (folder, file) = (&folder, small(&source, "wiki", split));
            scope.spawn(move || import_file(&file, folder, &mut |_| {}).unwrap());
        }
    });
    assert_eq!(folder.list().unwrap()[0].entries.len(), 3);
    assert!(folder.check(&mut |_| {}).unwrap().iter().all(|line| line.damage.is_none()));
}

#[test]
fn public_file_names_are_recognised() {
    let place = TempDir::new().unwrap();
    let source = place.path().join("public");
    let put = |name: &str, text: &str| {
        let path = source.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let squad = r#"{"data":[{"paragraphs":[{"context":"one two","qas":[{"id":"a","question":"?","answers":[{"text":"two","answer_start":4}]}]}]}]}"#;
    put("xquad/xquad.th.json", squad);
    put("squad/train-v1.1.json", squad);
    put("squad/dev-v1.1.minus-xquad.json", squad);
    put("mlqa/dev/dev-context-de-question-de.json", squad);
    put("mlqa/dev/dev-context-de-question-en.json", "never read");
    put("tydiqa/tydiqa.goldp.sw.dev.json", squad);
    put("x/xnli.dev.tsv", "language\tgold_label\tsentence1\tsentence2\nde\tneutral\ta\tb\nbg\tneutral\ta\tb\n");
    put("x/multinli.train.en.tsv", "premise\thypo\tlabel\na\tb\tneutral\n");
    put("t/tatoeba.cmn-eng.cmn", "一\n");
    put("t/tatoeba.cmn-eng.eng", "one\n");
    put("notes.txt", "something else");
    put("tydiqa/tydiqa.goldp.ko.dev.json", &squad.replace("two\",", "\",").replace("4}", "0}"));
    let folder = DataFolder::open(&place.path().join("data"));
    let mut said = Vec::new();
    let entries = import(&source, &folder, &Selection::default(), &mut |line| said.push(line.to_owned())).unwrap();
    assert_eq!((entries.len(), said.len()), (9, 10));
    assert!(
        said.iter().any(|line| line.contains("left out") && line.contains("goldp.ko") && line.contains("no answer"))
    );
    let keys: Vec<String> = folder.check(&mut |_| {}).unwrap().iter().map(|line| line.key.to_string()).collect();
    let expected = [
        "mlqa/qa/de/validation",
        "multinli/nli/en/train",
        "squad/qa/en/train",
        "squad-dev/qa/en/train",
        "tatoeba/retrieval/zh/test",
        "tydiqa/qa/sw/validation",
        "xnli/nli/bg/validation",
        "xnli/nli/de/validation",
        "xquad/qa/th/test",
    ];
    assert_eq!(keys, expected);

    let only =
        Selection { datasets: vec![Name::new("xnli").unwrap()], languages: vec![Language::parse("de").unwrap()] };
    let elsewhere = DataFolder::open(&place.path().join("other"));
    assert_eq!(import(&source, &elsewhere, &only, &mut |_| {}).unwrap().len(), 1);
    let nothing = import(place.path().join("other").as_path(), &folder, &Selection::default(), &mut |_| {});
    assert!(nothing.unwrap_err().to_string().contains("no file with the name"));
    let mut wrong = small(&source, "wiki", Split::Train);
    wrong.task = Task::Qa;
    assert!(import_file(&wrong, &folder, &mut |_| {}).unwrap_err().to_string().contains("is for ner"));
}
