//! The best dependency tree against all trees there are.

use evaluation::{SpanningTreeError, greedy_heads, maximum_spanning_tree};
use proptest::prelude::*;

/// A fixed stream of numbers of 31 bits.
fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(seed), |x| {
        Some(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    })
    .skip(1)
    .map(|x| x >> 33)
}

fn total(scores: &[f32], heads: &[usize]) -> f64 {
    heads.iter().enumerate().map(|(row, head)| f64::from(scores[row * (heads.len() + 1) + head])).sum()
}

/// Every word comes to the root in as many steps as there are words at most, and one of them in one step.
fn is_tree(heads: &[usize]) -> bool {
    let reaches_root = |word: usize| {
        let mut place = word;
        for _ in 0..heads.len() {
            place = if place == 0 { 0 } else { heads[place - 1] };
        }
        place == 0
    };
    heads.iter().filter(|head| **head == 0).count() == 1 && (1..=heads.len()).all(reaches_root)
}

/// All trees with one word on the root: all lists of heads that are such trees.
fn all_trees(words: usize) -> Vec<Vec<usize>> {
    let lists = (0..(words + 1).pow(words as u32)).map(|number| {
        let digits = std::iter::successors(Some(number), |rest| Some(rest / (words + 1)));
        digits.take(words).map(|rest| rest % (words + 1)).collect::<Vec<usize>>()
    });
    lists.filter(|heads| is_tree(heads)).collect()
}

fn decoded(scores: &[f32], words: usize) -> Vec<usize> {
    let heads = maximum_spanning_tree(scores, words).unwrap();
    assert!(is_tree(&heads), "{heads:?} of {scores:?}");
    heads
}

fn assert_best(scores: &[f32], words: usize, trees: &[Vec<usize>]) {
    let heads = decoded(scores, words);
    let best = trees.iter().map(|tree| total(scores, tree)).fold(f64::NEG_INFINITY, f64::max);
    assert_eq!(total(scores, &heads), best, "{heads:?} of {scores:?}");
    // Where there is only one best tree, it is the one.
    let mut optima = trees.iter().filter(|tree| total(scores, tree) == best);
    if let (Some(only), None) = (optima.next(), optima.next()) {
        assert_eq!(&heads, only);
    }
}

/// The score of the best tree by dynamic programming over sets of words: a tree is its root's first branch, which holds
/// the lowest word of all branches, and what is left of it.
fn best_by_sets(scores: &[f32], words: usize) -> f64 {
    let score = |word: usize, head: usize| f64::from(scores[word * (words + 1) + head]);
    // `best[set * words + top]`: the best tree over the words of a set (bits), one of which is its top.
    let mut best = vec![f64::NEG_INFINITY; (1 << words) * words];
    for set in 1_usize..1 << words {
        for top in (0..words).filter(|top| set >> top & 1 == 1) {
            let below = set & !(1 << top);
            if below == 0 {
                best[set * words + top] = 0.0;
                continue;
            }
            let mut branch = below;
            while branch > 0 {
                if branch >> below.trailing_zeros() & 1 == 1 {
                    let rest = best[(set & !branch) * words + top];
                    for child in (0..words).filter(|child| branch >> child & 1 == 1) {
                        let sum = best[branch * words + child] + score(child, top + 1) + rest;
                        best[set * words + top] = best[set * words + top].max(sum);
                    }
                }
                branch = (branch - 1) & below;
            }
        }
    }
    let all = (1 << words) - 1;
    (0..words).map(|top| best[all * words + top] + score(top, 0)).fold(f64::NEG_INFINITY, f64::max)
}

#[test]
fn best_of_all_trees_of_random_whole_numbers() {
    let mut draws = numbers(1);
    for (words, rounds) in [(1, 50), (2, 2_000), (3, 5_000), (4, 5_000), (5, 3_000)] {
        let trees = all_trees(words);
        assert_eq!(trees.len(), words.pow(words as u32 - 1));
        // Few values give many ties, many values hardly any.
        for range in [2, 3, 6, 30, 1_000_000] {
            for _ in 0..rounds {
                let draw = || (draws.next().unwrap() % range) as f32 - (range / 2) as f32;
                let scores: Vec<f32> = std::iter::repeat_with(draw).take(words * (words + 1)).collect();
                assert_best(&scores, words, &trees);
            }
        }
    }
}

#[test]
fn best_of_all_trees_of_zeros_and_ones() {
    for words in 1..=4 {
        let trees = all_trees(words);
        for bits in 0..1_u32 << (words * words) {
            // A word's own column is no arc: it takes no bit.
            let mut left = bits;
            let mut scores = Vec::new();
            for (word, head) in (1..=words).flat_map(|word| (0..=words).map(move |head| (word, head))) {
                scores.push(if word == head { f32::NAN } else { (left & 1) as f32 });
                left >>= u32::from(word != head);
            }
            assert_best(&scores, words, &trees);
        }
    }
}

#[test]
fn best_of_all_trees_of_longer_sentences() {
    let mut draws = numbers(2);
    for words in 6..=9 {
        for range in [2, 5, 100, 1_000_000].repeat(if words < 9 { 100 } else { 20 }) {
            let draw = || (draws.next().unwrap() % range) as f32;
            let scores: Vec<f32> = std::iter::repeat_with(draw).take(words * (words + 1)).collect();
            assert_eq!(total(&scores, &decoded(&scores, words)), best_by_sets(&scores, words));
        }
    }
}

/// Each contraction joins one more word to a group of all before it.
#[test]
fn nested_cycles() {
    for words in [2, 3, 10, 600] {
        let arcs = (1..=words).flat_map(|word| (0..=words).map(move |head| (word, head)));
        let scores: Vec<f32> =
            arcs.map(|(word, head)| if head == 0 { 0.0 } else { -(word.max(head) as f32) }).collect();
        let heads = decoded(&scores, words);
        assert_eq!(total(&scores, &heads), -((2..=words).sum::<usize>() as f64));
    }
}

/// Two words would both rather hang on the root; which one does is decided by what the other loses.
#[test]
fn one_word_on_the_root() {
    let scores = [9.0, 0.0, 7.0, 8.0, 1.0, 0.0];
    assert_eq!(greedy_heads(&scores, 2).unwrap(), [0, 0]);
    assert_eq!(maximum_spanning_tree(&scores, 2).unwrap(), [2, 0]);
}

#[test]
fn extreme_scores_stay_finite() {
    for (words, (low, high)) in [(3, (f32::MIN, f32::MAX)), (4, (-1e30, f32::MIN_POSITIVE))] {
        let arcs = (1..=words).flat_map(|word| (0..=words).map(move |head| (word, head)));
        let scores: Vec<f32> = arcs.map(|(word, head)| if head == 0 || word + head < 4 { high } else { low }).collect();
        decoded(&scores, words);
    }
}

#[test]
fn what_has_no_tree() {
    assert_eq!(maximum_spanning_tree(&[], 0), Err(SpanningTreeError::NoWords));
    assert_eq!(maximum_spanning_tree(&[0.0; 5], 2), Err(SpanningTreeError::Shape { words: 2, expected: 6, found: 5 }));
    assert!(matches!(maximum_spanning_tree(&[], usize::MAX), Err(SpanningTreeError::Shape { .. })));
    let mut scores = [0.0; 6];
    scores[1] = f32::NEG_INFINITY; // word 1 as its own head
    assert!(maximum_spanning_tree(&scores, 2).is_ok());
    scores[4] = f32::NEG_INFINITY;
    let error = SpanningTreeError::NotFinite { word: 2, head: 1, value: f32::NEG_INFINITY };
    assert_eq!(greedy_heads(&scores, 2), Err(error.clone()));
    assert_eq!(maximum_spanning_tree(&scores, 2), Err(error));
}

/// A number of words and scores, of few or of many values.
fn scored() -> impl Strategy<Value = (usize, Vec<f32>)> {
    let value = || prop_oneof![(-2..3_i8).prop_map(f32::from), -20.0..20.0_f32];
    (1..24_usize).prop_flat_map(move |words| (Just(words), proptest::collection::vec(value(), words * (words + 1))))
}

proptest! {
    #[test]
    fn no_random_tree_is_better((words, scores) in scored(), seed: u64) {
        let best = total(&scores, &decoded(&scores, words));
        let mut draws = numbers(seed);
        let mut draw = |below: usize| draws.next().unwrap() as usize % below;
        for _ in 0..50 {
            // Words in any order, each after the first below one before it.
            let mut order: Vec<usize> = (1..=words).collect();
            (1..words).for_each(|place| order.swap(place, draw(place + 1)));
            let mut heads = vec![0; words];
            (1..words).for_each(|place| heads[order[place] - 1] = order[draw(place)]);
            prop_assert!(is_tree(&heads));
            prop_assert!(total(&scores, &heads) <= best + 1e-9);
        }
    }

    #[test]
    fn a_greedy_tree_is_the_best((words, scores) in scored()) {
        let greedy = greedy_heads(&scores, words).unwrap();
        for (row, head) in greedy.iter().enumerate() {
            let scores = &scores[row * (words + 1)..][..=words];
            prop_assert!(*head != row + 1);
            prop_assert!(scores.iter().enumerate().all(|(k, score)| k == row + 1 || *score <= scores[*head]));
        }
        if is_tree(&greedy) {
            prop_assert_eq!(decoded(&scores, words), greedy);
        }
    }

    /// A tree takes one arc of each row, so that a constant changes all sums alike.
    #[test]
    fn a_constant_on_a_row_changes_no_head(
        words in 1..12_usize, seed: u64, constant in -1_000..1_000_i16, row in any::<prop::sample::Index>(),
    ) {
        // Of scores of this many values two trees hardly ever have the same sum; all sums are exact.
        let mut scores: Vec<f32> = numbers(seed).take(words * (words + 1)).map(|x| (x % (1 << 22)) as f32).collect();
        let heads = decoded(&scores, words);
        scores[row.index(words) * (words + 1)..][..=words].iter_mut().for_each(|score| *score += f32::from(constant));
        prop_assert_eq!(decoded(&scores, words), heads);
    }

    /// A tree that is the best stays so when one of its own arcs scores more.
    #[test]
    fn a_better_arc_of_the_best_tree_keeps_it_the_best((words, mut scores) in scored(), row in any::<prop::sample::Index>()) {
        let heads = decoded(&scores, words);
        let row = row.index(words);
        scores[row * (words + 1) + heads[row]] += 16.0;
        prop_assert!((total(&scores, &decoded(&scores, words)) - total(&scores, &heads)).abs() < 1e-9);
    }
}
