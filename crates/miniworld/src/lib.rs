//! The mini world: facts about people, places, organisations and events, drawn from a seed and put into words in eleven languages.
//!
//! One draw yields parallel sentences, entity tags, parts of speech with dependency trees, questions with answer spans,
//! labelled premise/hypothesis pairs, causes and effects to choose from, and lists of facts. [`generate`] stores them as a data set
//! of the canonical data folder.
//!
//! [`world`] knows entities, events and what follows from what, and no language; a lexicon and a grammar for each [`Language`]
//! turn a [`world::Fact`] into a [`Sentence`]; [`tasks`] turns sentences into examples; [`giveaway`] scores models that
//! have understood nothing.

mod card;
mod error;
mod examples;
mod generate;
pub mod giveaway;
mod grammar;
mod lexicon;
mod plans;
mod sizes;
pub mod tasks;
mod tree;
pub mod world;

pub use error::MiniworldError;
pub use examples::{NerExample, NliExample, PairExample, QaExample, TextExample};
pub use generate::generate;
pub use grammar::{Front, Language, Reference, Style};
pub use sizes::Sizes;
pub use tree::{EntityType, Mention, Sentence, Span, Upos, Word};
