//! One step's direction: losses and gradients of languages and memories, their products, the rule, the combination.
//!
//! A rule that weighs gradients against each other needs all of them at once: m gradients in memory, each as large as the
//! trained parameters. The mean needs one.

use model::{Gradients, Learner, ModelError, SavePoint};
use spec::{GradientRule, LfMlf, Method, OuterLoop, Rows, Stage};

use crate::batch_source::BatchSource;
use crate::error::StrategyError;
use crate::evaluate::{Evaluation, RunningMean};
use crate::forgetting::Past;
use crate::memories;
use crate::modules::Modules;
use crate::outer;
use crate::rules::{AnchorDirection, Combination, Event, Gram, RuleError, RuleInput, RuleState};
use crate::subnetworks::StageMasks;

/// What a direction is made from, besides the learner and its data.
pub(crate) struct Ingredients<'a> {
    pub method: &'a Method,
    pub stage: &'a Stage,
    pub seed: u64,
    /// Where languages have subnetworks.
    pub masks: Option<&'a StageMasks<'a>>,
    /// Where languages use modules of their own: these, and the stage's number from 0.
    pub modules: Option<(&'a Modules<'a>, usize)>,
    /// Indices of the stage's memories that the rule asks for.
    pub memories: &'a [usize],
    pub start: Option<&'a SavePoint>,
    /// Of a measure of forgetting.
    pub fisher: Option<&'a Gradients>,
}

/// The direction of one step.
pub(crate) struct Direction {
    pub kind: Kind,
    /// Mean loss of each source language, in the stage's order.
    pub losses: Vec<f64>,
    /// Named values for the record.
    pub series: Vec<(String, f64)>,
}

pub(crate) enum Kind {
    /// A gradient: the optimiser walks against it.
    Gradient(Gradients),
    /// Nowhere to go, for this reason.
    Rest(String),
}

/// Whose loss it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    /// Of the stage's languages.
    Language(usize),
    /// Of the stage's memories.
    Memory(usize),
    /// Of all examples that they give at a step.
    Memories,
}

/// Rows of the Gram matrix.
#[derive(Default)]
struct Gathered {
    names: Vec<String>,
    losses: Vec<f64>,
    gradients: Vec<Gradients>,
}

impl Gathered {
    fn push(&mut self, name: String, (loss, gradient): (f64, Gradients)) {
        self.names.push(name);
        self.losses.push(loss);
        self.gradients.push(gradient);
    }
}

impl Ingredients<'_> {
    pub fn direction(
        &self,
        learner: &mut Learner,
        data: &mut dyn BatchSource,
        state: &mut RuleState,
        step: u64,
        learning_rate: f64,
    ) -> Result<Direction, StrategyError> {
        let rule = &self.method.rule;
        let rows = match rule.rows() {
            Rows::Tasks => self.stage.languages.len() + self.memories.len(),
            Rows::CurrentThenMemories => 1 + self.memories.len(),
            Rows::CurrentThenUnion => 1 + usize::from(!self.memories.is_empty()),
            Rows::LanguagesAndAnchor => usize::MAX,
        };
        if rows == 1 || matches!(rule, GradientRule::Mean | GradientRule::Multitask(_)) {
            return self.mean(learner, data, step);
        }
        let mut gathered = Gathered::default();
        let mut losses = Vec::with_capacity(self.stage.languages.len());
        let mut current = RunningMean::new(self.stage.languages.len());
        let mut series = Vec::new();
        let memories = if rule.rows() == Rows::LanguagesAndAnchor { &[] } else { self.memories };
        self.each(learner, data, step, memories, |learner, row, (loss, gradient)| {
            match row {
                Row::Language(_) => {
                    losses.push(loss);
                    if rule.rows().hold_against_memories() {
                        current.add(learner, loss, gradient)?;
                        if losses.len() == self.stage.languages.len() {
                            gathered.push("current".to_owned(), current.finish()?);
                        }
                        return Ok(());
                    }
                    gathered.push(self.row_name(row), (loss, gradient));
                }
                row @ (Row::Memory(_) | Row::Memories) => {
                    let name = self.row_name(row);
                    series.push((format!("loss.{name}"), loss));
                    gathered.push(name, (loss, gradient));
                }
            }
            Ok(())
        })?;
        let anchor = match rule {
            GradientRule::LfMlf(knobs) => Some(self.anchor(knobs, learner, data, step, learning_rate)?),
            _ => None,
        };
        let kind = self.combined(learner, gathered, anchor, state, step, &mut series)?;
        Ok(Direction { kind, losses, series })
    }

    /// Whether all languages use the same of the learner.
    fn is_alike(&self) -> bool {
        self.masks.is_none() && self.modules.is_none_or(|(modules, _)| modules.are_common())
    }

    /// Loss and gradient of the stage's `source`-th language, with what this language uses.
    fn source(
        &self,
        evaluation: Evaluation,
        learner: &mut Learner,
        data: &mut dyn BatchSource,
        source: usize,
        step: u64,
    ) -> Result<(f64, Gradients), StrategyError> {
        if let Some((modules, index)) = self.modules {
            modules.train_in(learner, index, self.stage.languages[source])?;
        }
        if let Some(masks) = self.masks {
            masks.use_language(learner, source)?;
        }
        let found = outer::gradient(&self.method.outer, evaluation, learner, data, source, step)?;
        if let Some(masks) = self.masks {
            masks.use_all(learner)?;
        }
        Ok(found)
    }

    /// The mean over languages and memories.
    fn mean(&self, learner: &mut Learner, data: &mut dyn BatchSource, step: u64) -> Result<Direction, StrategyError> {
        let languages = self.stage.languages.len();
        let mut mean = RunningMean::new(languages + self.memories.len());
        let mut losses = Vec::with_capacity(languages);
        let mut series = Vec::new();
        self.each(learner, data, step, self.memories, |learner, row, (loss, gradient)| {
            match row {
                Row::Language(_) => losses.push(loss),
                row => series.push((format!("loss.{}", self.row_name(row)), loss)),
            }
            mean.add(learner, loss, gradient)
        })?;
        let (_, gradient) = mean.finish()?;
        Ok(Direction { kind: Kind::Gradient(gradient), losses, series })
    }

    /// Loss and gradient of each language, then of each of these memories or of all of them together, handed over as they
    /// come.
    fn each(
        &self,
        learner: &mut Learner,
        data: &mut dyn BatchSource,
        step: u64,
        memories: &[usize],
        mut take: impl FnMut(&Learner, Row, (f64, Gradients)) -> Result<(), StrategyError>,
    ) -> Result<(), StrategyError> {
        let evaluation = Evaluation::new(&self.method.anchor, self.start);
        let (mut subs, mut rows) = (Vec::new(), Vec::new());
        for source in 0..self.stage.languages.len() {
            // What changes the learner for a language keeps the others waiting.
            if self.method.outer == OuterLoop::Plain && self.is_alike() {
                subs.push(data.source(source, step)?);
                rows.push(Row::Language(source));
            } else {
                let found = self.source(evaluation, learner, data, source, step)?;
                take(learner, Row::Language(source), found)?;
            }
        }
        let as_one = self.method.rule.rows() == Rows::CurrentThenUnion;
        for &memory in memories {
            let parts = memories::draw(learner, data, self.stage, memory, step)?;
            if parts.is_empty() {
                return Err(StrategyError::NoBatch);
            }
            rows.extend(parts.iter().map(|_| if as_one { Row::Memories } else { Row::Memory(memory) }));
            subs.extend(parts);
        }
        // A memory's gradient is the mean over its sub-batches; that of all of them the mean over examples.
        let examples: Vec<usize> = subs.iter().map(|sub| sub.batch.examples()).collect();
        let weight = |index: usize| {
            let alike = (0..rows.len()).filter(|&other| rows[other] == rows[index]);
            match rows[index] {
                Row::Memories => examples[index] as f64 / alike.map(|other| examples[other]).sum::<usize>() as f64,
                _ => 1.0 / alike.count() as f64,
            }
        };
        let mut mean: Option<RunningMean> = None;
        evaluation.each(learner, &subs, |learner, index, (loss, gradient)| {
            let row = rows[index];
            let sum = mean.get_or_insert_default();
            sum.add_weighted(learner, loss, gradient, weight(index))?;
            if rows.get(index + 1) != Some(&row)
                && let Some(mut mean) = mean.take()
            {
                take(learner, row, mean.finish()?)?;
            }
            Ok(())
        })
    }

    fn anchor(
        &self,
        knobs: &LfMlf,
        learner: &mut Learner,
        data: &mut dyn BatchSource,
        step: u64,
        learning_rate: f64,
    ) -> Result<Gradients, StrategyError> {
        let past = Past {
            stage: self.stage,
            start: self.start.ok_or(StrategyError::NotBegun)?,
            fisher: self.fisher,
            memories: self.memories,
            evaluation: Evaluation::new(&self.method.anchor, self.start),
        };
        past.direction(knobs, learner, data, step, learning_rate)
    }

    /// Asks the rule for weights and applies them.
    fn combined(
        &self,
        learner: &Learner,
        gathered: Gathered,
        anchor: Option<Gradients>,
        state: &mut RuleState,
        step: u64,
        series: &mut Vec<(String, f64)>,
    ) -> Result<Kind, StrategyError> {
        let Gathered { names, losses, mut gradients } = gathered;
        let m = gradients.len();
        let with_anchor = anchor.is_some();
        gradients.extend(anchor);
        let products = learner.gram(&gradients)?;
        if products.iter().any(|product| !product.is_finite()) {
            return Err(ModelError::NonFinite { what: "a product of gradients".to_owned() }.into());
        }
        let all = gradients.len();
        let row = |i: usize| &products[i * all..i * all + m];
        let gram = Gram::new(m, (0..m).flat_map(row).copied().collect())?;
        let along = row(all - 1);
        let anchor = with_anchor.then(|| AnchorDirection { products: along, norm2: products[all * all - 1] });
        if let Some(anchor) = &anchor {
            series.push(("h".to_owned(), anchor.norm2.sqrt()));
        }
        for i in 0..m {
            for j in i + 1..m {
                series.push((format!("cosine.{}.{}", names[i], names[j]), gram.cosine(i, j)));
            }
        }
        let input = RuleInput { gram: &gram, anchor, losses: &losses, step, seed: self.seed };
        let found = match crate::rules::rule(&self.method.rule).combine(&input, state) {
            Ok(found) => found,
            Err(RuleError::Solve(error)) => return Ok(Kind::Rest(format!("its solver failed: {error}"))),
            Err(error) => return Err(error.into()),
        };
        record(&found, &names, with_anchor, series);
        let mut weights = found.weights;
        weights.extend(with_anchor.then_some(found.anchor));
        if weights.iter().all(|weight| *weight == 0.0) {
            return Ok(Kind::Rest("the gradients are Pareto stationary".to_owned()));
        }
        // A weight of 0 costs nothing.
        let (gradients, weights): (Vec<Gradients>, Vec<f64>) =
            gradients.into_iter().zip(weights).filter(|(_, weight)| *weight != 0.0).unzip();
        Ok(Kind::Gradient(learner.combine(gradients, &weights)?))
    }

    fn row_name(&self, row: Row) -> String {
        match row {
            Row::Language(source) => self.stage.languages[source].code().to_owned(),
            Row::Memory(memory) => self.memory_name(memory),
            Row::Memories => "memories".to_owned(),
        }
    }

    /// Of several memories of one name each has a number.
    fn memory_name(&self, memory: usize) -> String {
        let memories = &self.stage.memories;
        let name = &memories[memory].name;
        let alike = |until: usize| memories[..until].iter().filter(|other| other.name == *name).count();
        match alike(memories.len()) {
            1 => name.to_string(),
            _ => format!("{name}.{}", alike(memory) + 1),
        }
    }
}

/// The rule's weights and what happened on its way.
fn record(found: &Combination, names: &[String], with_anchor: bool, series: &mut Vec<(String, f64)>) {
    series.extend(names.iter().zip(&found.weights).map(|(name, weight)| (format!("weight.{name}"), *weight)));
    if with_anchor {
        series.push(("weight.h".to_owned(), found.anchor));
    }
    let mut conflicts = 0;
    let mut solved: Option<(usize, f64)> = None;
    for event in &found.events {
        match event {
            Event::Conflict { .. } => conflicts += 1,
            Event::MinNorm { norm2 } => series.push(("min-norm".to_owned(), norm2.sqrt())),
            Event::Solved { iterations, residual } => {
                let (before, largest) = solved.unwrap_or_default();
                solved = Some((before + iterations, largest.max(*residual)));
            }
            // The step is counted as left out, or its weights show it.
            Event::ParetoStationary { .. } => {}
        }
    }
    series.push(("conflicts".to_owned(), f64::from(conflicts)));
    if let Some((iterations, residual)) = solved {
        series.push(("solver.iterations".to_owned(), iterations as f64));
        series.push(("solver.residual".to_owned(), residual));
    }
}
