//! Everything between files on disk and padded batches that is the same for all tasks: examples as tables, the canonical
//! data folder, tokenisation, encoded sequences and their cache, and the order of batches.
//!
//! What a task reads and how it becomes token sequences is told in the crate `tasks`. Nothing here knows a tensor.

mod batches;
mod cache;
mod canonical;
mod corpus;
mod correspondence;
mod encoded;
mod error;
mod examples;
mod expansion;
mod folder;
mod growth;
pub mod lines;
mod manifest;
mod mask;
mod npy;
mod sound;
pub mod table;
mod tokenize;
mod train_tokenizer;
pub mod uriel;
pub mod vectors;

pub use batches::{TrainingOrder, evaluation_batches, padding_share};
pub use cache::{CacheUse, EncodeOptions, encoded};
pub use canonical::{Unlabelled, read_parquet};
pub use corpus::{Corpus, Objective};
pub use encoded::{Cells, Encoded, Item, column};
pub use error::DataError;
pub use examples::{Answer, Answers, Examples, ExamplesBuilder, Lists, Value};
pub use folder::{CheckLine, DataFolder};
pub use manifest::{Manifest, ManifestEntry};
pub use mask::mask_tokens;
pub use tokenize::{Frame, Tokenization};
pub use train_tokenizer::train_tokenizer;
