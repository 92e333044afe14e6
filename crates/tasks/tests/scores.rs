//! Predictions without a model: what is right scores 1, what is malformed is named.

mod common;

use common::{examples, labels, language, list, text};
use data::{Answer, Examples, Value};
use serde_json::{Value as Json, json};
use spec::{Column, Kind, Labels, Objective, Task};
use tasks::{Scored, TaskError, score};

/// Two examples of a task, their right predictions, and a wrong one for the first. A new task needs no line here: they
/// follow from its objective and from what its columns hold.
struct Small {
    gold: Examples,
    right: Vec<Json>,
    wrong: Json,
}

/// Label names that are tags of entities and classes alike, where the data bring their own.
const OWN: [&str; 3] = ["O", "B-X", "I-X"];

fn small(task: Task) -> Small {
    let usual = task.usual_labels();
    let labels = if usual.is_empty() && task.has_labels() { labels(&OWN) } else { usual };
    let name = |label: usize| labels.name(label).unwrap();
    // Of the first example and the second: words, their labels, a class.
    let words = [list(&["New", "York"]), list(&["Oslo", "ran"])];
    let (tags, classes, roots) = ([[1, 2], [1, 0]], [1, 0], [[2, 0], [0, 1]]);
    let field = |row: usize, column: &Column| match (column.kind, task.objective()) {
        (Kind::Text, _) => text("a"),
        (Kind::Texts, Objective::Choices) => list(&["a", "b", "c"]),
        (Kind::Texts, _) => words[row].clone(),
        (Kind::Label, _) => Value::Label(classes[row]),
        (Kind::Labels, _) => Value::Labels(tags[row].to_vec()),
        (Kind::Number, _) => Value::Number(classes[row] as i64),
        (Kind::Numbers, _) => Value::Numbers(roots[row].to_vec()),
        (Kind::Answers, _) => {
            let answers = [["in Oslo", "Oslo"], ["Fjord", "Fjord"]][row].iter();
            Value::Answers(answers.map(|&text| Answer { text: text.to_owned(), start: 0 }).collect())
        }
    };
    let fields = |row: usize| task.description().columns.iter().map(|column| field(row, column)).collect();
    let gold = examples(task, &labels, vec![fields(0), fields(1)]);
    let named = |tags: [usize; 2]| tags.map(name);
    let tree = |row: usize, relations: [usize; 2]| json!({"heads": roots[row], "relations": named(relations)});
    let (right, wrong) = match task.objective() {
        Objective::TokenLabels => (tags.map(|tags| json!(named(tags))), json!(named([0, 0]))),
        Objective::RowLabels => (classes.map(|class| json!(name(class))), json!(name(2 % labels.len()))),
        Objective::Span => ([json!("Oslo"), json!("Fjord")], json!("Bergen")),
        Objective::Choices => (classes.map(|choice| json!(choice)), json!(2)),
        Objective::Arcs => ([tree(0, tags[0]), tree(1, tags[1])], tree(1, [0, 0])),
        Objective::MaskedTokens | Objective::Ranking => ([json!("a"), json!("b")], json!("c")),
    };
    Small { gold, right: right.into(), wrong }
}

fn predicted() -> impl Iterator<Item = Task> {
    Task::ALL.iter().copied().filter(|task| task.has_head())
}

/// Every metric with its value.
fn values(scored: &Scored) -> Vec<(String, f64)> {
    let ratios = scored.contributions.iter().map(|(metric, found)| (metric.clone(), evaluation::ratio(found)));
    ratios.chain(scored.whole.iter().map(|whole| (whole.metric.clone(), whole.value))).collect()
}

#[test]
fn right_predictions_score_one_in_every_metric_of_the_task() {
    for task in predicted() {
        let Small { gold, right, .. } = small(task);
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
        let Small { gold, right: mut predictions, wrong } = small(task);
        predictions[0] = wrong;
        let found = values(&score(&gold, &predictions, language("en")).unwrap());
        let main = found.iter().find(|(name, _)| name == task.main_metric()).unwrap().1;
        assert!((0.0..1.0).contains(&main), "{task}: {found:?}");
    }
}

/// What is none of an objective's predictions, in place of the second one, and what is said.
fn malformed(objective: Objective) -> Vec<(Json, &'static str)> {
    let form = "`heads` and `relations`";
    match objective {
        Objective::TokenLabels => vec![
            (json!("O O"), "not a list of tags"),
            (json!([1, 0]), "not a list of tags"),
            (json!(null), "not a list of tags"),
            (json!(["O"]), "1 tags for 2 words"),
            (json!(["O", "O", "O"]), "3 tags for 2 words"),
        ],
        Objective::RowLabels => {
            vec![(json!(1), "not the name of a class"), (json!(["O"]), "not the name of a class")]
        }
        Objective::Span => vec![(json!(["Oslo"]), "not a text")],
        Objective::Choices => vec![
            (json!(3), "is 3, not the place of one of 3 choices"),
            (json!(-1), "is -1, not the place"),
            (json!("b"), "is \"b\", not the place"),
            (json!(1.5), "is 1.5, not the place"),
        ],
        Objective::Arcs => vec![
            (json!([0]), form),
            (json!({"heads": [0, 1]}), form),
            (json!({"heads": [-1, 0], "relations": ["obj", "root"]}), form),
            (json!({"heads": [0], "relations": ["root", "obj"]}), "1 heads and 2 relations for 2 words"),
            (json!({"heads": [0], "relations": ["root"]}), "1 heads and 1 relations for 2 words"),
            (json!({"heads": [0, 3], "relations": ["root", "obj"]}), "the head of word 2 is 3"),
            (json!({"heads": [0, 2], "relations": ["root", "obj"]}), "cycle"),
        ],
        Objective::MaskedTokens | Objective::Ranking => Vec::new(),
    }
}

/// The second prediction of a task is refused by its example's name, and so.
#[track_caller]
fn refused(task: Task, bad: Json, says: &str) {
    let Small { gold, right: mut predictions, .. } = small(task);
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

#[test]
fn malformed_predictions_are_named_by_their_example() {
    for task in predicted() {
        let cases = malformed(task.objective());
        assert!(!cases.is_empty(), "{task}");
        cases.into_iter().for_each(|(bad, says)| refused(task, bad, says));
    }
    // Tags of entities have a form.
    refused(Task::Ner, json!(["O", "NOUN"]), "the tag `NOUN` at word 2");
    refused(Task::Ner, json!(["O", "I-"]), "the tag `I-` at word 2");
}

/// The official script does not score such a file either.
#[test]
fn a_tree_with_two_roots_is_refused_by_name() {
    let Small { gold, right: mut predictions, .. } = small(Task::Parse);
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
        let Small { gold, right: mut predictions, .. } = small(task);
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
        let Small { gold, right: predictions, .. } = small(task);
        let message = score(&gold, &predictions, language("en")).unwrap_err().to_string();
        assert!(message.contains("has no predictions") && message.contains(advice), "{message}");
    }
}

/// A model may have learnt more labels than the gold data have; a slip of the pen looks the same. Neither is silent.
#[test]
fn labels_that_the_gold_data_lack_count_as_wrong_and_are_told() {
    for task in [Task::Nli, Task::Paraphrase, Task::Pos, Task::Ner, Task::Parse] {
        let Small { gold, mut right, .. } = small(task);
        assert!(score(&gold, &right, language("en")).unwrap().notes.is_empty(), "{task}");
        let (unknown, count) = match task.objective() {
            Objective::RowLabels => (json!("B-DATE"), 1),
            Objective::Arcs => (json!({"heads": [2, 0], "relations": ["B-DATE", "B-DATE"]}), 2),
            _ => (json!(["B-DATE", "B-DATE"]), 2),
        };
        right[0] = unknown;
        let scored = score(&gold, &right, language("en")).unwrap();
        let main = values(&scored).into_iter().find(|(name, _)| name == task.main_metric()).unwrap().1;
        assert!(main < 1.0, "{task}: {main}");
        let expected = format!("{count} predicted labels are none of the gold data's and count as wrong: `B-DATE`");
        assert_eq!(scored.notes, [expected], "{task}");
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
    let Small { gold: usual, right, .. } = small(Task::Ner);
    let found = values(&score(&usual, &right, language("en")).unwrap());
    assert!(found.iter().all(|(name, _)| !name.ends_with("PER")), "{found:?}");
}
