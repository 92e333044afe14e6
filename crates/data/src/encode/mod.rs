//! From examples to token sequences with targets.

mod ner;
mod nli;
mod qa;
mod sentence;
mod storage;

use rayon::prelude::*;
use spec::Task;

use crate::{DataError, Examples, PairExample, Tokenization};

pub use storage::Encoded;
use storage::{Builder, Item};
pub(crate) use storage::{Details, NO_TOKEN};

/// Raised when the encoding of the same examples changes, so that old cache files are not used.
pub(crate) const ENCODING_VERSION: u32 = 1;

/// How long sequences may be, and how they are cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Tokens of a sequence, special tokens included.
    pub max_length: usize,
    /// Tokens that neighbouring windows of a question share; other tasks do not use it.
    pub stride: usize,
    /// Put before every sentence for retrieval; other tasks do not use it.
    pub prefix: String,
}

/// Encodes examples, the order kept. Items of each task:
///
/// - NER: one a sentence; the label on the first token of each word.
/// - NLI: one a pair, cut longest text first.
/// - QA: one or more windows of the context for each question.
/// - Retrieval: all source sentences, then all English ones (item `i` and item `len / 2 + i` are a pair).
/// - Masked language modelling: one a text, nothing masked yet (see [`crate::mask_tokens`]).
///
/// # Errors
/// [`DataError::Options`] for lengths that cannot work with this model, [`DataError::Tokenizer`] if a text cannot be
/// tokenised.
pub fn encode(examples: &Examples, tokenization: &Tokenization, options: &EncodeOptions) -> Result<Encoded, DataError> {
    check(examples, tokenization, options)?;
    let mut builder = Builder::new(examples.task(), examples.len(), tokenization.pad_id(), options.max_length);
    match examples {
        Examples::Ner(examples) => {
            builder.extend(parallel(examples, |index, example| ner::items(index, example, tokenization, options))?);
        }
        Examples::Nli(examples) => {
            builder.extend(parallel(examples, |index, example| nli::items(index, example, tokenization, options))?);
        }
        Examples::Qa(examples) => {
            builder.extend(parallel(examples, |index, example| qa::items(index, example, tokenization, options))?);
        }
        Examples::Pairs(examples) => {
            let side = |english| {
                parallel(examples, move |index, example: &PairExample| {
                    let sentence = if english { &example.english } else { &example.source };
                    sentence::items(index, sentence, tokenization, options)
                })
            };
            builder.extend(side(false)?);
            builder.extend(side(true)?);
        }
        Examples::Text(examples) => {
            builder.extend(parallel(examples, |index, example| {
                sentence::items(index, &example.text, tokenization, options)
            })?);
        }
    }
    Ok(builder.finish())
}

/// Encodes plain sentences for their vectors, one item each, the order kept; of `options` the stride is not used.
///
/// # Errors
/// As [`encode`].
pub fn encode_sentences(
    sentences: &[String],
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<Encoded, DataError> {
    check(&Examples::Pairs(Vec::new()), tokenization, options)?;
    let mut builder = Builder::new(Task::Retrieval, sentences.len(), tokenization.pad_id(), options.max_length);
    builder.extend(parallel(sentences, |index, sentence| sentence::items(index, sentence, tokenization, options))?);
    Ok(builder.finish())
}

/// Items of each example, in the order of the examples.
fn parallel<T: Sync>(
    examples: &[T],
    items: impl Fn(u32, &T) -> Result<Vec<Item>, DataError> + Sync,
) -> Result<Vec<Vec<Item>>, DataError> {
    examples.par_iter().enumerate().map(|(index, example)| items(index as u32, example)).collect()
}

fn check(examples: &Examples, tokenization: &Tokenization, options: &EncodeOptions) -> Result<(), DataError> {
    let refuse = |message: String| Err(DataError::options(message));
    if let Some(longest) = tokenization.longest().filter(|&longest| options.max_length > longest) {
        let asked = options.max_length;
        return refuse(format!(
            "max_length {asked} is more than the {longest} positions of the model; lower max_length"
        ));
    }
    let special = tokenization.pair.len().max(tokenization.single.len());
    if options.max_length < special + 4 {
        let least = special + 4;
        return refuse(format!(
            "max_length {} leaves no room for text; it must be at least {least}",
            options.max_length
        ));
    }
    if matches!(examples, Examples::Qa(_)) && options.stride + special + 8 > options.max_length {
        let (stride, most) = (options.stride, options.max_length.saturating_sub(special + 8));
        let advice = format!("windows of {} tokens can share at most {most}; lower stride", options.max_length);
        return refuse(format!("stride {stride} is too large: {advice}"));
    }
    Ok(())
}
