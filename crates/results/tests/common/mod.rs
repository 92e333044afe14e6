//! Cells and results made up for tests: small, deterministic, and different enough for every table.

use std::collections::BTreeMap;

use evaluation::{Contribution, ratio};
use results::{CellResult, CurvePoint, ProbeExamples, Score, SeriesPoint, Timing};
use spec::{Backend, Cell, DataKey, Language, LanguageDistances, NUMERIC_VERSION, Outcome, Probe, Suite, Task};

const SUITE: &str = r#"
description = "made up"
model = "tiny"
seeds = [1, 2]
methods = ["ft", "frozen"]

[probe.ner]
task = "ner"
data = "wikiann"
languages = ["de", "en", "hi"]
max-length = 64

[probe.tatoeba]
task = "retrieval"
data = "tatoeba"
languages = ["de", "hi"]
max-length = 64

[protocol.ner-from-en]
before = ["tatoeba"]

[[protocol.ner-from-en.stage]]
task = "ner"
data = "wikiann"
languages = ["en"]
examples = { first = 5000 }
steps = 500
batch = 16
learning-rate = 5e-5
weight-decay = 0.01
warmup = 0.1
clip = 1.0
max-length = 64
probes = ["ner", "tatoeba"]
"#;

/// Methods `ft` and `frozen`, seeds 1 and 2.
pub fn cells() -> Vec<Cell> {
    let suite = Suite::parse("made-up", SUITE).expect("the suite is valid");
    suite
        .work()
        .map(|(protocol, method, seed)| Cell {
            numeric_version: NUMERIC_VERSION,
            model: suite.model.clone(),
            model_hash: "0123456789abcdef0123".to_owned(),
            method: method.clone(),
            protocol: protocol.clone(),
            seed,
            backend: Backend::Cpu,
            data: protocol.data().iter().map(|key: &DataKey| (key.to_string(), "feed".to_owned())).collect(),
            distances: LanguageDistances::default(),
        })
        .collect()
}

/// What a cell measured: `examples` examples a language; `ft` is right more often than `frozen` and forgets more.
pub fn measured(cell: &Cell, examples: usize) -> CellResult {
    let full = cell.method.name.as_str() == "ft";
    let mut result = CellResult {
        outcome: Outcome::Done,
        scores: Vec::new(),
        examples: Vec::new(),
        curve: (1..=3)
            .map(|step| CurvePoint {
                step,
                stage: 1,
                loss: 2.0 / step as f64,
                learning_rate: 5e-5,
                gradient_norm: 1.0 + step as f64,
            })
            .collect(),
        series: vec![SeriesPoint { step: 1, series: "layers open".to_owned(), value: 12.0 }],
        notes: vec!["a note, with \"quotes\"".to_owned()],
    };
    for (moment, probes) in cell.protocol.moments().enumerate() {
        for probe in probes {
            for &language in &probe.languages {
                let share = match (probe.task, moment, full) {
                    (Task::Retrieval, 0, _) => 0.9,
                    (Task::Retrieval, _, true) => 0.4,
                    (Task::Retrieval, _, false) => 0.7,
                    (_, _, true) => 0.7,
                    (_, _, false) => 0.5,
                };
                // What the model as it came gets right depends on neither method nor seed.
                let who = if moment == 0 { String::new() } else { format!("{} {}", cell.method.name, cell.seed) };
                add(&mut result, moment as u32, probe, language, share, &who, examples);
            }
        }
    }
    result
}

fn add(
    result: &mut CellResult,
    moment: u32,
    probe: &Probe,
    language: Language,
    share: f64,
    who: &str,
    examples: usize,
) {
    let contributions: Vec<Contribution> = (0..examples)
        .map(|at| {
            let chance =
                draw(&format!("{language} {at} {}", probe.name)) * 0.7 + draw(&format!("{who} {language} {at}")) * 0.3;
            let right = chance < share;
            match probe.task {
                Task::Ner => {
                    Contribution { numerator: f64::from(u8::from(right)) * 2.0, denominator: 2.0 + (at % 2) as f64 }
                }
                _ => Contribution::hit(right),
            }
        })
        .collect();
    let metric = probe.task.main_metric().to_owned();
    result.scores.push(Score {
        moment,
        probe: probe.name.clone(),
        task: probe.task,
        language,
        metric: metric.clone(),
        value: ratio(&contributions),
        low: None,
        high: None,
        examples: examples as u64,
    });
    result.examples.push(ProbeExamples {
        moment,
        probe: probe.name.clone(),
        language,
        ids: (0..examples).map(|at| format!("row {at}")).collect(),
        contributions: BTreeMap::from([(metric, contributions)]),
    });
}

/// Uniform in 0..1, from the text alone.
fn draw(text: &str) -> f64 {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    ((mixed ^ (mixed >> 33)) >> 11) as f64 / (1_u64 << 53) as f64
}

pub fn timing() -> Timing {
    Timing {
        seconds: BTreeMap::from([("train".to_owned(), 1.5)]),
        peak_memory_bytes: Some(1 << 20),
        train_tokens_per_second: Some(240.0),
        steps_of_other_cells: 0,
        threads: 2,
        host: "test".to_owned(),
        attempts: 1,
    }
}
