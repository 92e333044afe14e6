//! What languages use of a model while it is measured.

use std::path::Path;

use data::{DataFolder, EncodeOptions, Tokenization};
use model::Learner;
use results::{Overwrite, ResultsFolder};
use runner::{Ended, Job, Stop};
use spec::{Backend, Cell, Language, LanguageDistances, NUMERIC_VERSION, Suite, Task};

const SUITE: &str = r#"
description = "adapters of two languages, then of a task"
model = "mini"
seeds = [1]
methods = ["madx"]

[probe.pairs]
task = "retrieval"
data = "mini"
languages = ["de"]
examples = 60
max-length = 32

[protocol.p]
[[protocol.p.stage]]
task = "mlm"
data = "mini"
languages = ["en", "de"]
examples = 60
steps = 40
batch = 8
learning-rate = 1e-2
weight-decay = 0.0
warmup = 0.1
clip = 1.0
max-length = 32
probes = ["pairs"]
"#;

#[test]
fn each_side_of_a_pair_goes_through_its_own_languages_modules() {
    let root = tempfile::tempdir().unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (model, data) = (repository.join("encoders/mini"), DataFolder::open(&repository.join("datasets")));
    let suite = Suite::parse("s", SUITE).unwrap();
    let protocol = suite.protocols[0].clone();
    let cell = Cell {
        numeric_version: NUMERIC_VERSION,
        model: suite.model.clone(),
        model_hash: model::content_hash(&model).unwrap(),
        method: suite.methods[0].clone(),
        data: protocol.data().iter().map(|key| (key.to_string(), data.entry(key).unwrap().hash.clone())).collect(),
        protocol,
        seed: 1,
        backend: Backend::Cpu,
        distances: LanguageDistances::default(),
    };
    let job = Job {
        cell,
        model: model.clone(),
        data: repository.join("datasets"),
        results: root.path().join("results"),
        cache: root.path().join("cache"),
        checkpoint_seconds: 3600,
        overwrite: Overwrite::Missing,
        common_stages: 0,
        save: Some(root.path().join("saved")),
    };
    assert_eq!(runner::run(&job, DataFolder::open(&job.data), Stop::default(), &|_| {}).unwrap(), Ended::Published);
    let record = ResultsFolder::open(&job.results).unwrap().get(&job.cell).unwrap().unwrap();
    let recorded = record.scores().unwrap();

    let source = job.cell.protocol.stages[0].probes[0].source();
    let [english, german] = ["en", "de"].map(|code| Language::parse(code).unwrap());
    let examples = data.load(&source.key(german), source.examples).unwrap();
    let tokenization = Tokenization::load(&model).unwrap();
    let encoded = tasks::encode(&examples, &tokenization, &EncodeOptions::of(source)).unwrap();
    let mut learner = Learner::load(&root.path().join("saved"), Backend::Cpu).unwrap();
    let mut side = |language, side| {
        learner.use_language(language, Some(Task::Retrieval)).unwrap();
        tasks::side_vectors(&learner, &encoded, side, None).unwrap()
    };
    let (foreign, own, others) = (side(german, 0), side(english, 1), side(german, 1));
    assert_ne!(own, others, "the languages' adapters differ");
    let width = model::ModelConfig::read(&model.join("config.json")).unwrap().hidden_size;
    let by_hand = tasks::score_sides(&foreign, &own, width).unwrap();
    assert_eq!(recorded.len(), by_hand.contributions.len());
    for score in recorded {
        assert_eq!(score.value, evaluation::ratio(&by_hand.contributions[&score.metric]), "{}", score.metric);
    }
}
