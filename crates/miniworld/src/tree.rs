//! Sentences as projective dependency trees, and their linear form: words with heads, tags and spaces.

use crate::world::Role;

/// Universal parts of speech, as far as the grammars use them (Universal Dependencies v2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Upos {
    Adj,
    Adp,
    Adv,
    Aux,
    Det,
    Noun,
    Num,
    Part,
    Pron,
    Propn,
    Punct,
    Verb,
}

impl Upos {
    /// The tag as Universal Dependencies writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adj => "ADJ",
            Self::Adp => "ADP",
            Self::Adv => "ADV",
            Self::Aux => "AUX",
            Self::Det => "DET",
            Self::Noun => "NOUN",
            Self::Num => "NUM",
            Self::Part => "PART",
            Self::Pron => "PRON",
            Self::Propn => "PROPN",
            Self::Punct => "PUNCT",
            Self::Verb => "VERB",
        }
    }
}

/// The three entity types of WikiANN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntityType {
    Person,
    Organisation,
    Location,
}

/// A word's part in the mention of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention {
    pub entity: EntityType,
    pub begins: bool,
}

/// A word with its dependents, in order.
#[derive(Debug, Clone)]
pub struct Node {
    form: String,
    upos: Upos,
    dependents: Vec<(&'static str, Node)>,
    /// How many of the dependents stand before the word.
    head_at: usize,
    mention: Option<Mention>,
    role: Option<Role>,
    /// Characters of the form that an answer or a name takes; a case suffix after it is left out.
    stem: Option<usize>,
    tight_before: bool,
    tight_after: bool,
}

impl Node {
    pub fn new(upos: Upos, form: impl Into<String>) -> Self {
        Self {
            form: form.into(),
            upos,
            dependents: Vec::new(),
            head_at: 0,
            mention: None,
            role: None,
            stem: None,
            tight_before: false,
            tight_after: false,
        }
    }

    /// Closing punctuation: no space before it.
    pub fn closing(form: &str) -> Self {
        Self { tight_before: true, ..Self::new(Upos::Punct, form) }
    }

    /// Opening punctuation: no space after it.
    pub fn opening(form: &str) -> Self {
        Self { tight_after: true, ..Self::new(Upos::Punct, form) }
    }

    /// Adds a dependent as the new leftmost one.
    pub fn before(mut self, relation: &'static str, dependent: Node) -> Self {
        self.dependents.insert(0, (relation, dependent));
        self.head_at += 1;
        self
    }

    /// Adds a dependent as the new rightmost one.
    pub fn after(mut self, relation: &'static str, dependent: Node) -> Self {
        self.dependents.push((relation, dependent));
        self
    }

    /// Adds dependents to the left of all there are, in the order given.
    pub fn led_by(self, dependents: Vec<(&'static str, Node)>) -> Self {
        dependents.into_iter().rev().fold(self, |node, (relation, dependent)| node.before(relation, dependent))
    }

    /// Adds dependents to the right of all there are, in the order given.
    pub fn followed_by(self, dependents: Vec<(&'static str, Node)>) -> Self {
        dependents.into_iter().fold(self, |node, (relation, dependent)| node.after(relation, dependent))
    }

    /// Marks the whole phrase as one mention of an entity.
    pub fn mention(mut self, entity: EntityType) -> Self {
        self.visit(&mut |node| node.mention = Some(Mention { entity, begins: false }));
        self.leftmost().mention = Some(Mention { entity, begins: true });
        self
    }

    fn leftmost(&mut self) -> &mut Node {
        if self.head_at == 0 { self } else { self.dependents[0].1.leftmost() }
    }

    /// Marks the whole phrase as the filler of a role.
    pub fn role(mut self, role: Role) -> Self {
        self.visit(&mut |node| node.role = Some(role));
        self
    }

    /// Says how many characters of the form belong to an answer.
    pub fn stem(mut self, characters: usize) -> Self {
        self.stem = Some(characters);
        self
    }

    fn visit(&mut self, change: &mut impl FnMut(&mut Node)) {
        change(self);
        for (_, dependent) in &mut self.dependents {
            dependent.visit(change);
        }
    }

    fn linearise(self, relation: &'static str, words: &mut Vec<Word>) -> usize {
        let mut children = Vec::new();
        let mut dependents = self.dependents.into_iter();
        for (relation, node) in dependents.by_ref().take(self.head_at) {
            children.push(node.linearise(relation, words));
        }
        let at = words.len();
        words.push(Word {
            form: self.form,
            upos: self.upos,
            head: 0,
            relation,
            mention: self.mention,
            role: self.role,
            stem: self.stem,
            tight_before: self.tight_before,
            tight_after: self.tight_after,
        });
        for (relation, node) in dependents {
            children.push(node.linearise(relation, words));
        }
        for child in children {
            words[child].head = at + 1;
        }
        at
    }
}

/// One word of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub form: String,
    pub upos: Upos,
    /// The head's position counted from 1; 0 for the root.
    pub head: usize,
    pub relation: &'static str,
    pub mention: Option<Mention>,
    pub role: Option<Role>,
    stem: Option<usize>,
    tight_before: bool,
    tight_after: bool,
}

/// How a language writes.
#[derive(Debug, Clone, Copy)]
pub struct Orthography {
    /// Whether words are separated by spaces.
    pub spaces: bool,
    /// How a lower-case letter is written at the start of a sentence.
    pub capital: fn(char) -> String,
}

/// The ordinary upper case; the identity in scripts without case.
pub fn capital(letter: char) -> String {
    letter.to_uppercase().collect()
}

/// A sentence in a language: words in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    pub words: Vec<Word>,
    spaces: bool,
}

/// A stretch of text, `start` counted in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub text: String,
}

impl Sentence {
    /// Puts a tree in order and capitalises its first word.
    pub fn new(tree: Node, orthography: &Orthography) -> Self {
        let mut words = Vec::new();
        tree.linearise("root", &mut words);
        if let Some(first) = words.iter_mut().find(|word| word.upos != Upos::Punct) {
            let mut letters = first.form.chars();
            if let Some(letter) = letters.next() {
                first.form = (orthography.capital)(letter) + letters.as_str();
            }
        }
        Self { words, spaces: orthography.spaces }
    }

    /// The sentence as it is written, and where each word starts, in characters.
    fn written(&self) -> (String, Vec<usize>) {
        let mut text = String::new();
        let mut starts = Vec::with_capacity(self.words.len());
        let mut length = 0;
        for (at, word) in self.words.iter().enumerate() {
            starts.push(length);
            text.push_str(&word.form);
            length += word.form.chars().count();
            if self.space_after(at) {
                text.push(' ');
                length += 1;
            }
        }
        (text, starts)
    }

    /// The sentence as it is written.
    pub fn text(&self) -> String {
        self.written().0
    }

    /// Where the filler of `role` stands, or `None` where the sentence does not say it.
    pub fn span(&self, role: Role) -> Option<Span> {
        let first = self.words.iter().position(|word| word.role == Some(role))?;
        let last = self.words.iter().rposition(|word| word.role == Some(role))?;
        Some(self.stretch(first, last))
    }

    /// Where each mention stands.
    pub fn mention_spans(&self) -> Vec<Span> {
        self.mentions().into_iter().map(|(_, words)| self.stretch(words.start, words.end - 1)).collect()
    }

    /// The text from one word to another, without a case suffix that the last one marks off.
    fn stretch(&self, first: usize, last: usize) -> Span {
        let (text, starts) = self.written();
        let end = &self.words[last];
        let length = starts[last] + end.stem.unwrap_or(end.form.chars().count()) - starts[first];
        Span { start: starts[first], text: text.chars().skip(starts[first]).take(length).collect() }
    }

    /// The words of each mention.
    pub fn mentions(&self) -> Vec<(EntityType, std::ops::Range<usize>)> {
        let mut mentions: Vec<(EntityType, std::ops::Range<usize>)> = Vec::new();
        for (at, word) in self.words.iter().enumerate() {
            match (word.mention, mentions.last_mut()) {
                (Some(Mention { begins: false, .. }), Some((_, range))) => range.end = at + 1,
                (Some(Mention { entity, .. }), _) => mentions.push((entity, at..at + 1)),
                (None, _) => {}
            }
        }
        mentions
    }

    /// Whether a space follows word `at`.
    pub fn space_after(&self, at: usize) -> bool {
        let next = self.words.get(at + 1);
        self.spaces && !self.words[at].tight_after && next.is_some_and(|next| !next.tight_before)
    }
}
