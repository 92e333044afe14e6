//! Everything between files on disk and padded batches: readers of the public formats, the canonical data folder,
//! tokenisation, encoding, the encoded cache, batch order, and decoding of logits back into predictions.
//!
//! The way of one experiment through this crate: [`import()`] turns the files that people have into a [`DataFolder`];
//! [`encoded`] gives the token sequences of one file of it from a cache; [`TrainingOrder`] says which sequences make up
//! the batch of a step, [`Encoded::batch`] pads them; [`NerDecoder`], [`NliDecoder`] and [`QaDecoder`] turn logits into
//! predictions per example. Nothing here knows a tensor.

mod atomic;
mod batches;
mod cache;
mod canonical;
mod corpus;
mod correspondence;
mod decode;
mod encode;
mod error;
mod examples;
mod folder;
mod guard;
mod import;
mod layouts;
mod manifest;
mod mask;
mod npy;
mod random;
mod readers;
mod tokenize;
mod train_tokenizer;
pub mod uriel;
pub mod vectors;

pub use batches::{TrainingOrder, evaluation_batches, padding_share};
pub use cache::{CacheUse, encoded};
pub use corpus::{Corpus, Objective};
pub use decode::{NerDecoder, NliDecoder, QaDecoder};
pub use encode::{EncodeOptions, Encoded, encode, encode_sentences};
pub use error::DataError;
pub use examples::{Answer, Examples, NerExample, NliExample, PairExample, QaExample, TextExample};
pub use folder::{CheckLine, DataFolder};
pub use import::{ImportFile, Selection, import, import_file};
pub use manifest::{Manifest, ManifestEntry};
pub use mask::mask_tokens;
pub use readers::{Format, Read, read};
pub use tokenize::Tokenization;
pub use train_tokenizer::train_tokenizer;
