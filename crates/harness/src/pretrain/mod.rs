//! Pre-training: a tokenizer and an encoder from text, resumable at any moment.

mod checkpoint;
mod record;
mod settings;
mod text;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use data::{Corpus, Objective, Tokenization, mask_tokens, train_tokenizer};
use files::{Unfinished, sealed};
use model::{Learner, ModelError, OptimizerConfig, Precision};
use spec::{Backend, Decay, Head, Labels};

use checkpoint::Of;
pub use record::{FILE, Point, Record};
pub use settings::Settings;
pub use text::{Text, of_data_set, of_folder};

/// Points of the loss curve.
const POINTS: u64 = 200;
const PREPARED: &sealed::Magic = b"LETHETOK";
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
    ///
    /// # Errors
    /// The folder is there, or another process makes it; what the settings ask for is impossible or diverges; files cannot be
    /// read or written.
    pub fn run(&self, stop: &Arc<AtomicBool>, tell: &mut dyn FnMut(&Record, f64)) -> Result<(Record, Ended)> {
        let settings = &self.settings;
        let of_work = serde_json::to_vec(&(settings, &self.text.hash))?;
        let of_work = blake3::hash(&of_work).to_hex().to_string();
        let claimed = Unfinished::claim(&self.out, &of_work);
        let Some(unfinished) = claimed.with_context(|| format!("cannot make `{}`", self.out.display()))? else {
            bail!("another process makes `{}`; wait for it, or name a new folder", self.out.display());
        };
        if unfinished.is_published() {
            // Killed when all was done but for this.
            let record = Record::load(&self.out)?;
            tidy(unfinished);
            return Ok((record, Ended::Done));
        }
        let work = unfinished.work().to_owned();
        checkpoint::check(&work, &of_work)?;
        let mut of = Of { work: of_work, prepared: String::new() };
        let mut learner = match &self.from {
            Some(folder) => Learner::load(folder, self.backend)?,
            None => {
                of.prepared = prepare(&work, &of.work, settings, &self.text)?;
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
        if let Some(begun) = checkpoint::resume(&work, &of, &mut learner)? {
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
            // What is done is kept until the model is whole.
            if leave || record.steps == settings.steps || saved.elapsed() >= self.checkpoint {
                checkpoint::save(&work, &of, &learner, &record)?;
                saved = Instant::now();
            }
            if leave && record.steps < settings.steps {
                return Ok((record, Ended::Stopped));
            }
        }
        // What told texts apart was for pre-training alone.
        learner.remove_head(None)?;
        let failed = |error: std::io::Error| {
            anyhow::Error::new(error).context(format!("the model could not be saved to `{}`", self.out.display()))
        };
        unfinished.publish(failed, |folder| {
            learner.save_folder(folder, self.precision)?;
            record.save(folder)
        })?;
        tidy(unfinished);
        Ok((record, Ended::Done))
    }
}

/// What stays of it costs space, nothing else.
fn tidy(unfinished: Unfinished) {
    let work = unfinished.work().to_owned();
    if let Err(error) = unfinished.finish() {
        runner::say(format_args!("warning: `{}` cannot be removed: {error}", work.display()));
    }
}

/// Tokenizer and configuration; made once, since a resumed run needs the same ones. Gives their hash.
fn prepare(work: &Path, of_work: &str, settings: &Settings, text: &Text) -> Result<String> {
    let (place, config, tokenizer) = (work.join("prepared"), work.join("config.json"), work.join("tokenizer.json"));
    let hash = || -> std::io::Result<String> {
        Ok(format!("{of_work} {} {}", files::hash(&config)?.to_hex(), files::hash(&tokenizer)?.to_hex()))
    };
    if let Ok(bytes) = files::read(&place, 1 << 20) {
        let written = sealed::open(&bytes, PREPARED).ok();
        if let (Some(written), Ok(found)) = (written, hash())
            && written == found.as_bytes()
        {
            return Ok(found);
        }
        // Of other settings, of which there is no checkpoint, it is no damage.
        if written.is_none_or(|written| written.starts_with(of_work.as_bytes())) {
            runner::say(format_args!(
                "warning: tokenizer or configuration in `{}` are damaged and made again",
                work.display()
            ));
        }
    }
    let columns = text.rows.iter().map(|(_, rows)| rows.texts("text"));
    let texts: Vec<&str> = columns.flat_map(|texts| texts.iter().flatten()).collect();
    let tokens = train_tokenizer(&texts, settings.vocabulary, work)?;
    let json = serde_json::to_string_pretty(&settings.config(tokens))? + "\n";
    let failed = || format!("cannot write in `{}`", work.display());
    files::write(&config, json.as_bytes()).with_context(failed)?;
    let hash = hash().with_context(failed)?;
    sealed::write(&place, PREPARED, hash.as_bytes()).with_context(failed)?;
    Ok(hash)
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
