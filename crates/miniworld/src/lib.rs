//! The mini world: facts about people, places, organisations and events, drawn from a seed and put into words in eleven languages.
//!
//! One draw yields parallel sentences, entity tags, parts of speech with dependency trees, questions with answer spans, and
//! labelled premise/hypothesis pairs. [`generate`] writes them as Parquet in the schemas of WikiANN, XQuAD and XNLI.
//!
//! [`world`] knows entities, events and what follows from what, and no language; a lexicon and a grammar for each [`Language`]
//! turn a [`world::Fact`] into a [`Sentence`]; [`tasks`] turns sentences into examples; [`giveaway`] scores models that
//! have understood nothing.

mod card;
mod error;
pub mod giveaway;
mod grammar;
mod lexicon;
mod rows;
pub mod tasks;
mod tree;
pub mod world;
mod write;

pub use error::MiniworldError;
pub use grammar::{Front, Language, Reference, Style};
pub use tree::{EntityType, Mention, Sentence, Span, Upos, Word};
pub use write::{FileEntry, Manifest, Scores, Sizes, generate};
