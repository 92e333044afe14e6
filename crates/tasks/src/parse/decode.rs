use data::{Encoded, column};
use evaluation::maximum_spanning_tree;
use model::{Learner, Logits};
use serde_json::Value;
use spec::{IGNORED_LABEL, Labels};

use super::{Tree, UNSEEN};
use crate::TaskError;
use crate::predict::{best, each_batch, head_labels, wrong_head};

/// The best tree of every sentence: log-probabilities of heads, Chu-Liu/Edmonds with one word at the root, then the best
/// relation of each arc. Words that the length limit has cut away hang on the word before them.
pub(super) fn trees(learner: &Learner, encoded: &Encoded) -> Result<Vec<Value>, TaskError> {
    let names = head_labels(learner, encoded.task())?;
    let mut trees = vec![Value::Null; encoded.examples()];
    each_batch(learner, encoded, |items, _, logits| {
        let Logits::Arcs { words, labels, arcs, relations } = logits else {
            return Err(wrong_head(learner, encoded.task()));
        };
        let wide = words + 1;
        for (row, &item) in items.iter().enumerate() {
            let first = encoded.list(column::FIRST_TOKENS, item);
            let sentence = Logarithms {
                there: (0..first.len()).filter(|&word| first[word] != IGNORED_LABEL).collect(),
                words: first.len(),
                wide,
                arcs: &arcs[row * words * wide..][..words * wide],
                labels,
                relations: &relations[row * words * wide * labels..][..words * wide * labels],
            };
            let tree = sentence.tree(&names);
            trees[encoded.example(item)] = serde_json::json!({ "heads": tree.heads, "relations": tree.relations });
        }
        Ok(())
    })?;
    Ok(trees)
}

/// The logits of one sentence.
struct Logarithms<'a> {
    /// Words that are in the sequence, from 0.
    there: Vec<usize>,
    words: usize,
    /// Padded words and the root.
    wide: usize,
    arcs: &'a [f32],
    labels: usize,
    relations: &'a [f32],
}

impl Logarithms<'_> {
    fn tree(&self, names: &Labels) -> Tree {
        let kept = self.there.len();
        let mut heads: Vec<usize> = (0..self.words).collect();
        let mut relations = vec![None; self.words];
        // Place 0 is the root, place k the k-th word that is there.
        let place = |head: usize| head.checked_sub(1).map_or(0, |kept| self.there[kept] + 1);
        let mut scores = Vec::with_capacity(kept * (kept + 1));
        for (at, &word) in self.there.iter().enumerate() {
            let row = (0..=kept).map(|head| self.arcs[word * self.wide + place(head)]);
            let row: Vec<f32> = row.collect();
            // As probabilities, so that no word's choice weighs more than another's.
            let others = row.iter().enumerate().filter(|&(head, _)| head != at + 1).map(|(_, &score)| f64::from(score));
            let largest = others.clone().fold(f64::NEG_INFINITY, f64::max);
            let total = others.map(|score| (score - largest).exp()).sum::<f64>().ln() + largest;
            scores.extend(row.iter().map(|&score| (f64::from(score) - total) as f32));
        }
        // Logits are finite and there is one row a word; without words the heads stay a chain.
        for (at, head) in maximum_spanning_tree(&scores, kept).unwrap_or_default().into_iter().enumerate() {
            let (word, head) = (self.there[at], place(head));
            heads[word] = head;
            relations[word] = Some(best(&self.relations[(word * self.wide + head) * self.labels..][..self.labels]));
        }
        let name = |label: Option<usize>| label.and_then(|label| names.name(label)).unwrap_or(UNSEEN).to_owned();
        Tree { heads, relations: relations.into_iter().map(name).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["obj", "dep", "root"];

    /// The tree of a sentence of which `there` are in the sequence; `arcs` `[padded words, padded words + 1]` are the logits,
    /// relation `(word + head) % 3` is the best of each arc.
    fn tree(there: &[usize], words: usize, padded: usize, arcs: &[f32]) -> Tree {
        let wide = padded + 1;
        assert_eq!(arcs.len(), padded * wide);
        let labels = NAMES.len();
        let mut relations = vec![0.0; padded * wide * labels];
        for word in 0..padded {
            for head in 0..wide {
                relations[(word * wide + head) * labels + (word + head) % labels] = 1.0;
            }
        }
        let sentence = Logarithms { there: there.to_vec(), words, wide, arcs, labels, relations: &relations };
        sentence.tree(&Labels::new(NAMES).unwrap())
    }

    #[test]
    fn the_best_tree_has_one_root_and_no_cycle() {
        // Each word likes another best, and words 1 and 2 each other: the cycle must be broken.
        let arcs = [
            0.0, -9.0, 5.0, 1.0, //
            1.0, 5.0, -9.0, 2.0, //
            4.0, 0.0, 0.0, -9.0,
        ];
        let Tree { heads, relations } = tree(&[0, 1, 2], 3, 3, &arcs);
        assert_eq!(heads, [2, 3, 0]);
        assert_eq!(relations, [NAMES[2], NAMES[1], NAMES[2]]);
        // All like the root best; one of them has it.
        let arcs = [
            9.0, -9.0, 1.0, 0.0, //
            8.0, 1.0, -9.0, 0.0, //
            7.0, 1.0, 0.0, -9.0,
        ];
        let heads = tree(&[0, 1, 2], 3, 3, &arcs).heads;
        assert_eq!(heads.iter().filter(|&&head| head == 0).count(), 1);
    }

    #[test]
    fn padding_changes_nothing() {
        let arcs = [
            0.0, -9.0, 5.0, //
            1.0, 5.0, -9.0,
        ];
        let padded = [
            0.0, -9.0, 5.0, 99.0, //
            1.0, 5.0, -9.0, 99.0, //
            99.0, 99.0, 99.0, 99.0,
        ];
        assert_eq!(tree(&[0, 1], 2, 2, &arcs), tree(&[0, 1], 2, 3, &padded));
    }

    #[test]
    fn words_cut_away_hang_on_the_word_before_them() {
        // Words 2 and 4 of four are not there; what their rows and columns hold is not looked at.
        let arcs = [
            5.0, -9.0, 99.0, 0.0, 99.0, //
            99.0, 99.0, 99.0, 99.0, 99.0, //
            0.0, 5.0, 99.0, -9.0, 99.0, //
            99.0, 99.0, 99.0, 99.0, 99.0,
        ];
        let Tree { heads, relations } = tree(&[0, 2], 4, 4, &arcs);
        assert_eq!(heads, [0, 1, 1, 3]);
        assert_eq!(relations, [NAMES[0], UNSEEN, NAMES[0], UNSEEN]);
        // Where the first word is gone too, the chain begins at the root.
        assert_eq!(tree(&[], 2, 2, &[0.0; 6]).heads, [0, 1]);
    }
}
