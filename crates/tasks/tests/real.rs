//! All the real data there is, through the whole pipeline.

mod common;

use std::time::Instant;

use common::real;
use data::{CacheUse, DataFolder, EncodeOptions, Tokenization, TrainingOrder, evaluation_batches, padding_share};
use spec::{DataKey, Language, Name, Portion, Split, Task};
use tasks::{Selection, encoded, import};
use tempfile::TempDir;

fn key(dataset: &str, task: Task, language: &str, split: Split) -> DataKey {
    DataKey::new(task, &Name::new(dataset).unwrap(), Language::parse(language).unwrap(), split)
}

/// Pairs of a language and a split that treebanks at hand have.
const TREEBANKS: usize = 37;

/// Row counts of the public files (or of the cuts of them) per language and split.
#[test]
fn everything_is_imported_and_little_is_padded() {
    let Some(root) = real() else { return };
    let place = TempDir::new().unwrap();
    let data = DataFolder::open(&place.path().join("data"));
    let begin = Instant::now();
    let entries = import(&root.join("data"), &data, &Selection::default(), &mut |_| {}).unwrap();
    eprintln!("imported {} files in {:.1} s", entries.len(), begin.elapsed().as_secs_f64());

    let rows = |dataset, task, language, split| data.entry(&key(dataset, task, language, split)).unwrap().rows;
    for (language, train, validation, test) in [
        ("en", 20_000, 2_000, 10_000),
        ("de", 5_000, 2_000, 10_000),
        ("es", 5_000, 2_000, 5_000),
        ("hi", 5_000, 300, 700),
        ("sw", 1_000, 300, 700),
        ("yo", 100, 30, 70),
        ("af", 5_000, 300, 700),
    ] {
        let counts = Split::ALL.map(|split| rows("wikiann", Task::Ner, language, split));
        assert_eq!(counts, [train, validation, test], "{language}");
    }
    for language in "ar bg de el en es fr hi ru sw th tr ur vi zh".split(' ') {
        assert_eq!(rows("xnli", Task::Nli, language, Split::Validation), 2_490);
        assert_eq!(rows("xnli", Task::Nli, language, Split::Test), 5_010);
    }
    assert_eq!(rows("multinli", Task::Nli, "en", Split::Train), 16_126);
    assert_eq!(rows("squad", Task::Qa, "en", Split::Train), 4_370);
    assert_eq!(rows("squad-dev", Task::Qa, "en", Split::Train), 9_380);
    for language in "ar de el en es hi ro ru th tr vi zh".split(' ') {
        assert_eq!(rows("xquad", Task::Qa, language, Split::Test), 1_190);
    }
    assert_eq!(
        ["de", "en", "es", "vi", "zh"].map(|code| rows("mlqa", Task::Qa, code, Split::Validation)),
        [512, 1_148, 500, 511, 504]
    );
    // The copy of TyDiQA at hand has its answers taken out.
    assert!(data.entry(&key("tydiqa", Task::Qa, "sw", Split::Validation)).is_err());
    let tatoeba: Vec<usize> =
        entries.iter().filter(|entry| entry.task == Task::Retrieval).map(|entry| entry.rows).collect();
    assert_eq!((tatoeba.len(), tatoeba.iter().sum::<usize>()), (112, 88_877));
    assert_eq!(tatoeba.iter().filter(|&&rows| rows == 1_000).count(), 72);
    // Treebanks by language and split, for each of two tasks.
    let treebanks = entries.iter().filter(|entry| matches!(entry.task, Task::Pos | Task::Parse)).count();
    assert_eq!(treebanks, 2 * TREEBANKS);
    for language in "et ht id it qu sw ta th tr vi zh".split(' ') {
        assert_eq!(rows("xcopa", Task::Choice, language, Split::Validation), 100);
        assert_eq!(rows("xcopa", Task::Choice, language, Split::Test), 500);
    }
    assert_eq!([Split::Train, Split::Validation].map(|split| rows("copa", Task::Choice, "en", split)), [400, 100]);
    assert_eq!(entries.len(), 78 + 30 + 1 + 2 + 12 + 5 + 112 + 2 * TREEBANKS + 24);

    let tokenization = Tokenization::load(&root.join("models/multilingual-e5-small-64k")).unwrap();
    let cache = place.path().join("cache");
    for (dataset, task, split, max_length, limit) in [
        ("wikiann", Task::Ner, Split::Train, 128, None),
        ("multinli", Task::Nli, Split::Train, 128, Some(Portion::First(5_000))),
        ("squad", Task::Qa, Split::Train, 384, Some(Portion::First(1_000))),
    ] {
        let key = key(dataset, task, "en", split);
        let options = EncodeOptions { max_length, stride: 128, prefix: String::new() };
        let get = || encoded(&cache, &data, &key, limit, &tokenization, &options).unwrap();
        let (begin, (first, usage)) = (Instant::now(), get());
        let (middle, (second, again)) = (Instant::now(), get());
        let (build, hit) = (middle.duration_since(begin).as_secs_f64(), middle.elapsed().as_secs_f64());
        assert_eq!((usage, again), (CacheUse::Built, CacheUse::Hit));
        assert!(first == second);
        let lengths = first.drawn_lengths();
        let mut order = TrainingOrder::new(1, "stage 0", 16, vec![(Language::ENGLISH, lengths.clone())]).unwrap();
        let training = order.padding_share();
        let measuring = padding_share(&evaluation_batches(&lengths, 4096), &lengths);
        let tokens: usize = lengths.iter().sum();
        eprintln!(
            "{key}: {} items, {tokens} tokens, cut {}, padding {:.2} % in training, {:.2} % in evaluation; \
             encoded in {build:.2} s, from the cache in {hit:.3} s",
            first.len(),
            first.cut(),
            100.0 * training,
            100.0 * measuring,
        );
        assert!(training < 0.1 && measuring < 0.1);
    }
}
