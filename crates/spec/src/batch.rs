use std::ops::Range;

use crate::Task;

/// The label of a token that neither trains nor scores (special tokens, later pieces of a word, padding).
pub const IGNORED_LABEL: i32 = -100;

/// One padded batch as plain host data: what the data pipeline hands to the learner.
///
/// Rows are padded at the end to the longest row. `ids` and `type_ids` are row-major `[batch, seq]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Token ids `[batch, seq]`, padded with the tokenizer's padding id.
    pub ids: Vec<i32>,
    /// Segment ids `[batch, seq]`: 0 for the first text, 1 for the second where the model has two segment types.
    pub type_ids: Vec<i32>,
    /// Tokens in each row, `[batch]`; the attention mask is `position < length`.
    pub lengths: Vec<usize>,
    /// Padded length of every row.
    pub seq: usize,
    /// Where the words of each row are, for heads that ask.
    pub words: Option<Words>,
    /// The task whose head it is for; `None` for the model's main one.
    pub task: Option<Task>,
    pub targets: Targets,
}

/// First and last token of each word, `[batch, width]` each; [`IGNORED_LABEL`] behind a row's last word. A word none of
/// whose tokens is in the row has it too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    pub first: Vec<i32>,
    pub last: Vec<i32>,
    /// Padded number of words of every row.
    pub width: usize,
}

/// What the loss compares the logits with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Targets {
    /// Inference only.
    #[default]
    None,
    /// One label a token, `[batch, seq]`; [`IGNORED_LABEL`] where there is none.
    TokenLabels(Vec<i32>),
    /// One label a row, `[batch]`.
    Classes(Vec<i32>),
    /// First and last token of the answer, `[batch]` each; 0 (the first special token) where the window holds none.
    Spans { starts: Vec<i32>, ends: Vec<i32> },
    /// Rows of each example, which follow one another, and which of them is right, `[examples]` each.
    Choices { rows: Vec<usize>, right: Vec<i32> },
    /// Head of each word (0 for the root, `k` for the row's `k`-th word) and its relation, `[batch, words]` each;
    /// [`IGNORED_LABEL`] where a word does not count or its head is cut away.
    Arcs { heads: Vec<i32>, relations: Vec<i32> },
    /// The token that stood where one is masked, `[batch, seq]`; [`IGNORED_LABEL`] elsewhere.
    MaskedTokens(Vec<i32>),
    /// Row `i` of the first half and row `i` of the second half say the same in two languages.
    Translations,
}

impl Batch {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Number of examples: rows, but for choices and pairs of translations, which have several.
    pub fn examples(&self) -> usize {
        match &self.targets {
            Targets::Translations => self.len() / 2,
            Targets::Choices { rows, .. } => rows.len(),
            _ => self.len(),
        }
    }

    /// Tokens that are not padding.
    pub fn real_tokens(&self) -> usize {
        self.lengths.iter().sum()
    }

    /// The smallest batches that have losses of their own: a row each, the rows of an example together, and a ranking of
    /// translations as a whole.
    pub fn parts(&self) -> Vec<Batch> {
        match &self.targets {
            Targets::Translations => vec![self.clone()],
            Targets::Choices { rows, .. } => {
                let mut start = 0;
                let ranges = rows.iter().map(|rows| {
                    start += rows;
                    start - rows..start
                });
                ranges.enumerate().map(|(example, range)| self.part(range, example)).collect()
            }
            _ => (0..self.len()).map(|row| self.part(row..row + 1, row)).collect(),
        }
    }

    /// Some rows, which are those of one example.
    fn part(&self, rows: Range<usize>, example: usize) -> Batch {
        let wide = |values: &[i32], width: usize| values[rows.start * width..rows.end * width].to_vec();
        let width = self.words.as_ref().map_or(0, |words| words.width);
        let targets = match &self.targets {
            Targets::None => Targets::None,
            Targets::Translations => Targets::Translations,
            Targets::TokenLabels(labels) => Targets::TokenLabels(wide(labels, self.seq)),
            Targets::MaskedTokens(tokens) => Targets::MaskedTokens(wide(tokens, self.seq)),
            Targets::Classes(labels) => Targets::Classes(wide(labels, 1)),
            Targets::Spans { starts, ends } => Targets::Spans { starts: wide(starts, 1), ends: wide(ends, 1) },
            Targets::Choices { right, .. } => Targets::Choices { rows: vec![rows.len()], right: vec![right[example]] },
            Targets::Arcs { heads, relations } => {
                Targets::Arcs { heads: wide(heads, width), relations: wide(relations, width) }
            }
        };
        Batch {
            ids: wide(&self.ids, self.seq),
            type_ids: wide(&self.type_ids, self.seq),
            lengths: self.lengths[rows.clone()].to_vec(),
            seq: self.seq,
            words: self.words.as_ref().map(|words| Words {
                first: wide(&words.first, width),
                last: wide(&words.last, width),
                width,
            }),
            task: self.task,
            targets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_what_their_loss_needs() {
        let words = Words { first: (0..10).collect(), last: (10..20).collect(), width: 2 };
        let heads: Vec<i32> = (20..30).collect();
        let arcs = Targets::Arcs { heads: heads.clone(), relations: heads };
        let batch = |targets| Batch {
            ids: (0..15).collect(),
            type_ids: vec![0; 15],
            lengths: vec![3, 2, 1, 3, 2],
            seq: 3,
            words: Some(words.clone()),
            task: None,
            targets,
        };
        let parts = batch(arcs).parts();
        assert_eq!(parts.len(), 5);
        assert_eq!(parts[3].ids, [9, 10, 11]);
        assert_eq!(parts[3].words, Some(Words { first: vec![6, 7], last: vec![16, 17], width: 2 }));
        assert_eq!(parts[3].targets, Targets::Arcs { heads: vec![26, 27], relations: vec![26, 27] });
        let parts = batch(Targets::Choices { rows: vec![2, 3], right: vec![1, 0] }).parts();
        assert_eq!(parts.iter().map(Batch::len).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(parts[1].targets, Targets::Choices { rows: vec![3], right: vec![0] });
        assert_eq!(parts[1].lengths, [1, 3, 2]);
        assert_eq!(batch(Targets::Translations).parts().len(), 1);
    }
}
