//! Scores of dependency trees: the shared task's script, laws, refusals.

mod common;

use std::slice::from_ref;

use common::{list, parse, same, text};
use evaluation::{
    CONTENT_RELATIONS, Contribution, Dependency, PARSE_CLAS, PARSE_LAS, PARSE_UAS, ScoreError, Scores, Side, Tree,
    TreeError, check_tree, ratio, score_trees,
};
use proptest::prelude::*;

/// `head/relation head/relation …`
fn tree(text: &str) -> Tree<'_> {
    let word = |word: &str| word.split_once('/').map(|(head, _)| (head.parse().unwrap(), head.len() + 1)).unwrap();
    let words = text.split(' ').filter(|word| !word.is_empty());
    words.map(|text| (word(text), text)).map(|((head, at), text)| Dependency { head, relation: &text[at..] }).collect()
}

#[track_caller]
fn scores(gold: &[Tree], predicted: &[Tree]) -> Scores {
    score_trees(gold, predicted).unwrap()
}

/// Made by `scripts/reference/conll18.py`, which runs the official script.
#[test]
fn scores_equal_the_shared_tasks_script() {
    let reference = parse(include_str!("reference/trees.json"));
    let sentences = list(&reference["sentences"]);
    assert!(sentences.len() >= 600);
    let side = |column: usize| -> Vec<Tree> { sentences.iter().map(|s| tree(text(&s[column]))).collect() };
    let (gold, predicted) = (side(0), side(1));
    // What each side would score against itself counts its content words.
    let (ours, of_gold, of_predicted) =
        (scores(&gold, &predicted), scores(&gold, &gold), scores(&predicted, &predicted));
    for (index, sentence) in sentences.iter().enumerate() {
        let what = |metric: &str| format!("{metric} of sentence {index}, {} for {}", sentence[1], sentence[0]);
        for (metric, column) in [(PARSE_UAS, 2), (PARSE_LAS, 5)] {
            same(ours[metric][index].numerator, &sentence[column], &what(metric));
            same(ours[metric][index].denominator, &sentence[column + 1], &what(metric));
            same(ours[metric][index].denominator, &sentence[column + 2], &what(metric));
        }
        same(ours[PARSE_CLAS][index].numerator / 2.0, &sentence[8], &what(PARSE_CLAS));
        same(of_gold[PARSE_CLAS][index].numerator / 2.0, &sentence[9], &what(PARSE_CLAS));
        same(of_predicted[PARSE_CLAS][index].numerator / 2.0, &sentence[10], &what(PARSE_CLAS));
        let content = sentence[9].as_f64().unwrap() + sentence[10].as_f64().unwrap();
        assert_eq!(ours[PARSE_CLAS][index].denominator, content, "{}", what(PARSE_CLAS));
    }
    let groups = list(&reference["groups"]);
    assert!(groups.len() >= 10);
    for group in groups {
        let range = group["first"].as_u64().unwrap() as usize..group["last"].as_u64().unwrap() as usize;
        let what = |metric: &str| format!("{metric} of sentences {range:?}");
        for (metric, name) in [(PARSE_UAS, "UAS"), (PARSE_LAS, "LAS")] {
            for measure in 0..3 {
                same(ratio(&ours[metric][range.clone()]), &group[name][measure], &what(metric));
            }
        }
        let sum = |scores: &Scores| scores[PARSE_CLAS][range.clone()].iter().map(|c| c.numerator).sum::<f64>();
        same(sum(&ours) / sum(&of_predicted), &group["CLAS"][0], &what("precision of CLAS"));
        same(sum(&ours) / sum(&of_gold), &group["CLAS"][1], &what("recall of CLAS"));
        same(ratio(&ours[PARSE_CLAS][range.clone()]), &group["CLAS"][2], &what(PARSE_CLAS));
    }
}

#[test]
fn what_the_script_refuses_is_refused() {
    let reference = parse(include_str!("reference/trees.json"));
    let mut kinds = [0; 3];
    for refused in list(&reference["refused"]) {
        let (tree, message) = (tree(text(&refused[0])), text(&refused[1]));
        let error = check_tree(&tree).unwrap_err();
        let (kind, said) = match error {
            TreeError::Head { .. } => (0, "outside of the sentence"),
            TreeError::Cycle { .. } => (1, "cycle"),
            TreeError::Roots { .. } => (2, "multiple roots"),
        };
        kinds[kind] += 1;
        assert!(message.contains(said), "{error} for {message}: {}", refused[0]);
        for (side, gold, predicted) in
            [(Side::Gold, &tree, &chain(tree.len())), (Side::Predicted, &chain(tree.len()), &tree)]
        {
            let expected = ScoreError::Tree { side, example: 0, error };
            assert_eq!(score_trees(from_ref(gold), from_ref(predicted)), Err(expected));
        }
    }
    assert!(kinds.iter().all(|count| *count >= 5), "{kinds:?}");
}

fn chain(words: usize) -> Tree<'static> {
    (0..words).map(|head| Dependency { head, relation: "dep" }).collect()
}

#[test]
fn refusals_name_sentence_and_word() {
    let fine = tree("0/root 1/obj");
    for (bad, message) in [
        ("0/root 3/obj", "the head of word 2 is 3, but there are only 2 words"),
        ("0/root 2/obj", "word 2 is in a cycle: its heads lead back to it"),
        ("2/obj 1/obj", "word 1 is in a cycle: its heads lead back to it"),
        ("0/root 0/root", "words 1 and 2 both depend on the root: a tree has one such word"),
    ] {
        let error = score_trees(&[fine.clone(), fine.clone()], &[fine.clone(), tree(bad)]).unwrap_err();
        assert_eq!(error.to_string(), format!("the predicted dependencies of example 1 are no tree: {message}"));
    }
    let error = score_trees(from_ref(&fine), &[tree("0/root")]).unwrap_err();
    assert_eq!(error.to_string(), "example 0 has 2 gold words but 1 predicted ones: parse the gold words");
    assert_eq!(score_trees(&[], &[]), Err(ScoreError::NoExamples));
    assert_eq!(score_trees(&[fine], &[]), Err(ScoreError::ExampleCount { gold: 1, predicted: 0 }));
    // The word named is on the cycle, not merely led to it.
    assert_eq!(check_tree(&tree("2/a 3/a 2/a 0/root")), Err(TreeError::Cycle { word: 2 }));
    assert_eq!(check_tree(&[Dependency { head: usize::MAX, relation: "" }]).unwrap_err(), {
        TreeError::Head { word: 1, head: usize::MAX, words: 1 }
    });
    // Neither recursion nor quadratic time.
    assert_eq!(check_tree(&chain(200_000)), Ok(()));
    let turned: Tree = (1..=200_000).map(|word| Dependency { head: (word + 1) % 200_001, relation: "dep" }).collect();
    assert_eq!(check_tree(&turned), Ok(()));
}

#[test]
fn sentences_without_words_add_nothing() {
    let (none, two) = (Tree::new(), tree("0/root 1/case"));
    let scores = scores(&[none.clone(), two.clone()], &[none, tree("0/root 1/cc")]);
    assert_eq!(scores[PARSE_LAS][0], Contribution { numerator: 0.0, denominator: 0.0 });
    let values = [PARSE_UAS, PARSE_LAS, PARSE_CLAS].map(|metric| ratio(&scores[metric]));
    assert_eq!(values, [1.0, 0.5, 1.0]);
}

/// A tree from any numbers: each word's head is among the words before it in an order, the first is the root.
fn random_tree() -> impl Strategy<Value = (Vec<(usize, usize)>, Vec<usize>)> {
    (1..12_usize).prop_flat_map(|words| {
        let head = (0..1000_usize, 0..1000_usize);
        let order = Just((1..=words).collect::<Vec<_>>()).prop_shuffle();
        (proptest::collection::vec(head, words), order)
    })
}

const RELATIONS: [&str; 8] = ["root", "nsubj", "nsubj:pass", "obl:tmod", "case", "det:poss", "punct", "unknown"];

fn grown((draws, order): &(Vec<(usize, usize)>, Vec<usize>)) -> Tree<'static> {
    let mut tree = chain(order.len());
    for (place, &(head, relation)) in draws.iter().enumerate() {
        let head = if place == 0 { 0 } else { order[head % place] };
        tree[order[place] - 1] = Dependency { head, relation: RELATIONS[relation % RELATIONS.len()] };
    }
    tree
}

/// Two trees of the same words.
fn pairs() -> impl Strategy<Value = Vec<(Tree<'static>, Tree<'static>)>> {
    let pair = (random_tree(), random_tree(), any::<bool>()).prop_map(|(first, second, equal)| {
        let first = grown(&first);
        let words = first.len();
        // Another tree of as many words, or the same with some relations changed.
        let second: Tree = if equal || second.1.len() < words {
            let changed = second.0.iter().map(|draw| draw.1 % 7 == 0).chain(std::iter::repeat(false));
            let change = |(word, changed): (&Dependency<'static>, bool)| {
                if changed { Dependency { relation: "obj", ..*word } } else { *word }
            };
            first.iter().zip(changed).map(change).collect()
        } else {
            let order: Vec<usize> = second.1.into_iter().filter(|word| *word <= words).collect();
            grown(&(second.0[..words].to_vec(), order))
        };
        (first, second)
    });
    proptest::collection::vec(pair, 1..10)
}

proptest! {
    #[test]
    fn laws(pairs in pairs(), turn in 0..10_usize) {
        let (gold, predicted): (Vec<Tree>, Vec<Tree>) = pairs.iter().cloned().unzip();
        let [uas, las, clas] = [PARSE_UAS, PARSE_LAS, PARSE_CLAS];
        let ours = scores(&gold, &predicted);
        let value = |scores: &Scores, metric: &str| ratio(&scores[metric]);
        prop_assert!(ours.values().flatten().all(|c| c.numerator >= 0.0 && c.numerator <= c.denominator));
        prop_assert!(value(&ours, las) <= value(&ours, uas));

        let own = scores(&gold, &gold);
        prop_assert_eq!([value(&own, uas), value(&own, las)], [1.0, 1.0]);
        let content = gold.iter().flatten().any(|word| CONTENT_RELATIONS.contains(&word.relation.split(':').next().unwrap()));
        prop_assert_eq!(value(&own, clas), f64::from(u8::from(content)));

        // All three are symmetric, and the order of sentences changes nothing.
        prop_assert_eq!(&scores(&predicted, &gold), &ours);
        let mut turned = pairs.clone();
        turned.rotate_left(turn % pairs.len());
        let (turned_gold, turned_predicted): (Vec<Tree>, Vec<Tree>) = turned.into_iter().unzip();
        for (metric, contributions) in scores(&turned_gold, &turned_predicted) {
            prop_assert_eq!(ratio(&contributions), value(&ours, metric));
        }

        // Subtypes are not compared.
        let plain = |trees: &[Tree<'static>]| -> Vec<Tree> {
            let cut = |word: &Dependency<'static>| Dependency { relation: word.relation.split(':').next().unwrap(), ..*word };
            trees.iter().map(|tree| tree.iter().map(cut).collect()).collect()
        };
        prop_assert_eq!(&scores(&plain(&gold), &predicted), &ours);
        prop_assert_eq!(&scores(&gold, &plain(&predicted)), &ours);
    }

    #[test]
    fn a_tree_is_what_reaches_the_root_from_everywhere_by_one_word(heads in proptest::collection::vec(0..7_usize, 0..7)) {
        let words: Tree = heads.iter().map(|&head| Dependency { head, relation: "dep" }).collect();
        let reaches = |start: usize| {
            let mut word = start;
            for _ in 0..=heads.len() {
                word = if word == 0 { 0 } else { *heads.get(word - 1).unwrap_or(&usize::MAX) };
                if word > heads.len() {
                    return false;
                }
            }
            word == 0
        };
        let roots = heads.iter().filter(|head| **head == 0).count();
        let is_tree = (1..=heads.len()).all(reaches) && (roots == 1 || heads.is_empty());
        prop_assert_eq!(check_tree(&words).is_ok(), is_tree);
    }
}
