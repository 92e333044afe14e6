//! The search for a method's settings: a grid of trials for each method, equally many for all, judged on the sources'
//! validation split.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{distinct, plain};
use crate::{Direction, Method, Name, Portion, Probe, Protocol, SpecError, Split, Suite};

/// Settings and knobs, each with the values that are tried: `{ learning-rate = [1e-3, 3e-3], anchor.lambda = [1, 10] }`.
pub(super) type Grid = BTreeMap<String, toml::Value>;

/// `[tune]`.
#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct TuningText {
    seeds: Vec<u64>,
    trials: usize,
    examples: Option<Portion>,
    #[serde(default)]
    select: Select,
    #[serde(default)]
    grid: Grid,
}

/// What trials are judged on. There is one choice, so that no target and no test split can have a part in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Select {
    /// The validation split of the languages and data that the stages train on.
    #[default]
    SourceValidation,
}

/// The search that comes before a suite's cells. Its cost is the same for every method: `trials` × `seeds` on each protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuning {
    /// None of the suite's.
    pub seeds: Vec<u64>,
    /// Combinations of values that each method tries.
    pub trials: usize,
    /// Of each language's validation split, that judge a trial; all if `None`.
    pub examples: Option<Portion>,
    select: Select,
    /// Of methods without a grid of their own.
    grid: Vec<Axis>,
    grids: BTreeMap<Name, Vec<Axis>>,
}

/// A setting or knob by its path, and the values that are tried.
#[derive(Debug, Clone, PartialEq)]
struct Axis {
    path: Vec<String>,
    values: Vec<Value>,
}

/// One combination of values of a method on a protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The stages of the protocol, judged by probes of their own alone.
    pub protocol: Protocol,
    /// The protocol that it is for.
    pub for_protocol: Name,
    /// With the values in it.
    pub method: Method,
    pub values: Vec<Tried>,
}

/// A value of a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// `learning-rate`, `anchor.lambda`.
    pub name: String,
    pub value: Value,
    /// Whether no smaller, or no larger number is tried: then a better one may lie beyond.
    pub at_edge: bool,
}

/// What is written at the top of a method's table, and not within an axis.
const SETTINGS: [&str; 7] = ["learning-rate", "steps", "batch", "weight-decay", "warmup", "decay", "clip"];
const AXES: [&str; 7] = ["structure", "rule", "schedule", "outer", "anchor", "subnetworks", "sharing"];

impl Tuning {
    pub(super) fn new(text: Option<TuningText>, grids: BTreeMap<Name, Grid>) -> Result<Option<Self>, String> {
        let Some(text) = text else {
            return match grids.keys().next() {
                Some(method) => Err(format!(
                    "[method.{method}] has `tune`, and the suite has no [tune] that says for how many `trials` and which `seeds`"
                )),
                None => Ok(None),
            };
        };
        let TuningText { seeds, trials, examples, select, grid } = text;
        let axes = |place: String, grid: Grid| axes(grid).map_err(|message| format!("{place}: {message}"));
        let grids = grids
            .into_iter()
            .map(|(method, grid)| Ok((method.clone(), axes(format!("[method.{method}] `tune`"), grid)?)))
            .collect::<Result<_, String>>()?;
        Ok(Some(Self { seeds, trials, examples, select, grid: axes("[tune] `grid`".to_owned(), grid)?, grids }))
    }

    pub(super) fn check(&self, suite_seeds: &[u64]) -> Result<(), String> {
        if self.seeds.is_empty() || self.trials == 0 || self.examples.is_some_and(|portion| portion.count() == 0) {
            return Err("[tune]: `seeds`, `trials` and `examples` must be at least one".to_owned());
        }
        distinct(&self.seeds).map_err(|seed| format!("[tune]: seed {seed} is listed twice"))?;
        match self.seeds.iter().find(|seed| suite_seeds.contains(seed)) {
            Some(seed) => {
                Err(format!("[tune]: seed {seed} is one of the suite's: what is chosen must not have seen it"))
            }
            None => Ok(()),
        }
    }

    fn grid_of(&self, method: &Name) -> &[Axis] {
        self.grids.get(method).unwrap_or(&self.grid)
    }

    /// The combination with the best score; of equal ones the first. `scores` are those of a method's trials on a protocol,
    /// `None` for a trial that failed.
    pub fn best(scores: &[Option<f64>]) -> Option<usize> {
        let better = |best: Option<(usize, f64)>, (index, score): (usize, &Option<f64>)| match (best, *score) {
            (Some((_, best_score)), Some(score)) if score <= best_score => best,
            (best, None) => best,
            (_, Some(score)) => Some((index, score)),
        };
        scores.iter().enumerate().fold(None, better).map(|(index, _)| index)
    }
}

fn axes(grid: Grid) -> Result<Vec<Axis>, String> {
    fn collect(path: Vec<String>, value: toml::Value, axes: &mut Vec<Axis>) -> Result<(), String> {
        let name = path.join(".");
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    collect([path.clone(), vec![key]].concat(), value, axes)?;
                }
                Ok(())
            }
            toml::Value::Array(values) if !values.is_empty() => {
                let values = values.into_iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>();
                let values = values.map_err(|error| format!("`{name}`: {error}"))?;
                if (1..values.len()).any(|at| values[..at].contains(&values[at])) {
                    return Err(format!("`{name}` lists a value twice"));
                }
                axes.push(Axis { path, values });
                Ok(())
            }
            _ => Err(format!("`{name}` wants a list of the values to try")),
        }
    }
    let mut found = Vec::new();
    for (key, value) in grid {
        match (SETTINGS.contains(&key.as_str()), AXES.contains(&key.as_str())) {
            (true, _) => collect(vec!["settings".to_owned(), key], value, &mut found)?,
            (_, true) => collect(vec![key], value, &mut found)?,
            _ => {
                let known = SETTINGS.into_iter().chain(AXES);
                let near = crate::nearest(&key, known).map(|near| format!("; did you mean `{near}`?"));
                return Err(format!(
                    "`{key}` is neither a setting of stages ({}) nor an axis of methods ({}){}",
                    SETTINGS.join(", "),
                    AXES.join(", "),
                    near.unwrap_or_default()
                ));
            }
        }
    }
    Ok(found)
}

impl Axis {
    fn name(&self) -> String {
        match self.path.split_first() {
            Some((first, rest)) if first == "settings" => rest.join("."),
            _ => self.path.join("."),
        }
    }

    fn at_edge(&self, value: &Value) -> bool {
        let numbers: Option<Vec<f64>> = self.values.iter().map(Value::as_f64).collect();
        let (Some(numbers), Some(value)) = (numbers, value.as_f64()) else { return false };
        numbers.len() > 1
            && (numbers.iter().all(|other| *other >= value) || numbers.iter().all(|other| *other <= value))
    }
}

impl Suite {
    /// Every trial of the suite's tuning, those of a method on a protocol one after the other; empty without tuning.
    ///
    /// # Errors
    /// [`SpecError::Invalid`] for seeds that are the suite's too, a method whose grid has not as many combinations as the
    /// budget, or a value that its knob refuses.
    pub fn trials(&self) -> Result<Vec<Trial>, SpecError> {
        let Some(tuning) = &self.tuning else { return Ok(Vec::new()) };
        let invalid = |message: String| SpecError::Invalid { suite: self.name.to_string(), message };
        // Seeds may have been exchanged since the suite was read.
        tuning.check(&self.seeds).map_err(invalid)?;
        let mut trials = Vec::new();
        let mut seen = BTreeSet::new();
        for (protocol, method, _) in self.work() {
            if protocol.stages.is_empty() || !seen.insert((&protocol.name, &method.name)) {
                continue;
            }
            let judged = judged(protocol, tuning)?;
            let grid = tuning.grid_of(&method.name);
            let combinations: usize = grid.iter().map(|axis| axis.values.len()).product();
            if combinations != tuning.trials {
                return Err(invalid(format!(
                    "[tune]: every method has {} trials, and the values of `{}` make {combinations} combinations",
                    tuning.trials, method.name
                )));
            }
            for number in 0..combinations {
                let (method, values) = combination(method, grid, number)
                    .map_err(|error| invalid(format!("[method.{}] `tune`: {error}", method.name)))?;
                method.check(&judged)?;
                trials.push(Trial { protocol: judged.clone(), for_protocol: protocol.name.clone(), method, values });
            }
        }
        Ok(trials)
    }

    /// The suite with the methods that were chosen, each for a protocol, and nothing left to tune.
    ///
    /// # Errors
    /// [`SpecError::Invalid`] if the suite cannot be run with them.
    pub fn tuned<'a>(mut self, chosen: impl IntoIterator<Item = &'a Trial>) -> Result<Self, SpecError> {
        self.tuning = None;
        for trial in chosen {
            self.adjusted.insert((trial.method.name.clone(), trial.for_protocol.clone()), trial.method.clone());
        }
        self.check()?;
        Ok(self)
    }
}

/// The `number`-th combination, the last axis turning fastest.
fn combination(method: &Method, grid: &[Axis], number: usize) -> Result<(Method, Vec<Tried>), String> {
    let mut written = serde_json::to_value(method).map_err(|error| error.to_string())?;
    let mut left = number;
    let mut values = Vec::with_capacity(grid.len());
    for axis in grid.iter().rev() {
        let value = &axis.values[left % axis.values.len()];
        left /= axis.values.len();
        if value.as_f64().is_some_and(|number| !plain(number)) {
            return Err(format!("`{}`: numbers may have at most 15 digits and 15 decimal places", axis.name()));
        }
        put(&mut written, &axis.path, value).ok_or_else(|| format!("the method has no `{}`", axis.name()))?;
        values.push(Tried { name: axis.name(), value: value.clone(), at_edge: axis.at_edge(value) });
    }
    values.reverse();
    Ok((serde_json::from_value(written).map_err(|error| error.to_string())?, values))
}

fn put(into: &mut Value, path: &[String], value: &Value) -> Option<()> {
    let (first, rest) = path.split_first()?;
    let place = into.as_object_mut()?;
    match rest {
        [] => drop(place.insert(first.clone(), value.clone())),
        // Settings are not written where there are none; an axis always is, with its kind.
        _ if first == "settings" => {
            put(place.entry(first.clone()).or_insert_with(|| Value::Object(Default::default())), rest, value)?
        }
        _ => put(place.get_mut(first)?, rest, value)?,
    }
    Some(())
}

/// A protocol whose only probes are those that judge a trial: after the last stage, what each stage has trained on, on its
/// validation split. No target language and no test split has a part in it.
fn judged(protocol: &Protocol, tuning: &Tuning) -> Result<Protocol, SpecError> {
    let split = match tuning.select {
        Select::SourceValidation => Split::Validation,
    };
    let mut stages = protocol.stages.clone();
    stages.iter_mut().for_each(|stage| stage.probes.clear());
    let trained: Vec<_> = protocol.stages.iter().filter(|stage| stage.task.has_head()).collect();
    let trained = if trained.is_empty() { protocol.stages.iter().collect() } else { trained };
    let mut probes: Vec<Probe> = Vec::new();
    for stage in trained {
        let probe = Probe {
            name: Name::new(format!("source-{}", probes.len() + 1))?,
            task: stage.task,
            data: stage.data.clone(),
            split,
            languages: stage.languages.clone(),
            examples: tuning.examples,
            max_length: stage.max_length,
            stride: stage.stride,
            prefix: String::new(),
            layer: None,
            adapt: None,
        };
        if !probes.iter().any(|other| Probe { name: other.name.clone(), ..probe.clone() } == *other) {
            probes.push(probe);
        }
    }
    if let Some(last) = stages.last_mut() {
        last.probes = probes;
    }
    Ok(Protocol { name: Name::new(format!("tune-{}", protocol.name))?, before: Vec::new(), stages })
}

impl Trial {
    /// A cell's score: the mean over what judges it, each by its task's main metric, larger is better.
    ///
    /// `value` gives the value of a metric of a probe in a language.
    pub fn score(&self, value: impl Fn(&Probe, crate::Language, &str) -> Option<f64>) -> Option<f64> {
        let mut values = Vec::new();
        for probe in self.protocol.probes() {
            let metric = &probe.task.description().metrics[0];
            let sign = if metric.better == Direction::Higher { 1.0 } else { -1.0 };
            for &language in &probe.languages {
                values.push(sign * value(probe, language, metric.name)?);
            }
        }
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}
