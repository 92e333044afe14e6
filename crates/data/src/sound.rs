//! Whether encoded data that were read from a file are such as encoding makes: whoever uses them may then trust every bound,
//! id and label.

use spec::{ExampleRows, IGNORED_LABEL, Objective};

use crate::encoded::{Column, column};
use crate::{Encoded, Tokenization};

impl Encoded {
    /// Whether these can be `rows` examples of their task, encoded by this tokenizer into at most `max_length` tokens each.
    pub(crate) fn is_sound(&self, rows: usize, tokenization: &Tokenization, max_length: usize) -> bool {
        let lengths_are_sound = bounds_fit(&self.bounds, self.len(), self.ids.len())
            && self.bounds.windows(2).all(|pair| (1..=max_length).contains(&((pair[1] - pair[0]) as usize)));
        lengths_are_sound
            && (self.max_length, self.pad) == (max_length, tokenization.pad_id())
            && self.segments.len() == self.ids.len()
            && self.ids.iter().all(|&id| tokenization.has_id(id))
            && self.segments.iter().all(|&segment| usize::from(segment) < tokenization.segments())
            && self.examples == rows
            && self.owners_are_sound()
            && self.columns_are_sound()
    }

    /// Every example has an item, in order; where there are two sides, one on each.
    fn owners_are_sound(&self) -> bool {
        let (rows, items) = (self.examples, self.len());
        let in_order = |owner: &[u32]| owner.iter().enumerate().all(|(row, &owner)| owner as usize == row);
        match self.task.description().rows {
            ExampleRows::Sides => items == 2 * rows && self.owner.chunks(rows.max(1)).all(in_order),
            ExampleRows::Single | ExampleRows::Pair => items == rows && in_order(&self.owner),
            ExampleRows::Windows | ExampleRows::Choices => {
                self.owner.first().is_none_or(|&first| first == 0)
                    && self.owner.last().map_or(0, |&last| last as usize + 1) == rows
                    && self.owner.is_sorted_by(|&one, &next| next == one || next == one.wrapping_add(1))
            }
        }
    }

    /// The columns are those of the task's objective, each of its kind, and their numbers are within bounds.
    fn columns_are_sound(&self) -> bool {
        use column::{ANSWER_END, ANSWER_START, CLASS, CONTEXT, FIRST_TOKENS, HEADS, LAST_TOKENS};
        use column::{OFFSETS, RELATIONS, RIGHT, TOKEN_LABELS};
        let (lists, numbers): (&[&str], &[&str]) = match self.task.objective() {
            Objective::TokenLabels => (&[FIRST_TOKENS, TOKEN_LABELS], &[]),
            Objective::RowLabels => (&[], &[CLASS]),
            Objective::Span => (&[OFFSETS], &[ANSWER_END, ANSWER_START, CONTEXT]),
            Objective::Choices => (&[], &[RIGHT]),
            Objective::Arcs => (&[FIRST_TOKENS, HEADS, LAST_TOKENS, RELATIONS], &[]),
            Objective::MaskedTokens | Objective::Ranking => (&[], &[]),
        };
        let known = self.columns.len() == lists.len() + numbers.len();
        let kinds = self.columns.iter().all(|(name, column)| match column {
            Column::Tokens(values) => {
                name == TOKEN_LABELS && lists.contains(&TOKEN_LABELS) && values.len() == self.ids.len()
            }
            Column::Items(values) => numbers.contains(&name.as_str()) && values.len() == self.len(),
            Column::Lists { bounds, values } => {
                name != TOKEN_LABELS && lists.contains(&name.as_str()) && bounds_fit(bounds, self.len(), values.len())
            }
        });
        known
            && kinds
            && match self.task.objective() {
                Objective::TokenLabels => self.token_labels_are_sound(),
                Objective::RowLabels => (0..self.len()).all(|item| self.is_label(self.of_item(CLASS, item))),
                Objective::Span => (0..self.len()).all(|item| self.is_window(item)),
                Objective::Choices => self.choices_are_sound(),
                Objective::Arcs => (0..self.len()).all(|item| self.is_tree(item)),
                Objective::MaskedTokens | Objective::Ranking => true,
            }
    }

    fn token_labels_are_sound(&self) -> bool {
        let labels = match self.columns.get(column::TOKEN_LABELS) {
            Some(Column::Tokens(values)) => values.as_slice(),
            _ => &[],
        };
        labels.iter().all(|&label| label == IGNORED_LABEL || self.is_label(label))
            && (0..self.len()).all(|item| self.are_tokens(column::FIRST_TOKENS, item))
    }

    /// A window of a context: its tokens are within the item, and so is the answer.
    fn is_window(&self, item: usize) -> bool {
        let [context, start, end] =
            [column::CONTEXT, column::ANSWER_START, column::ANSWER_END].map(|name| i64::from(self.of_item(name, item)));
        let (offsets, length) = (self.list(column::OFFSETS, item), self.ids(item).len() as i64);
        offsets.len().is_multiple_of(2)
            && offsets.iter().all(|&offset| offset >= 0)
            && context >= 0
            && context + offsets.len() as i64 / 2 <= length
            && (0..=end).contains(&start)
            && end < length
    }

    /// All rows of an example say the same of them is right.
    fn choices_are_sound(&self) -> bool {
        let mut first = 0;
        self.owner.chunk_by(|one, next| one == next).all(|rows| {
            let right = self.of_item(column::RIGHT, first);
            let same = (first..first + rows.len()).all(|item| self.of_item(column::RIGHT, item) == right);
            first += rows.len();
            same && (0..rows.len() as i64).contains(&i64::from(right))
        })
    }

    /// A head and a relation for each word, and its tokens.
    fn is_tree(&self, item: usize) -> bool {
        let [heads, relations, first, last] =
            [column::HEADS, column::RELATIONS, column::FIRST_TOKENS, column::LAST_TOKENS]
                .map(|name| self.list(name, item));
        let words = first.len();
        let is_head = |head: i32| (0..=words as i64).contains(&i64::from(head));
        [heads, relations, last].iter().all(|list| list.len() == words)
            && self.are_tokens(column::FIRST_TOKENS, item)
            && self.are_tokens(column::LAST_TOKENS, item)
            && first
                .iter()
                .zip(last)
                .all(|(&first, &last)| first <= last && (first == IGNORED_LABEL) == (last == IGNORED_LABEL))
            && heads.iter().all(|&head| head == IGNORED_LABEL || is_head(head))
            && relations.iter().all(|&relation| relation == IGNORED_LABEL || self.is_label(relation))
    }

    /// An item's number in a column, -1 if there is no such column.
    fn of_item(&self, name: &str, item: usize) -> i32 {
        self.number(name, item).unwrap_or(-1)
    }

    fn is_label(&self, label: i32) -> bool {
        usize::try_from(label).is_ok_and(|label| label < self.labels.len())
    }

    /// Whether a list holds places of tokens in its item, or [`IGNORED_LABEL`].
    fn are_tokens(&self, name: &str, item: usize) -> bool {
        let tokens = 0..self.ids(item).len() as i32;
        self.list(name, item).iter().all(|place| *place == IGNORED_LABEL || tokens.contains(place))
    }
}

/// Whether these are the ends of so many lists of so many values in all.
fn bounds_fit(bounds: &[u32], lists: usize, values: usize) -> bool {
    bounds.len() == lists + 1
        && bounds.first() == Some(&0)
        && bounds.last().is_some_and(|&end| end as usize == values)
        && bounds.is_sorted()
}
