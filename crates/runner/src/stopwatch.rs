//! Wall-clock time and memory: kept apart from everything that is compared.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Seconds by phase, and the tokens trained on.
#[derive(Debug, Default)]
pub struct Stopwatch {
    seconds: BTreeMap<String, f64>,
    trained_tokens: u64,
    training: Duration,
    steps_of_other_cells: u64,
}

impl Stopwatch {
    /// Runs `work` and books its time under `phase`.
    pub fn time<T>(&mut self, phase: &str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let value = work();
        self.book(phase, start.elapsed());
        value
    }

    pub fn book(&mut self, phase: &str, time: Duration) {
        *self.seconds.entry(phase.to_owned()).or_default() += time.as_secs_f64();
    }

    /// Books training steps over `tokens` tokens that are not padding; `batches` of the time went into drawing them.
    pub fn trained(&mut self, time: Duration, batches: Duration, tokens: u64) {
        self.book("train", time.saturating_sub(batches));
        self.book("batches", batches);
        self.training += time;
        self.trained_tokens += tokens;
    }

    /// Books steps that another cell did for this one.
    pub fn taken(&mut self, steps: u64) {
        self.steps_of_other_cells += steps;
    }

    pub fn report(self) -> results::Timing {
        let seconds = self.training.as_secs_f64();
        results::Timing {
            seconds: self.seconds,
            peak_memory_bytes: peak_memory(),
            train_tokens_per_second: (seconds > 0.0).then(|| self.trained_tokens as f64 / seconds),
            steps_of_other_cells: self.steps_of_other_cells,
            threads: threads(),
            host: host(),
            ..results::Timing::default()
        }
    }
}

/// Threads that the tensor library uses.
fn threads() -> usize {
    let asked = std::env::var("RAYON_NUM_THREADS").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Largest resident size of this process so far, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

fn host() -> String {
    let processor = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            Some(text.lines().find(|line| line.starts_with("model name"))?.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{processor}, {cores} cores, {}", std::env::consts::OS)
}
