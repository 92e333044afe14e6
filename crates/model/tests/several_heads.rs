//! Models with heads of several tasks, and what a saved folder says about itself.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use common::{Expected, bits, reference, tiny};
use model::{
    AdapterConfig, AdapterStack, HeadMask, LanguageUse, Learner, LoraConfig, ModelError, OptimizerConfig, Precision,
    StackResidual,
};
use spec::{Backend, Batch, Head, Labels, Language, Targets, Task};

const FOLDER: &str = "bert-tokens";

fn tags(count: usize) -> Head {
    Head::TokenLabels { labels: Labels::numbered(count) }
}

fn classes() -> Head {
    Head::RowLabels { labels: Labels::new(["entailment", "neutral", "contradiction"]).unwrap() }
}

/// Heads of `ner` and `nli`, the second of which is the main one.
fn two_headed(backend: Backend) -> Learner {
    let mut learner = tiny(FOLDER, backend);
    learner.remove_head(None).unwrap();
    learner.set_head(Some(Task::Ner), tags(7), 1).unwrap();
    learner.set_head(Some(Task::Nli), classes(), 2).unwrap();
    learner
}

fn tagged() -> Batch {
    Batch { task: Some(Task::Ner), ..Expected::read(FOLDER).batch("batch") }
}

fn classified() -> Batch {
    let batch = Expected::read(FOLDER).batch("batch");
    let targets = Targets::Classes((0..batch.len()).map(|row| row as i32 % 3).collect());
    Batch { task: Some(Task::Nli), targets, ..batch }
}

fn changed(before: &[(String, Vec<u32>)], learner: &Learner) -> BTreeSet<String> {
    let pairs = before.iter().zip(bits(learner));
    pairs.filter(|(old, new)| **old != *new).map(|(old, _)| old.0.clone()).collect()
}

fn step(learner: &mut Learner, batch: &Batch, seed: u64) -> f64 {
    let (loss, gradients) = learner.loss_and_gradients(batch, seed).unwrap();
    learner.step(gradients, 1e-2).unwrap();
    loss
}

#[test]
fn each_batch_goes_to_the_head_of_its_task_and_only_open_heads_move() {
    for backend in [Backend::Cpu, Backend::Ndarray] {
        let mut learner = two_headed(backend);
        learner.begin_stage(OptimizerConfig { weight_decay: 0.1, ..OptimizerConfig::default() });
        assert_eq!(learner.main_task(), Some(Task::Nli));
        assert_eq!(learner.tasks(), [Task::Ner, Task::Nli]);
        let of =
            |names: &BTreeSet<String>, task: &str| names.iter().any(|name| name.starts_with(&format!("heads.{task}.")));
        // The head that was set last trains alone; the other serves its batches all the same.
        for (trained, expected) in [
            (None, [false, true]),
            (Some(&[Some(Task::Ner)][..]), [true, false]),
            (Some(&[Some(Task::Ner), Some(Task::Nli)]), [true, true]),
            (Some(&[]), [false, false]),
        ] {
            if let Some(trained) = trained {
                learner.train_heads(trained).unwrap();
            }
            let before = bits(&learner);
            let both = [tagged(), classified()].map(|batch| learner.loss_and_gradients(&batch, 0).unwrap().1);
            let sum = learner.combine(both.to_vec(), &[1.0, 1.0]).unwrap();
            learner.step(sum, 1e-2).unwrap();
            let moved = changed(&before, &learner);
            assert_eq!([of(&moved, "ner"), of(&moved, "nli")], expected, "{backend} {trained:?}");
            assert!(moved.iter().any(|name| name.starts_with("encoder")));
        }
    }
}

#[test]
fn a_task_is_served_by_its_own_head_or_by_that_of_no_known_task() {
    let mut learner = tiny(FOLDER, Backend::Cpu);
    let serves = |learner: &Learner, task: Task| learner.head(Some(task)).cloned();
    assert_eq!([serves(&learner, Task::Ner), serves(&learner, Task::Pos)], [Some(tags(7)), Some(tags(7))]);
    assert!(serves(&learner, Task::Nli).is_none() && !learner.has_head(Some(Task::Ner)) && learner.has_head(None));
    let plain = learner.logits(&Batch { task: None, ..tagged() }).unwrap();
    assert!(learner.logits(&tagged()).unwrap() == plain);
    let error = learner.logits(&classified()).unwrap_err().to_string();
    assert!(error.contains("no head for the task nli"), "{error}");
    assert!(matches!(learner.use_head(Some(Task::Nli)), Err(ModelError::State { .. })));
    assert!(matches!(learner.train_heads(&[Some(Task::Nli)]), Err(ModelError::State { .. })));

    learner.set_head(Some(Task::Pos), tags(3), 1).unwrap();
    assert_eq!([serves(&learner, Task::Ner), serves(&learner, Task::Pos)], [Some(tags(7)), Some(tags(3))]);
    assert_eq!(learner.head(None), Some(&tags(3)));
    assert!(learner.logits(&tagged()).unwrap() == plain);
    learner.use_head(Some(Task::Ner)).unwrap();
    assert_eq!((learner.head(None), learner.main_task()), (Some(&tags(7)), None));
    learner.remove_head(None).unwrap();
    assert_eq!((learner.head(None), serves(&learner, Task::Ner)), (Some(&tags(3)), None));
    learner.remove_head(Some(Task::Pos)).unwrap();
    learner.remove_head(Some(Task::Pos)).unwrap();
    assert!(learner.head(None).is_none() && learner.main_task().is_none() && learner.tasks().is_empty());
}

#[test]
fn a_task_s_head_is_the_head_that_a_model_of_one_has() {
    for head in [tags(7), classes(), Head::Span] {
        let fresh = |task: Option<Task>| {
            let mut learner = tiny(FOLDER, Backend::Cpu);
            learner.remove_head(None).unwrap();
            learner.set_head(task, head.clone(), 9).unwrap();
            bits(&learner)
        };
        let bare = |(name, values): (String, Vec<u32>)| (name.trim_start_matches("heads.qa.").to_owned(), values);
        assert!(fresh(Some(Task::Qa)).into_iter().map(bare).collect::<Vec<_>>() == fresh(None));
    }
}

#[test]
fn a_checkpoint_holds_all_heads_and_which_of_them_train() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let mut straight = two_headed(Backend::Cpu);
    straight.set_dropout(None);
    straight.begin_stage(OptimizerConfig { weight_decay: 0.01, ..OptimizerConfig::default() });
    straight.train_heads(&[Some(Task::Ner)]).unwrap();
    straight.use_head(Some(Task::Ner)).unwrap();
    step(&mut straight, &tagged(), 0);
    straight.train_heads(&[Some(Task::Ner), Some(Task::Nli)]).unwrap();
    step(&mut straight, &classified(), 1);
    straight.save_checkpoint(&path).unwrap();

    // With other heads, one of them of the same task, or with none.
    let mut other = two_headed(Backend::Cpu);
    other.set_head(Some(Task::Ner), tags(2), 5).unwrap();
    for mut resumed in [tiny(FOLDER, Backend::Cpu), two_headed(Backend::Cpu), other] {
        resumed.set_dropout(None);
        resumed.load_checkpoint(&path).unwrap();
        assert!(bits(&straight) == bits(&resumed));
        assert_eq!(resumed.main_task(), Some(Task::Ner));
        assert_eq!(resumed.tasks(), straight.tasks());
        let point = straight.save_point();
        for (seed, batch) in [(2, tagged()), (3, classified())] {
            assert_eq!(step(&mut straight, &batch, seed).to_bits(), step(&mut resumed, &batch, seed).to_bits());
        }
        assert!(bits(&straight) == bits(&resumed));
        straight.restore(&point);
    }
}

#[test]
fn a_saved_folder_gives_everything_back() {
    let mut learner = two_headed(Backend::Cpu);
    learner.add_adapter("language-de", AdapterConfig::pfeiffer(2.0).with_invertible(2.0), 3).unwrap();
    learner.add_adapter("task-ner", AdapterConfig::houlsby(4.0), 4).unwrap();
    learner.add_lora(LoraConfig::default(), 5).unwrap();
    learner
        .activate(AdapterStack {
            adapters: vec!["language-de".to_owned(), "task-ner".to_owned()],
            trained: ["task-ner".to_owned()].into(),
            residual: StackResidual::Shared,
            strengths: [("language-de".to_owned(), 0.3)].into(),
        })
        .unwrap();
    let layers = learner.config().num_hidden_layers;
    let mask = HeadMask::new(layers, 4, (0..layers * 4).map(|head| head as f32 * 0.1).collect()).unwrap();
    learner.set_head_mask(Some(mask.clone())).unwrap();
    step(&mut learner, &classified(), 0);
    learner.set_head(None, Head::Choices, 8).unwrap();
    learner.use_head(Some(Task::Nli)).unwrap();

    let folder = tempfile::tempdir().unwrap();
    learner.save_folder(folder.path(), Precision::F32).unwrap();
    let mut again = Learner::load(folder.path(), Backend::Cpu).unwrap();
    again.set_dropout(Some(0.0));
    assert!(bits(&again) == bits(&learner));
    assert_eq!(again.head(Some(Task::Ner)), Some(&tags(7)));
    assert_eq!((again.head(None), again.main_task()), (Some(&classes()), Some(Task::Nli)));
    assert!(again.has_head(None) && again.notes().is_empty(), "{:?}", again.notes());
    for batch in [tagged(), classified()] {
        assert!(again.logits(&batch).unwrap() == learner.logits(&batch).unwrap());
    }
    // As it came nothing has changed since the folder: a checkpoint holds what is open and no more.
    let checkpoint = folder.path().join("checkpoint.safetensors");
    again.save_checkpoint(&checkpoint).unwrap();
    let mut third = Learner::load(folder.path(), Backend::Cpu).unwrap();
    third.load_checkpoint(&checkpoint).unwrap();
    assert!(bits(&third) == bits(&again));

    // Saved by another, less remains: the description is of what is there.
    again.remove_head(Some(Task::Ner)).unwrap();
    again.remove_head(None).unwrap();
    again.set_head_mask(None).unwrap();
    let smaller = tempfile::tempdir().unwrap();
    again.save_folder(smaller.path(), Precision::F32).unwrap();
    let last = Learner::load(smaller.path(), Backend::Cpu).unwrap();
    assert_eq!((last.tasks(), last.main_task()), (vec![Task::Nli], Some(Task::Nli)));
    assert!(bits(&last) == bits(&again));
}

#[test]
fn a_model_of_which_languages_use_different_parts_asks_for_one() {
    let mut learner = tiny(FOLDER, Backend::Cpu);
    for (name, seed) in [("language-de", 1), ("language-sw", 2)] {
        learner.add_adapter(name, AdapterConfig::pfeiffer(2.0), seed).unwrap();
    }
    let adapters = vec!["language-de".to_owned(), "language-sw".to_owned()];
    learner.activate(AdapterStack { adapters, ..AdapterStack::default() }).unwrap();
    let [german, swahili, french] = ["de", "sw", "fr"].map(|code| Language::parse(code).unwrap());
    let strengths = |de: f64, sw: f64| BTreeMap::from([("language-de".to_owned(), de), ("language-sw".to_owned(), sw)]);
    let layers = learner.config().num_hidden_layers;
    let mask = HeadMask::new(layers, 4, vec![0.5; layers * 4]).unwrap();
    let uses = vec![
        LanguageUse { language: german, task: None, strengths: strengths(1.0, 0.0), head_mask: None },
        LanguageUse { language: swahili, task: None, strengths: strengths(0.0, 1.0), head_mask: Some(mask) },
        LanguageUse { language: swahili, task: Some(Task::Pos), strengths: strengths(1.0, 1.0), head_mask: None },
    ];
    learner.set_language_uses(uses.clone()).unwrap();
    assert!(learner.needs_language().is_empty(), "who has set a model up needs no reminder");
    let batch = Expected::read(FOLDER).batch("batch");
    let all: Vec<_> = [(german, None), (swahili, None), (swahili, Some(Task::Pos))]
        .into_iter()
        .map(|(language, task)| {
            learner.use_language(language, task).unwrap();
            learner.logits(&batch).unwrap()
        })
        .collect();
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);

    let folder = tempfile::tempdir().unwrap();
    learner.save_folder(folder.path(), Precision::F32).unwrap();
    let mut again = Learner::load(folder.path(), Backend::Cpu).unwrap();
    again.set_dropout(Some(0.0));
    assert_eq!(again.language_uses(), uses);
    assert_eq!(again.needs_language(), [german, swahili].into());
    let error = again.use_language(french, None).unwrap_err().to_string();
    assert!(error.contains("nothing of the language `fr`; it has de, sw"), "{error}");
    again.use_language(german, Some(Task::Ner)).unwrap();
    assert!(again.needs_language().is_empty() && again.logits(&batch).unwrap() == all[0]);
    again.use_language(swahili, Some(Task::Pos)).unwrap();
    assert!(again.logits(&batch).unwrap() == all[2]);

    let stranger = LanguageUse { language: french, task: None, strengths: strengths(1.0, f64::NAN), head_mask: None };
    assert!(learner.set_language_uses(vec![stranger]).is_err());
    assert!(learner.set_language_uses(vec![uses[0].clone(), uses[0].clone()]).is_err());
    assert_eq!(learner.language_uses(), uses);
    let mut plain = tiny(FOLDER, Backend::Cpu);
    plain.use_language(french, None).unwrap();
    assert!(plain.needs_language().is_empty() && plain.language_uses().is_empty());
}

#[test]
fn descriptions_that_do_not_fit_are_refused() {
    let from = reference(FOLDER);
    for (description, word) in [
        (r#"{"task": "poetry"}"#, "lethe: unknown variant `poetry`"),
        (r#"{"heads": {"poetry": {"objective": "span"}}}"#, "lethe.heads: unknown task `poetry`"),
        (r#"{"heads": {"qa": {"objective": "span"}}}"#, "`heads.qa.qa_outputs.weight` [2, 16]"),
        (r#"{"heads": {"nli": {"objective": "row-labels", "labels": []}}}"#, "at least one label"),
        (r#"{"heads": {"unknown": {"objective": "choices"}}}"#, "config.json: lethe.heads: `unknown` stands twice"),
        (r#"{"adapters": ["../../x"]}"#, "no name for an adapter"),
        (r#"{"adapters": ["x"]}"#, "adapter_config.json"),
        (r#"{"stack": {"adapters": ["x"], "trained": [], "residual": "chained"}}"#, "no adapter `x`"),
        (r#"{"lora": true}"#, "adapter_config.json"),
        (r#"{"head-mask": {"layers": 1, "heads": 1, "values": [1.0]}}"#, "a head mask of 1 layers"),
        (r#"{"head-mask": {"layers": 3, "heads": 4, "values": [1.0]}}"#, "a head mask of 3 layers"),
        (r#"{"surprise": 1}"#, "unknown field `surprise`"),
    ] {
        let to = tempfile::tempdir().unwrap();
        std::fs::copy(from.join("model.safetensors"), to.path().join("model.safetensors")).unwrap();
        let text = std::fs::read_to_string(from.join("config.json")).unwrap();
        let text = text.replacen('{', &format!("{{\"lethe\": {description},"), 1);
        std::fs::write(to.path().join("config.json"), text).unwrap();
        let error = Learner::load(to.path(), Backend::Cpu).err().expect(word).to_string();
        assert!(error.contains(word), "{word}: {error}");
    }
}

#[test]
fn transformers_reads_a_folder_with_several_heads() {
    let Some(python) = std::env::var_os("LETHE_PYTHON") else {
        eprintln!("skipped: LETHE_PYTHON is not set to a Python that has torch and transformers");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut learner = two_headed(Backend::Cpu);
    learner.add_adapter("task", AdapterConfig::pfeiffer(2.0), 3).unwrap();
    learner.save_folder(folder.path(), Precision::F32).unwrap();
    let script = "import sys, transformers as t
model, report = t.AutoModelForSequenceClassification.from_pretrained(sys.argv[1], output_loading_info=True)
assert not report['missing_keys'] and not report['mismatched_keys'], report
assert set(report['unexpected_keys']) == {'heads.ner.classifier.weight', 'heads.ner.classifier.bias'}, report
assert model.config.id2label[1] == 'neutral', model.config.id2label
assert type(model).__name__ == 'BertForSequenceClassification'";
    let output = Command::new(&python).arg("-c").arg(script).arg(Path::new(folder.path())).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
