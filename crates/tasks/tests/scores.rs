//! Predictions without a model: what is right scores 1, what is malformed is named.

mod common;

use common::{examples, labels, language, list, text};
use data::{Answer, Examples, Value};
use serde_json::{Value as Json, json};
use spec::{Labels, Task};
use tasks::{Scored, TaskError, score};

/// Two examples of a task, and their right predictions.
fn gold(task: Task) -> (Examples, Vec<Json>) {
    let usual = task.usual_labels();
    match task {
        Task::Ner => {
            let rows = vec![
                vec![list(&["Ada", "ran"]), Value::Labels(vec![1, 0])],
                vec![list(&["New", "York"]), Value::Labels(vec![5, 6])],
            ];
            (examples(task, &usual, rows), vec![json!(["B-PER", "O"]), json!(["B-LOC", "I-LOC"])])
        }
        Task::Nli => {
            let row = |label| vec![text("a"), text("b"), Value::Label(label)];
            (examples(task, &usual, vec![row(0), row(2)]), vec![json!("entailment"), json!("contradiction")])
        }
        Task::Qa => {
            let row = |answers: &[&str]| {
                let answers = answers.iter().map(|&text| Answer { text: text.to_owned(), start: 0 });
                vec![text("?"), text("context"), Value::Answers(answers.collect())]
            };
            let rows = vec![row(&["in Oslo", "Oslo"]), row(&["Fjord"])];
            (examples(task, &usual, rows), vec![json!("Oslo"), json!("Fjord")])
        }
        Task::Pos => {
            let rows = vec![
                vec![list(&["Ada", "ran"]), Value::Labels(vec![11, 15])],
                vec![list(&["!"]), Value::Labels(vec![12])],
            ];
            (examples(task, &usual, rows), vec![json!(["PROPN", "VERB"]), json!(["PUNCT"])])
        }
        Task::Parse => {
            let rows = vec![
                vec![list(&["Ada", "ran"]), Value::Numbers(vec![2, 0]), Value::Labels(vec![26, 34])],
                vec![list(&["Go"]), Value::Numbers(vec![0]), Value::Labels(vec![34])],
            ];
            let right = vec![
                json!({"heads": [2, 0], "relations": ["nsubj", "root"]}),
                json!({"heads": [0], "relations": ["root"]}),
            ];
            (examples(task, &usual, rows), right)
        }
        Task::Choice => {
            let row = |right| vec![text("p"), text("cause"), list(&["a", "b", "c"]), Value::Number(right)];
            (examples(task, &usual, vec![row(2), row(0)]), vec![json!(2), json!(0)])
        }
        Task::Paraphrase => {
            let row = |label| vec![text("a"), text("b"), Value::Label(label)];
            let names = labels(&["different", "paraphrase"]);
            (examples(task, &names, vec![row(1), row(0)]), vec![json!("paraphrase"), json!("different")])
        }
        Task::Retrieval => (examples(task, &usual, vec![vec![text("a"), text("b")]; 2]), vec![json!("a"), json!("b")]),
        Task::Mlm => (examples(task, &usual, vec![vec![text("a")]; 2]), vec![json!("a"), json!("b")]),
    }
}

fn predicted() -> impl Iterator<Item = Task> {
    Task::ALL.iter().copied().filter(|task| !matches!(task, Task::Retrieval | Task::Mlm))
}

/// Every metric with its value.
fn values(scored: &Scored) -> Vec<(String, f64)> {
    let ratios = scored.contributions.iter().map(|(metric, found)| (metric.clone(), evaluation::ratio(found)));
    ratios.chain(scored.whole.iter().map(|whole| (whole.metric.clone(), whole.value))).collect()
}

#[test]
fn right_predictions_score_one_in_every_metric_of_the_task() {
    for task in predicted() {
        let (gold, right) = gold(task);
        let scored = score(&gold, &right, language("en")).unwrap();
        let found = values(&scored);
        assert!(found.iter().all(|(_, value)| *value == 1.0), "{task}: {found:?}");
        for metric in task.description().metrics {
            assert!(found.iter().any(|(name, _)| name == metric.name), "{task} has no {}: {found:?}", metric.name);
        }
        assert!(scored.contributions.values().all(|found| found.len() == gold.len()), "{task}");
    }
}

#[test]
fn wrong_predictions_score_less() {
    for task in predicted() {
        let (gold, mut predictions) = gold(task);
        let other = match task {
            Task::Ner => json!(["O", "O"]),
            Task::Pos => json!(["VERB", "VERB"]),
            Task::Nli => json!("neutral"),
            Task::Qa => json!("Bergen"),
            Task::Parse => json!({"heads": [0, 1], "relations": ["root", "obj"]}),
            Task::Choice => json!(1),
            _ => json!("different"),
        };
        predictions[0] = other;
        let found = values(&score(&gold, &predictions, language("en")).unwrap());
        let main = found.iter().find(|(name, _)| name == task.main_metric()).unwrap().1;
        assert!((0.0..1.0).contains(&main), "{task}: {found:?}");
    }
}

#[test]
fn malformed_predictions_are_named_by_their_example() {
    let cases: &[(Task, Json, &str)] = &[
        (Task::Ner, json!("O O"), "not a list of tags"),
        (Task::Ner, json!([1, 0]), "not a list of tags"),
        (Task::Ner, json!(["O"]), "1 tags for 2 words"),
        (Task::Ner, json!(["O", "NOUN"]), "the tag `NOUN` at word 2"),
        (Task::Ner, json!(["O", "I-"]), "the tag `I-` at word 2"),
        (Task::Pos, json!(null), "not a list of tags"),
        (Task::Pos, json!(["X", "X"]), "2 tags for 1 words"),
        (Task::Nli, json!(0), "not the name of a class"),
        (Task::Nli, json!("yes"), "`yes` is not one of entailment, neutral, contradiction"),
        (Task::Qa, json!(["Oslo"]), "not a text"),
        (Task::Parse, json!([0]), "`heads` and `relations`"),
        (Task::Parse, json!({"heads": [0]}), "`heads` and `relations`"),
        (Task::Parse, json!({"heads": [-1], "relations": ["root"]}), "`heads` and `relations`"),
        (Task::Parse, json!({"heads": [0, 1], "relations": ["root"]}), "2 heads and 1 relations for 1 words"),
        (Task::Parse, json!({"heads": [0, 1], "relations": ["root", "obj"]}), "2 heads and 2 relations for 1 words"),
        (Task::Parse, json!({"heads": [2], "relations": ["root"]}), "the head of word 1 is 2"),
        (Task::Parse, json!({"heads": [1], "relations": ["root"]}), "cycle"),
        (Task::Choice, json!(3), "is 3, not the place of one of 3 choices"),
        (Task::Choice, json!(-1), "is -1, not the place"),
        (Task::Choice, json!("b"), "is \"b\", not the place"),
        (Task::Choice, json!(1.5), "is 1.5, not the place"),
        (Task::Paraphrase, json!(1), "not the name of a class"),
    ];
    for (task, bad, says) in cases {
        let (gold, mut predictions) = gold(*task);
        predictions[1] = bad.clone();
        let error = score(&gold, &predictions, language("en")).unwrap_err();
        assert!(matches!(error, TaskError::Prediction { .. }), "{task} {bad}: {error:?}");
        let message = error.to_string();
        assert!(
            message.starts_with("the prediction for example `1` ") && message.contains(says),
            "{task} {bad}: {message}"
        );
        assert!(!message.contains('\n'), "{message}");
    }
    for task in predicted() {
        assert!(cases.iter().any(|(of, ..)| *of == task), "{task}");
    }
}

/// The official script does not score such a file either.
#[test]
fn a_tree_with_two_roots_is_refused_by_name() {
    let (gold, mut predictions) = gold(Task::Parse);
    predictions[0] = json!({"heads": [0, 0], "relations": ["root", "root"]});
    let message = score(&gold, &predictions, language("en")).unwrap_err().to_string();
    assert_eq!(
        message,
        "the prediction for example `0` is no tree: words 1 and 2 both depend on the root: a tree has one such word"
    );
}

#[test]
fn predictions_are_as_many_as_the_examples() {
    for &task in Task::ALL {
        let (gold, mut predictions) = gold(task);
        predictions.pop();
        let message = score(&gold, &predictions, language("en")).unwrap_err().to_string();
        assert!(message.contains("2 gold examples but 1 predictions"), "{task}: {message}");
        let none = examples(task, &Labels::default(), Vec::new());
        assert!(score(&none, &[], language("en")).unwrap_err().to_string().contains("no examples"));
    }
}

#[test]
fn tasks_without_predictions_say_what_to_do() {
    for (task, advice) in [(Task::Retrieval, "harness embed"), (Task::Mlm, "`mlm` probe")] {
        let (gold, predictions) = gold(task);
        let message = score(&gold, &predictions, language("en")).unwrap_err().to_string();
        assert!(message.contains("has no predictions") && message.contains(advice), "{message}");
    }
}

/// Data with other types than WikiANN's have each type's score beside the whole.
#[test]
fn entities_of_other_types_are_scored_by_type() {
    let names = labels(&["O", "B-DATE", "I-DATE", "B-PROD", "I-PROD"]);
    let row = |tags: &[usize]| vec![list(&["a", "b"]), Value::Labels(tags.to_vec())];
    let gold = examples(Task::Ner, &names, vec![row(&[1, 2]), row(&[3, 0])]);
    let predictions = [json!(["B-DATE", "I-DATE"]), json!(["O", "B-PROD"])];
    let found = values(&score(&gold, &predictions, language("en")).unwrap());
    let of = |metric: &str| found.iter().find(|(name, _)| name == metric).unwrap().1;
    assert_eq!((of("ner.f1.strict.DATE"), of("ner.f1.strict.PROD"), of("ner.f1.strict")), (1.0, 0.0, 0.5));
    let (usual, right) = self::gold(Task::Ner);
    let found = values(&score(&usual, &right, language("en")).unwrap());
    assert!(found.iter().all(|(name, _)| !name.ends_with("PER")), "{found:?}");
}
