use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokenizers::{Encoding, Tokenizer};

use crate::{DataError, growth};

/// The largest tokenizer.json of a public model is about 35 MB.
const LARGEST_TOKENIZER: u64 = 200_000_000;
const LARGEST_CONFIG: u64 = 1_000_000;

/// A model folder's tokenizer, and how it frames one text or two with special tokens.
#[derive(Debug)]
pub struct Tokenization {
    tokenizer: Tokenizer,
    path: PathBuf,
    hash: String,
    pad: u32,
    vocabulary: Option<usize>,
    longest: Option<usize>,
    segments: usize,
    mask: Option<i32>,
    /// Ids of the tokens that stand for text, in order.
    ordinary: Vec<i32>,
    pub single: Frame,
    pub pair: Frame,
}

/// The special tokens before, between and after the texts, and every part's segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    pub before: Vec<(u32, u8)>,
    pub between: Vec<(u32, u8)>,
    pub after: Vec<(u32, u8)>,
    pub first_segment: u8,
    pub second_segment: u8,
}

impl Frame {
    /// Special tokens in all.
    pub fn special(&self) -> usize {
        self.before.len() + self.between.len() + self.after.len()
    }

    /// Ids and segments of one framed text.
    pub fn single(&self, text: &[u32]) -> (Vec<u32>, Vec<u8>) {
        self.pair(text, &[])
    }

    /// Ids and segments of two framed texts.
    pub fn pair(&self, first: &[u32], second: &[u32]) -> (Vec<u32>, Vec<u8>) {
        let parts = || {
            let first = first.iter().map(|&id| (id, self.first_segment));
            let second = second.iter().map(|&id| (id, self.second_segment));
            let (before, between, after) = (self.before.iter(), self.between.iter(), self.after.iter());
            before.copied().chain(first).chain(between.copied()).chain(second).chain(after.copied())
        };
        (parts().map(|(id, _)| id).collect(), parts().map(|(_, segment)| segment).collect())
    }
}

/// What tokenisation needs of a model's config.json.
#[derive(Deserialize)]
struct ModelConfig {
    #[serde(default)]
    model_type: String,
    type_vocab_size: Option<usize>,
    vocab_size: Option<usize>,
    pad_token_id: Option<u32>,
    max_position_embeddings: Option<usize>,
}

impl Tokenization {
    /// Reads `tokenizer.json` and `config.json` of a model folder. Truncation and padding that the file asks for are
    /// switched off: lengths are chosen by the caller of [`crate::encode`].
    ///
    /// # Errors
    /// [`DataError::Tokenizer`] if a file is missing, too large, malformed, or frames texts in a way that is not
    /// "special tokens, first text, special tokens, second text, special tokens".
    pub fn load(model_folder: &Path) -> Result<Self, DataError> {
        let path = model_folder.join("tokenizer.json");
        let bad = |message: String| DataError::tokenizer(&path, message);
        let bytes = read(&path, LARGEST_TOKENIZER)?;
        let config_path = model_folder.join("config.json");
        let config: ModelConfig = serde_json::from_slice(&read(&config_path, LARGEST_CONFIG)?)
            .map_err(|error| DataError::tokenizer(&config_path, format!("is not a model's config.json: {error}")))?;

        growth::check(&bytes).map_err(&bad)?;
        let mut tokenizer = files::no_panic(|| Tokenizer::from_bytes(&bytes))
            .map_err(&bad)?
            .map_err(|error| bad(format!("is not a tokenizer that can be loaded: {error}")))?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| bad(error.to_string()))?;

        let named_pad = ["<pad>", "[PAD]"].iter().find_map(|token| tokenizer.token_to_id(token));
        let pad = config
            .pad_token_id
            .or(named_pad)
            .ok_or_else(|| bad("names no padding token, and config.json has no pad_token_id".to_owned()))?;
        let segments = config.type_vocab_size.unwrap_or(1).clamp(1, 256);
        // XLM-R counts positions from its padding id + 1 on.
        let offset_positions =
            matches!(config.model_type.as_str(), "xlm-roberta" | "roberta" | "camembert" | "xlm-roberta-xl");
        let unused = if offset_positions { pad as usize + 1 } else { 0 };
        let mask = ["<mask>", "[MASK]"].iter().find_map(|token| tokenizer.token_to_id(token)).map(|id| id as i32);
        let mut hash = blake3::Hasher::new();
        hash.update(&bytes);
        hash.update(format!("\npad {pad} segments {segments}").as_bytes());
        let mut this = Self {
            tokenizer,
            hash: hash.finalize().to_hex().to_string(),
            pad,
            vocabulary: config.vocab_size,
            longest: config.max_position_embeddings.map(|positions| positions.saturating_sub(unused)),
            segments,
            mask,
            ordinary: Vec::new(),
            single: Frame::default(),
            pair: Frame::default(),
            path,
        };
        this.single = this.frame(false, segments)?;
        this.pair = this.frame(true, segments)?;
        this.ordinary = this.ordinary();
        if this.ordinary.is_empty() {
            return Err(DataError::tokenizer(&this.path, "has no token that stands for text"));
        }
        Ok(this)
    }

    /// Content hash of everything that decides ids and segments, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    pub fn pad_id(&self) -> i32 {
        self.pad as i32
    }

    /// Id of the token that hides others.
    ///
    /// # Errors
    /// [`DataError::Tokenizer`] if the tokenizer has none.
    pub(crate) fn mask_id(&self) -> Result<i32, DataError> {
        self.mask.ok_or_else(|| DataError::tokenizer(&self.path, "has no mask token (`<mask>` or `[MASK]`)"))
    }

    /// Whether the model has a token of this id, as far as its configuration says.
    pub(crate) fn has_id(&self, id: u32) -> bool {
        i32::try_from(id).is_ok() && self.vocabulary.is_none_or(|size| (id as usize) < size)
    }

    /// Kinds of segments that the model tells apart.
    pub(crate) fn segments(&self) -> usize {
        self.segments
    }

    /// Whether a token stands for no text.
    pub(crate) fn is_special(&self, id: i32) -> bool {
        self.ordinary.binary_search(&id).is_err()
    }

    /// One of the tokens that stand for text, by a random number.
    pub(crate) fn ordinary_id(&self, random: u64) -> i32 {
        self.ordinary[((u128::from(random) * self.ordinary.len() as u128) >> 64) as usize]
    }

    /// Tokens the model has positions for, special tokens included; `None` if its configuration does not say.
    pub fn longest(&self) -> Option<usize> {
        self.longest
    }

    /// Token ids of a text, without special tokens.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, DataError> {
        let encoding = self.checked(files::no_panic(|| self.tokenizer.encode_fast(text, false)))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Token ids and character offsets of a text, without special tokens.
    pub fn text(&self, text: &str) -> Result<Encoding, DataError> {
        self.checked(files::no_panic(|| self.tokenizer.encode_char_offsets(text, false)))
    }

    /// Tokenises each word by itself, as `is_split_into_words` does in transformers.
    pub fn words(&self, words: &[&str]) -> Result<Encoding, DataError> {
        self.checked(files::no_panic(|| self.tokenizer.encode(words, false)))
    }

    fn checked(&self, encoding: Result<tokenizers::Result<Encoding>, String>) -> Result<Encoding, DataError> {
        let bad = |message: String| DataError::tokenizer(&self.path, message);
        let encoding = encoding.map_err(bad)?.map_err(|error| bad(format!("cannot tokenise a text: {error}")))?;
        match self.vocabulary {
            Some(size) if encoding.get_ids().iter().any(|&id| id as usize >= size) => {
                Err(bad(format!("gives token ids beyond the vocab_size {size} of config.json; are they of one model?")))
            }
            _ => Ok(encoding),
        }
    }

    /// All ids but those of special tokens: the ones that the file marks, those of the frames, padding and mask.
    fn ordinary(&self) -> Vec<i32> {
        let marked = self.tokenizer.get_added_tokens_decoder();
        let marked = marked.iter().filter(|(_, token)| token.special).map(|(&id, _)| id as i32);
        let frames = [&self.single, &self.pair].into_iter();
        let framing = frames.flat_map(|frame| frame.before.iter().chain(&frame.between).chain(&frame.after));
        let special: BTreeSet<i32> =
            marked.chain(framing.map(|&(id, _)| id as i32)).chain([self.pad_id()]).chain(self.mask).collect();
        (0..self.tokenizer.get_vocab_size(true) as i32).filter(|id| !special.contains(id)).collect()
    }

    /// Learns the frame from what the tokenizer's own post-processor does with one-token texts.
    fn frame(&self, pair: bool, segments: usize) -> Result<Frame, DataError> {
        let bad = |message: &str| DataError::tokenizer(&self.path, message);
        let framed = files::no_panic(|| {
            if pair { self.tokenizer.encode(("a", "a"), true) } else { self.tokenizer.encode("a", true) }
        });
        let framed = self.checked(framed)?;
        let mut frame = Frame::default();
        let mut last = None;
        let parts = framed.get_sequence_ids().into_iter().zip(framed.get_ids()).zip(framed.get_type_ids());
        for ((sequence, &id), &segment) in parts {
            let segment = (segment as usize).min(segments - 1) as u8;
            match (sequence, last) {
                (None, None) => frame.before.push((id, segment)),
                (None, Some(0)) if pair => frame.between.push((id, segment)),
                (None, Some(_)) => frame.after.push((id, segment)),
                (Some(0), None | Some(0)) => frame.first_segment = segment,
                (Some(1), Some(_)) if pair => frame.second_segment = segment,
                _ => return Err(bad("puts the texts of a pair in an order that is not first, second")),
            }
            last = sequence.or(last);
        }
        if last != Some(usize::from(pair)) {
            return Err(bad("gives no token for the text `a`"));
        }
        if frame.before.is_empty() {
            return Err(bad("puts no special token in front of a text; heads and answers need one ([CLS] or <s>)"));
        }
        Ok(frame)
    }
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, DataError> {
    files::read(path, most).map_err(|error| DataError::tokenizer(path, format!("cannot be read: {error}")))
}
