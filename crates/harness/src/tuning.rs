//! The search for methods' settings that comes before a suite's cells: trials are cells like all others, kept in the results
//! folder, and what is chosen follows from what is recorded of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use results::{ResultsFolder, Table};
use spec::{Backend, Cell, Language, Outcome, Suite, Trial, Tried, Tuning};

use crate::cli::Folders;
use crate::plan::{self, Work};

/// A suite's trials and their cells.
pub struct Trials {
    pub cells: Vec<Cell>,
    pub model: std::path::PathBuf,
    suite: Suite,
    trials: Vec<Trial>,
    seeds: usize,
    /// Trials of each method on each protocol, one after the other.
    budget: usize,
}

/// What the trials say.
pub struct Chosen {
    pub suite: Suite,
    pub best: Vec<Trial>,
    /// Of every method on every protocol: what was chosen, and how it did.
    pub table: Table,
}

impl Trials {
    /// Those of a suite; `None` if nothing is tuned.
    ///
    /// # Errors
    /// As [`plan::Plan::new`], and for grids that cannot be tried.
    pub fn new(suite: &Suite, folders: &Folders, backend: Backend) -> Result<Option<Self>> {
        let (Some(tuning), trials) = (&suite.tuning, suite.trials()?) else { return Ok(None) };
        let of_seeds = |trial| tuning.seeds.iter().map(move |&seed| (trial, seed));
        let work: Vec<Work> = trials
            .iter()
            .flat_map(of_seeds)
            .map(|(trial, seed): (&Trial, u64)| (&trial.protocol, &trial.method, seed))
            .collect();
        let (model, cells) = plan::cells(suite, &work, folders, backend)?;
        let (seeds, budget) = (tuning.seeds.len(), tuning.trials);
        Ok(Some(Self { cells, model, suite: suite.clone(), trials, seeds, budget }))
    }

    /// How many of the trials' cells are not finished.
    ///
    /// # Errors
    /// The results folder cannot be read.
    pub fn missing(&self, results: &ResultsFolder) -> Result<usize> {
        let finished: Vec<bool> =
            self.cells.iter().map(|cell| Ok(results.get(cell)?.is_some())).collect::<Result<_>>()?;
        Ok(finished.into_iter().filter(|finished| !finished).count())
    }

    /// The best trial of every method on every protocol, by the mean over seeds; the first of equal ones. A trial of which
    /// a seed failed is not chosen.
    ///
    /// # Errors
    /// Trials are missing, or all of a method failed.
    pub fn choose(self, results: &ResultsFolder) -> Result<Chosen> {
        let missing = self.missing(results)?;
        if missing > 0 {
            bail!(
                "the tuning of suite `{}` is not finished: {missing} of {} trials are missing; `harness tune {}` runs them",
                self.suite.name,
                self.cells.len(),
                self.suite.name
            );
        }
        let mut scores = Vec::with_capacity(self.trials.len());
        for (trial, cells) in self.trials.iter().zip(self.cells.chunks(self.seeds)) {
            let of_seeds: Vec<Option<f64>> =
                cells.iter().map(|cell| score(trial, cell, results)).collect::<Result<_>>()?;
            let all: Option<Vec<f64>> = of_seeds.into_iter().collect();
            scores.push(all.map(|all| all.iter().sum::<f64>() / all.len() as f64));
        }
        let mut table = Table::new(
            "settings chosen on the validation split of the source languages",
            2,
            ["protocol", "method", "chosen", "score", "worst", "failed", "at the grid's edge"],
        );
        let mut best = Vec::new();
        for (trials, scores) in self.trials.chunks(self.budget).zip(scores.chunks(self.budget)) {
            let Some(index) = Tuning::best(scores) else {
                bail!(
                    "every trial of method `{}` on protocol `{}` failed; `harness report` on their cells says why",
                    trials[0].method.name,
                    trials[0].for_protocol
                );
            };
            let trial = &trials[index];
            let of_all = scores.iter().flatten().copied();
            let edge: Vec<&str> =
                trial.values.iter().filter(|value| value.at_edge).map(|value| value.name.as_str()).collect();
            table.push([
                trial.for_protocol.to_string(),
                trial.method.name.to_string(),
                values(&trial.values),
                scores[index].map_or_else(String::new, |score| format!("{:.1}", 100.0 * score)),
                format!("{:.1}", 100.0 * of_all.fold(f64::INFINITY, f64::min)),
                scores.iter().filter(|score| score.is_none()).count().to_string(),
                if edge.is_empty() { "no".to_owned() } else { edge.join(", ") },
            ]);
            best.push(trial.clone());
        }
        table.notes.push(format!(
            "{} trials a method and protocol, {} each; score: mean over seeds, languages and stages of the main metric, \
             in percent; at the edge: a better value may lie beyond those that were tried",
            self.budget,
            if self.seeds == 1 { "1 seed".to_owned() } else { format!("{} seeds", self.seeds) }
        ));
        Ok(Chosen { suite: self.suite.tuned(&best)?, best, table })
    }
}

/// A trial's score with one seed; `None` if it failed.
fn score(trial: &Trial, cell: &Cell, results: &ResultsFolder) -> Result<Option<f64>> {
    let Some(finished) = results.get(cell)?.filter(|finished| finished.outcome == Outcome::Done) else {
        return Ok(None);
    };
    let found: BTreeMap<(String, Language, String), f64> = finished
        .scores()?
        .into_iter()
        .map(|score| ((score.probe.to_string(), score.language, score.metric), score.value))
        .collect();
    Ok(trial
        .score(|probe, language, metric| found.get(&(probe.name.to_string(), language, metric.to_owned())).copied()))
}

fn values(values: &[Tried]) -> String {
    let one = |value: &Tried| format!("{} {}", value.name, value.value);
    values.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl Chosen {
    /// The choice as tables of a suite file.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut seen = BTreeSet::new();
        for trial in &self.best {
            if !seen.insert((&trial.method.name, &trial.for_protocol)) {
                continue;
            }
            text.push_str(&format!("[method.{}.protocol.{}]\n", trial.method.name, trial.for_protocol));
            for Tried { name, value, .. } in trial.values.iter().filter(|value| !value.name.contains('.')) {
                text.push_str(&format!("{name} = {value}\n"));
            }
            // A knob is written with its whole axis, as the method has it.
            let written = serde_json::to_value(&trial.method).unwrap_or_default();
            let axes: BTreeSet<&str> =
                trial.values.iter().filter_map(|value| Some(value.name.split_once('.')?.0)).collect();
            for axis in axes {
                text.push_str(&format!("{axis} = {}\n", inline(&written[axis])));
            }
            text.push('\n');
        }
        text
    }
}

/// A value as TOML within one line.
fn inline(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name} = {}", inline(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        serde_json::Value::Array(values) => format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
