use std::collections::{BTreeMap, BTreeSet};

use spec::{Cell, Method, Outcome, presets};

use crate::record::{Damaged, FinishedCell};

/// Cells that differ in method and seed only, and so can share tables.
pub(crate) struct Experiment<'a> {
    /// Any of the cells: protocol, model, data and back end are those of all.
    pub cell: &'a Cell,
    pub methods: Vec<MethodRuns<'a>>,
}

/// The runs of one method, by seed.
pub(crate) struct MethodRuns<'a> {
    /// Name of the method, made distinct where two compositions share it.
    pub label: String,
    pub runs: Vec<Run<'a>>,
}

pub(crate) struct Run<'a> {
    pub cell: &'a Cell,
    pub state: State<'a>,
}

pub(crate) enum State<'a> {
    Done(&'a FinishedCell),
    Failed(&'a Outcome),
    Damaged(&'a str),
    NotRun,
}

/// Experiments in order of protocol, model and back end; methods in the order of the presets, others after them by name;
/// runs in order of seed.
pub(crate) fn group<'a>(
    planned: &'a [Cell],
    finished: &'a [FinishedCell],
    damaged: &'a [Damaged],
) -> Vec<Experiment<'a>> {
    let records: BTreeMap<_, _> = finished.iter().map(|finished| (finished.cell.id(), finished)).collect();
    let wanted: Vec<&Cell> = if planned.is_empty() {
        records.values().map(|finished| &finished.cell).collect()
    } else {
        planned.iter().collect()
    };
    let damaged: BTreeMap<&str, &str> =
        damaged.iter().map(|damaged| (damaged.folder.as_str(), damaged.why.as_str())).collect();
    let state = |cell: &Cell| match records.get(&cell.id()) {
        Some(finished) if finished.outcome == Outcome::Done => State::Done(finished),
        Some(finished) => State::Failed(&finished.outcome),
        None => damaged.get(cell.folder().as_str()).map_or(State::NotRun, |why| State::Damaged(why)),
    };

    type Methods<'a> = BTreeMap<(usize, String), BTreeMap<u64, &'a Cell>>;
    let mut experiments: BTreeMap<(String, String, String, String), Methods> = BTreeMap::new();
    for cell in wanted {
        let key = (cell.protocol.name.to_string(), cell.model.to_string(), cell.backend.to_string(), shared(cell));
        let method = (place(&cell.method), canonical(&cell.method));
        experiments.entry(key).or_default().entry(method).or_default().insert(cell.seed, cell);
    }
    experiments
        .into_values()
        .filter_map(|methods| {
            let any = methods.values().flat_map(BTreeMap::values).next().copied()?;
            let names: Vec<&str> =
                methods.values().filter_map(|runs| Some(runs.values().next()?.method.name.as_str())).collect();
            let methods = methods
                .values()
                .zip(&names)
                .map(|(runs, name)| {
                    let same = names.iter().filter(|other| *other == name).count();
                    let label = match runs.values().next() {
                        Some(cell) if same > 1 => format!("{name}@{}", &hash(&canonical(&cell.method))[..6]),
                        _ => (*name).to_owned(),
                    };
                    let runs = runs.values().map(|&cell| Run { cell, state: state(cell) }).collect();
                    MethodRuns { label, runs }
                })
                .collect();
            Some(Experiment { cell: any, methods })
        })
        .collect()
}

impl Experiment<'_> {
    /// Whether none of its cells has a record, whole or damaged.
    pub fn is_unrun(&self) -> bool {
        self.methods.iter().flat_map(|method| &method.runs).all(|run| matches!(run.state, State::NotRun))
    }

    /// Short hash of what its cells have in common.
    pub fn id(&self) -> String {
        shared(self.cell)[..16].to_owned()
    }
}

impl<'a> MethodRuns<'a> {
    pub fn done(&self) -> impl Iterator<Item = &'a FinishedCell> + '_ {
        self.runs.iter().filter_map(|run| match run.state {
            State::Done(finished) => Some(finished),
            _ => None,
        })
    }
}

/// Hash of what the cells of an experiment have in common.
fn shared(cell: &Cell) -> String {
    let Cell { numeric_version, model, model_hash, method: _, protocol, seed: _, backend, data, distances: _ } = cell;
    // Not what only some methods read.
    let read: BTreeSet<String> = protocol.data().iter().map(ToString::to_string).collect();
    let data: BTreeMap<&String, &String> = data.iter().filter(|(key, _)| read.contains(*key)).collect();
    hash(&canonical(&(numeric_version, model, model_hash, protocol, backend, data)))
}

fn place(method: &Method) -> usize {
    let known = presets();
    known.iter().position(|preset| preset.name == method.name.as_str()).unwrap_or(known.len())
}

fn canonical(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
