//! Encoded sequences: batches of them, what is drawn together, and labels as another head numbers them.

mod common;

use data::{Cells, Encoded, Item, column};
use spec::{IGNORED_LABEL, Labels, Targets, Task, Words};

const PAD: i32 = 9;

/// An item of `length` tokens, which are its example's number.
fn item(example: u32, length: usize, columns: Vec<(&'static str, Cells)>) -> Item {
    Item { example, ids: vec![example; length], segments: vec![0; length], columns, cut: 1 }
}

fn encoded(task: Task, labels: &Labels, examples: Vec<Vec<Item>>) -> Encoded {
    Encoded::new(task, labels, PAD, 12, examples)
}

/// Two, three and two choices.
fn choices() -> Encoded {
    let rows = |example: u32, lengths: &[usize], right| {
        let choice = |&length: &usize| item(example, length, vec![(column::RIGHT, Cells::Number(right))]);
        lengths.iter().map(choice).collect()
    };
    let examples = vec![rows(0, &[3, 5], 1), rows(1, &[4, 2, 7], 2), rows(2, &[6, 6], 0)];
    encoded(Task::Choice, &Labels::default(), examples)
}

#[test]
fn choices_of_an_example_are_drawn_together() {
    let choices = choices();
    assert_eq!((choices.len(), choices.examples(), choices.cut()), (7, 3, 7));
    assert_eq!(choices.drawn_lengths(), [5, 7, 6]);
    let batch = choices.drawn_batch(&[1, 0], 1);
    assert_eq!(batch.lengths, [4, 2, 7, 3, 5]);
    assert_eq!(batch.targets, Targets::Choices { rows: vec![3, 2], right: vec![2, 1] });
    assert_eq!((batch.task, batch.seq), (Some(Task::Choice), 7));
    assert_eq!(batch.ids[7..14], [1, 1, PAD, PAD, PAD, PAD, PAD]);
    assert_eq!(choices.drawn_batch(&[2], 1), choices.batch(&[5, 6], 1));
    // Evaluation may part the rows of an example.
    let Targets::Choices { rows, .. } = choices.batch(&[0, 2, 1], 1).targets else { panic!("choices") };
    assert_eq!(rows, [1, 1, 1]);
}

#[test]
fn sentences_and_their_translations_are_drawn_together() {
    let side = |lengths: [usize; 3]| (0..3).map(move |row| vec![item(row as u32, lengths[row], Vec::new())]);
    let examples = side([3, 8, 4]).chain(side([5, 2, 4])).collect();
    let pairs = encoded(Task::Retrieval, &Labels::default(), examples);
    assert_eq!((pairs.len(), pairs.examples()), (6, 3));
    assert_eq!(pairs.drawn_lengths(), [5, 8, 4]);
    let batch = pairs.drawn_batch(&[1, 2], 1);
    // All sentences first, then their translations.
    assert_eq!((batch.lengths.as_slice(), &batch.targets), (&[8, 4, 2, 4][..], &Targets::Translations));
    assert_eq!(pairs.batch(&[1, 2, 4, 5], 1).targets, Targets::None);
}

#[test]
fn other_items_are_drawn_one_by_one() {
    let classes = (0..3).map(|row| vec![item(row, 3 + row as usize, vec![(column::CLASS, Cells::Number(row as i32))])]);
    let encoded = encoded(Task::Nli, &Task::Nli.usual_labels(), classes.collect());
    assert_eq!(encoded.drawn_lengths(), encoded.lengths());
    let batch = encoded.drawn_batch(&[2, 0], 4);
    assert_eq!(batch, encoded.batch(&[2, 0], 4));
    assert_eq!((batch.seq, batch.targets), (8, Targets::Classes(vec![2, 0])));
}

/// A sentence of three words, of which the second has no token, and one of a single word.
fn trees(labels: &Labels) -> Encoded {
    let sentence = |example, length, heads: &[i32], relations: &[i32], first: &[i32], last: &[i32]| {
        let list = |values: &[i32]| Cells::List(values.to_vec());
        let columns = vec![
            (column::HEADS, list(heads)),
            (column::RELATIONS, list(relations)),
            (column::FIRST_TOKENS, list(first)),
            (column::LAST_TOKENS, list(last)),
        ];
        vec![item(example, length, columns)]
    };
    let none = IGNORED_LABEL;
    let examples = vec![
        sentence(0, 6, &[0, none, 1], &[1, none, 0], &[1, none, 3], &[2, none, 4]),
        sentence(1, 3, &[0], &[1], &[1], &[1]),
    ];
    encoded(Task::Parse, labels, examples)
}

#[test]
fn words_of_a_batch_are_padded_to_the_longest_sentence() {
    let labels = Labels::new(["dep", "root"]).unwrap();
    let trees = trees(&labels);
    let none = IGNORED_LABEL;
    let batch = trees.batch(&[1, 0], 1);
    let words = Words { first: vec![1, none, none, 1, none, 3], last: vec![1, none, none, 2, none, 4], width: 3 };
    assert_eq!(batch.words, Some(words));
    let targets = Targets::Arcs { heads: vec![0, none, none, 0, none, 1], relations: vec![1, none, none, 1, none, 0] };
    assert_eq!(batch.targets, targets);
    assert_eq!(trees.batch(&[1], 1).words.unwrap().width, 1);
}

#[test]
fn labels_are_numbered_as_a_head_numbers_them() {
    let labels = Labels::new(["dep", "root"]).unwrap();
    let mut relabelled = trees(&labels);
    relabelled.relabel(&labels).unwrap();
    assert_eq!(relabelled, trees(&labels));
    let head = Labels::new(["root", "obj", "dep"]).unwrap();
    relabelled.relabel(&head).unwrap();
    assert_eq!(relabelled.list(column::RELATIONS, 0), [0, IGNORED_LABEL, 2]);
    // Heads are numbers of words, not labels.
    assert_eq!(relabelled.list(column::HEADS, 0), [0, IGNORED_LABEL, 1]);
    let message = relabelled.relabel(&labels).unwrap_err().to_string();
    assert!(message.contains("the label `obj`") && message.contains("dep root"), "{message}");

    let tags = vec![(column::TOKEN_LABELS, Cells::Tokens(vec![IGNORED_LABEL, 1, 0]))];
    let mut tags = encoded(Task::Pos, &labels, vec![vec![item(0, 3, tags)]]);
    tags.relabel(&head).unwrap();
    assert_eq!(tags.batch(&[0], 1).targets, Targets::TokenLabels(vec![IGNORED_LABEL, 0, 2]));
    let class = vec![vec![item(0, 3, vec![(column::CLASS, Cells::Number(1))])]];
    let mut class = encoded(Task::Paraphrase, &labels, class);
    class.relabel(&head).unwrap();
    assert_eq!(class.batch(&[0], 1).targets, Targets::Classes(vec![0]));
    // The right choice is a place, not a label.
    let mut choices = choices();
    choices.relabel(&head).unwrap();
    assert_eq!(choices.number(column::RIGHT, 0), Some(1));
}

#[test]
#[should_panic(expected = "different columns `class`")]
fn items_of_a_file_have_the_same_columns() {
    let one = item(0, 3, vec![(column::CLASS, Cells::Number(1))]);
    let other = item(1, 3, vec![(column::CLASS, Cells::List(vec![1]))]);
    encoded(Task::Nli, &Task::Nli.usual_labels(), vec![vec![one], vec![other]]);
}
