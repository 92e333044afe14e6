use spec::{Batch, IGNORED_LABEL, Targets, Task};

/// Marks a word none of whose tokens is in the sequence.
pub(crate) const NO_TOKEN: u32 = u32::MAX;

/// Token sequences with targets, stored flat. An *item* is one sequence; several may belong to one example.
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
    pub(crate) details: Details,
    /// See [`Encoded::cut`].
    pub(crate) cut: u64,
}

/// What only one task has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Details {
    /// First token of each word, [`NO_TOKEN`] if cut away; the words of item `i` are `bounds[i]..bounds[i + 1]`.
    Ner {
        labels: Vec<i8>,
        bounds: Vec<u32>,
        first_tokens: Vec<u32>,
    },
    Nli {
        labels: Vec<u8>,
    },
    /// First token of the context in each item, the character offsets of its tokens (those of item `i` are
    /// `bounds[i]..bounds[i + 1]`), and the first and last token of the answer (0 and 0 where the window lacks it).
    Qa {
        contexts: Vec<u32>,
        bounds: Vec<u32>,
        offsets: Vec<(u32, u32)>,
        answers: Vec<(u32, u32)>,
    },
    /// Nothing: retrieval and plain text.
    Plain,
}

/// One sequence on its way into the flat storage.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub example: u32,
    pub ids: Vec<u32>,
    pub segments: Vec<u8>,
    pub target: Target,
    pub cut: u64,
}

#[derive(Debug, Default)]
pub(super) enum Target {
    #[default]
    None,
    Tags {
        labels: Vec<i8>,
        first_tokens: Vec<u32>,
    },
    Class(u8),
    /// First token of the context, its tokens' offsets, the answer.
    Window {
        context: u32,
        offsets: Vec<(u32, u32)>,
        answer: (u32, u32),
    },
}

impl Encoded {
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

    /// Where the context begins in a question's window, and the character offsets of each of its tokens in the example's
    /// context. Empty for other tasks.
    pub fn context(&self, item: usize) -> (usize, &[(u32, u32)]) {
        match &self.details {
            Details::Qa { contexts, bounds, offsets, .. } => {
                (contexts[item] as usize, &offsets[bounds[item] as usize..bounds[item + 1] as usize])
            }
            _ => (0, &[]),
        }
    }

    /// What did not fit: words without a token, cut away or normalised to nothing (NER), pairs cut (NLI), windows that
    /// hold a part of the answer but not all of it (QA), sentences cut (retrieval, plain text).
    pub fn cut(&self) -> u64 {
        self.cut
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
        Batch { ids, type_ids, lengths, seq, targets: self.targets(items, seq) }
    }

    fn targets(&self, items: &[usize], seq: usize) -> Targets {
        match &self.details {
            Details::Ner { labels, .. } => {
                let mut padded = vec![IGNORED_LABEL; items.len() * seq];
                for (row, &item) in items.iter().enumerate() {
                    for (index, position) in self.range(item).enumerate() {
                        padded[row * seq + index] = i32::from(labels[position]);
                    }
                }
                Targets::TokenLabels(padded)
            }
            Details::Nli { labels } => Targets::Classes(items.iter().map(|&item| i32::from(labels[item])).collect()),
            Details::Qa { answers, .. } => Targets::Spans {
                starts: items.iter().map(|&item| answers[item].0 as i32).collect(),
                ends: items.iter().map(|&item| answers[item].1 as i32).collect(),
            },
            Details::Plain => Targets::None,
        }
    }

    fn range(&self, item: usize) -> std::ops::Range<usize> {
        self.bounds[item] as usize..self.bounds[item + 1] as usize
    }
}

/// Collects items into an [`Encoded`].
pub(super) struct Builder(Encoded);

impl Builder {
    pub fn new(task: Task, examples: usize, pad: i32, max_length: usize) -> Self {
        let details = match task {
            Task::Ner => Details::Ner { labels: Vec::new(), bounds: vec![0], first_tokens: Vec::new() },
            Task::Nli => Details::Nli { labels: Vec::new() },
            Task::Qa => Details::Qa { contexts: Vec::new(), bounds: vec![0], offsets: Vec::new(), answers: Vec::new() },
            Task::Retrieval | Task::Mlm => Details::Plain,
        };
        let (ids, segments, owner) = (Vec::new(), Vec::new(), Vec::new());
        Self(Encoded { task, examples, pad, max_length, bounds: vec![0], ids, segments, owner, details, cut: 0 })
    }

    pub fn extend(&mut self, items: impl IntoIterator<Item = Vec<Item>>) {
        items.into_iter().flatten().for_each(|item| self.push(item));
    }

    fn push(&mut self, item: Item) {
        let all = &mut self.0;
        all.ids.extend(&item.ids);
        all.segments.extend(&item.segments);
        all.bounds.push(all.ids.len() as u32);
        all.owner.push(item.example);
        all.cut += item.cut;
        match (&mut all.details, item.target) {
            (Details::Ner { labels, bounds, first_tokens }, Target::Tags { labels: new, first_tokens: firsts }) => {
                labels.extend(new);
                first_tokens.extend(firsts);
                bounds.push(first_tokens.len() as u32);
            }
            (Details::Nli { labels }, Target::Class(class)) => labels.push(class),
            (Details::Qa { contexts, bounds, offsets, answers }, Target::Window { context, offsets: new, answer }) => {
                contexts.push(context);
                offsets.extend(new);
                bounds.push(offsets.len() as u32);
                answers.push(answer);
            }
            (Details::Plain, Target::None) => {}
            (details, target) => unreachable!("an item of another task: {target:?} for {details:?}"),
        }
    }

    pub fn finish(self) -> Encoded {
        self.0
    }
}
