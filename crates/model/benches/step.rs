//! One measurement at another program's word: `scripts/bench/compare_step.py` starts this and its PyTorch twin, and lets
//! them take turns.
//!
//! Arguments: `SIZE WHAT [ndarray] [composed] [hide=OFFSET]`. On standard input comes a number of repetitions a line; each
//! is answered by a line with the seconds of every one. `composed` computes with Burn's own operations instead of the
//! kernels. `hide` hides AVX-512 from the whole process (see [`detection`]).

#[path = "step/detection.rs"]
mod detection;
mod encoder;
#[path = "step/products.rs"]
mod products;

use std::collections::BTreeSet;
use std::io::BufRead;
use std::time::Instant;

use encoder::{SIZES, Size};
use model::{AdapterConfig, AdapterStack, Group, Learner, OptimizerConfig};
use spec::{Backend, Batch};

/// Usual while fine-tuning, and BERT's own.
const DROPOUT: f64 = 0.1;

/// What one repetition does, prepared.
fn work(size: &'static Size, what: &str, backend: Backend) -> Box<dyn FnMut()> {
    if what == "products" {
        return products::work(size);
    }
    let (mut learner, mut batch) = (size.learner(backend), size.batch());
    match what {
        "forward" => return Box::new(move || drop(learner.logits(&batch).unwrap())),
        "step" => {}
        "step-dropout" => learner.set_dropout(Some(DROPOUT)),
        "frozen-half" => {
            learner.set_dropout(Some(DROPOUT));
            let layers = (0..size.layers / 2).map(Group::Layer);
            learner.set_frozen(&layers.chain([Group::Embeddings]).collect());
        }
        "adapters" => {
            learner.set_dropout(Some(DROPOUT));
            adapters_only(&mut learner);
        }
        other => panic!("`{other}` is not measured"),
    }
    learner.begin_stage(OptimizerConfig { weight_decay: 0.01, ..OptimizerConfig::default() });
    let mut seed = 0;
    Box::new(move || {
        seed += 1;
        new_rows(&mut batch, seed);
        let (_, gradients) = learner.loss_and_gradients(&batch, seed).unwrap();
        learner.step(gradients, 1e-5).unwrap();
    })
}

/// Makes rows of the batch that no step has seen: what frozen layers give for known ones is not computed again.
fn new_rows(batch: &mut Batch, step: u64) {
    for row in batch.ids.chunks_exact_mut(batch.seq) {
        (row[1], row[2]) = ((10 + step % 1000) as i32, (10 + step / 1000 % 1000) as i32);
    }
}

/// Freezes everything but a fresh adapter after each layer's feed-forward network, and the head.
fn adapters_only(learner: &mut Learner) {
    let name = "bench".to_owned();
    learner.add_adapter(&name, AdapterConfig::pfeiffer(16.0), 1).unwrap();
    let trained = BTreeSet::from([name.clone()]);
    learner.activate(AdapterStack { adapters: vec![name], trained, ..AdapterStack::default() }).unwrap();
    let trains = |group: &Group| matches!(group, Group::Adapter(_) | Group::Head);
    learner.set_frozen(&learner.groups().into_iter().filter(|group| !trains(group)).collect());
}

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [size, what, options @ ..] = arguments.as_slice() else {
        eprintln!("nothing to measure: give SIZE and WHAT, or run scripts/bench/compare_step.py");
        return;
    };
    let size = SIZES.iter().find(|known| known.name == size).unwrap_or_else(|| panic!("no size `{size}`"));
    let mut backend = Backend::Cpu;
    for option in options {
        match (option.as_str(), option.strip_prefix("hide=")) {
            ("ndarray", _) => backend = Backend::Ndarray,
            ("composed", _) => model::compose_operations(),
            (_, Some(offset)) => detection::hide_avx512(offset.parse().unwrap()),
            _ => panic!("no option `{option}`"),
        }
    }
    let mut work = work(size, what, backend);
    for line in std::io::stdin().lock().lines() {
        let repetitions: usize = line.unwrap().trim().parse().expect("a number of repetitions");
        let seconds: Vec<String> = (0..repetitions)
            .map(|_| {
                let start = Instant::now();
                work();
                start.elapsed().as_secs_f64().to_string()
            })
            .collect();
        println!("{}", seconds.join(" "));
    }
}
