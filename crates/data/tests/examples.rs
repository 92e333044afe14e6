//! Tables of examples: what goes in comes out, and the hash of the content.

mod common;

use common::{examples, labelled, text, texts};
use data::{Answer, Examples, ExamplesBuilder, Value};
use spec::{Kind, Labels, Task};

fn answer(text: &str, start: usize) -> Answer {
    Answer { text: text.to_owned(), start }
}

fn sentences() -> Examples {
    examples(
        Task::Ner,
        vec![
            ("0", vec![texts(&["Ada", "Zu\u{308}rich", "🙂"]), Value::Labels(vec![1, 5, 0])]),
            ("1", vec![texts(&["เชียงใหม่"]), Value::Labels(vec![6])]),
        ],
    )
}

fn small(task: Task) -> Examples {
    let rows = match task {
        Task::Ner => return sentences(),
        Task::Nli => vec![
            ("0", vec![text("A man sleeps."), text("Ein Mann schläft."), Value::Label(0)]),
            ("2", vec![text("A man sleeps."), text(""), Value::Label(2)]),
        ],
        Task::Qa => {
            let answers = vec![answer("Lisbon", 5), answer("in Lisbon", 13)];
            vec![("q-1", vec![text("Where?"), text("🙂 in Lisbon, in Lisbon"), Value::Answers(answers)])]
        }
        Task::Retrieval => vec![("7", vec![text("一"), text("one")])],
        Task::Mlm => vec![("0", vec![text("one two")]), ("1", vec![text("три")])],
        other => panic!("{other} has no old hash"),
    };
    examples(task, rows)
}

/// Each was computed by the build that knew these five tasks only.
#[test]
fn old_tasks_keep_their_content_hashes() {
    for (task, hash) in [
        (Task::Ner, "64c7153334c6adccf4ac72efef9782bf243fba025fe984bf97051ae0bad29cfb"),
        (Task::Nli, "d09cd9b286c5e20ebdb6d15e67a54f799df1036e8e7946ef4101666228c67831"),
        (Task::Qa, "246d909dc3c88cbf46ef4da54f344e1949a758a7e4e86c315883873c84248218"),
        (Task::Retrieval, "3cc995b7aebaed7c1b442994b207a06da5ab6ce21bd26423f50507708c5b5a46"),
        (Task::Mlm, "badec94f6688315e4f3757442d72ba7655fa8cd39d4798c3469d50c7dc83bbe9"),
    ] {
        assert_eq!(small(task).content_hash(), hash, "{task}");
    }
}

/// Bytes with their number in front.
fn field(into: &mut Vec<u8>, bytes: &[u8]) {
    into.extend((bytes.len() as u64).to_le_bytes());
    into.extend(bytes);
}

/// The bytes that are hashed, put together by hand.
#[test]
fn content_hashes_are_blake3_of_fields_with_their_lengths() {
    let number = |into: &mut Vec<u8>, number: u64| into.extend(number.to_le_bytes());
    let begin = |task: &str, rows: u64| {
        let mut bytes = Vec::new();
        field(&mut bytes, b"lethe examples 1");
        field(&mut bytes, task.as_bytes());
        number(&mut bytes, rows);
        bytes
    };
    let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();

    let mut ner = begin("ner", 2);
    field(&mut ner, b"0");
    number(&mut ner, 3);
    ["Ada", "Zu\u{308}rich", "🙂"].iter().for_each(|word| field(&mut ner, word.as_bytes()));
    field(&mut ner, &[1, 5, 0]);
    field(&mut ner, b"1");
    number(&mut ner, 1);
    field(&mut ner, "เชียงใหม่".as_bytes());
    field(&mut ner, &[6]);
    assert_eq!(sentences().content_hash(), hash(&ner));

    // Other labels than the usual ones follow at the end.
    let names = ["O", "B-a", "I-a", "B-b", "I-b", "B-c", "I-c", "X"];
    let renamed = labelled(
        Task::Ner,
        Labels::new(names).unwrap(),
        vec![
            ("0", vec![texts(&["Ada", "Zu\u{308}rich", "🙂"]), Value::Labels(vec![1, 5, 0])]),
            ("1", vec![texts(&["เชียงใหม่"]), Value::Labels(vec![6])]),
        ],
    );
    field(&mut ner, b"labels");
    number(&mut ner, 8);
    names.iter().for_each(|name| field(&mut ner, name.as_bytes()));
    assert_eq!(renamed.content_hash(), hash(&ner));

    let mut qa = begin("qa", 1);
    ["q-1", "Where?", "🙂 in Lisbon, in Lisbon"].iter().for_each(|text| field(&mut qa, text.as_bytes()));
    number(&mut qa, 2);
    for (text, start) in [("Lisbon", 5), ("in Lisbon", 13)] {
        field(&mut qa, text.as_bytes());
        number(&mut qa, start);
    }
    assert_eq!(small(Task::Qa).content_hash(), hash(&qa));

    let parse = examples(
        Task::Parse,
        vec![("s", vec![texts(&["go", "home"]), Value::Numbers(vec![0, 1]), Value::Labels(vec![34, 2])])],
    );
    let mut bytes = begin("parse", 1);
    field(&mut bytes, b"s");
    number(&mut bytes, 2);
    ["go", "home"].iter().for_each(|word| field(&mut bytes, word.as_bytes()));
    number(&mut bytes, 2);
    [0, 1].iter().for_each(|&head| number(&mut bytes, head));
    field(&mut bytes, &[34, 2]);
    assert_eq!(parse.content_hash(), hash(&bytes));

    let choices = vec![text("p"), text("cause"), texts(&["a", "b"]), Value::Number(1)];
    let mut bytes = begin("choice", 1);
    ["x", "p", "cause"].iter().for_each(|text| field(&mut bytes, text.as_bytes()));
    number(&mut bytes, 2);
    ["a", "b"].iter().for_each(|text| field(&mut bytes, text.as_bytes()));
    number(&mut bytes, 1);
    assert_eq!(examples(Task::Choice, vec![("x", choices)]).content_hash(), hash(&bytes));

    // More than 256 labels take two bytes each.
    let many = Labels::numbered(300);
    let pair = vec![text("a"), text("b"), Value::Label(258)];
    let mut bytes = begin("paraphrase", 1);
    ["0", "a", "b"].iter().for_each(|text| field(&mut bytes, text.as_bytes()));
    field(&mut bytes, &[2, 1]);
    field(&mut bytes, b"labels");
    number(&mut bytes, 300);
    many.names().iter().for_each(|name| field(&mut bytes, name.as_bytes()));
    assert_eq!(labelled(Task::Paraphrase, many, vec![("0", pair)]).content_hash(), hash(&bytes));
}

/// One example of every task, by the kinds of its columns.
fn one(task: Task, label: usize) -> Vec<Value> {
    let value = |kind| match kind {
        Kind::Text => text("one"),
        Kind::Texts => texts(&["two", "three"]),
        Kind::Label => Value::Label(label),
        Kind::Labels => Value::Labels(vec![label, 0]),
        Kind::Number => Value::Number(1),
        Kind::Numbers => Value::Numbers(vec![0, 1]),
        Kind::Answers => Value::Answers(vec![answer("one", 0)]),
    };
    task.description().columns.iter().map(|column| value(column.kind)).collect()
}

#[test]
fn rows_can_be_cut_and_chosen_in_every_task() {
    for &task in Task::ALL {
        let labels = Labels::new(["first", "second", "third"]).unwrap();
        let build = |rows: &[usize]| {
            let names: Vec<String> = rows.iter().map(|row| format!("row {row}")).collect();
            let rows = names.iter().zip(rows).map(|(name, row)| (name.as_str(), one(task, row % 3)));
            labelled(task, labels.clone(), rows.collect())
        };
        let all = build(&[0, 1, 2, 3, 4]);
        assert_eq!(all.select(&[4, 0, 2]), build(&[4, 0, 2]), "{task}");
        assert_eq!(all.select(&[4, 0, 4]).ids().collect::<Vec<_>>(), ["row 4", "row 0", "row 4"]);
        let mut cut = all.clone();
        cut.truncate(3);
        assert_eq!((cut.len(), &cut), (3, &build(&[0, 1, 2])), "{task}");
        assert_eq!(cut.content_hash(), build(&[0, 1, 2]).content_hash(), "{task}");
        assert_ne!(cut.content_hash(), all.content_hash(), "{task}");
        // What was cut and then chosen from is counted from the rows that are left.
        assert_eq!(cut.select(&[2, 1]), build(&[2, 1]), "{task}");
        cut.truncate(9);
        assert_eq!(cut.len(), 3);
        assert_eq!(all.ids().collect::<Vec<_>>(), ["row 0", "row 1", "row 2", "row 3", "row 4"]);
        assert!(build(&[]).is_empty());
    }
}

#[test]
fn labels_can_be_renumbered() {
    let labels = Labels::new(["O", "B-DATE", "I-DATE"]).unwrap();
    let wider = Labels::new(["B-PROD", "I-DATE", "B-DATE", "O"]).unwrap();
    let rows = vec![
        ("0", vec![texts(&["x", "May", "3"]), Value::Labels(vec![0, 1, 2])]),
        ("1", vec![texts(&["y"]), Value::Labels(vec![1])]),
    ];
    let mut examples = labelled(Task::Ner, labels.clone(), rows);
    let other = examples.relabelled(&wider).unwrap();
    assert_eq!(other.number_lists("ner_tags").get(0), [3, 2, 1]);
    assert_eq!(other.relabelled(&labels), Err("B-PROD"));
    examples.truncate(1);
    assert_eq!(examples.relabelled(&wider).unwrap().number_lists("ner_tags").get(0), [3, 2, 1]);
    assert_eq!(examples.relabelled(&Labels::new(["O", "I-DATE"]).unwrap()), Err("B-DATE"));
    let pairs = labelled(
        Task::Paraphrase,
        Labels::new(["no", "yes"]).unwrap(),
        vec![("0", vec![text("a"), text("b"), Value::Label(1)])],
    );
    let turned = pairs.relabelled(&Labels::new(["yes", "no"]).unwrap()).unwrap();
    assert_eq!((turned.numbers("label").values()[..].to_vec(), turned.texts("sentence1").value(0)), (vec![0], "a"));
}

#[test]
fn a_bad_row_is_refused_and_leaves_nothing_behind() {
    let labels = Labels::new(["root", "dep"]).unwrap();
    let mut builder = ExamplesBuilder::new(Task::Parse, labels.clone());
    let good = || vec![texts(&["a", "b"]), Value::Numbers(vec![0, 1]), Value::Labels(vec![0, 1])];
    builder.push("0", good()).unwrap();
    let mut refused = |fields, words: &str| {
        let message = builder.push("1", fields).unwrap_err();
        assert!(message.contains(words), "`{message}` does not say `{words}`");
    };
    refused(
        vec![texts(&["a", "b"]), Value::Numbers(vec![0]), Value::Labels(vec![0, 1])],
        "2 values in `tokens` and 1 in `head`",
    );
    refused(
        vec![texts(&["a"]), Value::Numbers(vec![0]), Value::Labels(vec![0, 1])],
        "1 values in `head` and 2 in `deprel`",
    );
    refused(
        vec![texts(&["a"]), Value::Numbers(vec![0]), Value::Labels(vec![2])],
        "label 2 in `deprel` is not one of the 2 labels (root dep)",
    );
    builder.push("2", good()).unwrap();
    assert_eq!(builder.finish(), labelled(Task::Parse, labels, vec![("0", good()), ("2", good())]));
}

#[test]
fn a_name_is_one_examples() {
    let mut builder = ExamplesBuilder::new(Task::Mlm, Labels::default());
    builder.push("a", vec![text("one")]).unwrap();
    let message = builder.push("a", vec![text("two")]).unwrap_err();
    assert!(message.contains("`a` occurs twice"), "{message}");
    // The refused one leaves nothing behind.
    builder.push("b", vec![text("two")]).unwrap();
    assert_eq!(builder.finish(), examples(Task::Mlm, vec![("a", vec![text("one")]), ("b", vec![text("two")])]));
}

#[test]
fn a_label_that_nothing_bears_can_go() {
    let labels = Labels::new(["NOUN", "_", "VERB"]).unwrap();
    let row = |tags: &[usize]| vec![texts(&["a", "b"]), Value::Labels(tags.to_vec())];
    let of = |second: &[usize]| labelled(Task::Pos, labels.clone(), vec![("0", row(&[2, 0])), ("1", row(second))]);
    let without = of(&[2, 2]).without_label("_").unwrap();
    assert_eq!(without.labels().names(), ["NOUN", "VERB"]);
    assert_eq!([0, 1].map(|row| without.number_lists("upos").get(row).to_vec()), [vec![1, 0], vec![1, 1]]);
    assert_eq!(of(&[0, 1]).without_label("_"), Err(1));
    assert_eq!(of(&[0, 1]).without_label("ADJ"), Ok(of(&[0, 1])));
}

#[test]
fn samples_are_nested_seeded_and_alike_in_files_that_say_the_same() {
    let file = |word: &str, rows: usize| {
        let ids: Vec<String> = (0..rows).map(|row| row.to_string()).collect();
        let rows = ids.iter().map(|id| (id.as_str(), vec![text(&format!("{word} {id}"))])).collect();
        examples(Task::Mlm, rows)
    };
    let ids = |examples: Examples| examples.ids().map(|id| id.parse::<usize>().unwrap()).collect::<Vec<_>>();
    let sample = |count, seed| ids(file("one", 1000).sample(count, seed));
    let (small, large) = (sample(50, 0), sample(200, 0));
    assert_eq!((small.len(), large.len()), (50, 200));
    assert!(small.is_sorted() && large.is_sorted(), "in the file's order");
    assert!(small.iter().all(|id| large.contains(id)), "{small:?} {large:?}");
    // From all over the file: as many from each half as from a fair draw, give or take.
    let half = large.iter().filter(|&&id| id < 500).count();
    assert!((75..=125).contains(&half), "{half}");
    let other = sample(50, 1);
    assert!(other.iter().filter(|id| small.contains(id)).count() < 15, "{small:?} {other:?}");
    // Line by line translations stay that.
    assert_eq!(ids(file("eins", 1000).sample(50, 0)), small);
    assert_eq!(file("one", 3).sample(3, 0), file("one", 3));
    // Those of the smallest BLAKE3 of "sample 0 ID".
    assert_eq!(sample(3, 0), SMALLEST);
}

/// Made by `scripts/reference/sample.py`.
const SMALLEST: [usize; 3] = [195, 283, 646];
