//! Modules of which each language uses its own: shared updates and MAD-X on the tiny encoder.

mod strategy_support;

use std::collections::BTreeMap;

use model::{AdapterStack, Group, Learner};
use spec::{
    Adapter, Backend, FirstStage, Fun, GradientRule, Head, Kernel, Labels, Laft, Language, LanguageDistances, MadX,
    Method, Name, PcGrad, Probe, Protocol, Schedule, Sharing, Split, Stage, Structure, Targets, Task, Unfreezing,
    UnfreezingVariant, UpdateStage,
};
use strategies::schedules::{self, fisher_trace};
use strategies::{BatchError, BatchSource, Modules, Strategy, SubBatch};
use strategy_support::*;

fn protocol(stages: Vec<Stage>) -> Protocol {
    let probe = Probe {
        name: Name::new("probe").unwrap(),
        task: Task::Ner,
        data: Name::new("toy").unwrap(),
        split: Split::Test,
        languages: ["en", "de", "fr", "sw"].map(language).to_vec(),
        examples: None,
        max_length: 10,
        stride: 0,
        prefix: String::new(),
        layer: None,
        adapt: None,
    };
    Protocol { name: Name::new("p").unwrap(), before: vec![probe], stages }
}

/// On a line: de and fr are near, sw is far.
fn distances() -> LanguageDistances {
    let place = |language: Language| match language.code() {
        "de" => 0.0,
        "fr" => 0.125,
        "en" => 0.25,
        _ => 1.0,
    };
    let languages = ["en", "de", "fr", "sw"].map(language);
    LanguageDistances::between_all(&languages, |a, b| Some(f64::abs(place(a) - place(b))))
}

fn of(task: Task, languages: &[&str], steps: u64) -> Stage {
    let languages = languages.iter().map(|code| language(code)).collect();
    Stage { task, languages, ..stage(steps, 1e-2, Vec::new()) }
}

fn update(laft: Laft) -> Method {
    Method { structure: Structure::Adapter(Adapter::default()), sharing: Some(laft), ..plain() }
}

/// The toy's sources, as masked tokens in stages of text.
struct Toys(Toy, Task);

impl BatchSource for Toys {
    fn source(&mut self, source: usize, draw: u64) -> Result<SubBatch, BatchError> {
        let sub = self.0.source(source % 2, draw)?;
        Ok(if self.1 == Task::Mlm { SubBatch { batch: masked(sub.batch), ..sub } } else { sub })
    }

    fn memory(&mut self, memory: usize, draw: u64) -> Result<Vec<SubBatch>, BatchError> {
        self.0.memory(memory, draw)
    }
}

fn masked(batch: spec::Batch) -> spec::Batch {
    let hidden = |(place, token): (usize, &i32)| if place % batch.seq == 2 { *token } else { spec::IGNORED_LABEL };
    spec::Batch { targets: Targets::MaskedTokens(batch.ids.iter().enumerate().map(hidden).collect()), ..batch }
}

/// Stages from one to another of the protocol, each from its beginning.
fn train_stages(
    method: &Method,
    protocol: &Protocol,
    modules: &Modules,
    learner: &mut Learner,
    stages: std::ops::Range<usize>,
) {
    for index in stages {
        let stage = &protocol.stages[index];
        let mut toys = Toys(Toy::new(stage), stage.task);
        let mut strategy = Strategy::new(method, stage, SEED).with_modules(modules, index);
        strategy.begin(learner, &mut toys).unwrap();
        for step in 0..stage.steps {
            strategy.step(learner, &mut toys, step).unwrap();
        }
    }
}

/// What the model says in a language after so many stages.
fn logits(modules: &Modules, learner: &mut Learner, stages: usize, code: &str) -> Vec<u32> {
    modules.use_in(learner, stages, language(code), Task::Ner).unwrap();
    hidden(learner).into_iter().map(f32::to_bits).collect()
}

/// Hidden states of the real tokens: what stands at padding is left open.
fn hidden(learner: &Learner) -> Vec<f32> {
    let batch = Toy::labelled(9, 1, 0);
    let values = learner.hidden_states(&batch).unwrap();
    let tokens = values.chunks_exact(learner.config().hidden_size).enumerate();
    let real = tokens.filter(|(token, _)| token % batch.seq < batch.lengths[token / batch.seq]);
    real.flat_map(|(_, values)| values.to_vec()).collect()
}

#[test]
fn a_language_of_strength_0_is_left_exactly_as_it_was_and_others_are_not() {
    let protocol = protocol(vec![of(Task::Ner, &["en", "de"], 3), of(Task::Ner, &["de"], 3)]);
    let linear = Laft { kernel: Kernel::Linear, tau: Some(0.5), ..Laft::new(Sharing::Scaled) };
    let whole = Laft { stage2: UpdateStage::ModuleAndHead, ..linear.clone() };
    for (laft, used) in [
        (Laft::new(Sharing::All), "en de fr sw"),
        (Laft::new(Sharing::UpdatedOnly), "de"),
        (linear, "en de fr"),
        (whole, "en de fr"),
    ] {
        let kind = laft.clone();
        let method = update(laft);
        method.check(&protocol).unwrap();
        let modules = Modules::new(&method, &protocol, &distances(), SEED).unwrap();
        let mut learner = tiny();
        train_stages(&method, &protocol, &modules, &mut learner, 0..1);
        let before = ["en", "de", "fr", "sw"].map(|code| logits(&modules, &mut learner, 1, code));
        train_stages(&method, &protocol, &modules, &mut learner, 1..2);
        for (code, before) in ["en", "de", "fr", "sw"].iter().zip(before) {
            let same = logits(&modules, &mut learner, 2, code) == before;
            assert_eq!(same, !used.split(' ').any(|used| used == *code), "{code} {kind:?}");
        }
    }
}

#[test]
fn each_language_uses_the_module_at_its_strength() {
    let protocol = protocol(vec![of(Task::Ner, &["en"], 1), of(Task::Ner, &["de"], 3)]);
    let laft = Laft { kernel: Kernel::Linear, tau: Some(0.5), ..Laft::new(Sharing::Scaled) };
    let method = update(laft);
    let modules = Modules::new(&method, &protocol, &distances(), SEED).unwrap();
    let mut learner = tiny();
    train_stages(&method, &protocol, &modules, &mut learner, 0..2);
    let events = modules.events(1);
    let value = |name: &str| events.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{events:?}")).1;
    let expected =
        [("tau", 0.5), ("strength.de", 1.0), ("strength.fr", 0.75), ("strength.en", 0.5), ("strength.sw", 0.0)];
    for (name, expected) in expected {
        assert!((value(name) - expected).abs() < 1e-9, "{name}");
    }
    assert!(modules.events(0).is_empty());

    let by_hand = |strength: f64, learner: &mut Learner| {
        let strengths = BTreeMap::from([("stage-2".to_owned(), strength)]);
        learner
            .activate(AdapterStack { adapters: vec!["stage-2".to_owned()], strengths, ..AdapterStack::default() })
            .unwrap();
        hidden(learner).into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let used = ["de", "fr", "en"].map(|code| logits(&modules, &mut learner, 2, code));
    assert_ne!(used[0], used[1]);
    assert_eq!(used, [1.0, 0.75, 0.5].map(|strength| by_hand(strength, &mut learner)));
}

fn tempdir(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("lethe-modules-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_mixture_trains_a_module_for_each_language_and_gradients_of_both_combine() {
    let protocol = protocol(vec![of(Task::Ner, &["en"], 2), of(Task::Ner, &["de", "sw"], 3)]);
    let laft = Laft { stage1: FirstStage::Adapter, tau: Some(0.5), ..Laft::new(Sharing::Mixture) };
    for rule in [GradientRule::Mean, GradientRule::PcGrad(PcGrad::default())] {
        let method = Method { rule, ..update(laft.clone()) };
        let modules = Modules::new(&method, &protocol, &distances(), SEED).unwrap();
        let mut learner = tiny();
        train_stages(&method, &protocol, &modules, &mut learner, 0..1);
        let before = bits(&learner);
        train_stages(&method, &protocol, &modules, &mut learner, 1..2);
        assert_eq!(learner.adapters(), ["stage-1", "stage-2-de", "stage-2-sw"]);
        // Encoder, head and the first stage's module keep their bits.
        let after = bits(&learner);
        for (name, bits) in before {
            assert!(after.iter().any(|(other, now)| *other == name && *now == bits), "{name} has changed");
        }
        let changed = |code: &str| {
            let up = format!("encoder.layer.0.output.adapters.stage-2-{code}.adapter_up.bias");
            learner.parameter(&up).unwrap().iter().any(|value| *value != 0.0)
        };
        assert!(changed("de") && changed("sw"));
    }
}

#[test]
fn mad_x_trains_languages_on_their_text_then_the_task_above_them_and_swaps() {
    let stages = vec![of(Task::Mlm, &["en", "de"], 3), of(Task::Ner, &["en"], 3)];
    let mut protocol = protocol(stages);
    protocol.before[0].task = Task::Mlm;
    let method = Method { structure: Structure::MadX(MadX::default()), ..plain() };
    method.check(&protocol).unwrap();
    let modules = Modules::new(&method, &protocol, &LanguageDistances::default(), SEED).unwrap();
    let mut learner = with_language_model();
    let base = bits(&learner);
    train_stages(&method, &protocol, &modules, &mut learner, 0..1);
    let text = bits(&learner);
    // The encoder and its output layers keep their bits, in this stage and the next.
    let kept = |before: &[(String, Vec<u32>)], learner: &Learner, but: &str| {
        let after = bits(learner);
        for (name, bits) in before {
            let now = after.iter().find(|(other, _)| other == name).unwrap();
            assert!(name.starts_with(but) || now.1 == *bits, "{name} has changed");
        }
    };
    kept(&base, &learner, "no exception");
    let [english, german] = ["en", "de"].map(|code| logits(&modules, &mut learner, 1, code));
    assert_ne!(english, german);
    train_stages(&method, &protocol, &modules, &mut learner, 1..2);
    kept(&text, &learner, "classifier");
    assert_eq!(learner.adapters(), ["language-de", "language-en", "task-ner"]);

    // What German uses is its own adapter below the task's.
    let swapped = logits(&modules, &mut learner, 2, "de");
    assert_ne!(swapped, logits(&modules, &mut learner, 2, "en"));
    let by_hand = |code: &str, learner: &mut Learner| {
        let adapters = vec![format!("language-{code}"), "task-ner".to_owned()];
        learner.activate(AdapterStack { adapters, ..AdapterStack::default() }).unwrap();
        hidden(learner).into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    assert_eq!(swapped, by_hand("de", &mut learner));
}

/// Whether the task's adapter of each layer of the tiny encoder differs from what it was.
fn moved(before: &[(String, Vec<u32>)], learner: &Learner) -> Vec<bool> {
    let after = bits(learner);
    let of_layer = |layer: usize| {
        let own = format!("encoder.layer.{layer}.output.adapters.task-ner.");
        let mut of_task = before.iter().zip(&after).filter(|((name, _), _)| name.starts_with(&own)).peekable();
        assert!(of_task.peek().is_some(), "{own}");
        of_task.any(|((_, then), (_, now))| then != now)
    };
    (0..learner.config().num_hidden_layers).map(of_layer).collect()
}

#[test]
fn schedules_open_the_tasks_adapters_and_leave_those_of_languages_alone() {
    let protocol = protocol(vec![of(Task::Mlm, &["en", "de"], 3), of(Task::Ner, &["en"], 8)]);
    let interval = std::num::NonZeroU64::new(3);
    let unfreezing = || Unfreezing { interval, ..Unfreezing::default() };
    let fun = || Fun { interval, batches: 2, ..Fun::default() };
    for (schedule, first) in [
        (Schedule::All, [true, true]),
        (Schedule::Gu(unfreezing()), [false, true]),
        (Schedule::Random(unfreezing()), [false, true]),
        (Schedule::Lpft(unfreezing()), [false, false]),
        (Schedule::Fun(fun()), [false, true]),
    ] {
        let method = Method { structure: Structure::MadX(MadX::default()), schedule, ..plain() };
        let modules = Modules::new(&method, &protocol, &LanguageDistances::default(), SEED).unwrap();
        let mut learner = with_language_model();
        // Text is learnt by all of a language's adapters from the first step on.
        train_stages(&method, &protocol, &modules, &mut learner, 0..1);
        let text = bits(&learner);
        for code in ["en", "de"] {
            for layer in 0..learner.config().num_hidden_layers {
                let up = format!("encoder.layer.{layer}.output.adapters.language-{code}.adapter_up.bias");
                assert!(learner.parameter(&up).unwrap().iter().any(|value| *value != 0.0), "{up}");
            }
        }
        let stage = &protocol.stages[1];
        let mut toys = Toys(Toy::new(stage), stage.task);
        let mut strategy = Strategy::new(&method, stage, SEED).with_modules(&modules, 1);
        strategy.begin(&mut learner, &mut toys).unwrap();
        let begun = bits(&learner);
        strategy.step(&mut learner, &mut toys, 0).unwrap();
        assert_eq!(moved(&begun, &learner), first, "{:?}", method.schedule);
        for step in 1..stage.steps {
            strategy.step(&mut learner, &mut toys, step).unwrap();
        }
        assert_eq!(moved(&begun, &learner), [true, true], "{:?}", method.schedule);
        let after = bits(&learner);
        for (name, before) in text.iter().filter(|(name, _)| !name.starts_with("classifier")) {
            let now = after.iter().find(|(other, _)| other == name).unwrap();
            assert_eq!(now.1, *before, "{name} has changed");
        }
    }
}

#[test]
fn fun_ranks_the_tasks_adapters_above_the_adapter_of_the_batchs_language() {
    let protocol = protocol(vec![of(Task::Mlm, &["en", "de"], 6), of(Task::Ner, &["en"], 24)]);
    let fun =
        Fun { interval: std::num::NonZeroU64::new(4), batches: 2, variant: UnfreezingVariant::Code, ..Fun::default() };
    let method = Method { structure: Structure::MadX(MadX::default()), schedule: Schedule::Fun(fun), ..plain() };
    let modules = Modules::new(&method, &protocol, &LanguageDistances::default(), SEED).unwrap();
    // Of the tiny encoder's two layers one is closed, and needs no rank.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../encoders/mini");
    let mut learner = Learner::load(&folder, Backend::Cpu).unwrap();
    learner.set_head(None, Head::TokenLabels { labels: Labels::numbered(7) }, SEED).unwrap();
    train_stages(&method, &protocol, &modules, &mut learner, 0..1);
    let stage = &protocol.stages[1];
    let mut toys = Toys(Toy::new(stage), stage.task);
    let mut strategy = Strategy::new(&method, stage, SEED).with_modules(&modules, 1);
    strategy.begin(&mut learner, &mut toys).unwrap();
    for step in 0..3 {
        strategy.step(&mut learner, &mut toys, step).unwrap();
    }
    let mut by_hand = |code: &str| {
        // Batches behind those of the stage's steps, other ones for every event.
        let batches =
            (24 + 3 * 2..24 + 4 * 2).map(|draw| vec![toys.source(0, draw).unwrap().batch]).collect::<Vec<_>>();
        let used = |name: &str| f64::from(u8::from(name == "task-ner" || name == format!("language-{code}")));
        let stack = ["language-de", "language-en", "task-ner"].map(|name| (name.to_owned(), used(name)));
        let set_up = |learner: &mut Learner, _: usize| learner.set_strengths(BTreeMap::from(stack.clone()));
        let closed: Vec<Group> = (0..5).map(Group::Adapter).collect();
        let (labels, seed) = (schedules::Labels::Argmax, (SEED, 3));
        fisher_trace::<model::ModelError>(&mut learner, &closed, labels, batches, seed, set_up).unwrap()
    };
    let (english, german) = (by_hand("en"), by_hand("de"));
    assert_ne!(english, german);
    let report = strategy.step(&mut learner, &mut toys, 3).unwrap();
    let traced = |group: &Group| report.events.iter().find(|(name, _)| *name == format!("fisher.{group}"));
    for (group, value) in &english {
        assert_eq!(traced(group).map(|(_, traced)| *traced), Some(*value), "{group}");
    }
}

#[test]
fn a_resumed_stage_has_its_modules_and_equals_one_that_never_stopped() {
    let folder = tempdir("resumed");
    let mixture = Laft { tau: Some(0.5), stage1: FirstStage::Adapter, ..Laft::new(Sharing::Mixture) };
    let updates = vec![of(Task::Ner, &["en", "de"], 2), of(Task::Ner, &["de", "sw"], 2), of(Task::Ner, &["fr"], 6)];
    let stacks = vec![of(Task::Mlm, &["en", "de"], 2), of(Task::Ner, &["en"], 2), of(Task::Ner, &["de"], 6)];
    for (method, stages) in [
        (update(Laft::new(Sharing::Scaled)), updates.clone()),
        (update(mixture), updates),
        (Method { structure: Structure::MadX(MadX::default()), ..plain() }, stacks),
    ] {
        let protocol = protocol(stages);
        let modules = Modules::new(&method, &protocol, &distances(), SEED).unwrap();
        let mut learner = with_language_model();
        train_stages(&method, &protocol, &modules, &mut learner, 0..2);
        let stage = &protocol.stages[2];
        let mut toys = Toys(Toy::new(stage), stage.task);
        let mut strategy = Strategy::new(&method, stage, SEED).with_modules(&modules, 2);
        strategy.begin(&mut learner, &mut toys).unwrap();
        for step in 0..3 {
            strategy.step(&mut learner, &mut toys, step).unwrap();
        }
        let checkpoint = folder.join("learner.safetensors");
        strategy.save(&learner, &folder).unwrap();
        learner.save_checkpoint(&checkpoint).unwrap();
        let expected: Vec<_> = (3..6).map(|step| strategy.step(&mut learner, &mut toys, step).unwrap()).collect();

        let mut again = with_language_model();
        let mut resumed = Strategy::new(&method, stage, SEED).with_modules(&modules, 2);
        resumed.load(&mut again, &folder).unwrap();
        again.load_checkpoint(&checkpoint).unwrap();
        let reports: Vec<_> = (3..6).map(|step| resumed.step(&mut again, &mut toys, step).unwrap()).collect();
        assert_eq!(reports, expected);
        assert_eq!(bits(&again), bits(&learner));
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn without_its_protocol_mad_x_is_refused() {
    let method = Method { structure: Structure::MadX(MadX::default()), ..plain() };
    let stage = of(Task::Ner, &["en"], 1);
    let error = Strategy::new(&method, &stage, SEED).begin(&mut tiny(), &mut Toy::new(&stage)).unwrap_err();
    assert!(error.to_string().contains("method `toy`: `mad-x` needs the other stages"), "{error}");
}
