/// The label of a token that neither trains nor scores (special tokens, later pieces of a word, padding).
pub const IGNORED_LABEL: i32 = -100;

/// One padded batch as plain host data: what the data pipeline hands to the learner.
///
/// Rows are padded at the end to the longest row. `ids` and `type_ids` are row-major `[batch, seq]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Token ids `[batch, seq]`, padded with the tokenizer's padding id.
    pub ids: Vec<i32>,
    /// Segment ids `[batch, seq]`: 0 for the first text, 1 for the second where the model has two segment types.
    pub type_ids: Vec<i32>,
    /// Tokens in each row, `[batch]`; the attention mask is `position < length`.
    pub lengths: Vec<usize>,
    /// Padded length of every row.
    pub seq: usize,
    pub targets: Targets,
}

/// What the loss compares the logits with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// Inference only.
    None,
    /// One label a token, `[batch, seq]`; [`IGNORED_LABEL`] where there is none.
    TokenLabels(Vec<i32>),
    /// One label a row, `[batch]`.
    Classes(Vec<i32>),
    /// First and last token of the answer, `[batch]` each; 0 (the first special token) where the window holds none.
    Spans { starts: Vec<i32>, ends: Vec<i32> },
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

    /// Tokens that are not padding.
    pub fn real_tokens(&self) -> usize {
        self.lengths.iter().sum()
    }
}
