//! `harness pretrain`: a tokenizer and an encoder from text.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use model::Precision;

use crate::cli::{Folders, Pretrain, SavedPrecision};
use crate::exit::Exit;
use crate::pretrain::{Ended, FILE, Point, Pretraining, Record, Settings, of_data_set, of_folder};
use crate::{interrupt, places, screen};

/// Shares of the steps on parallel text, where nobody says.
const TRANSLATIONS: f64 = 0.5;
const RANKING: f64 = 0.12;
const COMPARING: f64 = 0.7;
/// Tokens of a row where nobody says.
const MAX_LENGTH: usize = 256;
/// Where there is no terminal a line is printed this often.
const LINE_EVERY: Duration = Duration::from_secs(30);

pub fn run(folders: &Folders, options: &Pretrain) -> Result<Exit> {
    let text = match &options.text {
        Some(folder) => of_folder(folder, &options.languages, options.parallel)?,
        None => of_data_set(&places::data(&folders.data, &folders.cache)?, &options.data_set, &options.languages)?,
    };
    if !text.parallel {
        runner::say(
            "the text is not known to be parallel (--parallel): masked language modelling alone, no translations to learn from",
        );
    }
    let of_parallel = |given: Option<f64>, share| given.unwrap_or(if text.parallel { share } else { 0.0 });
    let from = options.from.as_deref().map(|model| places::find_model(folders, model)).transpose()?;
    let fresh = Settings {
        seed: options.seed,
        from: None,
        vocabulary: options.vocabulary,
        layers: options.layers,
        hidden: options.hidden,
        heads: options.heads,
        feed_forward: options.feed_forward.unwrap_or(2 * options.hidden),
        max_length: options.max_length.unwrap_or(MAX_LENGTH),
        dropout: options.dropout,
        steps: options.steps,
        tokens: options.tokens,
        mask: options.mask,
        translations: of_parallel(options.translations, TRANSLATIONS),
        ranking: of_parallel(options.ranking, RANKING),
        comparing: of_parallel(options.comparing, COMPARING),
        comparing_after: options.comparing_after,
        learning_rate: options.learning_rate,
        warmup: options.warmup,
        weight_decay: options.weight_decay,
        clip: options.clip,
    };
    let settings = match &from {
        Some(folder) => fresh.of_model(folder, options.max_length)?,
        None => fresh,
    };
    if let Some(problem) = settings.problem() {
        bail!("{problem}");
    }
    let pretraining = Pretraining {
        settings,
        text,
        from,
        out: options.out.clone(),
        backend: options.backend,
        precision: match options.precision {
            SavedPrecision::F32 => Precision::F32,
            SavedPrecision::F16 => Precision::F16,
        },
        checkpoint: Duration::from_secs(options.checkpoint_every),
    };
    let stop = interrupt::flag()?;
    let mut progress = Progress::new(options.steps);
    let (record, ended) = pretraining.run(&stop, &mut |record, loss| progress.step(record, loss))?;
    match ended {
        Ended::Done => {
            progress.bar.finish_and_clear();
            runner::say(format_args!("the model is in `{}`, its loss curve in `{FILE}` there", options.out.display()));
            screen::print(curve(&record.curve))?;
            Ok(Exit::Ok)
        }
        Ended::Stopped => {
            progress.bar.abandon();
            runner::say(format_args!("stopped after step {}; the same command carries on", record.steps));
            Ok(Exit::Interrupted)
        }
    }
}

/// A bar with what is left on a terminal, now and then a line elsewhere.
struct Progress {
    bar: ProgressBar,
    terminal: bool,
    /// Where this run began: step, tokens.
    begun: Option<(Instant, u64)>,
    said: Instant,
    average: f64,
}

impl Progress {
    fn new(steps: u64) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new(steps) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} step {pos} of {len}  {msg}  {eta} left") {
            bar.set_style(style);
        }
        Self { bar, terminal, begun: None, said: Instant::now(), average: f64::NAN }
    }

    fn step(&mut self, record: &Record, loss: f64) {
        let Some((begun, tokens)) = self.begun else {
            self.begun = Some((Instant::now(), record.tokens));
            self.bar.reset_eta();
            self.average = loss;
            return;
        };
        self.average += 0.02 * (loss - self.average);
        let speed = (record.tokens - tokens) as f64 / begun.elapsed().as_secs_f64().max(1e-9);
        let message = format!("loss {:.3}  {speed:.0} tokens/s", self.average);
        self.bar.set_position(record.steps);
        if !self.terminal && self.said.elapsed() >= LINE_EVERY {
            runner::say(format_args!("step {} of {}  {message}", record.steps, record.settings.steps));
            self.said = Instant::now();
        }
        self.bar.set_message(message);
    }
}

/// The loss curve of each objective as one line of bars, the first and last value beside it.
fn curve(points: &[Point]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const WIDTH: usize = 60;
    let of = |value: fn(&Point) -> Option<f64>| points.iter().filter_map(value).collect::<Vec<f64>>();
    let objectives = [
        ("masked LM", of(|point| point.masked_lm)),
        ("translation LM", of(|point| point.translation_lm)),
        ("ranking", of(|point| point.ranking)),
        ("correspondence", of(|point| point.correspondence)),
        ("entailment", of(|point| point.entailment)),
    ];
    let mut lines = Vec::new();
    for (name, values) in objectives {
        let (Some(first), Some(last)) = (values.first(), values.last()) else { continue };
        let (low, high) =
            values.iter().fold((f64::MAX, f64::MIN), |(low, high), &value| (low.min(value), high.max(value)));
        let bars: String = (0..WIDTH.min(values.len()))
            .map(|place| values[place * values.len() / WIDTH.min(values.len())])
            .map(|value| BARS[(((value - low) / (high - low).max(1e-12)) * 7.0).round() as usize])
            .collect();
        lines.push(format!("{name:<15} {first:>7.3} {bars} {last:.3}"));
    }
    lines.join("\n")
}
