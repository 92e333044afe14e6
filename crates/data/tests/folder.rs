//! The data folder: what is stored, verification, and what damage does.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{examples, labelled, texts};
use data::{DataError, DataFolder, Examples, Value};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use spec::{DataKey, Labels, Language, Name, Portion, Split, Task};
use tempfile::TempDir;

fn sentences() -> Examples {
    let rows = vec![
        ("a", vec![texts(&["Ada", "ran"]), Value::Labels(vec![1, 0])]),
        ("b", vec![texts(&["เชียงใหม่"]), Value::Labels(vec![5])]),
        ("c", vec![texts(&["🙂", "Zu\u{308}rich", "Lake"]), Value::Labels(vec![0, 5, 6])]),
    ];
    examples(Task::Ner, rows)
}

fn key(dataset: &str, split: Split) -> DataKey {
    DataKey::new(Task::Ner, &Name::new(dataset).unwrap(), Language::ENGLISH, split)
}

fn store(folder: &DataFolder, key: &DataKey, examples: Examples) -> bool {
    folder.store(key, examples, "train.tsv".into(), "none".into()).unwrap().1
}

/// A folder with one file, and that file.
fn imported() -> (TempDir, DataFolder, PathBuf) {
    let place = TempDir::new().unwrap();
    let folder = DataFolder::open(&place.path().join("data"));
    assert!(store(&folder, &key("wiki", Split::Train), sentences()));
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
fn what_is_stored_is_loaded() {
    let (_place, folder, file) = imported();
    let examples = folder.load(&key("wiki", Split::Train), None).unwrap();
    assert_eq!(examples.text_lists("tokens").get(2), ["🙂", "Zu\u{308}rich", "Lake"]);
    assert_eq!(examples.number_lists("ner_tags").get(2), [0, 5, 6]);
    // Sentences are named by their row, whatever they were called before.
    assert_eq!(examples.ids().collect::<Vec<_>>(), ["0", "1", "2"]);
    assert_eq!(folder.load(&key("wiki", Split::Train), Some(Portion::First(2))).unwrap().len(), 2);
    assert_eq!(folder.load(&key("wiki", Split::Train), Some(Portion::First(9))).unwrap().len(), 3);
    let before = folder.entry(&key("wiki", Split::Train)).unwrap();
    assert_eq!((before.rows, before.source.as_str()), (3, "train.tsv"));

    // The same rows in another file layout are the same data.
    let bytes = fs::read(&file).unwrap();
    rewrite(&file, 1);
    assert_ne!(bytes, fs::read(&file).unwrap());
    assert_eq!(folder.load(&key("wiki", Split::Train), None).unwrap().content_hash(), before.hash);
}

#[test]
fn storing_again_changes_nothing_and_heals_damage() {
    let (_place, folder, file) = imported();
    let key = key("wiki", Split::Train);
    let before = tree(folder.root());
    assert!(!store(&folder, &key, sentences()));
    let same = |name: &&PathBuf| !name.ends_with(".lock");
    let after = tree(folder.root());
    assert!(before.keys().filter(same).all(|name| before[name] == after[name]));
    assert_eq!(before.len(), after.len());

    fs::write(&file, "PAR1").unwrap();
    let damage = folder.check(&mut |_| {}).unwrap().0.remove(0).damage.unwrap();
    assert!(damage.contains("train.parquet") && damage.contains("import it again"), "{damage}");
    assert!(store(&folder, &key, sentences()));
    assert_eq!(fs::read(&file).unwrap(), before[&file].0);
    assert_eq!(folder.check(&mut |_| {}).unwrap().0[0].damage, None);
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
        (good.replace("format = 2", "format = 3"), "format 3"),
        (good.replace("format = 2", "format = 0"), "format 0"),
        (good.replace("\"B-PER\"", "\"I-PER\""), "`I-PER` stands twice"),
        (good.replace("\"B-PER\"", "\"\""), "label name is empty"),
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

/// Labels have names that the manifest keeps; fewer than the file's numbers need are damage.
#[test]
fn labels_are_kept_with_the_file() {
    let place = TempDir::new().unwrap();
    let folder = DataFolder::open(place.path());
    let key = key("dates", Split::Test);
    let labels = Labels::new(["O", "B-DATE", "I-DATE"]).unwrap();
    let rows = || vec![("0", vec![texts(&["3", "May", "x"]), Value::Labels(vec![1, 2, 0])])];
    store(&folder, &key, labelled(Task::Ner, labels.clone(), rows()));
    assert_eq!(folder.entry(&key).unwrap().labels(), labels);
    let loaded = folder.load(&key, None).unwrap();
    assert_eq!((loaded.labels(), loaded.number_lists("ner_tags").get(0)), (&labels, &[1, 2, 0][..]));
    // The same numbers under other names are other data.
    let other = Labels::new(["O", "B-PROD", "I-PROD"]).unwrap();
    assert_ne!(labelled(Task::Ner, other, rows()).content_hash(), loaded.content_hash());

    let path = place.path().join("dates/manifest.toml");
    let good = fs::read_to_string(&path).unwrap();
    let fewer = good.replace(", \"I-DATE\"", "");
    assert_ne!(fewer, good);
    fs::write(&path, fewer).unwrap();
    let message = folder.load(&key, None).unwrap_err().to_string();
    assert!(message.contains("test.parquet: row 1: label 2 in `ner_tags`"), "{message}");
    fs::write(&path, good.replace("B-DATE", "B-WHEN")).unwrap();
    let message = folder.load(&key, None).unwrap_err().to_string();
    assert!(message.contains("not what the manifest says"), "{message}");
}

/// Manifests of before labels had names: the usual ones are meant. Adding a file brings them up to date.
#[test]
fn old_manifests_still_load() {
    let (_place, folder, _) = imported();
    let path = folder.root().join("wiki/manifest.toml");
    let new = fs::read_to_string(&path).unwrap();
    let begin = new.find("labels = [").unwrap();
    let end = begin + new[begin..].find(']').unwrap() + 2;
    let old = (new[..begin].to_owned() + &new[end..]).replace("format = 2", "format = 1");
    assert!(!old.contains("B-PER"));
    fs::write(&path, old).unwrap();
    let train = key("wiki", Split::Train);
    assert_eq!(folder.load(&train, None).unwrap(), sentences_as_loaded());
    assert_eq!(folder.entry(&train).unwrap().labels(), Task::Ner.usual_labels());
    // The content hash did not change with the format, so nothing is written again.
    assert!(store(&folder, &key("wiki", Split::Test), sentences()));
    let mended = fs::read_to_string(&path).unwrap();
    assert!(mended.contains("format = 2") && mended.matches("B-PER").count() == 1, "{mended}");
    assert!(folder.check(&mut |_| {}).unwrap().0.iter().all(|line| line.damage.is_none()));
}

fn sentences_as_loaded() -> Examples {
    let (_place, folder, _) = imported();
    folder.load(&key("wiki", Split::Train), None).unwrap()
}

#[test]
fn examples_seen_in_training_are_counted() {
    let (_place, folder, _) = imported();
    let test = vec![
        ("0", vec![texts(&["Ada", "ran"]), Value::Labels(vec![0, 0])]),
        ("1", vec![texts(&["Ada ran"]), Value::Labels(vec![0])]),
        ("2", vec![texts(&["Ada", "ran", "off"]), Value::Labels(vec![0, 0, 0])]),
    ];
    store(&folder, &key("wiki", Split::Test), examples(Task::Ner, test));
    let seen: Vec<usize> = folder.check(&mut |_| {}).unwrap().0.iter().map(|line| line.seen_in_training).collect();
    assert_eq!(seen, [0, 1]);
}

#[test]
fn two_writers_at_once_lose_nothing() {
    let place = TempDir::new().unwrap();
    let folder = DataFolder::open(&place.path().join("data"));
    std::thread::scope(|scope| {
        for split in Split::ALL {
            let folder = &folder;
            scope.spawn(move || store(folder, &key("wiki", split), sentences()));
        }
    });
    assert_eq!(folder.list().unwrap().0[0].entries.len(), 3);
    assert!(folder.check(&mut |_| {}).unwrap().0.iter().all(|line| line.damage.is_none()));
}

#[test]
#[cfg(unix)]
fn nothing_is_stored_through_links_and_parts_of_killed_writers_go() {
    use std::os::unix::fs::symlink;
    let (place, folder, file) = imported();
    let victim = place.path().join("victim");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("kept"), "kept").unwrap();
    for (link, to, dataset, language) in
        [("wiki/.lock", "kept", "wiki", "de"), ("wiki/ner/sw", "", "wiki", "sw"), ("linked", "", "linked", "de")]
    {
        let link = folder.root().join(link);
        let _ = fs::remove_file(&link);
        symlink(victim.join(to), &link).unwrap();
        let key = DataKey { language: language.parse().unwrap(), ..key(dataset, Split::Train) };
        let refused = folder.store(&key, sentences(), "train.tsv".into(), "none".into()).unwrap_err().to_string();
        assert!(refused.contains(link.file_name().unwrap().to_str().unwrap()), "{refused}");
        fs::remove_file(&link).unwrap();
    }
    let left: Vec<_> = fs::read_dir(&victim).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [victim.join("kept")]);
    assert_eq!(fs::read(victim.join("kept")).unwrap(), b"kept");
    let part = file.with_file_name(".part-Ab12cD");
    fs::write(&part, "half").unwrap();
    assert!(store(&folder, &key("wiki", Split::Test), sentences()) && !part.exists());
}

#[test]
fn what_comes_inside_is_put_back_before_it_is_read() {
    let (place, _, file) = imported();
    let root = place.path().join("data");
    fs::rename(&root, place.path().join("inside")).unwrap();
    // As a cache that is deleted: all of it is there again when it is asked for.
    let restore = |root: &Path| match root.exists() {
        true => Ok(()),
        false => fs::rename(root.with_file_name("inside"), root),
    };
    let folder = DataFolder::open(&place.path().join("own")).with_built_in(&root, restore);
    assert_eq!(folder.load(&key("wiki", Split::Train), None).unwrap().len(), 3);
    assert!(file.exists());
}
