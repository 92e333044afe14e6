use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;

use model::{Gradients, Group, Learner, ModelError, OptimizerConfig, SavePoint};
use serde::{Deserialize, Serialize};
use spec::{
    Anchor, Batch, FisherSquare, Forgetting, Fun, GradientRule, Language, Memories, Memory, Method, Objective,
    OuterLoop, Schedule, Stage, Subnetworks, Task, TraceScores,
};

use crate::batch_source::{BatchError, BatchSource};
use crate::direction::{Direction, Ingredients, Kind};
use crate::error::StrategyError;
use crate::evaluate::Evaluation;
use crate::modules::Modules;
use crate::report::{Began, StepReport};
use crate::rules::RuleState;
use crate::schedules::{Labels, Open, Request, SavedSchedule, ScheduleState, comparable, fisher_trace};
use crate::subnetworks::{Mask, SavedMasks, StageMasks};
use crate::{anchors, fisher, outputs, structures};

/// A method at work on one stage.
#[derive(Debug)]
pub struct Strategy<'a> {
    method: &'a Method,
    stage: &'a Stage,
    seed: u64,
    /// Where languages use modules of their own: these, and the stage's number from 0.
    modules: Option<(&'a Modules<'a>, usize)>,
    /// Indices of the stage's memories that the rule asks for.
    memories: Vec<usize>,
    /// Groups that the structure trains.
    trained: Vec<Group>,
    /// `None` before the stage has begun.
    schedule: Option<ScheduleState>,
    /// The parameters at the start of the stage, for methods that refer to them.
    start: Option<SavePoint>,
    fisher: Option<Gradients>,
    /// Where languages have subnetworks.
    masks: Option<StageMasks<'a>>,
    memo: Memo,
}

/// What a strategy remembers beside parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Memo {
    rule: RuleState,
    schedule: SavedSchedule,
    /// Steps that were left out.
    skipped: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    masks: Option<SavedMasks>,
}

/// Batches of one measurement of Fisher traces along a stage, and the draw at which theirs begin: no step comes so far.
const TRACE_BATCHES: u64 = 8;
const TRACED: u64 = 1 << 40;

/// Bytes of the memo: what schedules and rules remember, and masks.
const LARGEST_MEMO: u64 = 1 << 28;
/// Files of [`Strategy::save`].
const MEMO: &str = "strategy.json";
const START: &str = "start.safetensors";
const FISHER: &str = "fisher.safetensors";

impl<'a> Strategy<'a> {
    /// `seed` is the cell's: it decides everything that a method draws.
    pub fn new(method: &'a Method, stage: &'a Stage, seed: u64) -> Self {
        Self {
            method,
            stage,
            seed,
            modules: None,
            memories: taken(stage, method.rule.memories()),
            trained: Vec::new(),
            schedule: None,
            start: None,
            fisher: None,
            masks: None,
            memo: Memo::default(),
        }
    }

    /// The same with modules that languages use; the stage is the `index`-th of their protocol, from 0.
    #[must_use]
    pub fn with_modules(self, modules: &'a Modules<'a>, index: usize) -> Self {
        Self { modules: Some((modules, index)), ..self }
    }

    /// Starts the stage: a fresh optimiser, the groups that train, and what the method keeps of the start. Where languages
    /// have subnetworks these are found, at the cost of fine-tuning a copy for each.
    ///
    /// # Errors
    /// [`StrategyError::Spec`] if structure or schedule do not fit this encoder; those of the learner and the data.
    pub fn begin(&mut self, learner: &mut Learner, data: &mut dyn BatchSource) -> Result<Began, StrategyError> {
        self.check_memories(learner)?;
        self.schedule = Some(self.prepare(learner)?);
        let mut began = Began::default();
        if let Some(knobs) = self.subnetworks() {
            let found = StageMasks::find(knobs, self.stage, self.seed, learner, data, &mut began)?;
            self.masks = Some(found);
        }
        self.start = self.needs_start().then(|| learner.save_point());
        self.fisher = match (&self.method.anchor, &self.method.rule) {
            (Anchor::Ewc(knobs), _) => {
                let memories = taken(self.stage, &knobs.memory);
                let (batches, square) = (knobs.fisher_batches, knobs.fisher_square);
                match memories.is_empty() {
                    true => None,
                    false => Some(fisher::diagonal(learner, data, (self.stage, &memories), batches, square)?),
                }
            }
            (_, GradientRule::LfMlf(knobs)) if knobs.forgetting == Forgetting::Fisher => {
                let square = FisherSquare::PerExample;
                Some(fisher::diagonal(learner, data, (self.stage, &self.memories), knobs.fisher_batches, square)?)
            }
            _ => None,
        };
        Ok(began)
    }

    /// The knobs, where this stage has subnetworks.
    fn subnetworks(&self) -> Option<&'a Subnetworks> {
        self.method.subnetworks.as_ref().filter(|_| Subnetworks::masks(self.stage))
    }

    /// The subnetworks of the stage's languages as they are now; empty where there are none.
    pub fn masks(&self) -> BTreeMap<Language, Mask> {
        self.masks.as_ref().map(|masks| masks.masks().clone()).unwrap_or_default()
    }

    /// Inner products of the languages' gradients `[languages, languages]` after the stage, without dropout: one matrix a
    /// batch of each language that no step has asked for. With subnetworks (`masked`) each gradient is that of its
    /// language's part.
    ///
    /// # Errors
    /// Those of the learner and the data.
    pub fn products(
        &self,
        learner: &mut Learner,
        data: &mut dyn BatchSource,
        batches: usize,
        masked: bool,
    ) -> Result<Vec<Vec<f64>>, StrategyError> {
        let (draws, _) = self.method.outer.batches();
        let first = self.stage.steps * draws;
        let mut products = Vec::with_capacity(batches);
        for draw in first..first + batches as u64 {
            let mut gradients = Vec::with_capacity(self.stage.languages.len());
            for source in 0..self.stage.languages.len() {
                if let Some(masks) = self.masks.as_ref().filter(|_| masked) {
                    masks.use_language(learner, source)?;
                }
                let batch = data.source(source, draw)?.batch;
                let (_, gradient) = learner.without_dropout(|learner| learner.loss_and_gradients(&batch, 0))?;
                gradients.push(gradient);
            }
            learner.set_head_mask(None)?;
            products.push(learner.gram(&gradients)?);
        }
        Ok(products)
    }

    /// Memories need the output layer of their task.
    fn check_memories(&self, learner: &Learner) -> Result<(), StrategyError> {
        let missing = |memory: &Memory| match memory.task.objective() {
            Objective::MaskedTokens => (!learner.has_language_model()).then_some("language-model head"),
            objective if objective.has_head() => learner.head(Some(memory.task)).is_none().then_some("head for it"),
            _ => None,
        };
        let mut asked = self.stage.memories.iter().filter(|memory| self.method.asks_for(memory));
        match asked.find_map(|memory| Some((memory, missing(memory)?))) {
            None => Ok(()),
            Some((Memory { name, task, .. }, missing)) => Err(spec::SpecError::Composition {
                method: self.method.name.to_string(),
                reason: format!("the memory `{name}` is of task {task}, and the model has no {missing}"),
            }
            .into()),
        }
    }

    /// Freezes what the structure freezes and the heads that the stage does not train, sets the optimiser up, and makes the
    /// schedule.
    fn prepare(&mut self, learner: &mut Learner) -> Result<ScheduleState, StrategyError> {
        let heads: Vec<Option<Task>> = outputs::heads(self.method, self.stage).into_iter().map(Some).collect();
        learner.train_heads(&heads)?;
        if self.stage.task.has_head() {
            learner.use_head(Some(self.stage.task))?;
        }
        let of_languages = self.modules.map(|(modules, index)| modules.begin(learner, index)).transpose()?.flatten();
        self.trained = match of_languages {
            Some(trained) => trained,
            None => structures::prepare(self.method, self.stage, learner, self.seed)?,
        };
        let frozen: BTreeSet<Group> =
            learner.groups().into_iter().filter(|group| !self.trained.contains(group)).collect();
        learner.set_frozen(&frozen);
        self.fresh_optimizer(learner);
        let (name, schedule) = (&self.method.name, self.method.schedule_of(self.stage));
        Ok(ScheduleState::new(name, schedule, &self.trained, self.stage.steps, self.seed)?)
    }

    fn fresh_optimizer(&self, learner: &mut Learner) {
        learner.begin_stage(OptimizerConfig {
            weight_decay: self.stage.weight_decay,
            clip: self.stage.clip,
            ..OptimizerConfig::default()
        });
    }

    fn needs_start(&self) -> bool {
        !self.method.anchor.is_none() || matches!(self.method.rule, GradientRule::LfMlf(_))
    }

    /// One step. Steps count from 0 and must be taken in order.
    ///
    /// # Errors
    /// [`ModelError::NonFinite`] when a loss, gradient or parameter stops being finite; those of the learner, the data
    /// and the rule. A solver that fails is no error: the step is left out, and `skipped` and a note say so.
    pub fn step(
        &mut self,
        learner: &mut Learner,
        data: &mut dyn BatchSource,
        step: u64,
    ) -> Result<StepReport, StrategyError> {
        let mut events = Vec::new();
        let open = self.open(learner, data, step, &mut events)?;
        let learning_rate = self.learning_rate(&open, step);
        if let Some(masks) = &mut self.masks {
            let (draws, _) = self.method.outer.batches();
            masks.observe(learner, data, step * draws)?;
        }
        let ingredients = Ingredients {
            method: self.method,
            stage: self.stage,
            seed: self.seed,
            masks: self.masks.as_ref(),
            modules: self.modules,
            memories: &self.memories,
            start: self.start.as_ref(),
            fisher: self.fisher.as_ref(),
        };
        let Direction { kind, losses, mut series } =
            ingredients.direction(learner, data, &mut self.memo.rule, step, learning_rate)?;
        let mut note = None;
        let mut gradient_norm = 0.0;
        match kind {
            Kind::Gradient(direction) => {
                if let Some(masks) = &self.masks {
                    masks.hold(learner)?;
                }
                gradient_norm = self.walk(learner, direction, &open, step, learning_rate)?;
                if let Some(masks) = &self.masks {
                    masks.let_go(learner)?;
                }
                events.extend(self.losses_risen(learner, data, &losses, step)?);
            }
            Kind::Rest(reason) => {
                self.memo.skipped += 1;
                let skipped = self.memo.skipped;
                // The first time, then ever more rarely: the series has every count.
                note = skipped
                    .is_power_of_two()
                    .then(|| format!("step {} is left out, the {skipped}. of the stage: {reason}", step + 1));
            }
        }
        if let Some(masks) = &mut self.masks {
            events.extend(masks.after(step));
        }
        if self.memo.skipped > 0 {
            series.push(("skipped".to_owned(), self.memo.skipped as f64));
        }
        let loss = losses.iter().sum::<f64>() / losses.len() as f64;
        Ok(StepReport { loss, losses, learning_rate, gradient_norm, series, events, note })
    }

    /// Opens what the schedule opens at this step.
    fn open(
        &mut self,
        learner: &mut Learner,
        data: &mut dyn BatchSource,
        step: u64,
        events: &mut Vec<(String, f64)>,
    ) -> Result<Open, StrategyError> {
        let schedule = self.schedule.as_mut().ok_or(StrategyError::NotBegun)?;
        if let Request::FisherTrace { batches, labels } = schedule.before(step) {
            // Batches that no step trains on, other ones for every event.
            let (draws, _) = self.method.outer.batches();
            let first = self.stage.steps * draws + step * batches as u64;
            let open = schedule.open(step).groups;
            let closed = self.trained.iter().copied().filter(|group| *group != Group::Head && !open.contains(group));
            let closed: Vec<Group> = closed.collect();
            let traces = self.traces(learner, data, &closed, labels, first..first + batches as u64, step)?;
            let traces = match &self.method.schedule {
                Schedule::Fun(Fun { scores: TraceScores::Sum, .. }) => traces,
                _ => {
                    let units: Vec<Group> =
                        self.trained.iter().copied().filter(|group| *group != Group::Head).collect();
                    comparable(learner, &units, traces)
                }
            };
            let schedule = self.schedule.as_mut().ok_or(StrategyError::NotBegun)?;
            events.extend(traces.iter().map(|(group, trace)| (format!("fisher.{group}"), *trace)));
            let opened = schedule.scores(&traces)?;
            events.extend(opened.tied.then(|| (format!("tied.{}", opened.group), 1.0)));
        }
        let schedule = self.schedule.as_ref().ok_or(StrategyError::NotBegun)?;
        let changes = schedule.changes(step).into_iter();
        events.extend(changes.map(|(group, opens)| (format!("open.{group}"), f64::from(u8::from(opens)))));
        let open = schedule.open(step);
        if self.stage.trace_every.is_some_and(|every| step.is_multiple_of(every.get())) {
            let units: Vec<Group> = self.trained.iter().copied().filter(|group| !outputs::is_output(group)).collect();
            let first = TRACED + step * TRACE_BATCHES;
            let traces = self.traces(learner, data, &units, Labels::Sampled, first..first + TRACE_BATCHES, step)?;
            events.extend(traces.iter().map(|(group, trace)| (format!("trace.{group}"), *trace)));
        }
        let frozen = learner.groups().into_iter().filter(|group| !open.groups.contains(group)).collect();
        learner.set_frozen(&frozen);
        if open.fresh_optimizer {
            self.fresh_optimizer(learner);
        }
        Ok(open)
    }

    /// Fisher traces of some groups over the batches of these draws.
    fn traces(
        &self,
        learner: &mut Learner,
        data: &mut dyn BatchSource,
        groups: &[Group],
        labels: Labels,
        draws: Range<u64>,
        step: u64,
    ) -> Result<BTreeMap<Group, f64>, StrategyError> {
        let languages = &self.stage.languages;
        let mut batches = Vec::new();
        for draw in draws {
            let parts = (0..languages.len()).map(|source| Ok(data.source(source, draw)?.batch));
            batches.push(parts.collect::<Result<Vec<Batch>, BatchError>>()?);
        }
        let modules = self.modules;
        let set_up = |learner: &mut Learner, source: usize| match modules {
            Some((modules, index)) => modules.train_in(learner, index, languages[source]),
            None => Ok(()),
        };
        fisher_trace(learner, groups, labels, batches, (self.seed, step), set_up)
    }

    fn learning_rate(&self, open: &Open, step: u64) -> f64 {
        let peak = match &self.method.outer {
            OuterLoop::Reptile(knobs) => knobs.meta_step,
            OuterLoop::Plain | OuterLoop::Fomaml(_) => self.stage.learning_rate,
        };
        match open.peak_share {
            Some(share) => peak * share,
            None => self.stage.decay.rate(peak, self.stage.warmup, step, self.stage.steps),
        }
    }

    /// Moves the parameters; gives the norm of the gradient that moved them.
    fn walk(
        &self,
        learner: &mut Learner,
        direction: Gradients,
        open: &Open,
        step: u64,
        learning_rate: f64,
    ) -> Result<f64, StrategyError> {
        let rate = |group: Group| learning_rate * open.rates.get(&group).copied().unwrap_or(1.0);
        let start = self.start.as_ref();
        if let OuterLoop::Reptile(_) = self.method.outer {
            let norm = learner.squared_norms(&direction)?.values().sum::<f64>().sqrt();
            if !norm.is_finite() {
                return Err(ModelError::NonFinite { what: "the way of the inner steps".to_owned() }.into());
            }
            learner.shift(&direction, &|group| -rate(group))?;
            return Ok(norm);
        }
        let direction = anchors::pulled(&self.method.anchor, direction, learner, start, self.fisher.as_ref())?;
        Ok(anchors::step(&self.method.anchor, direction, learner, start, (self.stage, step), &rate)?.gradient)
    }

    /// How many of the step's losses are higher after it, every so many steps of LF-MLF.
    fn losses_risen(
        &self,
        learner: &mut Learner,
        data: &mut dyn BatchSource,
        before: &[f64],
        step: u64,
    ) -> Result<Option<(String, f64)>, StrategyError> {
        let GradientRule::LfMlf(knobs) = &self.method.rule else { return Ok(None) };
        let due = knobs.rise_probe_every > 0 && step.is_multiple_of(knobs.rise_probe_every);
        if !due || self.method.outer != OuterLoop::Plain {
            return Ok(None);
        }
        let evaluation = Evaluation::new(&self.method.anchor, self.start.as_ref());
        let mut risen = 0;
        for (source, before) in before.iter().enumerate() {
            if let Some((modules, index)) = self.modules {
                modules.train_in(learner, index, self.stage.languages[source])?;
            }
            if let Some(masks) = &self.masks {
                masks.use_language(learner, source)?;
            }
            let sub = data.source(source, step)?;
            let (after, _) = evaluation.gradient(learner, &sub)?;
            risen += u32::from(after > *before);
        }
        if let Some(masks) = &self.masks {
            masks.use_all(learner)?;
        }
        Ok(Some(("losses risen".to_owned(), f64::from(risen))))
    }

    /// Writes what a resumed stage needs besides the learner's own checkpoint. Files are complete when this returns.
    ///
    /// # Errors
    /// [`StrategyError::State`] and those of the learner, if a file cannot be written.
    pub fn save(&self, learner: &Learner, folder: &Path) -> Result<(), StrategyError> {
        let schedule = self.schedule.as_ref().map(ScheduleState::save).unwrap_or_default();
        let masks = self.masks.as_ref().map(StageMasks::save);
        let memo = Memo { schedule, masks, ..self.memo.clone() };
        let path = folder.join(MEMO);
        let fail = |message: String| StrategyError::State { path: path.clone(), message };
        let text = serde_json::to_string(&memo).map_err(|error| fail(error.to_string()))?;
        fs::write(&path, text).map_err(|error| fail(error.to_string()))?;
        if let Some(start) = &self.start {
            start.save(&folder.join(START))?;
        }
        if let Some(fisher) = &self.fisher {
            learner.save_gradients(fisher, &folder.join(FISHER))?;
        }
        Ok(())
    }

    /// Takes up a stage where [`Strategy::save`] left it. The learner must come fresh from its model folder, with the
    /// heads that it had then; its own checkpoint is to be loaded after this.
    ///
    /// # Errors
    /// [`StrategyError::State`] and those of the learner, if a file is missing, damaged or of another method.
    pub fn load(&mut self, learner: &mut Learner, folder: &Path) -> Result<(), StrategyError> {
        let path = folder.join(MEMO);
        let fail = |message: String| StrategyError::State { path: path.clone(), message };
        let text = files::read_text(&path, LARGEST_MEMO).map_err(|error| fail(error.to_string()))?;
        self.memo = serde_json::from_str(&text).map_err(|error| fail(error.to_string()))?;
        let mut schedule = self.prepare(learner)?;
        schedule.restore(&self.memo.schedule)?;
        self.schedule = Some(schedule);
        if let Some(knobs) = self.subnetworks() {
            let saved = self.memo.masks.take().ok_or_else(|| fail("it holds no subnetworks".to_owned()))?;
            self.masks = Some(StageMasks::load(knobs, self.stage, saved)?);
        }
        if self.needs_start() {
            let fresh = learner.save_point();
            learner.load_checkpoint(&folder.join(START))?;
            self.start = Some(learner.save_point());
            learner.restore(&fresh);
        }
        let fisher = folder.join(FISHER);
        if fisher.exists() {
            self.fisher = Some(learner.load_gradients(&fisher)?);
        }
        Ok(())
    }
}

/// Indices of a stage's memories that are asked for.
fn taken(stage: &Stage, memories: &Memories) -> Vec<usize> {
    let listed = stage.memories.iter().enumerate();
    listed.filter(|(_, memory)| memories.take(&memory.name)).map(|(index, _)| index).collect()
}
