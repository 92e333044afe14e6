use std::collections::BTreeMap;

use spec::{Batch, ExampleRows, IGNORED_LABEL, Labels, Objective, Targets, Task, Words};

use crate::DataError;

/// Token sequences with what belongs to them, stored flat. An *item* is one sequence; several may belong to one example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    pub(crate) task: Task,
    pub(crate) examples: usize,
    pub(crate) pad: i32,
    pub(crate) max_length: usize,
    /// Where each item begins in `ids`, and the end of the last: `[items + 1]`.
    pub(crate) bounds: Vec<u32>,
    pub(crate) ids: Vec<u32>,
    pub(crate) segments: Vec<u8>,
    /// Example of each item.
    pub(crate) owner: Vec<u32>,
    /// What the numbers of label columns mean.
    pub(crate) labels: Labels,
    pub(crate) columns: BTreeMap<String, Column>,
    /// See [`Encoded::cut`].
    pub(crate) cut: u64,
}

/// The columns that batches and decoders read.
pub mod column {
    /// By token: the label of a word on its first token.
    pub const TOKEN_LABELS: &str = "token-labels";
    /// By item: its class.
    pub const CLASS: &str = "class";
    /// A list an item: first and last token of each word; -1 for a word that has none.
    pub const FIRST_TOKENS: &str = "first-tokens";
    pub const LAST_TOKENS: &str = "last-tokens";
    /// A list an item: head and relation of each word; -100 where they do not count.
    pub const HEADS: &str = "heads";
    pub const RELATIONS: &str = "relations";
    /// By item: which of the example's rows is right, from 0.
    pub const RIGHT: &str = "right";
    /// By item: first and last token of the answer, 0 where the window lacks it.
    pub const ANSWER_START: &str = "answer-start";
    pub const ANSWER_END: &str = "answer-end";
    /// By item: the first token of the context.
    pub const CONTEXT: &str = "context";
    /// A list an item: first and last character (not included) of each token of the context, one after the other.
    pub const OFFSETS: &str = "offsets";
    /// Those whose numbers are labels.
    pub(crate) const OF_LABELS: [&str; 3] = [TOKEN_LABELS, CLASS, RELATIONS];
}

/// Numbers beside the tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Column {
    /// One a token.
    Tokens(Vec<i32>),
    /// One an item.
    Items(Vec<i32>),
    /// A list an item: that of item `i` is `bounds[i]..bounds[i + 1]`.
    Lists { bounds: Vec<u32>, values: Vec<i32> },
}

/// One sequence on its way into [`Encoded`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    pub example: u32,
    pub ids: Vec<u32>,
    pub segments: Vec<u8>,
    /// By name; every item of a file has the same.
    pub columns: Vec<(&'static str, Cells)>,
    pub cut: u64,
}

/// An item's part of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cells {
    /// One number a token, special tokens included.
    Tokens(Vec<i32>),
    Number(i32),
    List(Vec<i32>),
}

impl Encoded {
    /// Gathers the items of each example, in the examples' order. `labels` say what the numbers of label columns mean.
    ///
    /// # Panics
    /// If items have different columns.
    pub fn new(
        task: Task,
        labels: &Labels,
        pad: i32,
        max_length: usize,
        items: impl IntoIterator<Item = Vec<Item>>,
    ) -> Self {
        let mut all = Self {
            task,
            examples: 0,
            pad,
            max_length,
            bounds: vec![0],
            ids: Vec::new(),
            segments: Vec::new(),
            owner: Vec::new(),
            labels: labels.clone(),
            columns: BTreeMap::new(),
            cut: 0,
        };
        items.into_iter().flatten().for_each(|item| all.push(item));
        all
    }

    fn push(&mut self, item: Item) {
        self.ids.extend(&item.ids);
        self.segments.extend(&item.segments);
        self.bounds.push(self.ids.len() as u32);
        self.examples = self.examples.max(item.example as usize + 1);
        self.owner.push(item.example);
        self.cut += item.cut;
        for (name, cells) in item.columns {
            match (self.columns.entry(name.to_owned()).or_insert_with(|| Column::like(&cells)), cells) {
                (Column::Tokens(all), Cells::Tokens(new)) => all.extend(new),
                (Column::Items(all), Cells::Number(new)) => all.push(new),
                (Column::Lists { bounds, values }, Cells::List(new)) => {
                    values.extend(new);
                    bounds.push(values.len() as u32);
                }
                (column, cells) => panic!("items with different columns `{name}`: {cells:?} for {column:?}"),
            }
        }
    }

    pub fn task(&self) -> Task {
        self.task
    }

    /// Number of items (sequences).
    pub fn len(&self) -> usize {
        self.owner.len()
    }

    pub fn is_empty(&self) -> bool {
        self.owner.is_empty()
    }

    /// Number of examples the items come from.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// Tokens of each item, special tokens included.
    pub fn lengths(&self) -> Vec<usize> {
        self.bounds.windows(2).map(|pair| (pair[1] - pair[0]) as usize).collect()
    }

    /// Index of the example an item comes from.
    pub fn example(&self, item: usize) -> usize {
        self.owner[item] as usize
    }

    /// Token ids of an item.
    pub fn ids(&self, item: usize) -> &[u32] {
        &self.ids[self.range(item)]
    }

    /// Segment ids of an item.
    pub fn segments(&self, item: usize) -> &[u8] {
        &self.segments[self.range(item)]
    }

    /// An item's list in a column; empty if there is no such column of lists.
    pub fn list(&self, name: &str, item: usize) -> &[i32] {
        match self.columns.get(name) {
            Some(Column::Lists { bounds, values }) => &values[bounds[item] as usize..bounds[item + 1] as usize],
            _ => &[],
        }
    }

    /// An item's number in a column; `None` if there is no such column of numbers.
    pub fn number(&self, name: &str, item: usize) -> Option<i32> {
        match self.columns.get(name) {
            Some(Column::Items(values)) => Some(values[item]),
            _ => None,
        }
    }

    /// What did not fit: words without a token, cut away or normalised to nothing, texts cut, windows that hold a part of an
    /// answer but not all of it.
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// Numbers labels as a head does that has these names.
    ///
    /// # Errors
    /// [`DataError::Options`] naming a label that the head lacks.
    pub fn relabel(&mut self, head: &Labels) -> Result<(), DataError> {
        if self.labels == *head {
            return Ok(());
        }
        let places = self.labels.places_in(head).map_err(|name| {
            DataError::options(format!("the data have the label `{name}`, which the head does not have; it has {head}"))
        })?;
        for name in column::OF_LABELS {
            let values = match self.columns.get_mut(name) {
                Some(Column::Tokens(values) | Column::Items(values) | Column::Lists { values, .. }) => values,
                None => continue,
            };
            for value in values.iter_mut().filter(|value| **value != IGNORED_LABEL) {
                *value = places[*value as usize] as i32;
            }
        }
        self.labels = head.clone();
        Ok(())
    }

    /// Pads the items to the longest of them, rounded up to a multiple but never beyond the length limit.
    ///
    /// # Panics
    /// If an item does not exist.
    pub fn batch(&self, items: &[usize], pad_to_multiple: usize) -> Batch {
        let lengths: Vec<usize> = items.iter().map(|&item| self.range(item).len()).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let seq = longest.next_multiple_of(pad_to_multiple.max(1)).min(self.max_length).max(longest);
        let mut ids = vec![self.pad; items.len() * seq];
        let mut type_ids = vec![0; items.len() * seq];
        for (row, &item) in items.iter().enumerate() {
            for (index, position) in self.range(item).enumerate() {
                ids[row * seq + index] = self.ids[position] as i32;
                type_ids[row * seq + index] = i32::from(self.segments[position]);
            }
        }
        let (words, targets) = (self.words(items), self.targets(items, seq));
        Batch { ids, type_ids, lengths, seq, words, task: Some(self.task), targets }
    }

    fn words(&self, items: &[usize]) -> Option<Words> {
        (self.task.objective() == Objective::Arcs).then(|| Words {
            first: self.padded_lists(column::FIRST_TOKENS, items),
            last: self.padded_lists(column::LAST_TOKENS, items),
            width: self.words_of(items),
        })
    }

    /// Words of the item that has most.
    fn words_of(&self, items: &[usize]) -> usize {
        items.iter().map(|&item| self.list(column::FIRST_TOKENS, item).len()).max().unwrap_or(0)
    }

    fn padded_lists(&self, name: &str, items: &[usize]) -> Vec<i32> {
        let width = self.words_of(items);
        let mut padded = vec![IGNORED_LABEL; items.len() * width];
        for (row, &item) in items.iter().enumerate() {
            let list = self.list(name, item);
            padded[row * width..][..list.len()].copy_from_slice(list);
        }
        padded
    }

    fn targets(&self, items: &[usize], seq: usize) -> Targets {
        let numbers = |name: &str| items.iter().filter_map(|&item| self.number(name, item)).collect();
        match self.task.objective() {
            Objective::TokenLabels => match self.columns.get(column::TOKEN_LABELS) {
                Some(Column::Tokens(labels)) => {
                    let mut padded = vec![IGNORED_LABEL; items.len() * seq];
                    for (row, &item) in items.iter().enumerate() {
                        let range = self.range(item);
                        padded[row * seq..][..range.len()].copy_from_slice(&labels[range]);
                    }
                    Targets::TokenLabels(padded)
                }
                _ => Targets::None,
            },
            Objective::RowLabels => Targets::Classes(numbers(column::CLASS)),
            Objective::Span => {
                Targets::Spans { starts: numbers(column::ANSWER_START), ends: numbers(column::ANSWER_END) }
            }
            Objective::Choices => {
                let groups = items.chunk_by(|&one, &next| self.owner[one] == self.owner[next]);
                let groups: Vec<&[usize]> = groups.collect();
                Targets::Choices {
                    rows: groups.iter().map(|rows| rows.len()).collect(),
                    right: groups.iter().filter_map(|rows| self.number(column::RIGHT, rows[0])).collect(),
                }
            }
            Objective::Arcs => Targets::Arcs {
                heads: self.padded_lists(column::HEADS, items),
                relations: self.padded_lists(column::RELATIONS, items),
            },
            Objective::MaskedTokens | Objective::Ranking => Targets::None,
        }
    }

    /// Tokens of what training draws as one: an item, or for grouped tasks the longest row of an example.
    pub fn drawn_lengths(&self) -> Vec<usize> {
        let lengths = self.lengths();
        match self.task.description().rows {
            ExampleRows::Sides => {
                let (foreign, english) = lengths.split_at(lengths.len() / 2);
                foreign.iter().zip(english).map(|(a, b)| *a.max(b)).collect()
            }
            ExampleRows::Choices => {
                let rows = self.owner.chunk_by(|one, next| one == next);
                let mut start = 0;
                rows.map(|rows| {
                    start += rows.len();
                    lengths[start - rows.len()..start].iter().copied().max().unwrap_or(0)
                })
                .collect()
            }
            ExampleRows::Single | ExampleRows::Pair | ExampleRows::Windows => lengths,
        }
    }

    /// The batch of some of what [`Encoded::drawn_lengths`] lists.
    ///
    /// # Panics
    /// If one does not exist.
    pub fn drawn_batch(&self, drawn: &[usize], pad_to_multiple: usize) -> Batch {
        match self.task.description().rows {
            // All foreign sentences, then their translations.
            ExampleRows::Sides => {
                let english = drawn.iter().map(|item| self.len() / 2 + item);
                let items: Vec<usize> = drawn.iter().copied().chain(english).collect();
                Batch { targets: Targets::Translations, ..self.batch(&items, pad_to_multiple) }
            }
            ExampleRows::Choices => {
                let rows = |&example: &usize| {
                    let start = self.owner.partition_point(|&owner| (owner as usize) < example);
                    start..self.owner.partition_point(|&owner| owner as usize <= example)
                };
                self.batch(&drawn.iter().flat_map(rows).collect::<Vec<_>>(), pad_to_multiple)
            }
            ExampleRows::Single | ExampleRows::Pair | ExampleRows::Windows => self.batch(drawn, pad_to_multiple),
        }
    }

    fn range(&self, item: usize) -> std::ops::Range<usize> {
        self.bounds[item] as usize..self.bounds[item + 1] as usize
    }
}

impl Column {
    fn like(cells: &Cells) -> Self {
        match cells {
            Cells::Tokens(_) => Self::Tokens(Vec::new()),
            Cells::Number(_) => Self::Items(Vec::new()),
            Cells::List(_) => Self::Lists { bounds: vec![0], values: Vec::new() },
        }
    }
}
