use spec::Task;

/// One sentence of words with an entity tag each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NerExample {
    pub id: String,
    pub words: Vec<String>,
    /// Index into `Task::Ner.labels()`, one a word.
    pub tags: Vec<u8>,
}

/// A premise, a hypothesis and how they relate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NliExample {
    pub id: String,
    pub premise: String,
    pub hypothesis: String,
    /// Index into `Task::Nli.labels()`.
    pub label: u8,
}

/// A question whose answer is a piece of the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QaExample {
    pub id: String,
    pub question: String,
    pub context: String,
    /// At least one; the first is the one that training uses.
    pub answers: Vec<Answer>,
}

/// A span of a context. `context.chars().skip(start)` begins with `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    /// In characters (Unicode code points), as all SQuAD-like files count.
    pub start: usize,
}

/// A sentence and its English translation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairExample {
    pub id: String,
    pub source: String,
    pub english: String,
}

/// A sentence or paragraph of plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextExample {
    pub id: String,
    pub text: String,
}

/// The examples of one file, by task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Examples {
    Ner(Vec<NerExample>),
    Nli(Vec<NliExample>),
    Qa(Vec<QaExample>),
    Pairs(Vec<PairExample>),
    Text(Vec<TextExample>),
}

impl Examples {
    pub fn task(&self) -> Task {
        match self {
            Self::Ner(_) => Task::Ner,
            Self::Nli(_) => Task::Nli,
            Self::Qa(_) => Task::Qa,
            Self::Pairs(_) => Task::Retrieval,
            Self::Text(_) => Task::Mlm,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Ner(examples) => examples.len(),
            Self::Nli(examples) => examples.len(),
            Self::Qa(examples) => examples.len(),
            Self::Pairs(examples) => examples.len(),
            Self::Text(examples) => examples.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps the first `limit` examples.
    pub fn truncate(&mut self, limit: usize) {
        match self {
            Self::Ner(examples) => examples.truncate(limit),
            Self::Nli(examples) => examples.truncate(limit),
            Self::Qa(examples) => examples.truncate(limit),
            Self::Pairs(examples) => examples.truncate(limit),
            Self::Text(examples) => examples.truncate(limit),
        }
    }

    /// The examples at these places, in this order.
    ///
    /// # Panics
    /// If there is no such place.
    #[must_use]
    pub fn select(&self, places: &[usize]) -> Self {
        fn at<T: Clone>(examples: &[T], places: &[usize]) -> Vec<T> {
            places.iter().map(|&place| examples[place].clone()).collect()
        }
        match self {
            Self::Ner(examples) => Self::Ner(at(examples, places)),
            Self::Nli(examples) => Self::Nli(at(examples, places)),
            Self::Qa(examples) => Self::Qa(at(examples, places)),
            Self::Pairs(examples) => Self::Pairs(at(examples, places)),
            Self::Text(examples) => Self::Text(at(examples, places)),
        }
    }

    /// Identifier of each example, in order.
    pub fn ids(&self) -> Vec<&str> {
        match self {
            Self::Ner(examples) => examples.iter().map(|example| example.id.as_str()).collect(),
            Self::Nli(examples) => examples.iter().map(|example| example.id.as_str()).collect(),
            Self::Qa(examples) => examples.iter().map(|example| example.id.as_str()).collect(),
            Self::Pairs(examples) => examples.iter().map(|example| example.id.as_str()).collect(),
            Self::Text(examples) => examples.iter().map(|example| example.id.as_str()).collect(),
        }
    }

    /// BLAKE3 of the content, in hexadecimal: the same examples give the same hash whatever file format, compression or
    /// row grouping they came in.
    pub fn content_hash(&self) -> String {
        let mut hash = Fields(blake3::Hasher::new());
        hash.text("lethe examples 1");
        hash.text(self.task().as_str());
        hash.number(self.len());
        match self {
            Self::Ner(examples) => {
                for example in examples {
                    hash.text(&example.id);
                    hash.number(example.words.len());
                    example.words.iter().for_each(|word| hash.text(word));
                    hash.bytes(&example.tags);
                }
            }
            Self::Nli(examples) => {
                for example in examples {
                    hash.text(&example.id);
                    hash.text(&example.premise);
                    hash.text(&example.hypothesis);
                    hash.bytes(&[example.label]);
                }
            }
            Self::Qa(examples) => {
                for example in examples {
                    hash.text(&example.id);
                    hash.text(&example.question);
                    hash.text(&example.context);
                    hash.number(example.answers.len());
                    for answer in &example.answers {
                        hash.text(&answer.text);
                        hash.number(answer.start);
                    }
                }
            }
            Self::Pairs(examples) => {
                for example in examples {
                    hash.text(&example.id);
                    hash.text(&example.source);
                    hash.text(&example.english);
                }
            }
            Self::Text(examples) => {
                for example in examples {
                    hash.text(&example.id);
                    hash.text(&example.text);
                }
            }
        }
        hash.0.finalize().to_hex().to_string()
    }

    /// A hash of each example's text, without its name and labels: equal for examples that a model cannot tell apart.
    pub(crate) fn text_hashes(&self) -> Vec<blake3::Hash> {
        fn hash<'a>(fields: impl IntoIterator<Item = &'a String>) -> blake3::Hash {
            let mut hash = Fields(blake3::Hasher::new());
            fields.into_iter().for_each(|field| hash.text(field));
            hash.0.finalize()
        }
        match self {
            Self::Ner(examples) => examples.iter().map(|example| hash(&example.words)).collect(),
            Self::Nli(examples) => {
                examples.iter().map(|example| hash([&example.premise, &example.hypothesis])).collect()
            }
            Self::Qa(examples) => examples.iter().map(|example| hash([&example.question, &example.context])).collect(),
            Self::Pairs(examples) => examples.iter().map(|example| hash([&example.source, &example.english])).collect(),
            Self::Text(examples) => examples.iter().map(|example| hash([&example.text])).collect(),
        }
    }
}

/// Fields with their length in front, so that no two different sequences of fields give the same bytes.
struct Fields(blake3::Hasher);

impl Fields {
    fn number(&mut self, number: usize) {
        self.0.update(&(number as u64).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
}
