mod memory;
mod method;
mod tuning;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use self::memory::{MemoryText, MemoryTexts, check_memory};
use self::method::{MethodText, MethodTexts};
use self::tuning::TuningText;
pub use self::tuning::{Trial, Tried, Tuning};
use crate::error::{hint, nearest};
use crate::{
    Adapt, Decay, Language, Method, Name, Objective, ParserSizes, Portion, Probe, Protocol, SpecError, Split, Stage,
    Task,
};

/// More cells than this are refused before they are expanded.
const MOST_CELLS: usize = 100_000;
const MOST_STEPS: u64 = 10_000_000;
/// Characters of a protocol's or a method's name: the name of a cell's folder consists of both and 70 more, and file systems
/// take 255.
const LONGEST_NAME: usize = 80;

/// A suite file: protocols × methods × seeds on one model.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    pub name: Name,
    pub description: String,
    pub model: Name,
    pub seeds: Vec<u64>,
    pub methods: Vec<Method>,
    pub protocols: Vec<Protocol>,
    /// Methods as they are on one protocol, where that is not as on the others; by the names of both.
    pub adjusted: BTreeMap<(Name, Name), Method>,
    /// The search for methods' settings that comes before the cells; `None` if they are given.
    pub tuning: Option<Tuning>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SuiteText {
    description: String,
    model: Name,
    seeds: Vec<u64>,
    methods: Vec<String>,
    #[serde(default)]
    method: BTreeMap<Name, MethodText>,
    tune: Option<TuningText>,
    #[serde(default)]
    probe: BTreeMap<Name, ProbeText>,
    #[serde(default)]
    memory: BTreeMap<Name, MemoryText>,
    protocol: BTreeMap<Name, ProtocolText>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ProbeText {
    task: Task,
    data: Name,
    #[serde(default = "test_split")]
    split: Split,
    languages: Vec<Language>,
    examples: Option<Portion>,
    max_length: usize,
    #[serde(default)]
    stride: usize,
    #[serde(default)]
    prefix: String,
    layer: Option<usize>,
    adapt: Option<Adapt>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ProtocolText {
    #[serde(default)]
    before: Vec<String>,
    #[serde(default)]
    stage: Vec<StageText>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct StageText {
    task: Task,
    data: Name,
    #[serde(default = "train_split")]
    split: Split,
    languages: Vec<Language>,
    examples: Option<Portion>,
    steps: u64,
    batch: usize,
    learning_rate: f64,
    weight_decay: f64,
    warmup: f64,
    #[serde(default)]
    decay: Decay,
    clip: f64,
    max_length: usize,
    #[serde(default)]
    stride: usize,
    parser: Option<ParserSizes>,
    trace_every: Option<NonZeroU64>,
    probe_every: Option<NonZeroU64>,
    #[serde(default)]
    memories: Vec<String>,
    #[serde(default)]
    probes: Vec<String>,
}

fn test_split() -> Split {
    Split::Test
}

fn train_split() -> Split {
    Split::Train
}

impl Suite {
    /// Reads a suite. `name` is the file's stem; messages carry it.
    ///
    /// # Errors
    /// [`SpecError::Syntax`] with line, column and the nearest known key; [`SpecError::Invalid`] for values that make no
    /// sense, unknown methods and probes among them.
    pub fn parse(name: &str, text: &str) -> Result<Self, SpecError> {
        Self::composed(name, text).map_err(|error| error.of_suite(name))
    }

    fn composed(name: &str, text: &str) -> Result<Self, SpecError> {
        let raw: SuiteText = toml::from_str(text).map_err(|error| syntax_error(name, text, &error))?;
        let methods = MethodTexts(&raw.method);
        let probes: BTreeMap<&str, Probe> =
            raw.probe.iter().map(|(key, probe)| (key.as_str(), probe.probe(key))).collect();
        let named = |names: &[String]| {
            names
                .iter()
                .map(|key| {
                    let known = probes.keys().copied();
                    probes.get(key.as_str()).cloned().ok_or_else(|| SpecError::unknown("probe", key, known))
                })
                .collect::<Result<Vec<_>, _>>()
        };
        let protocols = raw
            .protocol
            .iter()
            .map(|(key, protocol)| {
                let mut stages: Vec<Stage> = Vec::with_capacity(protocol.stage.len());
                for text in &protocol.stage {
                    let stage = text.stage(named(&text.probes)?);
                    let memories = MemoryTexts(&raw.memory).listed(name, &text.memories, &stage, &stages)?;
                    stages.push(Stage { memories, ..stage });
                }
                Ok(Protocol { name: key.clone(), before: named(&protocol.before)?, stages })
            })
            .collect::<Result<Vec<_>, SpecError>>()?;
        let names: Vec<&Name> = raw.protocol.keys().collect();
        let suite = Suite {
            name: Name::new(name)?,
            methods: raw.methods.iter().map(|method| methods.composed(name, method)).collect::<Result<_, _>>()?,
            adjusted: methods.adjusted(name, &raw.methods, &names)?,
            tuning: methods.tuning(name, raw.tune, &raw.methods)?,
            description: raw.description,
            model: raw.model,
            seeds: raw.seeds,
            protocols,
        };
        suite.check()?;
        Ok(suite)
    }

    /// Whether the suite can be run at all; a parsed suite can.
    ///
    /// # Errors
    /// [`SpecError::Invalid`] naming the protocol, stage or probe.
    pub fn check(&self) -> Result<(), SpecError> {
        let invalid = |message: String| SpecError::Invalid { suite: self.name.to_string(), message };
        if self.seeds.is_empty() || self.methods.is_empty() || self.protocols.is_empty() {
            return Err(invalid("`seeds`, `methods` and `[protocol.…]` need at least one entry each".to_owned()));
        }
        distinct(&self.seeds).map_err(|seed| invalid(format!("seed {seed} is listed twice")))?;
        let names: Vec<&Name> = self.methods.iter().map(|method| &method.name).collect();
        distinct(&names).map_err(|method| invalid(format!("method `{method}` is listed twice")))?;
        let cells = self.seeds.len().saturating_mul(self.methods.len()).saturating_mul(self.protocols.len());
        if cells > MOST_CELLS {
            return Err(invalid(format!("{cells} cells; at most {MOST_CELLS} are planned at once: split the suite")));
        }
        let names = self.protocols.iter().map(|protocol| ("protocol", &protocol.name));
        let mut names = names.chain(self.methods.iter().map(|method| ("method", &method.name)));
        if let Some((what, name)) = names.find(|(_, name)| name.as_str().len() > LONGEST_NAME) {
            let length = name.as_str().len();
            return Err(invalid(format!(
                "{what} `{name}` has a name of {length} characters; use at most {LONGEST_NAME}"
            )));
        }
        self.protocols.iter().try_for_each(|protocol| check_protocol(protocol).map_err(invalid))?;
        for (protocol, method, _) in self.work().filter(|(_, method, _)| !method.settings.is_empty()) {
            let within = |message| invalid(format!("[method.{}]: {message}", method.name));
            method.settings.check(protocol).map_err(within)?;
            check_protocol(&method.goes_through(protocol)).map_err(within)?;
        }
        self.tuning.as_ref().map_or(Ok(()), |tuning| tuning.check(&self.seeds)).map_err(invalid)
    }

    /// Every (protocol, method, seed), in the order in which tables show them.
    pub fn work(&self) -> impl Iterator<Item = (&Protocol, &Method, u64)> {
        self.protocols.iter().flat_map(move |protocol| {
            self.methods.iter().flat_map(move |method| {
                let method = self.adjusted.get(&(method.name.clone(), protocol.name.clone())).unwrap_or(method);
                self.seeds.iter().map(move |&seed| (protocol, method, seed))
            })
        })
    }
}

impl ProbeText {
    fn probe(&self, name: &Name) -> Probe {
        Probe {
            name: name.clone(),
            task: self.task,
            data: self.data.clone(),
            split: self.split,
            languages: self.languages.clone(),
            examples: self.examples,
            max_length: self.max_length,
            stride: self.stride,
            prefix: self.prefix.clone(),
            layer: self.layer,
            adapt: self.adapt.clone(),
        }
    }
}

impl StageText {
    fn stage(&self, probes: Vec<Probe>) -> Stage {
        Stage {
            task: self.task,
            data: self.data.clone(),
            split: self.split,
            languages: self.languages.clone(),
            examples: self.examples,
            steps: self.steps,
            batch: self.batch,
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
            warmup: self.warmup,
            decay: self.decay,
            clip: self.clip,
            max_length: self.max_length,
            stride: self.stride,
            parser: self.parser.clone(),
            trace_every: self.trace_every,
            probe_every: self.probe_every,
            memories: Vec::new(),
            probes,
        }
    }
}

fn check_protocol(protocol: &Protocol) -> Result<(), String> {
    let name = &protocol.name;
    if protocol.probes().next().is_none() {
        return Err(format!("[protocol.{name}] measures nothing: give it probes"));
    }
    for (index, stage) in protocol.stages.iter().enumerate() {
        check_stage(stage, &protocol.stages[..index])
            .map_err(|message| format!("[[protocol.{name}.stage]] number {}: {message}", index + 1))?;
    }
    // The model has the heads of the tasks that it has learnt, or, before training, that of the first one.
    for (moment, probes) in protocol.moments().enumerate() {
        for probe in probes {
            check_probe(probe).map_err(|message| format!("[probe.{}]: {message}", probe.name))?;
            if probe.adapt.is_some() && moment == 0 {
                return Err(format!(
                    "[probe.{}]: `adapt` goes on from a model that has learnt the task: put the probe after a stage, not `before`",
                    probe.name
                ));
            }
            let learnt = protocol.first_stage_of(probe.task).is_some_and(|stage| stage < moment.max(1));
            if probe.task.has_head() && !learnt {
                return Err(format!(
                    "[protocol.{name}] measures {} where the model has no head for it yet: put probe `{}` after a stage of \
                     that task",
                    probe.task, probe.name
                ));
            }
        }
        let names: Vec<&Name> = probes.iter().map(|probe| &probe.name).collect();
        distinct(&names).map_err(|probe| format!("[protocol.{name}] lists probe `{probe}` twice at one moment"))?;
    }
    Ok(())
}

fn check_probe(probe: &Probe) -> Result<(), String> {
    probe.source().check()?;
    if probe.layer == Some(0) {
        return Err("`layer` counts from 1".to_owned());
    }
    if probe.layer.is_some() && probe.task.objective() != Objective::Ranking {
        return Err("`layer` belongs to retrieval: other tasks read what their heads were trained on".to_owned());
    }
    if let Some(adapt) = &probe.adapt {
        adapt.check().map_err(|error| format!("`adapt` {error}"))?;
        let numbers = [adapt.learning_rate, adapt.head_learning_rate.unwrap_or_default()];
        if !numbers.into_iter().all(plain) {
            return Err("`adapt`: numbers may have at most 15 digits and 15 decimal places".to_owned());
        }
        if !probe.task.has_head() {
            return Err(format!("`adapt` learns a task from a few examples, and {} has no head to learn", probe.task));
        }
    }
    Ok(())
}

fn check_stage(stage: &Stage, past: &[Stage]) -> Result<(), String> {
    stage.source().check()?;
    for memory in &stage.memories {
        check_memory(memory, stage, past).map_err(|message| format!("memory `{}`: {message}", memory.name))?;
    }
    let refuse = |bad: bool, message: &str| if bad { Err(message.to_owned()) } else { Ok(()) };
    refuse(!stage.task.is_trained(), &format!("{} is only probed, never trained", stage.task))?;
    if let Some(parser) = &stage.parser {
        refuse(stage.task.objective() != Objective::Arcs, "`parser` belongs to stages of task `parse`")?;
        parser.check().map_err(|error| format!("`parser`: {error}"))?;
        let first = past.iter().find(|earlier| earlier.task == stage.task);
        let other = first.is_some_and(|first| first.parser != stage.parser);
        refuse(other, "an earlier stage has made the parser with other sizes: give both the same `parser`")?;
    }
    let measured = stage.probes.iter().any(|probe| probe.adapt.is_none());
    refuse(
        stage.probe_every.is_some() && !measured,
        "`probe-every` measures the stage's probes on the way: give it some",
    )?;
    refuse(!(1..=MOST_STEPS).contains(&stage.steps), "`steps` must be 1 to 10,000,000")?;
    refuse(!(1..=65_536).contains(&stage.batch), "`batch` must be 1 to 65,536")?;
    refuse(stage.batch < stage.languages.len(), "`batch` must hold at least one example of each language")?;
    refuse(!(stage.learning_rate > 0.0 && stage.learning_rate <= 1.0), "`learning-rate` must be in (0, 1]")?;
    refuse(!(0.0..=1.0).contains(&stage.weight_decay), "`weight-decay` must be in [0, 1]")?;
    refuse(!(0.0..=1.0).contains(&stage.warmup), "`warmup` is a share of the steps, in [0, 1]")?;
    refuse(!(stage.clip > 0.0 && stage.clip.is_finite()), "`clip` must be a positive number")?;
    let numbers = [stage.learning_rate, stage.weight_decay, stage.warmup, stage.clip];
    refuse(numbers.into_iter().any(|number| !plain(number)), "numbers may have at most 15 digits and 15 decimal places")
}

/// Whether every reader of decimal numbers gives this one back to the last bit, so that a cell keeps its id.
fn plain(number: f64) -> bool {
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = digits.bytes().filter(u8::is_ascii_digit).count();
    exponent.parse::<i32>().is_ok_and(|exponent| digits <= 15 && exponent.abs() <= 15)
}

/// The first repeated item as the error.
fn distinct<T: Ord + Clone>(items: &[T]) -> Result<(), T> {
    let mut seen = BTreeSet::new();
    items.iter().find(|item| !seen.insert((*item).clone())).map_or(Ok(()), |item| Err(item.clone()))
}

fn syntax_error(suite: &str, text: &str, error: &toml::de::Error) -> SpecError {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = text.get(..start).unwrap_or(text);
    let message = error.message().replace('\n', "; ");
    // serde names the unknown field first and the known ones after it, each between backticks.
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let suggestion = match words.split_first() {
        Some((unknown, known)) if message.starts_with("unknown") => nearest(unknown, known.iter().copied()),
        _ => None,
    };
    let hint = hint(suggestion);
    SpecError::Syntax {
        suite: suite.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before.rsplit('\n').next().unwrap_or("").chars().count() + 1,
        message,
        hint,
    }
}
