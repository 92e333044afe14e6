//! Cell identity: equal work has equal ids, different work different ones.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use spec::{
    Backend, Cell, Decay, Language, LanguageDistances, NUMERIC_VERSION, Name, Protocol, Split, Stage, Task, preset,
};

fn cell(seed: u64, steps: u64, learning_rate: f64, languages: &[&str], method: &str) -> Cell {
    let stage = Stage {
        task: Task::Ner,
        data: Name::new("wikiann").unwrap(),
        split: Split::Train,
        languages: languages.iter().map(|code| Language::parse(code).unwrap()).collect(),
        examples: None,
        steps,
        batch: 8,
        learning_rate,
        weight_decay: 0.0,
        warmup: 0.1,
        decay: Decay::default(),
        clip: 1.0,
        max_length: 64,
        stride: 0,
        parser: None,
        trace_every: None,
        probe_every: None,
        memories: Vec::new(),
        probes: Vec::new(),
    };
    Cell {
        numeric_version: NUMERIC_VERSION,
        model: Name::new("m").unwrap(),
        model_hash: "0".repeat(64),
        method: preset(method).unwrap().method(Name::new(method).unwrap()),
        protocol: Protocol { name: Name::new("ner").unwrap(), before: Vec::new(), stages: vec![stage] },
        seed,
        backend: Backend::Cpu,
        data: BTreeMap::from([("wikiann/ner/en/train".to_owned(), "1".repeat(64))]),
        distances: LanguageDistances::default(),
    }
}

#[test]
fn the_id_is_stable_and_the_folder_readable() {
    let cell = cell(1, 10, 5e-5, &["en"], "ft");
    assert_eq!(cell.folder(), format!("ner-ft-en-s1-{}", cell.id()));
    assert_eq!(cell.id().as_str().len(), 16);
    let read: Cell = serde_json::from_str(&serde_json::to_string(&cell).unwrap()).unwrap();
    assert_eq!(read, cell);
    assert_eq!(read.id(), cell.id());
}

#[test]
fn everything_that_matters_changes_the_id() {
    let base = cell(1, 10, 5e-5, &["en"], "ft");
    let mut other_data = base.clone();
    other_data.data.insert("wikiann/ner/en/train".to_owned(), "2".repeat(64));
    let mut other_backend = base.clone();
    other_backend.backend = Backend::Wgpu;
    let mut other_model = base.clone();
    other_model.model_hash = "3".repeat(64);
    let variants = [
        base.clone(),
        other_data,
        other_backend,
        other_model,
        cell(2, 10, 5e-5, &["en"], "ft"),
        cell(1, 11, 5e-5, &["en"], "ft"),
        cell(1, 10, 4e-5, &["en"], "ft"),
        cell(1, 10, 5e-5, &["en", "de"], "ft"),
        cell(1, 10, 5e-5, &["de", "en"], "ft"),
        cell(1, 10, 5e-5, &["en"], "frozen"),
    ];
    let ids: BTreeSet<_> = variants.iter().map(Cell::id).collect();
    assert_eq!(ids.len(), variants.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cell_survives_its_text(seed: u64, steps in 1u64..1_000_000, digits in 1u64..1_000_000_000, places in 0i32..15) {
        let rate: f64 = format!("{digits}e-{places}").parse().unwrap();
        let cell = cell(seed, steps, rate, &["en", "sw"], "frozen");
        let read: Cell = serde_json::from_str(&serde_json::to_string(&cell).unwrap()).unwrap();
        prop_assert_eq!(read.id(), cell.id());
    }

    #[test]
    fn shards_partition(seed: u64, n in 1u64..20) {
        let id = cell(seed, 1, 0.1, &["en"], "ft").id();
        prop_assert_eq!((0..n).filter(|&i| id.shard(n) == i).count(), 1);
    }
}
