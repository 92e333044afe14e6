//! Stages on a model with heads of several tasks: which of them train, and what a memory of an earlier task asks of its own.

mod strategy_support;

use model::{Group, Learner};
use spec::{GradientRule, LanguageDistances, MadX, Method, Multitask, Name, Protocol, Stage, Structure, Task};
use strategies::{Modules, Strategy};
use strategy_support::*;

/// The parameters of a task's head, as bits.
fn head(learner: &Learner, task: &str) -> Vec<(String, Vec<u32>)> {
    let prefix = format!("heads.{task}.");
    bits(learner).into_iter().filter(|(name, _)| name.starts_with(&prefix)).collect()
}

fn run(method: &Method, stage: &Stage, learner: &mut Learner) {
    let mut data = Tasked::new(stage);
    let mut strategy = Strategy::new(method, stage, SEED);
    strategy.begin(learner, &mut data).unwrap();
    for step in 0..stage.steps {
        strategy.step(learner, &mut data, step).unwrap();
    }
}

#[test]
fn a_stage_trains_its_own_head_and_those_of_the_memories_that_are_asked_for() {
    let stage = Stage { task: Task::Pos, ..stage(3, 1e-3, vec![memory("past", Task::Ner)]) };
    for (method, remembers) in [(plain(), false), (with_rule(GradientRule::Multitask(Multitask::default())), true)] {
        let mut learner = two_headed();
        learner.use_head(Some(Task::Ner)).unwrap();
        let before = ["ner", "pos"].map(|task| head(&learner, task));
        run(&method, &stage, &mut learner);
        let changed = ["ner", "pos"].map(|task| head(&learner, task)).map(|after| !before.contains(&after));
        assert_eq!(changed, [remembers, true]);
        assert_eq!(learner.main_task(), Some(Task::Pos), "what was trained last is the main head");
    }
    // In a stage of text too.
    let text = Stage { task: Task::Mlm, ..stage };
    let mut learner = two_headed();
    let before = ["ner", "pos"].map(|task| head(&learner, task));
    run(&with_rule(GradientRule::Multitask(Multitask::default())), &text, &mut learner);
    assert_ne!(head(&learner, "ner"), before[0]);
    assert_eq!(head(&learner, "pos"), before[1]);
}

#[test]
fn gem_holds_what_the_earlier_task_has_learnt_in_its_own_head() {
    let first = stage(60, 1e-3, Vec::new());
    let second = |memories| Stage { task: Task::Pos, ..stage(60, 1e-3, memories) };
    let loss = |learner: &mut Learner| {
        let mut batch = Toy::labelled(5, 1_000_000, 5);
        batch.task = Some(Task::Ner);
        learner.without_dropout(|learner| learner.loss_and_gradients(&batch, 0)).unwrap().0
    };
    let mut learner = two_headed();
    let mut data = Tasked(Toy { shifts: vec![5, 5], memories: Vec::new(), first: 0, cycle: u64::MAX }, Task::Ner);
    let method = plain();
    let mut strategy = Strategy::new(&method, &first, SEED);
    strategy.begin(&mut learner, &mut data).unwrap();
    for step in 0..first.steps {
        strategy.step(&mut learner, &mut data, step).unwrap();
    }
    let start = learner.save_point();
    let learnt = loss(&mut learner);
    run(&plain(), &second(Vec::new()), &mut learner);
    let forgotten = loss(&mut learner);
    learner.restore(&start);
    let gem = with_rule(GradientRule::Gem(spec::Gem::default()));
    run(&gem, &second(vec![memory("past", Task::Ner)]), &mut learner);
    let held = loss(&mut learner);
    assert!(held < forgotten, "{learnt} after learning, {forgotten} after forgetting, {held} with GEM");
}

#[test]
fn a_resumed_stage_with_two_heads_equals_one_that_never_stopped() {
    let files = std::env::temp_dir().join(format!("lethe-heads-{}", std::process::id()));
    std::fs::create_dir_all(&files).unwrap();
    let stage = Stage { task: Task::Pos, ..stage(6, 1e-3, vec![memory("past", Task::Ner)]) };
    let method = with_rule(GradientRule::Multitask(Multitask::default()));
    let (mut learner, mut data) = (two_headed(), Tasked::new(&stage));
    let mut strategy = Strategy::new(&method, &stage, SEED);
    strategy.begin(&mut learner, &mut data).unwrap();
    for step in 0..3 {
        strategy.step(&mut learner, &mut data, step).unwrap();
    }
    let checkpoint = files.join("learner.safetensors");
    strategy.save(&learner, &files).unwrap();
    learner.save_checkpoint(&checkpoint).unwrap();
    let expected: Vec<_> = (3..6).map(|step| strategy.step(&mut learner, &mut data, step).unwrap()).collect();

    let mut again = two_headed();
    let mut resumed = Strategy::new(&method, &stage, SEED);
    resumed.load(&mut again, &files).unwrap();
    again.load_checkpoint(&checkpoint).unwrap();
    let reports: Vec<_> = (3..6).map(|step| resumed.step(&mut again, &mut data, step).unwrap()).collect();
    assert_eq!(reports, expected);
    assert_eq!(bits(&again), bits(&learner));
    std::fs::remove_dir_all(files).unwrap();
}

#[test]
fn a_memory_without_its_head_is_refused() {
    let stage = Stage { task: Task::Ner, ..stage(1, 1e-3, vec![memory("past", Task::Nli)]) };
    let method = with_rule(GradientRule::Gem(spec::Gem::default()));
    let error = Strategy::new(&method, &stage, SEED).begin(&mut two_headed(), &mut Tasked::new(&stage)).unwrap_err();
    assert!(error.to_string().contains("memory `past` is of task nli, and the model has no head"), "{error}");
}

#[test]
fn mad_x_measures_each_task_with_its_own_adapter() {
    let of = |task, steps| Stage { task, ..stage(steps, 1e-2, Vec::new()) };
    let protocol = Protocol {
        name: Name::new("p").unwrap(),
        before: Vec::new(),
        stages: vec![of(Task::Mlm, 2), of(Task::Ner, 3), of(Task::Pos, 3)],
    };
    let method = Method { structure: Structure::MadX(MadX::default()), ..plain() };
    let modules = Modules::new(&method, &protocol, &LanguageDistances::default(), SEED).unwrap();
    let mut learner = two_headed();
    let logits = |learner: &mut Learner, stages: usize, task: Task| {
        modules.use_in(learner, stages, language("de"), task).unwrap();
        let batch = spec::Batch { task: Some(task), ..Toy::labelled(9, 1, 0) };
        learner.hidden_states(&batch).unwrap()
    };
    let mut early = Vec::new();
    for (index, stage) in protocol.stages.iter().enumerate() {
        let mut data = Tasked::new(stage);
        let mut strategy = Strategy::new(&method, stage, SEED).with_modules(&modules, index);
        strategy.begin(&mut learner, &mut data).unwrap();
        for step in 0..stage.steps {
            strategy.step(&mut learner, &mut data, step).unwrap();
        }
        early.push(logits(&mut learner, index + 1, Task::Ner));
    }
    // The task's adapter is trained in its own stage only; in force it is whenever the task is measured.
    assert_ne!(early[0], early[1]);
    assert_eq!(early[1], early[2]);
    assert_ne!(logits(&mut learner, 3, Task::Pos), early[2]);
    // A saved model says what each language uses for each task.
    let files = std::env::temp_dir().join(format!("lethe-mad-x-{}", std::process::id()));
    let languages = ["en", "de"].map(language);
    learner.set_language_uses(modules.uses(3, &languages, &[Task::Ner, Task::Pos])).unwrap();
    learner.save_folder(&files, model::Precision::F32).unwrap();
    let mut saved = Learner::load(&files, spec::Backend::Cpu).unwrap();
    std::fs::remove_dir_all(files).unwrap();
    assert_eq!(saved.needs_language(), languages.into());
    for (language, task) in languages.into_iter().flat_map(|l| [Task::Ner, Task::Pos, Task::Retrieval].map(|t| (l, t)))
    {
        modules.use_in(&mut learner, 3, language, task).unwrap();
        saved.use_language(language, Some(task)).unwrap();
        let batch = spec::Batch { task: Some(task), ..Toy::labelled(9, 1, 0) };
        assert_eq!(learner.hidden_states(&batch).unwrap(), saved.hidden_states(&batch).unwrap(), "{language} {task}");
    }
    // A task without an adapter sees the last stage's.
    assert_eq!(logits(&mut learner, 3, Task::Retrieval), logits(&mut learner, 3, Task::Pos));
    assert!(learner.groups().contains(&Group::Head));
}
