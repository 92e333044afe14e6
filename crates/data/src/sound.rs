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

    /// The columns are those of the task's objective, and their numbers are within bounds.
    fn columns_are_sound(&self) -> bool {
        let names: Vec<&str> = self.columns.keys().map(String::as_str).collect();
        let lists = self.columns.values().all(|column| match column {
            Column::Tokens(values) => values.len() == self.ids.len(),
            Column::Items(values) => values.len() == self.len(),
            Column::Lists { bounds, values } => bounds_fit(bounds, self.len(), values.len()),
        });
        let are = |wanted: &mut [&str]| {
            wanted.sort_unstable();
            names == *wanted
        };
        let items = 0..self.len();
        let length = |item: usize| self.ids(item).len() as i32;
        let label = |&value: &i32| (0..self.labels.len() as i64).contains(&i64::from(value));
        let label_or_none = |value: &i32| *value == IGNORED_LABEL || label(value);
        let is_list = |name: &str| matches!(self.columns.get(name), Some(Column::Lists { .. }));
        // What is no column of numbers gives none.
        let number = |name: &str, item: usize| self.number(name, item).unwrap_or(-1);
        let places = |name: &str, item: usize| {
            let inside = |&place: &i32| place == IGNORED_LABEL || (0..length(item)).contains(&place);
            self.list(name, item).iter().all(inside)
        };
        lists
            && match self.task.objective() {
                Objective::TokenLabels => {
                    let tokens = match self.columns.get(column::TOKEN_LABELS) {
                        Some(Column::Tokens(values)) => values.iter().all(label_or_none),
                        _ => false,
                    };
                    are(&mut [column::TOKEN_LABELS, column::FIRST_TOKENS])
                        && tokens
                        && is_list(column::FIRST_TOKENS)
                        && items.into_iter().all(|item| places(column::FIRST_TOKENS, item))
                }
                Objective::RowLabels => {
                    are(&mut [column::CLASS]) && items.into_iter().all(|item| label(&number(column::CLASS, item)))
                }
                Objective::Span => {
                    are(&mut [column::CONTEXT, column::OFFSETS, column::ANSWER_START, column::ANSWER_END])
                        && is_list(column::OFFSETS)
                        && items.into_iter().all(|item| {
                            let [context, start, end] = [column::CONTEXT, column::ANSWER_START, column::ANSWER_END]
                                .map(|name| number(name, item));
                            let offsets = self.list(column::OFFSETS, item);
                            let tokens = (offsets.len() / 2) as i64;
                            offsets.len().is_multiple_of(2)
                                && offsets.iter().all(|&offset| offset >= 0)
                                && context >= 0
                                && i64::from(context) + tokens <= i64::from(length(item))
                                && 0 <= start
                                && start <= end
                                && end < length(item)
                        })
                }
                Objective::Choices => {
                    are(&mut [column::RIGHT])
                        && self
                            .owner
                            .chunk_by(|one, next| one == next)
                            .fold((true, 0), |(sound, first), group| {
                                let right = (first..first + group.len()).map(|item| number(column::RIGHT, item));
                                let same = right.clone().all(|right| Some(right) == self.number(column::RIGHT, first));
                                let inside = number(column::RIGHT, first);
                                let sound = sound && same && inside >= 0 && (inside as usize) < group.len();
                                (sound, first + group.len())
                            })
                            .0
                }
                Objective::Arcs => {
                    let [heads, relations] = [column::HEADS, column::RELATIONS];
                    let [first, last] = [column::FIRST_TOKENS, column::LAST_TOKENS];
                    are(&mut [heads, relations, first, last])
                        && [heads, relations, first, last].iter().all(|name| is_list(name))
                        && items.into_iter().all(|item| {
                            let words = self.list(first, item).len();
                            let head =
                                |&head: &i32| head == IGNORED_LABEL || (0..=words as i64).contains(&i64::from(head));
                            let pairs = self.list(first, item).iter().zip(self.list(last, item));
                            [heads, relations, last].iter().all(|name| self.list(name, item).len() == words)
                                && places(first, item)
                                && places(last, item)
                                && pairs.clone().all(|(first, last)| first <= last)
                                && pairs
                                    .clone()
                                    .all(|(&first, &last)| (first == IGNORED_LABEL) == (last == IGNORED_LABEL))
                                && self.list(heads, item).iter().all(head)
                                && self.list(relations, item).iter().all(label_or_none)
                        })
                }
                Objective::MaskedTokens | Objective::Ranking => names.is_empty(),
            }
    }
}

/// Whether these are the ends of so many lists of so many values in all.
fn bounds_fit(bounds: &[u32], lists: usize, values: usize) -> bool {
    bounds.len() == lists + 1
        && bounds.first() == Some(&0)
        && bounds.last().is_some_and(|&end| end as usize == values)
        && bounds.is_sorted()
}
