//! A new tokenizer from text.

use std::path::Path;

use tokenizers::decoders::metaspace::{Metaspace, PrependScheme};
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::normalizers::NFKC;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::punctuation::Punctuation;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Tokenizer, TokenizerBuilder};

use crate::DataError;

/// Special tokens in the order of their ids, as XLM-R has them, but for the mask, which is the last of all there.
const SPECIAL: [&str; 5] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];
/// A piece rarer than this is not worth an id.
const LEAST_COUNT: u64 = 2;

/// Learns byte-pair encoding (Sennrich et al. 2016) on text in any number of languages, and writes `tokenizer.json` into
/// the folder: NFKC, words marked by `▁`, punctuation and numbers by themselves, texts framed as XLM-R frames them. Gives
/// the number of tokens, special ones included. The same texts in the same order give the same file.
///
/// # Errors
/// [`DataError::Tokenizer`] if the vocabulary cannot hold the text's characters; [`DataError::Io`].
pub fn train_tokenizer(texts: &[&str], vocabulary: usize, folder: &Path) -> Result<usize, DataError> {
    let path = folder.join("tokenizer.json");
    let bad = |error: &dyn std::fmt::Display| DataError::tokenizer(&path, error.to_string());
    let special = SPECIAL.map(|token| AddedToken::from(token, true));
    let mut trainer = BpeTrainer::builder()
        .vocab_size(vocabulary)
        .min_frequency(LEAST_COUNT)
        .special_tokens(special.to_vec())
        .show_progress(false)
        .build();
    let model = BPE::builder().unk_token("<unk>".to_owned()).build().map_err(|error| bad(&error))?;
    let metaspace = Metaspace::new('▁', PrependScheme::Always, true);
    let pieces = Sequence::new(vec![metaspace.clone().into(), Punctuation::default().into(), Digits::default().into()]);
    let frame = TemplateProcessing::builder()
        .try_single("<s> $A </s>")
        .and_then(|builder| builder.try_pair("<s> $A </s> </s> $B </s>"))
        .map_err(|error| bad(&error))?
        .special_tokens(vec![("<s>", 0), ("</s>", 2)])
        .build()
        .map_err(|error| bad(&error))?;
    let mut tokenizer = TokenizerBuilder::new()
        .with_model(model)
        .with_normalizer(Some(NFKC))
        .with_pre_tokenizer(Some(pieces))
        .with_post_processor(Some(frame))
        .with_decoder(Some(metaspace))
        .build()
        .map_err(|error| bad(&error))?;
    tokenizer.train(&mut trainer, texts.iter()).map_err(|error| bad(&error))?;
    let mut tokenizer: Tokenizer = Tokenizer::from(tokenizer);
    tokenizer.with_padding(None);
    let size = tokenizer.get_vocab_size(true);
    if size > vocabulary {
        let message = format!("{vocabulary} tokens cannot hold the text's {} characters", size - SPECIAL.len());
        return Err(DataError::tokenizer(&path, message));
    }
    let json = tokenizer.to_string(false).map_err(|error| bad(&error))?;
    files::write(&path, json.as_bytes()).map_err(DataError::io("write", &path))?;
    Ok(size)
}
