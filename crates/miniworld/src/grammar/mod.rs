//! From facts to sentences: one realiser a language over the shared tree, each right within its small fragment.
//!
//! Words are orthographic: contractions (German *im*, Greek *στο*) and clitics stay one word, so there are no multiword tokens.

mod ar;
mod de;
mod el;
mod en;
mod es;
mod hi;
mod ru;
mod sw;
mod tr;
mod vi;
mod zh;

use spec::Split;

use crate::error::MiniworldError;
use crate::tree::{Node, Orthography, Sentence, Upos};
use crate::world::{Fact, Role, Source};

/// The languages that the mini world speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    Arabic,
    German,
    Greek,
    English,
    Spanish,
    Hindi,
    Russian,
    Swahili,
    Turkish,
    Vietnamese,
    Chinese,
}

impl Language {
    pub const ALL: [Self; 11] = [
        Self::Arabic,
        Self::German,
        Self::Greek,
        Self::English,
        Self::Spanish,
        Self::Hindi,
        Self::Russian,
        Self::Swahili,
        Self::Turkish,
        Self::Vietnamese,
        Self::Chinese,
    ];

    /// The ISO 639-1 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Arabic => "ar",
            Self::German => "de",
            Self::Greek => "el",
            Self::English => "en",
            Self::Spanish => "es",
            Self::Hindi => "hi",
            Self::Russian => "ru",
            Self::Swahili => "sw",
            Self::Turkish => "tr",
            Self::Vietnamese => "vi",
            Self::Chinese => "zh",
        }
    }

    /// What stands between two sentences of a paragraph.
    pub fn sentence_gap(self) -> &'static str {
        if self.grammar().orthography().spaces { " " } else { "" }
    }

    fn grammar(self) -> &'static dyn Grammar {
        match self {
            Self::Arabic => &ar::Arabic,
            Self::German => &de::German,
            Self::Greek => &el::Greek,
            Self::English => &en::English,
            Self::Spanish => &es::Spanish,
            Self::Hindi => &hi::Hindi,
            Self::Russian => &ru::Russian,
            Self::Swahili => &sw::Swahili,
            Self::Turkish => &tr::Turkish,
            Self::Vietnamese => &vi::Vietnamese,
            Self::Chinese => &zh::Chinese,
        }
    }

    /// Tells a fact.
    pub fn say(self, fact: &Fact, style: Style) -> Sentence {
        let grammar = self.grammar();
        Sentence::new(grammar.statement(fact, style.settled(fact)), grammar.orthography())
    }

    /// Asks for the filler of `asked`, with everything else that the fact tells; `None` where the fact does not answer that
    /// (see [`Fact::askable`]).
    pub fn ask(self, fact: &Fact, asked: Role) -> Option<Sentence> {
        let grammar = self.grammar();
        fact.askable().contains(&asked).then(|| Sentence::new(grammar.question(fact, asked), grammar.orthography()))
    }
}

impl TryFrom<spec::Language> for Language {
    type Error = MiniworldError;

    /// # Errors
    /// [`MiniworldError::UnknownLanguage`] with the languages that are known.
    fn try_from(language: spec::Language) -> Result<Self, MiniworldError> {
        Self::ALL
            .into_iter()
            .find(|spoken| spoken.code() == language.code())
            .ok_or_else(|| MiniworldError::UnknownLanguage { language, known: Self::ALL.map(Self::code).join(" ") })
    }
}

impl From<Language> for spec::Language {
    fn from(language: Language) -> Self {
        Self::parse(language.code()).expect("every language of the mini world has its code")
    }
}

/// What a sentence begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Front {
    /// Whatever the language puts first.
    Plain,
    Year,
    Place,
    Source(Source),
}

/// How the person that a sentence is about is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reference {
    Name,
    /// With the profession before the name.
    Titled,
    /// Known from the sentence before: a pronoun, or nothing in languages that drop it.
    Pronoun,
}

/// A sentence pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Style {
    pub front: Front,
    pub passive: bool,
    /// "In the year 1950" for "in 1950", or whatever other way the language has.
    pub full_year: bool,
    pub reference: Reference,
}

impl Style {
    pub const PLAIN: Style =
        Style { front: Front::Plain, passive: false, full_year: false, reference: Reference::Name };

    /// Every front with every voice and year, by name.
    pub fn all() -> impl Iterator<Item = Style> {
        let fronts = [
            Front::Plain,
            Front::Year,
            Front::Place,
            Front::Source(Source::Archive),
            Front::Source(Source::Newspaper),
            Front::Source(Source::Report),
        ];
        fronts.into_iter().flat_map(|front| {
            [(false, false), (false, true), (true, false), (true, true)].map(|(passive, full_year)| Style {
                front,
                passive,
                full_year,
                reference: Reference::Name,
            })
        })
    }

    /// The style as far as the fact allows it: what is not told cannot come first, and an agent is always named.
    pub fn settled(self, fact: &Fact) -> Self {
        let passive = self.passive && fact.passive();
        let front = match self.front {
            Front::Year if fact.year.is_none() => Front::Plain,
            // A person is said to visit a place, and to move from one to another, in that order.
            Front::Place if fact.place.is_none() || fact.place_is_object() => Front::Plain,
            front => front,
        };
        let full_year = self.full_year && fact.year.is_some();
        let reference = if passive { Reference::Name } else { self.reference };
        Self { front, passive, full_year, reference }
    }

    /// The split whose statements have this pattern. Questions and hypotheses are plain in every split.
    pub fn split(self) -> Split {
        match (self.front, self.passive, self.full_year) {
            (Front::Plain, _, false) | (Front::Year, false, false) | (Front::Source(Source::Archive), ..) => {
                Split::Train
            }
            (Front::Plain, _, true) | (Front::Year, true, false) | (Front::Source(Source::Newspaper), ..) => {
                Split::Validation
            }
            (Front::Place, ..) | (Front::Year, _, true) | (Front::Source(Source::Report), ..) => Split::Test,
        }
    }
}

/// What a language has to know.
trait Grammar: Sync {
    fn orthography(&self) -> &'static Orthography;

    /// A full sentence; `style` is settled for the fact.
    fn statement(&self, fact: &Fact, style: Style) -> Node;

    /// A question for `asked`, one of the fact's askable roles.
    fn question(&self, fact: &Fact, asked: Role) -> Node;
}

/// A dependent and its relation.
type Dependent = (&'static str, Node);

/// A dependent of the verb that fills a role.
struct Part {
    role: Role,
    relation: &'static str,
    node: Node,
}

impl Part {
    fn new(role: Role, relation: &'static str, node: Node) -> Self {
        Self { role, relation, node }
    }

    fn dependent(self) -> Dependent {
        (self.relation, self.node)
    }
}

/// Takes the part that fills `role` out of `parts`.
fn take(parts: &mut Vec<Part>, role: Role) -> Option<Part> {
    parts.iter().position(|part| part.role == role).map(|at| parts.remove(at))
}

/// Takes out the part that a statement puts first.
fn take_front(parts: &mut Vec<Part>, front: Front) -> Option<Part> {
    match front {
        Front::Year => take(parts, Role::Year),
        Front::Place => take(parts, Role::Place),
        Front::Plain | Front::Source(_) => None,
    }
}

fn dependents(parts: Vec<Part>) -> Vec<Dependent> {
    parts.into_iter().map(Part::dependent).collect()
}

fn adp(form: &str) -> Node {
    Node::new(Upos::Adp, form)
}

fn adv(form: &str) -> Node {
    Node::new(Upos::Adv, form)
}

fn aux(form: &str) -> Node {
    Node::new(Upos::Aux, form)
}

fn det(form: &str) -> Node {
    Node::new(Upos::Det, form)
}

fn noun(form: impl Into<String>) -> Node {
    Node::new(Upos::Noun, form)
}

fn num(form: impl Into<String>) -> Node {
    Node::new(Upos::Num, form)
}

fn pron(form: &str) -> Node {
    Node::new(Upos::Pron, form)
}

fn propn(form: impl Into<String>) -> Node {
    Node::new(Upos::Propn, form)
}

fn verb(form: impl Into<String>) -> Node {
    Node::new(Upos::Verb, form)
}

fn closing(form: &str) -> Dependent {
    ("punct", Node::closing(form))
}

/// A name of one or more words; the later ones hang on the first.
fn flat(name: &str) -> Node {
    let mut words = name.split(' ').map(propn);
    let first = words.next().unwrap_or_else(|| propn(""));
    words.fold(first, |first, word| first.after("flat", word))
}

/// A title between quotation marks: perhaps an article, then the noun.
fn quoted_title(open: &str, title: &str, close: &str) -> Node {
    let head = match title.split_once(' ') {
        Some((article, head)) => noun(head).before("det", det(article)),
        None => noun(title),
    };
    head.before("punct", Node::opening(open)).after("punct", Node::closing(close))
}
