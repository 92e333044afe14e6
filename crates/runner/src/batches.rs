//! The data of one stage: sub-batches of its languages and memories, each a function of (seed, stage, number) alone.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use data::{Encoded, Tokenization, TrainingOrder};
use model::Learner;
use spec::{DataSource, Discovery, Language, Objective, Stage, Subnetworks, Task, derived_seed};
use strategies::subnetworks::Discovered;
use strategies::{BatchError, BatchSource, SubBatch};

use crate::held_out::{HeldOut, encoded};
use crate::running::Running;
use crate::stop::{Interrupted, Stop};
use crate::{cache, found};

/// Share of the tokens that masked language modelling hides (Devlin et al. 2019).
const MASKED: f64 = 0.15;

pub(crate) struct StageBatches {
    seed: u64,
    stage: u64,
    pad_multiple: usize,
    tokenization: Arc<Tokenization>,
    sources: Stream,
    /// In the stage's order; `None` where the method does not ask for the memory.
    memories: Vec<Option<Stream>>,
    /// Where the stage has subnetworks: what scores them, in the languages' order.
    held_out: Vec<HeldOut>,
    /// Where other cells look for what is found for a language; empty where none would find the same.
    found: Vec<Option<PathBuf>>,
    /// Why what was found last could not be kept.
    unwritten: Option<String>,
    cache: PathBuf,
    /// Looked at while a stage begins, which saves nothing on its way.
    stop: Option<Stop>,
    /// Tokens that were drawn and are not padding.
    tokens: u64,
    /// What drawing took.
    time: Duration,
}

/// Encoded data of some languages, and the order in which it is drawn.
struct Stream {
    task: Task,
    languages: Vec<Encoded>,
    order: TrainingOrder,
}

impl StageBatches {
    /// Encodes the stage's data and that of the memories which the method asks for, or takes them from the cache.
    pub fn open(running: &mut Running, index: usize, stage: &Stage) -> Result<Self> {
        let method = &running.job.cell.method;
        let sources = Stream::open(running, stage.source(), stage.batch, &format!("stage {index}"))?;
        let memories = stage.memories.iter().enumerate().map(|(place, memory)| {
            method
                .asks_for(memory)
                .then(|| {
                    let purpose = format!("stage {index} memory {place}");
                    Stream::open(running, memory.source(), memory.batch, &purpose)
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
            held_out: match &method.subnetworks {
                Some(knobs) if Subnetworks::masks(stage) => held_out(running, stage, &knobs.discovery)?,
                _ => Vec::new(),
            },
            found: match index {
                0 => found(running, stage)?,
                _ => Vec::new(),
            },
            unwritten: None,
            cache: running.job.cache.clone(),
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

    /// Why what was found could not be kept for other cells.
    pub fn take_unwritten(&mut self) -> Option<String> {
        self.unwritten.take()
    }

    /// Tokens drawn since the last call that are not padding, and the time that drawing them took.
    pub fn take_drawn(&mut self) -> (u64, Duration) {
        (std::mem::take(&mut self.tokens), std::mem::take(&mut self.time))
    }
}

/// Where what is found for the languages of a first stage lies.
fn found(running: &Running, stage: &Stage) -> Result<Vec<Option<PathBuf>>> {
    let place = |&language: &Language| found::path(&running.job.cache, running.cell(), language);
    stage.languages.iter().map(place).collect()
}

/// The data that scores the subnetworks of a stage's languages.
fn held_out(running: &Running, stage: &Stage, discovery: &Discovery) -> Result<Vec<HeldOut>> {
    let load = |&language: &Language| {
        HeldOut::load(running, discovery.source(stage), language).context("which scores subnetworks")
    };
    stage.languages.iter().map(load).collect()
}

impl Stream {
    fn open(running: &mut Running, source: DataSource, batch: usize, purpose: &str) -> Result<Self> {
        let start = Instant::now();
        let mut languages: Vec<Encoded> =
            source.languages.iter().map(|&language| encoded(running, source, language)).collect::<Result<_>>()?;
        running.watch.book("encode", start.elapsed());
        for encoded in &mut languages {
            running.number_labels(source.task, encoded)?;
        }
        let lengths = source.languages.iter().zip(&languages);
        let lengths = lengths.map(|(&language, encoded)| (language, encoded.drawn_lengths()));
        let order = TrainingOrder::new(running.job.cell.seed, purpose, batch, lengths.collect())?;
        Ok(Self { task: source.task, languages, order })
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

impl BatchSource for StageBatches {
    fn source(&mut self, source: usize, draw: u64) -> Result<SubBatch, BatchError> {
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

    fn memory(&mut self, memory: usize, draw: u64) -> Result<Vec<SubBatch>, BatchError> {
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
        cache::load(self.found.get(source)?.as_ref()?)
    }

    fn keep(&mut self, source: usize, found: &Discovered) {
        if let Some(Some(place)) = self.found.get(source) {
            self.unwritten = cache::store(&self.cache, place, found).err().map(|error| cache::unwritten(&error));
        }
    }

    fn score(&mut self, learner: &Learner, source: usize) -> Result<f64, BatchError> {
        let held_out = self.held_out.get(source);
        let HeldOut { language, examples, encoded, .. } =
            held_out.ok_or_else(|| format!("nothing scores the language {source} of the stage"))?;
        let task = self.sources.task;
        let scores = tasks::evaluate(learner, &self.tokenization, *language, examples, encoded)?.contributions;
        let contributions = scores.get(task.main_metric()).ok_or_else(|| format!("{task} has no main metric"))?;
        Ok(evaluation::ratio(contributions))
    }
}
