//! Text to pre-train on: single texts for masked language modelling, pairs for translation language modelling.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use spec::{Batch, Language, Targets};

use crate::random::below;
use crate::{DataError, TextExample, Tokenization};

/// Rows are drawn from this many groups of similar length, so that batches need little padding.
const LENGTH_GROUPS: usize = 64;

/// Tokenised text in one or more languages.
#[derive(Debug)]
pub struct Corpus {
    languages: Vec<Language>,
    /// Token ids without special tokens: `[language][row]`.
    texts: Vec<Vec<Vec<u32>>>,
    /// Whether row `i` says the same in every language.
    parallel: bool,
    /// Rows as (language, row) by length; in a parallel corpus the language is 0 and the length that of all languages.
    groups: Vec<Vec<(usize, usize)>>,
    max_length: usize,
}

/// What the rows of a batch are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// Each row one text (Devlin et al. 2019).
    MaskedLm,
    /// Each row a text and its translation, tokens of both hidden (Lample and Conneau 2019, section 3.3, without language
    /// embeddings and without restarting positions).
    TranslationLm,
    /// Rows of the second half translate those of the first.
    Ranking,
}

impl Corpus {
    /// Tokenises the texts of each language. Texts are cut so that a row, for translations two texts, has at most
    /// `max_length` tokens.
    ///
    /// # Errors
    /// [`DataError::Options`] without text, or if `parallel` is claimed of languages with different numbers of rows;
    /// [`DataError::Tokenizer`].
    pub fn new(
        texts: &[(Language, Vec<TextExample>)],
        parallel: bool,
        tokenization: &Tokenization,
        max_length: usize,
    ) -> Result<Self, DataError> {
        if let Some((language, _)) = texts.iter().find(|(_, rows)| rows.is_empty()) {
            return Err(DataError::options(format!("there is no text in language `{language}`")));
        }
        let Some((first, rows)) = texts.first() else { return Err(DataError::options("there is no text")) };
        if parallel && texts.len() < 2 {
            return Err(DataError::options("a parallel corpus needs at least two languages"));
        }
        if let Some((language, other)) = texts.iter().find(|(_, other)| parallel && other.len() != rows.len()) {
            return Err(DataError::options(format!(
                "the texts are not parallel: {} rows in `{first}`, {} in `{language}`",
                rows.len(),
                other.len()
            )));
        }
        let room = match parallel {
            true => max_length.saturating_sub(tokenization.pair.len()) / 2,
            false => max_length.saturating_sub(tokenization.single.len()),
        };
        if room < 4 {
            return Err(DataError::options(format!("max_length {max_length} leaves no room for text")));
        }
        let tokenise = |example: &TextExample| {
            let mut ids = tokenization.ids(&example.text)?;
            ids.truncate(room);
            Ok(ids)
        };
        let tokenised = |(_, rows): &(Language, Vec<TextExample>)| rows.par_iter().map(tokenise).collect();
        let tokens = texts.iter().map(tokenised).collect::<Result<Vec<Vec<Vec<u32>>>, DataError>>()?;
        let mut rows: Vec<(usize, (usize, usize))> = match parallel {
            true => (0..rows.len()).map(|row| (tokens.iter().map(|texts| texts[row].len()).sum(), (0, row))).collect(),
            false => tokens
                .iter()
                .enumerate()
                .flat_map(|(at, texts)| texts.iter().enumerate().map(move |(row, text)| (text.len(), (at, row))))
                .collect(),
        };
        rows.sort_unstable();
        let rows: Vec<(usize, usize)> = rows.into_iter().map(|(_, row)| row).collect();
        let groups = rows.chunks(rows.len().div_ceil(LENGTH_GROUPS)).map(<[_]>::to_vec).collect();
        let languages = texts.iter().map(|(language, _)| *language).collect();
        Ok(Self { languages, texts: tokens, parallel, groups, max_length })
    }

    pub fn languages(&self) -> &[Language] {
        &self.languages
    }

    /// Rows in all languages.
    pub fn rows(&self) -> usize {
        self.texts.iter().map(Vec::len).sum()
    }

    /// Tokens in all languages, without special ones.
    pub fn tokens(&self) -> usize {
        self.texts.iter().flatten().map(Vec::len).sum()
    }

    /// A batch of about `tokens` tokens, padding included, drawn from `seed` alone. Half of all translations have English
    /// on one side, if it is among the languages.
    ///
    /// # Errors
    /// [`DataError::Options`] if translations are asked of a corpus that is not parallel.
    pub fn batch(
        &self,
        objective: Objective,
        tokens: usize,
        tokenization: &Tokenization,
        seed: u64,
    ) -> Result<Batch, DataError> {
        if objective != Objective::MaskedLm && !self.parallel {
            return Err(DataError::options("translations need a parallel corpus"));
        }
        let mut key = blake3::Hasher::new();
        key.update(b"lethe corpus 1\n").update(&seed.to_le_bytes());
        let mut random = ChaCha8Rng::from_seed(*key.finalize().as_bytes());
        let group = &self.groups[below(&mut random, self.groups.len())];
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let mut longest = 0;
        loop {
            let (language, row) = group[below(&mut random, group.len())];
            let rows = match objective {
                Objective::MaskedLm => {
                    let language = if self.parallel { below(&mut random, self.languages.len()) } else { language };
                    vec![tokenization.single.single(&self.texts[language][row]).0]
                }
                Objective::TranslationLm => {
                    let (one, other) = self.pair(&mut random);
                    vec![tokenization.pair.pair(&self.texts[one][row], &self.texts[other][row]).0]
                }
                Objective::Ranking => {
                    let (one, other) = self.pair(&mut random);
                    [one, other].map(|language| tokenization.single.single(&self.texts[language][row]).0).to_vec()
                }
            };
            let length = rows.iter().map(Vec::len).max().unwrap_or(0).max(longest);
            if !first.is_empty() && length * (first.len() + second.len() + rows.len()) > tokens {
                break;
            }
            longest = length;
            let mut rows = rows.into_iter();
            first.extend(rows.next());
            second.extend(rows.next());
        }
        first.append(&mut second);
        let lengths: Vec<usize> = first.iter().map(Vec::len).collect();
        let mut ids = vec![tokenization.pad_id(); first.len() * longest];
        for (row, text) in first.iter().enumerate() {
            for (place, &id) in text.iter().enumerate() {
                ids[row * longest + place] = id as i32;
            }
        }
        debug_assert!(longest <= self.max_length);
        let targets = if objective == Objective::Ranking { Targets::Translations } else { Targets::None };
        Ok(Batch { type_ids: vec![0; ids.len()], ids, lengths, seq: longest, targets })
    }

    fn pair(&self, random: &mut ChaCha8Rng) -> (usize, usize) {
        let count = self.languages.len();
        let one = match self.languages.iter().position(|&language| language == Language::ENGLISH) {
            Some(english) if below(random, 2) == 0 => english,
            _ => below(random, count),
        };
        let other = (one + 1 + below(random, count - 1)) % count;
        if below(random, 2) == 0 { (one, other) } else { (other, one) }
    }
}
