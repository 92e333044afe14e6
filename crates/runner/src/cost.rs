//! Rough cost of a cell, in tokens passed forward through the whole encoder. Only for estimates of time.

use std::collections::BTreeSet;

use spec::{Cell, Portion, Probe, Stage, Structure, Subnetworks, Task};

/// A training step costs about three forward passes: one forward, two backward.
const TRAINING: f64 = 3.0;

/// A typical number of rounds until a pruned model is too bad.
const PRUNING_ROUNDS: f64 = 6.0;

/// Tokens that all stages and probes of a cell process, training weighted by its backward pass.
pub fn tokens(cell: &Cell) -> f64 {
    let stages = &cell.method.goes_through(&cell.protocol).stages;
    let of_stage = |stage| training_tokens(cell, stage) + discovery_tokens(cell, stage);
    let training: f64 = stages.iter().map(of_stage).sum();
    training + cell.protocol.probes().map(probe_tokens).sum::<f64>()
}

/// The same of cells that are run together: a stage that several have in common is trained once.
pub fn together(cells: &[Cell]) -> f64 {
    let mut trained = BTreeSet::new();
    let mut saved = 0.0;
    for cell in cells {
        for (index, stage) in cell.method.goes_through(&cell.protocol).stages.iter().enumerate() {
            if !trained.insert(cell.prefix(index + 1)) {
                saved += training_tokens(cell, stage) + discovery_tokens(cell, stage);
            }
        }
    }
    cells.iter().map(tokens).sum::<f64>() - saved
}

/// All steps of a stage, over its languages and the memories that the method asks for.
pub fn training_tokens(cell: &Cell, stage: &Stage) -> f64 {
    let (_, passes) = cell.method.outer.batches();
    let languages = passes as f64 * rows(stage.task) * stage.batch as f64 * mean_length(stage.task, stage.max_length);
    let memories = stage.memories.iter().filter(|memory| cell.method.asks_for(memory));
    let memories =
        memories.map(|memory| rows(memory.task) * memory.batch as f64 * mean_length(memory.task, memory.max_length));
    stage.steps as f64 * (languages + memories.sum::<f64>()) * backward(cell)
}

/// Finding the subnetworks of a stage's languages: training of the copies, then rounds of pruning.
pub fn discovery_tokens(cell: &Cell, stage: &Stage) -> f64 {
    let Some(knobs) = cell.method.subnetworks.as_ref().filter(|_| Subnetworks::masks(stage)) else { return 0.0 };
    let share = stage.batch as f64 / stage.languages.len() as f64;
    let steps = knobs.discovery.steps.unwrap_or(stage.steps) as f64;
    let rounds = PRUNING_ROUNDS.min(1.0 / knobs.prune.fraction);
    let held = knobs.discovery.examples.map_or(1000, Portion::count) as f64;
    let rows = steps * share * backward(cell) + rounds * (held + knobs.discovery.batches as f64 * share * TRAINING);
    let copies = stage.languages.len() as f64 * knobs.discovery.copies as f64;
    copies * rows * mean_length(stage.task, stage.max_length)
}

pub fn probe_tokens(probe: &Probe) -> f64 {
    let examples = probe.examples.map_or(5000, Portion::count) as f64;
    let rows = rows(probe.task)
        * match &probe.adapt {
            None => examples,
            Some(adapt) => adapt.sets as f64 * (examples + TRAINING * (adapt.steps * adapt.support) as f64),
        };
    rows * probe.languages.len() as f64 * mean_length(probe.task, probe.max_length)
}

/// Cost of a trained token, in forward passes.
fn backward(cell: &Cell) -> f64 {
    match cell.method.structure {
        // The first stage, if it trains the encoder, is the longest.
        Structure::Adapter(_) if cell.method.sharing.is_some() => TRAINING,
        Structure::Full | Structure::BitFit => TRAINING,
        Structure::Adapter(_) | Structure::Lora(_) | Structure::MadX(_) => TRAINING - 1.0,
        Structure::FrozenLower { .. } => 1.0 + (TRAINING - 1.0) / 3.0,
    }
}

/// Rows that an example gives, roughly.
fn rows(task: Task) -> f64 {
    if task.is_grouped() { 2.0 } else { 1.0 }
}

/// Typical lengths of the public data sets.
fn mean_length(task: Task, max_length: usize) -> f64 {
    task.description().tokens.min(max_length) as f64
}
