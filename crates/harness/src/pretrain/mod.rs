//! Pre-training: a tokenizer and an encoder from text, resumable at any moment.

mod record;
mod settings;
mod text;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use data::{Corpus, Objective, Tokenization, mask_tokens, train_tokenizer};
use model::{Learner, ModelError, OptimizerConfig, Precision};
use spec::{Backend, Decay, Head, Labels};

pub use record::{FILE, Point, Record};
pub use settings::Settings;
pub use text::{Text, of_data_set, of_folder};

/// Points of the loss curve.
const POINTS: u64 = 200;
const LEARNER: &str = "learner.safetensors";
const OBJECTIVES: [Objective; 5] = [
    Objective::MaskedLm,
    Objective::TranslationLm,
    Objective::Ranking,
    Objective::Correspondence,
    Objective::Entailment,
];
/// Labels tokens by what the text beside them says, and a row by its first token.
const COMPARED: usize = 3;

/// What to make, and where.
pub struct Pretraining {
    pub settings: Settings,
    pub text: Text,
    /// The model to go on from; `None` for a fresh one.
    pub from: Option<PathBuf>,
    /// The model folder that is made.
    pub out: PathBuf,
    pub backend: Backend,
    pub precision: Precision,
    pub checkpoint: Duration,
}

/// How it ended.
pub enum Ended {
    Done,
    /// Asked to stop; the state is saved.
    Stopped,
}

impl Pretraining {
    /// Trains, or goes on where an earlier run stopped, and publishes the model folder by a rename. `tell` hears of every
    /// step: the record so far and the step's loss.
    pub fn run(&self, stop: &Arc<AtomicBool>, tell: &mut dyn FnMut(&Record, f64)) -> Result<(Record, Ended)> {
        if self.out.exists() {
            bail!("`{}` exists already; name a new folder", self.out.display());
        }
        let settings = &self.settings;
        let work = work_folder(&self.out);
        std::fs::create_dir_all(&work).with_context(|| format!("cannot create `{}`", work.display()))?;
        let mut learner = match &self.from {
            Some(folder) => Learner::load(folder, self.backend)?,
            None => {
                prepare(&work, settings, &self.text)?;
                Learner::fresh(&work, self.backend, settings.seed)?
            }
        };
        let home = self.from.as_deref().unwrap_or(&work);
        if !learner.has_language_model() {
            bail!("`{}` has no language-model head: there is nothing to go on with", home.display());
        }
        let tokenization = Tokenization::load(home)?;
        let corpus = Corpus::new(&self.text.rows, self.text.parallel, &tokenization, settings.max_length)?;
        if !self.text.parallel && settings.translations + settings.ranking + settings.comparing > 0.0 {
            bail!(
                "--translations, --ranking and --comparing need parallel text: say --parallel if line i of every file says the same, or leave them out"
            );
        }
        learner.set_dropout(Some(settings.dropout));
        if settings.comparing > 0.0 {
            learner.set_head(None, Head::TokenLabels { labels: Labels::numbered(COMPARED) }, settings.seed)?;
        }
        learner.begin_stage(OptimizerConfig {
            weight_decay: settings.weight_decay,
            clip: settings.clip,
            ..OptimizerConfig::default()
        });
        let mut record = Record {
            version: 1,
            settings: settings.clone(),
            text: self.text.source.clone(),
            text_hash: self.text.hash.clone(),
            languages: corpus.languages().to_vec(),
            rows: corpus.rows(),
            text_tokens: corpus.tokens(),
            vocabulary: learner.config().vocab_size,
            tokens: 0,
            steps: 0,
            curve: Vec::new(),
            before: match &self.from {
                Some(folder) if folder.join(FILE).is_file() => Some(Box::new(Record::load(folder)?)),
                _ => None,
            },
            open: [(0.0, 0); OBJECTIVES.len()],
        };
        if let Some(folder) = latest(&work)? {
            let begun = Record::load(&folder)?;
            begun.fits(&record, &work)?;
            learner.load_checkpoint(&folder.join(LEARNER))?;
            record = begun;
        }
        let every = settings.steps.div_ceil(POINTS);
        let mut saved = Instant::now();
        while record.steps < settings.steps {
            let step = record.steps;
            let objective = objective(settings, step);
            let mut batch =
                corpus.batch(OBJECTIVES[objective], settings.tokens, &tokenization, seed(settings, "batch", step))?;
            if matches!(OBJECTIVES[objective], Objective::MaskedLm | Objective::TranslationLm) {
                batch = mask_tokens(batch, &tokenization, settings.mask, seed(settings, "mask", step))?;
            }
            let (loss, gradients) = learner.loss_and_gradients(&batch, seed(settings, "dropout", step))?;
            let rate = Decay::Linear.rate(settings.learning_rate, settings.warmup, step, settings.steps);
            match learner.step(gradients, rate) {
                Err(ModelError::NonFinite { what }) => {
                    bail!("the training diverged at step {step} ({what} is not finite): lower --learning-rate")
                }
                stepped => stepped?,
            };
            record.book(objective, loss, batch.real_tokens(), every);
            tell(&record, loss);
            let leave = stop.load(Ordering::Relaxed);
            if leave || saved.elapsed() >= self.checkpoint {
                checkpoint(&work, &learner, &record)?;
                saved = Instant::now();
            }
            if leave && record.steps < settings.steps {
                return Ok((record, Ended::Stopped));
            }
        }
        self.publish(&work, &mut learner, &record)?;
        Ok((record, Ended::Done))
    }

    fn publish(&self, work: &Path, learner: &mut Learner, record: &Record) -> Result<()> {
        let done = work.join("done");
        let _ = std::fs::remove_dir_all(&done);
        // What told texts apart was for pre-training alone.
        learner.remove_head(None)?;
        learner.save_folder(&done, self.precision)?;
        record.save(&done)?;
        std::fs::rename(&done, &self.out).with_context(|| format!("cannot create `{}`", self.out.display()))?;
        std::fs::remove_dir_all(work).with_context(|| format!("cannot remove `{}`", work.display()))
    }
}

/// Where the work is until the model is whole.
fn work_folder(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    out.with_file_name(name)
}

/// Tokenizer and configuration; made once, since a resumed run needs the same ones.
fn prepare(work: &Path, settings: &Settings, text: &Text) -> Result<()> {
    let config = work.join("config.json");
    if !config.is_file() {
        let columns = text.rows.iter().map(|(_, rows)| rows.texts("text"));
        let texts: Vec<&str> = columns.flat_map(|texts| texts.iter().flatten()).collect();
        let tokens = train_tokenizer(&texts, settings.vocabulary, work)?;
        let fresh = work.join("config.json.new");
        std::fs::write(&fresh, serde_json::to_string_pretty(&settings.config(tokens))? + "\n")
            .and_then(|()| std::fs::rename(&fresh, &config))
            .with_context(|| format!("cannot write `{}`", config.display()))?;
    }
    Ok(())
}

/// Which objective a step has, so that any stretch of steps has about the shares asked for.
fn objective(settings: &Settings, step: u64) -> usize {
    // The golden ratio's multiples spread evenly over [0, 1).
    let place = ((step + 1) as f64 * 0.618_033_988_749_895).fract();
    let Settings { translations, ranking, .. } = *settings;
    let comparing = match (step as f64) < settings.comparing_after * settings.steps as f64 {
        true => 0.0,
        false => settings.comparing,
    };
    if place < comparing {
        return if place < comparing / 2.0 { 3 } else { 4 };
    }
    match (place - comparing) / (1.0 - comparing) {
        place if place < ranking => 2,
        place if place < ranking + translations => 1,
        _ => 0,
    }
}

fn seed(settings: &Settings, purpose: &str, step: u64) -> u64 {
    spec::derived_seed(settings.seed, purpose, &[step])
}

/// Saves the state beside the last one, then takes the last one away: one of them is always whole.
fn checkpoint(work: &Path, learner: &Learner, record: &Record) -> Result<()> {
    let (fresh, place) = (work.join("checkpoint.new"), work.join(format!("checkpoint-{:010}", record.steps)));
    let failed = || format!("cannot save a checkpoint in `{}`", work.display());
    let _ = std::fs::remove_dir_all(&fresh);
    std::fs::create_dir_all(&fresh).with_context(failed)?;
    record.save(&fresh)?;
    learner.save_checkpoint(&fresh.join(LEARNER))?;
    let _ = std::fs::remove_dir_all(&place);
    std::fs::rename(&fresh, &place).with_context(failed)?;
    for old in checkpoints(work)?.into_iter().filter(|old| *old != place) {
        std::fs::remove_dir_all(&old).with_context(|| format!("cannot remove `{}`", old.display()))?;
    }
    Ok(())
}

fn latest(work: &Path) -> Result<Option<PathBuf>> {
    Ok(checkpoints(work)?.pop())
}

fn checkpoints(work: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(work).with_context(|| format!("cannot read `{}`", work.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("checkpoint-"))
        })
        .collect();
    found.sort();
    Ok(found)
}
