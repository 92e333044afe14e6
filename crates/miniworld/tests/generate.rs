//! The data set: the same bytes from the same seed, whole by the data folder's own checks, and refusals.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use data::DataFolder;
use miniworld::{Language, MiniworldError, Sizes, generate};
use spec::{DataKey, Name, Split, Task};

const SMALL: Sizes = Sizes {
    ner: [20, 10, 10],
    qa: [12, 6, 6],
    nli: [30, 9, 9],
    retrieval: [10, 10],
    mlm: [120, 12, 12],
    trees: [8, 4, 4],
    choice: [8, 4, 4],
};

fn language(code: &str) -> spec::Language {
    spec::Language::parse(code).unwrap()
}

fn mini() -> Name {
    Name::new("mini").unwrap()
}

fn generated(root: &Path, codes: &[&str], seed: u64, sizes: &Sizes) -> Result<DataFolder, MiniworldError> {
    let folder = DataFolder::open(root);
    let languages: Vec<spec::Language> = codes.iter().copied().map(language).collect();
    generate(sizes, seed, &languages, &folder, &mini(), &mut |_| {})?;
    Ok(folder)
}

/// The bytes of every file of a data set, by path within it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().unwrap() != ".lock" {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The folder with the committed data.
fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets")
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let [one, again, other] = [(1, ["zh", "en"]), (1, ["en", "zh"]), (2, ["zh", "en"])].map(|(seed, codes)| {
        let root = tempfile::tempdir().unwrap();
        generated(root.path(), &codes, seed, &SMALL).unwrap();
        files(&root.path().join("mini"))
    });
    assert_eq!(one.len(), 2 * (7 * 3) + 2 + 2);
    assert!(one == again);
    let differ = one.iter().filter(|(path, bytes)| other[*path] != **bytes).count();
    assert_eq!(differ, one.len());
}

#[test]
fn the_committed_data_set_is_whole_and_comes_back_from_its_seed() {
    let folder = DataFolder::open(&committed());
    let lines = folder.check(&mut |_| {}).unwrap().0;
    assert_eq!(lines.len(), 11 * 21 + 10 * 2);
    for line in &lines {
        assert_eq!((line.damage.as_deref(), line.seen_in_training), (None, 0), "{}", line.key);
    }
    let there = files(&committed().join("mini"));
    assert!(there.values().map(Vec::len).sum::<usize>() <= 15_000_000);
    let root = tempfile::tempdir().unwrap();
    generated(root.path(), &Language::ALL.map(Language::code), 1, &Sizes::default()).unwrap();
    let again = files(&root.path().join("mini"));
    assert_eq!(again.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
    for (path, bytes) in &again {
        let message = "is not what seed 1 gives; generate the committed data set again";
        assert!(*bytes == there[path], "{} {message}", path.display());
    }
}

#[test]
fn every_task_is_read_back_as_it_was_told() {
    let root = tempfile::tempdir().unwrap();
    let folder = generated(root.path(), &["de", "en", "tr"], 1, &SMALL).unwrap();
    assert!(folder.check(&mut |_| {}).unwrap().0.iter().all(|line| line.damage.is_none()));
    let load = |task, code, split| folder.load(&DataKey::new(task, &mini(), language(code), split), None);
    let rows = |count: usize| 0..count;
    let ner = load(Task::Ner, "de", Split::Train).unwrap();
    let (words, tags) = (ner.text_lists("tokens"), ner.number_lists("ner_tags"));
    assert!(ner.len() == 20 && rows(20).all(|row| words.get(row).len() == tags.get(row).len()));
    let qa = load(Task::Qa, "tr", Split::Test).unwrap();
    assert!(qa.len() == 6 && rows(6).all(|row| qa.answers("answers").get(row).len() == 1));
    let nli = load(Task::Nli, "de", Split::Test).unwrap();
    let labels = [0, 1, 2].map(|label| nli.numbers("label").values().iter().filter(|&&own| own == label).count());
    assert_eq!(labels, [3, 3, 3]);
    let pairs = load(Task::Retrieval, "tr", Split::Test).unwrap();
    let (source, target) = (pairs.texts("source"), pairs.texts("target"));
    assert!(pairs.len() == 10 && rows(10).all(|row| source.value(row) != target.value(row)));
    let (pos, parse) = (load(Task::Pos, "tr", Split::Test).unwrap(), load(Task::Parse, "tr", Split::Test).unwrap());
    assert!(pos.len() == parse.len() && pos.ids().eq(parse.ids()));
    assert!(rows(pos.len()).all(|row| pos.text_lists("tokens").get(row) == parse.text_lists("tokens").get(row)));
    let choice = load(Task::Choice, "de", Split::Train).unwrap();
    assert!(rows(choice.len()).all(|row| choice.text_lists("choices").get(row).len() == 2));
    assert!(load(Task::Retrieval, "en", Split::Test).is_err(), "English is not retrieved from itself");
    let texts = ["de", "en", "tr"]
        .map(|code| load(Task::Mlm, code, Split::Train).unwrap().ids().map(str::to_owned).collect::<Vec<_>>());
    assert!(texts[0] == texts[1] && texts[1] == texts[2] && !texts[0].is_empty());
}

#[test]
fn what_cannot_be_drawn_is_refused_before_anything_is_written() {
    let root = tempfile::tempdir().unwrap();
    let refused = |codes: &[&str], sizes: &Sizes| generated(root.path(), codes, 1, sizes).unwrap_err().to_string();
    let none = Sizes { qa: [5, 0, 5], ..SMALL };
    assert_eq!(refused(&["el"], &none), "the size qa = 0 is out of range: give 1 to 100000");
    let huge = Sizes { mlm: [10_000_000, 1, 1], ..SMALL };
    assert_eq!(refused(&["el"], &huge), "the size mlm = 10000000 is out of range: give 1 to 100000");
    assert_eq!(refused(&[], &SMALL), "no language is given: name at least one");
    assert_eq!(refused(&["el", "el"], &SMALL), "language `el` is given twice");
    let unknown = "the mini world does not speak `fr`; it speaks ar de el en es hi ru sw tr vi zh";
    assert_eq!(refused(&["el", "fr"], &SMALL), unknown);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn a_data_set_of_other_files_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    generated(root.path(), &["el", "sw"], 1, &SMALL).unwrap();
    let before = files(root.path());
    for (codes, seed) in [(&["el", "sw"], 2), (&["el", "tr"], 1)] {
        let error = generated(root.path(), codes, seed, &SMALL).unwrap_err().to_string();
        assert!(error.contains("from `miniworld, seed 1` already; give another name, or remove "), "{error}");
    }
    assert!(files(root.path()) == before);
    // The same again replaces itself, and so does a world of more languages.
    generated(root.path(), &["el", "sw"], 1, &SMALL).unwrap();
    assert!(files(root.path()) == before);
    generated(root.path(), &["el", "sw", "tr"], 1, &SMALL).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("taken");
    fs::write(&file, "").unwrap();
    let error = generated(&file, &["el"], 1, &SMALL).unwrap_err().to_string();
    assert!(error.contains("taken"), "{error}");
}

#[test]
fn every_language_speaks_under_its_code() {
    assert_eq!(Language::ALL.map(Language::code), ["ar", "de", "el", "en", "es", "hi", "ru", "sw", "tr", "vi", "zh"]);
}
