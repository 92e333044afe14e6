//! Fisher traces against PyTorch (scripts/reference/unfreezing.py) and against the gradients that they are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::path::Path;

use model::{Group, Learner, ModelError};
use serde::Deserialize;
use spec::{
    Adapter, Backend, Batch, Fun, Head, Method, Name, Schedule, Split, Stage, Structure, Targets, Task, TraceScores,
    UnfreezingVariant,
};
use strategies::schedules::{Labels, fisher_trace};
use strategies::{BatchError, BatchSource, Strategy, SubBatch};

#[derive(Deserialize)]
struct Reference {
    traces: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    model: String,
    batches: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    seq: usize,
    ids: Vec<i32>,
    type_ids: Vec<i32>,
    lengths: Vec<usize>,
    labels: Vec<i32>,
    /// By group, with the likeliest labels.
    argmax: BTreeMap<String, f64>,
    /// Expectation under the model's distribution.
    #[serde(default)]
    sampled: BTreeMap<String, f64>,
    /// Every value that layer 1 can have.
    #[serde(default)]
    sampled_layer_1: Vec<f64>,
}

impl Expected {
    fn batch(&self) -> Batch {
        let targets = match self.labels.len() == self.lengths.len() {
            true => Targets::Classes(self.labels.clone()),
            false => Targets::TokenLabels(self.labels.clone()),
        };
        Batch {
            ids: self.ids.clone(),
            type_ids: self.type_ids.clone(),
            lengths: self.lengths.clone(),
            seq: self.seq,
            targets,
            ..Batch::default()
        }
    }
}

/// PyTorch's values are of float64; this is what float32 leaves of squared gradients.
const F32: f64 = 1e-5;

fn cases() -> Vec<Case> {
    serde_json::from_str::<Reference>(include_str!("reference/unfreezing.json")).unwrap().traces
}

fn learner(model: &str) -> Learner {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/reference").join(model);
    Learner::load(&folder, Backend::Cpu).unwrap()
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance * expected.abs(), "{what}: {found} instead of {expected}");
}

/// The trace where all languages use the same.
fn plain_trace(
    learner: &mut Learner,
    units: &[Group],
    labels: Labels,
    batches: impl IntoIterator<Item = Vec<Batch>>,
    seed: u64,
    step: u64,
) -> Result<BTreeMap<Group, f64>, ModelError> {
    fisher_trace(learner, units, labels, batches, (seed, step), |_, _| Ok(()))
}

#[test]
fn traces_of_the_likeliest_labels_are_those_of_pytorch() {
    for case in cases() {
        let mut learner = learner(&case.model);
        let groups = learner.groups();
        for expected in &case.batches {
            let found = plain_trace(&mut learner, &groups, Labels::Argmax, [vec![expected.batch()]], 0, 0).unwrap();
            assert_eq!(found.len(), expected.argmax.len());
            for (group, value) in found {
                close(value, expected.argmax[&group.to_string()], F32, &format!("{} {group}", case.model));
            }
        }
        let batches = case.batches.iter().map(|expected| vec![expected.batch()]);
        for (group, value) in plain_trace(&mut learner, &groups, Labels::Argmax, batches, 0, 0).unwrap() {
            let sum: f64 = case.batches.iter().map(|expected| expected.argmax[&group.to_string()]).sum();
            close(value, sum, F32, &format!("{} {group} over batches", case.model));
        }
    }
}

#[test]
fn a_trace_is_the_squared_gradient_over_the_batch_size() {
    for case in cases() {
        let mut learner = learner(&case.model);
        let batch = case.batches[0].batch();
        let groups = learner.groups();
        let found = plain_trace(&mut learner, &groups, Labels::Argmax, [vec![batch.clone()]], 0, 0).unwrap();
        learner.set_dropout(Some(0.0));
        let labelled = learner.argmax_targets(&batch).unwrap();
        let (_, gradients) = learner.loss_and_gradients(&labelled, 0).unwrap();
        let squares = |group: Group| -> f64 {
            let inside = |name: &&str| match group {
                Group::Layer(layer) => name.contains(&format!("layer.{layer}.")),
                Group::Embeddings => name.starts_with("embeddings."),
                _ => !name.contains("layer.") && !name.starts_with("embeddings."),
            };
            let values = learner.parameter_names().into_iter().filter(inside);
            let values = values.flat_map(|name| learner.gradient(&gradients, name).unwrap().unwrap());
            values.map(|value| f64::from(value).powi(2)).sum()
        };
        for (group, value) in found {
            close(value, squares(group) / batch.len() as f64, 1e-6, &format!("{} {group}", case.model));
        }
    }
}

#[test]
fn traces_of_sampled_labels_have_the_expectation_of_the_true_fisher_information() {
    let case = &cases()[0];
    let expected = &case.batches[0];
    let mut learner = learner(&case.model);
    let layer = Group::Layer(1);
    let values: Vec<f64> = (0..600)
        .map(|step| plain_trace(&mut learner, &[layer], Labels::Sampled, [vec![expected.batch()]], 5, step).unwrap())
        .map(|traces| traces[&layer])
        .collect();
    for value in &values {
        let known = expected.sampled_layer_1.iter().any(|known| (known - value).abs() <= F32 * known);
        assert!(known, "{value} is the trace of no labels");
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64;
    let error = (variance / values.len() as f64).sqrt();
    let truth = expected.sampled["layer.1"];
    assert!(error < 0.1 * truth && (mean - truth).abs() < 3.0 * error, "{mean} ± {error} instead of {truth}");
}

#[test]
fn labels_are_drawn_from_seed_and_step() {
    let case = &cases()[0];
    let mut learner = learner(&case.model);
    let mut trace = |seed, step| {
        let batches = case.batches.iter().map(|expected| vec![expected.batch()]);
        plain_trace(&mut learner, &[Group::Layer(0)], Labels::Sampled, batches, seed, step).unwrap()
    };
    assert_eq!(trace(1, 2), trace(1, 2));
    assert!(trace(1, 2) != trace(1, 3) && trace(1, 2) != trace(2, 2));
}

/// Two languages of one step: the gradient of the mean of their losses is squared, over all their examples.
#[test]
fn languages_share_a_batch() {
    let case = &cases()[0];
    let mut learner = learner(&case.model);
    let layer = Group::Layer(2);
    let mut trace =
        |parts: Vec<Batch>| plain_trace(&mut learner, &[layer], Labels::Argmax, [parts], 0, 0).unwrap()[&layer];
    let batch = case.batches[0].batch();
    let one = trace(vec![batch.clone()]);
    // The same batch twice: the same mean gradient over twice as many examples.
    close(trace(vec![batch.clone(), batch]), one / 2.0, 1e-6, "twice");
}

#[test]
fn the_learner_is_as_before() {
    let case = &cases()[0];
    let mut learner = learner(&case.model);
    let frozen = BTreeSet::from([Group::Embeddings, Group::Layer(0), Group::Layer(1)]);
    learner.set_frozen(&frozen);
    let batch = case.batches[0].batch();
    let observe = |learner: &mut Learner| {
        // Dropout on, frozen groups without gradients.
        let (loss, gradients) = learner.loss_and_gradients(&batch, 3).unwrap();
        let bits = |name: &str| -> Vec<u32> { learner.parameter(name).unwrap().iter().map(|x| x.to_bits()).collect() };
        let parameters: Vec<Vec<u32>> = learner.parameter_names().into_iter().map(bits).collect();
        (loss.to_bits(), learner.squared_norms(&gradients).unwrap(), parameters)
    };
    let before = observe(&mut learner);
    let closed = [Group::Layer(0), Group::Layer(1), Group::Layer(2)];
    let traces = plain_trace(&mut learner, &closed, Labels::Sampled, [vec![batch.clone()]], 0, 0).unwrap();
    assert!(traces.keys().eq(&closed) && traces.values().all(|&trace| trace > 0.0));
    assert_eq!(observe(&mut learner), before);
    // An error leaves nothing behind either.
    let strange = Batch { targets: Targets::Spans { starts: vec![0; 4], ends: vec![0; 4] }, ..batch.clone() };
    assert!(plain_trace(&mut learner, &closed, Labels::Argmax, [vec![strange]], 0, 0).is_err());
    assert_eq!(observe(&mut learner), before);
}

/// Every source gives this batch.
struct One(Batch);

impl BatchSource for One {
    fn source(&mut self, _: usize, _: u64) -> Result<SubBatch, BatchError> {
        Ok(SubBatch { batch: self.0.clone(), dropout_seed: 0 })
    }

    fn memory(&mut self, _: usize, _: u64) -> Result<Vec<SubBatch>, BatchError> {
        Err("there is no memory".into())
    }
}

fn task(learner: &Learner) -> Task {
    if let Head::RowLabels { .. } = learner.head(None).unwrap() { Task::Nli } else { Task::Ner }
}

/// The traces that a strategy ranks units by at its first event with a choice.
fn ranked(
    (structure, scores): (Structure, TraceScores),
    learner: &mut Learner,
    task: Task,
    batch: Batch,
) -> BTreeMap<String, f64> {
    let fun = Fun { variant: UnfreezingVariant::Code, interval: NonZeroU64::new(1), batches: 1, scores };
    let method = Method { structure, schedule: Schedule::Fun(fun), ..Method::plain(Name::new("fun").unwrap()) };
    let stage = Stage {
        task,
        data: Name::new("d").unwrap(),
        split: Split::Train,
        languages: vec!["en".parse().unwrap()],
        examples: None,
        steps: 20,
        batch: batch.len(),
        learning_rate: 0.0,
        weight_decay: 0.0,
        warmup: 0.0,
        decay: spec::Decay::default(),
        clip: 1.0,
        max_length: 8,
        stride: 0,
        parser: None,
        trace_every: None,
        probe_every: None,
        memories: Vec::new(),
        probes: Vec::new(),
    };
    let mut data = One(batch);
    let mut strategy = Strategy::new(&method, &stage, 1);
    strategy.begin(learner, &mut data).unwrap();
    for step in 0..stage.steps {
        let events = strategy.step(learner, &mut data, step).unwrap().events;
        let traces =
            events.into_iter().filter_map(|(name, value)| Some((name.strip_prefix("fisher.")?.to_owned(), value)));
        let traces: BTreeMap<String, f64> = traces.collect();
        if !traces.is_empty() {
            return traces;
        }
    }
    panic!("nothing was ranked")
}

#[test]
fn units_of_different_sizes_are_ranked_per_parameter() {
    for case in cases() {
        let mut learner = learner(&case.model);
        let task = task(&learner);
        let sizes = learner.parameter_names().into_iter().fold(BTreeMap::<String, usize>::new(), |mut sizes, name| {
            let layer = name.split_once("layer.").map(|(_, rest)| format!("layer.{}", rest.split('.').next().unwrap()));
            let group =
                if name.starts_with("embeddings.") { "embeddings".to_owned() } else { layer.unwrap_or_default() };
            *sizes.entry(group).or_default() += learner.parameter(name).unwrap().len();
            sizes
        });
        for scores in [TraceScores::PerParameter, TraceScores::Sum] {
            let found = ranked((Structure::Full, scores), &mut learner, task, case.batches[0].batch());
            assert!(found.contains_key("embeddings") && found.contains_key("layer.0"), "{found:?}");
            for (group, value) in found {
                let size = if scores == TraceScores::Sum { 1 } else { sizes[&group] };
                let expected = case.batches[0].argmax[&group] / size as f64;
                close(value, expected, F32, &format!("{} {group}", case.model));
            }
        }
    }
}

#[test]
fn adapters_are_ranked_by_the_papers_sums() {
    let case = &cases()[0];
    let mut learner = learner(&case.model);
    let batch = case.batches[0].batch();
    let task = task(&learner);
    let found =
        ranked((Structure::Adapter(Adapter::default()), TraceScores::PerParameter), &mut learner, task, batch.clone());
    let units: Vec<Group> = found.keys().map(|name| name.parse().unwrap()).collect();
    let sums = plain_trace(&mut learner, &units, Labels::Argmax, [vec![batch]], 0, 0).unwrap();
    assert!(units.len() >= 2);
    for (group, sum) in sums {
        close(found[&group.to_string()], sum, 1e-9, &group.to_string());
    }
}
