//! What a gradient rule costs: one whole step over m = 4 languages against one plain step on the same number of tokens.
//!
//! Run with `cargo bench --profile dev -p strategies --bench rule_step`; `-- SIZE ROUNDS` chooses one size and the number
//! of rounds. The variants take turns within a round, between two plain steps, so that what else the machine does hits
//! them alike: a ratio is the median over the rounds of a variant's time by the mean of its round's two plain steps. The
//! last column but one is the same of processor time, which neighbours disturb less. The hash is of all parameters at the
//! end: two builds that print the same hash compute the same bits. The harness keeps freed memory, which the environment
//! does here: `MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=2147483647 MALLOC_TOP_PAD_=67108864`.

#[path = "rule_step/encoder.rs"]
mod encoder;
#[path = "rule_step/tokens.rs"]
mod tokens;

use std::time::Instant;

use encoder::{SIZES, Size};
use model::Learner;
use spec::{Decay, Gem, GradientRule, Language, Memory, Method, Name, PcGrad, Split, Stage, Task};
use strategies::{BatchSource, Strategy};
use tokens::{ROWS, SEQ, Text};

const LANGUAGES: [&str; 4] = ["de", "en", "sw", "zh"];
const SEED: u64 = 7;

/// One way to take a step, with a learner of its own.
struct Variant {
    name: &'static str,
    method: Method,
    stage: Stage,
    text: Text,
    learner: Learner,
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn memory(text: &str) -> Memory {
    Memory {
        name: name(text),
        task: Task::Ner,
        data: name("bench"),
        split: Split::Train,
        languages: vec![Language::parse(text).unwrap()],
        examples: None,
        batch: ROWS / LANGUAGES.len(),
        max_length: SEQ,
        stride: 0,
        prefix: String::new(),
        candidates: Default::default(),
    }
}

/// The first `languages` of the four are learnt, the others remembered.
fn stage(languages: usize, memories: bool) -> Stage {
    let remembered = if memories { &LANGUAGES[languages..] } else { &[] };
    Stage {
        task: Task::Ner,
        data: name("bench"),
        split: Split::Train,
        languages: LANGUAGES[..languages].iter().map(|code| Language::parse(code).unwrap()).collect(),
        examples: None,
        steps: 1_000_000,
        batch: ROWS,
        learning_rate: 2e-5,
        weight_decay: 0.0,
        warmup: 0.0,
        decay: Decay::default(),
        clip: 1.0,
        max_length: SEQ,
        stride: 0,
        parser: None,
        trace_every: None,
        probe_every: None,
        memories: remembered.iter().map(|code| memory(code)).collect(),
        probes: Vec::new(),
    }
}

fn variants(size: &Size) -> Vec<Variant> {
    let rules = [
        ("plain", GradientRule::Mean, 1, false, ROWS),
        ("mean of 4", GradientRule::Mean, 4, false, ROWS / 4),
        ("pcgrad, 4", GradientRule::PcGrad(PcGrad::default()), 4, false, ROWS / 4),
        ("gem, 1 + 3", GradientRule::Gem(Gem::default()), 1, true, ROWS / 4),
        ("plain again", GradientRule::Mean, 1, false, ROWS),
    ];
    let variant = |(label, rule, languages, memories, rows)| Variant {
        name: label,
        method: Method { rule, ..Method::plain(name("bench")) },
        stage: stage(languages, memories),
        text: Text { rows, vocabulary: size.vocabulary, languages },
        learner: size.learner(),
        wall: Vec::new(),
        cpu: Vec::new(),
    };
    rules.into_iter().map(variant).collect()
}

/// Seconds of processor time that this process has used, by all threads; 0 where the system does not say.
fn cpu_seconds() -> f64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let of_thread = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(path.join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    };
    threads.flatten().filter_map(|thread| of_thread(thread.path())).sum::<f64>() * 1e-9
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// Peak resident memory of this process so far, in MB; 0 where the system does not say.
fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0) / 1000.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// FNV-1a over the bits of all parameters.
fn hash(learner: &Learner) -> u64 {
    let values = learner.parameter_names().into_iter().flat_map(|name| learner.parameter(name).unwrap());
    values.fold(0xcbf2_9ce4_8422_2325, |hash, value| (hash ^ u64::from(value.to_bits())).wrapping_mul(0x100_0000_01b3))
}

fn measure(size: &Size, rounds: usize) {
    const WARM_UP: usize = 2;
    let mut variants = variants(size);
    let stages: Vec<(Method, Stage)> =
        variants.iter().map(|variant| (variant.method.clone(), variant.stage.clone())).collect();
    let mut strategies: Vec<Strategy> =
        stages.iter().map(|(method, stage)| Strategy::new(method, stage, SEED)).collect();
    for (strategy, variant) in strategies.iter_mut().zip(&mut variants) {
        strategy.begin(&mut variant.learner, &mut variant.text).unwrap();
    }
    for round in 0..WARM_UP + rounds {
        for (strategy, variant) in strategies.iter_mut().zip(&mut variants) {
            let (start, cpu) = (Instant::now(), cpu_seconds());
            strategy.step(&mut variant.learner, &mut variant.text, round as u64).unwrap();
            if round >= WARM_UP {
                variant.wall.push(start.elapsed().as_secs_f64());
                variant.cpu.push(cpu_seconds() - cpu);
            }
        }
    }
    println!("{}, {ROWS} x {SEQ} tokens, {rounds} rounds, peak of all variants {:.0} MB", size.name, peak_megabytes());
    let batch = variants[0].text.source(0, 0).unwrap().batch;
    let (_, gradients) = variants[0].learner.loss_and_gradients(&batch, 0).unwrap();
    let point = variants[0].learner.point().bytes();
    println!(
        "  one gradient {:.1} MB; as many numbers as parameters {:.1} MB",
        megabytes(gradients.bytes()),
        megabytes(point)
    );
    println!("  {:12} {:>9} {:>7} {:>9} {:>16}", "step", "median ms", "ratio", "cpu ratio", "parameters");
    let last = variants.len() - 1;
    let ratio = |of: &[f64], first: &[f64], last: &[f64]| {
        median(of.iter().zip(first.iter().zip(last)).map(|(x, (a, b))| x / ((a + b) / 2.0)).collect())
    };
    for variant in &variants {
        println!(
            "  {:12} {:9.1} {:7.3} {:9.3} {:016x}",
            variant.name,
            median(variant.wall.clone()) * 1e3,
            ratio(&variant.wall, &variants[0].wall, &variants[last].wall),
            ratio(&variant.cpu, &variants[0].cpu, &variants[last].cpu),
            hash(&variant.learner),
        );
    }
}

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let rounds = arguments.get(1).map_or(11, |text| text.parse().expect("the number of rounds"));
    for size in SIZES.iter().filter(|size| arguments.first().is_none_or(|name| name == size.name)) {
        measure(size, rounds);
    }
}
