//! The data of one stage: sub-batches of its languages and memories, each a function of (seed, stage, number) alone.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use data::{EncodeOptions, Encoded, Examples, Tokenization, TrainingOrder};
use model::Learner;
use spec::{DataKey, Discovery, Language, Memory, Name, Objective, Split, Stage, Subnetworks, Task, derived_seed};
use strategies::subnetworks::Discovered;
use strategies::{SubBatch, Supply, SupplyError};

use super::control::Stop;
use super::runner::{Interrupted, Running};
use super::shared;

/// Share of the tokens that masked language modelling hides (Devlin et al. 2019).
const MASKED: f64 = 0.15;

pub struct StageSupply {
    seed: u64,
    stage: u64,
    pad_multiple: usize,
    tokenization: Arc<Tokenization>,
    sources: Stream,
    /// In the stage's order; `None` where the method does not ask for the memory.
    memories: Vec<Option<Stream>>,
    /// Where the stage has subnetworks: what scores them, in the languages' order.
    held: Vec<Held>,
    /// Where other cells look for what is found for a language; empty where none would find the same.
    shared: Vec<Option<PathBuf>>,
    /// Looked at while a stage begins, which saves nothing on its way.
    stop: Option<Stop>,
    /// Tokens that were drawn and are not padding.
    tokens: u64,
    /// What drawing took.
    time: Duration,
}

/// Held-out data of one language.
struct Held {
    language: Language,
    examples: Examples,
    encoded: Encoded,
}

/// Encoded data of some languages, and the order in which it is drawn.
struct Stream {
    task: Task,
    languages: Vec<Encoded>,
    order: TrainingOrder,
}

/// What a stream is made from.
struct Origin<'a> {
    task: Task,
    data: &'a Name,
    split: Split,
    languages: &'a [Language],
    examples: Option<usize>,
    batch: usize,
    options: EncodeOptions,
}

impl StageSupply {
    /// Encodes the stage's data and that of the memories which the method asks for, or takes them from the cache.
    pub fn open(running: &mut Running, index: usize, stage: &Stage) -> Result<Self> {
        let method = &running.job.cell.method;
        let sources = Stream::open(running, &Origin::of_stage(stage), &format!("stage {index}"))?;
        let memories = stage.memories.iter().enumerate().map(|(place, memory)| {
            method
                .asks_for(memory)
                .then(|| {
                    let purpose = format!("stage {index} memory {place}");
                    Stream::open(running, &Origin::of_memory(memory), &purpose)
                        .with_context(|| format!("memory `{}`", memory.name))
                })
                .transpose()
        });
        let memories = memories.collect::<Result<_>>()?;
        Ok(Self {
            seed: running.job.cell.seed,
            stage: index as u64,
            pad_multiple: tasks::pad_multiple(running.job.cell.backend),
            tokenization: Arc::clone(&running.tokenization),
            sources,
            memories,
            held: match &method.subnetworks {
                Some(knobs) if Subnetworks::masks(stage) => held(running, stage, &knobs.discovery)?,
                _ => Vec::new(),
            },
            shared: match index {
                0 => shared(running, stage)?,
                _ => Vec::new(),
            },
            stop: None,
            tokens: 0,
            time: Duration::ZERO,
        })
    }

    /// From now on a draw fails once the cell is asked to stop; with `None` it does not.
    pub fn heed(&mut self, stop: Option<Stop>) {
        self.stop = stop;
    }

    /// One sentence about the stage's sequences.
    pub fn describe(&mut self) -> String {
        let padding = 100.0 * self.sources.order.padding_share();
        let cut: u64 = self.sources.languages.iter().map(Encoded::cut).sum();
        let items: usize = self.sources.languages.iter().map(Encoded::len).sum();
        format!(
            "stage {}: {items} sequences, {padding:.1} % of the tokens of a batch are padding, the length limit cut {cut}",
            self.stage + 1
        )
    }

    /// Tokens drawn since the last call that are not padding, and the time that drawing them took.
    pub fn take_drawn(&mut self) -> (u64, Duration) {
        (std::mem::take(&mut self.tokens), std::mem::take(&mut self.time))
    }
}

/// Only the first stage begins with a model that other methods have too.
fn shared(running: &Running, stage: &Stage) -> Result<Vec<Option<PathBuf>>> {
    let place = |&language: &Language| shared::path_of_subnetwork(&running.job.cache, &running.job.cell, language);
    stage.languages.iter().map(place).collect()
}

/// The data that scores the subnetworks of a stage's languages.
fn held(running: &mut Running, stage: &Stage, discovery: &Discovery) -> Result<Vec<Held>> {
    let options = EncodeOptions { max_length: stage.max_length, stride: stage.stride, prefix: String::new() };
    let of_language = |&language: &Language| {
        let key = DataKey::new(stage.task, &stage.data, language, discovery.split);
        let (data, tokenization, cache) = (&running.data, &running.tokenization, &running.job.cache);
        let (encoded, used) = tasks::encoded(cache, data, &key, discovery.examples, tokenization, &options)
            .with_context(|| format!("data `{key}`, which scores subnetworks"))?;
        super::probe::warn(&used);
        Ok(Held { language, examples: data.load(&key, discovery.examples)?, encoded })
    };
    stage.languages.iter().map(of_language).collect()
}

impl<'a> Origin<'a> {
    fn of_stage(stage: &'a Stage) -> Self {
        Self {
            task: stage.task,
            data: &stage.data,
            split: stage.split,
            languages: &stage.languages,
            examples: stage.examples,
            batch: stage.batch,
            options: EncodeOptions { max_length: stage.max_length, stride: stage.stride, prefix: String::new() },
        }
    }

    fn of_memory(memory: &'a Memory) -> Self {
        Self {
            task: memory.task,
            data: &memory.data,
            split: memory.split,
            languages: &memory.languages,
            examples: memory.examples,
            batch: memory.batch,
            options: EncodeOptions {
                max_length: memory.max_length,
                stride: memory.stride,
                prefix: memory.prefix.clone(),
            },
        }
    }
}

impl Stream {
    fn open(running: &mut Running, origin: &Origin, purpose: &str) -> Result<Self> {
        let (data, tokenization, cache) = (&running.data, &running.tokenization, &running.job.cache);
        let mut languages = running.watch.time("encode", || {
            origin
                .languages
                .iter()
                .map(|&language| {
                    let key = DataKey::new(origin.task, origin.data, language, origin.split);
                    let (encoded, used) =
                        tasks::encoded(cache, data, &key, origin.examples, tokenization, &origin.options)
                            .with_context(|| format!("training data `{key}`"))?;
                    super::probe::warn(&used);
                    Ok(encoded)
                })
                .collect::<Result<Vec<Encoded>>>()
        })?;
        for encoded in &mut languages {
            running.number_labels(origin.task, encoded)?;
        }
        let lengths = origin.languages.iter().zip(&languages);
        let lengths = lengths.map(|(&language, encoded)| (language, encoded.drawn_lengths()));
        let order = TrainingOrder::new(running.job.cell.seed, purpose, origin.batch, lengths.collect())?;
        Ok(Self { task: origin.task, languages, order })
    }

    /// Batches of the languages for one draw, in the languages' order.
    fn batches(&mut self, draw: u64, pad_multiple: usize) -> Vec<spec::Batch> {
        let drawn = self.order.sub_batches(draw);
        let parts = drawn.into_iter().zip(&self.languages);
        parts.map(|((_, drawn), encoded)| encoded.drawn_batch(&drawn, pad_multiple)).collect()
    }

    /// The batch of one language.
    fn batch(&mut self, language: usize, draw: u64, pad_multiple: usize) -> spec::Batch {
        let (_, drawn) = self.order.sub_batches(draw).swap_remove(language);
        self.languages[language].drawn_batch(&drawn, pad_multiple)
    }
}

impl Supply for StageSupply {
    fn source(&mut self, source: usize, draw: u64) -> Result<SubBatch, SupplyError> {
        if self.stop.as_ref().is_some_and(Stop::asked) {
            return Err(Interrupted.into());
        }
        let start = Instant::now();
        let mut batch = self.sources.batch(source, draw, self.pad_multiple);
        if self.sources.task.objective() == Objective::MaskedTokens {
            let seed = derived_seed(self.seed, "masks", &[self.stage, draw, source as u64]);
            batch = data::mask_tokens(batch, &self.tokenization, MASKED, seed)?;
        }
        self.tokens += batch.real_tokens() as u64;
        let dropout_seed = derived_seed(self.seed, "dropout", &[self.stage, draw, source as u64]);
        self.time += start.elapsed();
        Ok(SubBatch { batch, dropout_seed })
    }

    fn memory(&mut self, memory: usize, draw: u64) -> Result<Vec<SubBatch>, SupplyError> {
        let start = Instant::now();
        let stream = self.memories.get_mut(memory).and_then(Option::as_mut);
        let stream = stream.ok_or_else(|| format!("memory {memory} of the stage was not asked for"))?;
        let mut subs = Vec::with_capacity(stream.languages.len());
        for (place, mut batch) in stream.batches(draw, self.pad_multiple).into_iter().enumerate() {
            let at = [self.stage, memory as u64, draw, place as u64];
            if stream.task.objective() == Objective::MaskedTokens {
                let seed = derived_seed(self.seed, "memory masks", &at);
                batch = data::mask_tokens(batch, &self.tokenization, MASKED, seed)?;
            }
            self.tokens += batch.real_tokens() as u64;
            subs.push(SubBatch { batch, dropout_seed: derived_seed(self.seed, "memory dropout", &at) });
        }
        self.time += start.elapsed();
        Ok(subs)
    }

    fn discovered(&mut self, source: usize) -> Option<Discovered> {
        shared::load(self.shared.get(source)?.as_ref()?)
    }

    fn keep(&mut self, source: usize, found: &Discovered) {
        if let Some(Some(place)) = self.shared.get(source)
            && let Err(error) = shared::store(place, found)
        {
            eprintln!("warning: the cache cannot be written: {error:#}");
        }
    }

    fn score(&mut self, learner: &Learner, source: usize) -> Result<f64, SupplyError> {
        let held = self.held.get(source);
        let Held { language, examples, encoded } =
            held.ok_or_else(|| format!("nothing scores the language {source} of the stage"))?;
        let task = self.sources.task;
        let scores = tasks::evaluate(learner, &self.tokenization, *language, examples, encoded)?.contributions;
        let contributions = scores.get(task.main_metric()).ok_or_else(|| format!("{task} has no main metric"))?;
        Ok(evaluation::ratio(contributions))
    }
}
