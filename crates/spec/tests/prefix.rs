//! Which cells have a state in common, and what parts them.

use std::collections::BTreeMap;

use spec::{Backend, Cell, Language, LanguageDistances, NUMERIC_VERSION, Suite};

const SUITE: &str = r#"
description = "two updates of one model"
model = "m"
seeds = [1, 2]
methods = ["ft", "frozen", "adapter", "gem", "pcgrad", "laft", "laft-isolated", "laft-uriel", "early", "early-isolated", "subnet-static", "nearest"]

[method.early]
preset = "laft-uriel"
sharing = { kind = "mixture", stage1 = "adapter" }

[method.early-isolated]
preset = "laft"
sharing = { kind = "updated-only", stage1 = "adapter" }

[method.nearest]
preset = "subnet-static"
subnetworks = { kind = "static", target = "nearest-source", cross-evaluate = true }

[probe.ner]
task = "ner"
data = "d"
languages = ["en", "de"]
max-length = 32

[protocol.german]
before = ["ner"]

[[protocol.german.stage]]
task = "ner"
data = "d"
languages = ["en", "de"]
steps = 20
batch = 8
learning-rate = 1e-3
weight-decay = 0.0
warmup = 0.1
clip = 1.0
max-length = 32
probes = ["ner"]

[[protocol.german.stage]]
task = "ner"
data = "new"
languages = ["de"]
steps = 10
batch = 8
learning-rate = 1e-3
weight-decay = 0.0
warmup = 0.1
clip = 1.0
max-length = 32
memories = ["past-stages"]
probes = ["ner"]
"#;

/// Cells of the suite and of the same with English instead of German in the second stage and nothing measured before it.
fn cells() -> Vec<Cell> {
    let (head, german) = SUITE.split_once("[protocol.german]").unwrap();
    let english = format!("[protocol.english]{german}").replace("protocol.german", "protocol.english");
    let english = english.replacen("languages = [\"de\"]", "languages = [\"en\"]", 1).replacen("[\"ner\"]", "[]", 2);
    let suite = Suite::parse("s", &format!("{head}[protocol.german]{german}{english}")).unwrap();
    let [en, de] = ["en", "de"].map(|code| Language::parse(code).unwrap());
    let of_method = |(protocol, method, seed): (&spec::Protocol, &spec::Method, u64)| Cell {
        numeric_version: NUMERIC_VERSION,
        model: suite.model.clone(),
        model_hash: "0".repeat(64),
        method: method.clone(),
        protocol: protocol.clone(),
        seed,
        backend: Backend::Cpu,
        data: protocol.data().into_iter().map(|key| (key.to_string(), key.to_string())).collect::<BTreeMap<_, _>>(),
        distances: match method.name.as_str() {
            "laft-uriel" | "early" | "nearest" => LanguageDistances::between_all(&[en, de], |_, _| Some(0.5)),
            _ => LanguageDistances::default(),
        },
    };
    suite.work().map(of_method).collect()
}

fn cell(protocol: &str, method: &str, seed: u64) -> Cell {
    let is = |cell: &Cell| {
        cell.protocol.name.as_str() == protocol && cell.method.name.as_str() == method && cell.seed == seed
    };
    cells().into_iter().find(is).unwrap_or_else(|| panic!("no cell {protocol} {method} {seed}"))
}

/// Methods by what they do in a first stage without memories.
const ALIKE: [&[&str]; 6] = [
    &["ft", "gem", "laft", "laft-isolated", "laft-uriel"],
    &["early", "early-isolated"],
    &["subnet-static", "nearest"],
    &["frozen"],
    &["adapter"],
    &["pcgrad"],
];

#[test]
fn first_stages_are_common_exactly_to_methods_that_do_the_same_there() {
    let cells = cells();
    assert_eq!(cells.len(), 48);
    let group = |cell: &Cell| ALIKE.iter().position(|group| group.contains(&cell.method.name.as_str())).unwrap();
    for a in &cells {
        for b in &cells {
            let alike = group(a) == group(b) && a.seed == b.seed;
            assert_eq!(a.prefix(1) == b.prefix(1), alike, "{} and {}", a.folder(), b.folder());
        }
    }
}

#[test]
fn later_states_part_with_what_is_done_from_the_second_stage_on() {
    let cells = cells();
    for a in &cells {
        for b in &cells {
            let masks = |cell: &Cell| ["subnet-static", "nearest"].contains(&cell.method.name.as_str());
            let alike = a.method.name == b.method.name || (masks(a) && masks(b));
            let alike = alike && a.protocol.name == b.protocol.name && a.seed == b.seed;
            assert_eq!(a.prefix(2) == b.prefix(2), alike, "{} and {}", a.folder(), b.folder());
        }
    }
}

#[test]
fn everything_that_a_stage_reads_or_is_told_parts_states() {
    let base = cell("german", "gem", 1);
    let changed = |change: &dyn Fn(&mut Cell)| {
        let mut cell = base.clone();
        change(&mut cell);
        cell
    };
    let read = |cell: &mut Cell, key: &str| *cell.data.get_mut(key).unwrap() = "other".to_owned();
    let first: [&dyn Fn(&mut Cell); 9] = [
        &|cell| cell.numeric_version += 1,
        &|cell| cell.model_hash = "1".repeat(64),
        &|cell| cell.backend = Backend::Wgpu,
        &|cell| cell.seed = 3,
        &|cell| read(cell, "d/ner/de/train"),
        &|cell| cell.protocol.stages[0].steps += 1,
        &|cell| cell.protocol.stages[0].examples = Some(spec::Portion::First(5)),
        &|cell| cell.protocol.stages[0].languages.reverse(),
        &|cell| cell.protocol.stages[0].memories = cell.protocol.stages[1].memories.clone(),
    ];
    // What is measured on the way is part of what a stage leaves; what is measured after it is not.
    let probes = |every: Option<u64>, change: bool| {
        changed(&|cell| {
            let later = cell.protocol.stages.iter().flat_map(|stage| stage.probes.clone()).next();
            let stage = &mut cell.protocol.stages[0];
            stage.probe_every = every.and_then(std::num::NonZeroU64::new);
            stage.probes = later.into_iter().collect();
            stage.probes.iter_mut().filter(|_| change).for_each(|probe| probe.max_length += 1);
        })
        .prefix(1)
    };
    assert_eq!(probes(None, false), probes(None, true));
    assert_ne!(probes(Some(5), false), probes(Some(5), true));
    assert_ne!(probes(Some(5), false), probes(None, false));
    for (place, change) in first.into_iter().enumerate() {
        assert_ne!(changed(change).prefix(1), base.prefix(1), "change {place}");
        assert_ne!(changed(change).prefix(2), base.prefix(2), "change {place}");
    }
    let later: [&dyn Fn(&mut Cell); 3] =
        [&|cell| read(cell, "new/ner/de/train"), &|cell| cell.protocol.stages[1].clip = 2.0, &|cell| {
            cell.protocol.stages[1].memories[0].batch += 1
        }];
    for (place, change) in later.into_iter().enumerate() {
        assert_eq!(changed(change).prefix(1), base.prefix(1), "change {place}");
        assert_ne!(changed(change).prefix(2), base.prefix(2), "change {place}");
    }
    let never: [&dyn Fn(&mut Cell); 3] =
        [&|cell| read(cell, "d/ner/en/test"), &|cell| cell.protocol.stages[1].probes.clear(), &|cell| {
            cell.protocol.name = cell.method.name.clone()
        }];
    for (place, change) in never.into_iter().enumerate() {
        assert_eq!(changed(change).prefix(2), base.prefix(2), "change {place}");
    }
}

#[test]
fn distances_part_states_once_an_update_shares_by_them() {
    let base = cell("german", "laft-uriel", 1);
    let [en, de] = ["en", "de"].map(|code| Language::parse(code).unwrap());
    let farther = Cell { distances: LanguageDistances::between_all(&[en, de], |_, _| Some(0.75)), ..base.clone() };
    assert_eq!(farther.prefix(1), base.prefix(1));
    assert_ne!(farther.prefix(2), base.prefix(2));
}

#[test]
fn a_memory_that_nobody_asks_for_parts_nothing_and_one_that_is_asked_for_does() {
    let with = |method: &str| {
        let mut cell = cell("german", method, 1);
        cell.protocol.stages[0].memories = cell.protocol.stages[1].memories.clone();
        cell
    };
    assert_eq!(with("ft").prefix(1), cell("german", "ft", 1).prefix(1));
    assert_ne!(with("gem").prefix(1), with("ft").prefix(1));
}
