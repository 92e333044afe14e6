//! Text to pre-train on: single texts for masked language modelling, pairs for translation language modelling, ranking and
//! comparing.

use std::sync::OnceLock;

use random::{Generator, below_in_one_draw as below};
use rayon::prelude::*;
use spec::{Batch, IGNORED_LABEL, Language, Targets};

use crate::correspondence::{Correspondence, Retelling};
use crate::{DataError, Examples, Tokenization};

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
    /// Made when texts are first compared.
    correspondence: OnceLock<Correspondence>,
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
    /// Each row one to three texts in one language and a retelling of one of them in another or the same, in either order.
    /// Tokens are labelled 0 where the other side says what they say, 1 where it does not though it tells of their text, 2
    /// where it does not tell of their text at all.
    Correspondence,
    /// Such rows, the retelling last; the first token alone is labelled, 1 if the retelling says anything that the texts
    /// do not.
    Entailment,
}

/// Of a hundred retellings, so many are in the language of the original.
const SAME_LANGUAGE: usize = 40;
/// Texts beside which a retelling stands, at most.
const TEXTS: usize = 3;

/// A row of a batch; labels for the objectives that label tokens.
struct Row {
    ids: Vec<u32>,
    labels: Vec<i32>,
}

impl Corpus {
    /// Tokenises the texts of each language, which are examples of task `mlm`. Texts are cut so that a row, for translations two texts, has at most
    /// `max_length` tokens.
    ///
    /// # Errors
    /// [`DataError::Options`] without text, or if `parallel` is claimed of languages with different numbers of rows;
    /// [`DataError::Tokenizer`].
    pub fn new(
        texts: &[(Language, Examples)],
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
            true => max_length.saturating_sub(tokenization.pair.special()) / 2,
            false => max_length.saturating_sub(tokenization.single.special()),
        };
        if room < 4 {
            return Err(DataError::options(format!("max_length {max_length} leaves no room for text")));
        }
        let tokenise = |text: &str| {
            let mut ids = tokenization.ids(text)?;
            ids.truncate(room);
            Ok(ids)
        };
        let tokenised = |(_, rows): &(Language, Examples)| {
            let texts = rows.texts("text");
            (0..rows.len()).into_par_iter().map(|row| tokenise(texts.value(row))).collect()
        };
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
        Ok(Self { languages, texts: tokens, parallel, groups, max_length, correspondence: OnceLock::new() })
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
        let mut random = random::keyed(*key.finalize().as_bytes());
        let group = &self.groups[below(&mut random, self.groups.len())];
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let mut longest = 0;
        let plain = |ids: Vec<u32>| Row { ids, labels: Vec::new() };
        loop {
            let (language, row) = group[below(&mut random, group.len())];
            let rows = match objective {
                Objective::MaskedLm => {
                    let language = if self.parallel { below(&mut random, self.languages.len()) } else { language };
                    vec![plain(tokenization.single.single(&self.texts[language][row]).0)]
                }
                Objective::TranslationLm => {
                    let (one, other) = self.pair(&mut random);
                    vec![plain(tokenization.pair.pair(&self.texts[one][row], &self.texts[other][row]).0)]
                }
                Objective::Ranking => {
                    let (one, other) = self.pair(&mut random);
                    let row = |language: usize| plain(tokenization.single.single(&self.texts[language][row]).0);
                    vec![row(one), row(other)]
                }
                Objective::Correspondence | Objective::Entailment => {
                    vec![self.compared(objective, group, row, tokenization, &mut random)]
                }
            };
            let length = rows.iter().map(|row| row.ids.len()).max().unwrap_or(0).max(longest);
            if !first.is_empty() && length * (first.len() + second.len() + rows.len()) > tokens {
                break;
            }
            longest = length;
            let mut rows = rows.into_iter();
            first.extend(rows.next());
            second.extend(rows.next());
        }
        first.append(&mut second);
        let lengths: Vec<usize> = first.iter().map(|row| row.ids.len()).collect();
        let mut ids = vec![tokenization.pad_id(); first.len() * longest];
        let mut labels = vec![IGNORED_LABEL; ids.len()];
        for (row, text) in first.iter().enumerate() {
            for (place, &id) in text.ids.iter().enumerate() {
                ids[row * longest + place] = id as i32;
            }
            labels[row * longest..][..text.labels.len()].copy_from_slice(&text.labels);
        }
        debug_assert!(longest <= self.max_length);
        let targets = match objective {
            Objective::MaskedLm | Objective::TranslationLm => Targets::None,
            Objective::Ranking => Targets::Translations,
            Objective::Correspondence | Objective::Entailment => Targets::TokenLabels(labels),
        };
        Ok(Batch { type_ids: vec![0; ids.len()], ids, lengths, seq: longest, targets, ..Batch::default() })
    }

    /// One to three texts of a group, `row` among them, and a retelling of that one.
    fn compared(
        &self,
        objective: Objective,
        group: &[(usize, usize)],
        row: usize,
        tokenization: &Tokenization,
        random: &mut Generator,
    ) -> Row {
        let one = below(random, self.languages.len());
        let other = match below(random, 100) < SAME_LANGUAGE {
            true => one,
            false => below(random, self.languages.len()),
        };
        let Retelling { ids: told, strange, faithful } =
            self.correspondence.get_or_init(|| Correspondence::of(&self.texts)).retell(&self.texts, other, row, random);
        let differs = strange.contains(&true);
        let original = &self.texts[one][row];
        let said = |id: &u32| match (one == other, faithful) {
            (true, _) => i32::from(!told.contains(id)),
            // What a changed retelling in another language leaves unsaid is not known token by token.
            (false, false) => IGNORED_LABEL,
            (false, true) => 0,
        };
        let mut texts: Vec<(&Vec<u32>, Vec<i32>)> = vec![(original, original.iter().map(said).collect())];
        let mut room = self.max_length.saturating_sub(tokenization.pair.special() + told.len() + texts[0].0.len());
        for _ in 0..below(random, TEXTS) {
            let (_, another) = group[below(random, group.len())];
            let text = &self.texts[one][another];
            if another == row || text.len() > room {
                break;
            }
            room -= text.len();
            texts.insert(below(random, texts.len() + 1), (text, vec![2; text.len()]));
        }
        let told_labels = strange.iter().map(|&strange| i32::from(strange));
        let sides = [
            texts
                .iter()
                .flat_map(|(text, labels)| text.iter().copied().zip(labels.iter().copied()))
                .collect::<Vec<_>>(),
            told.iter().copied().zip(told_labels).collect(),
        ];
        let turned = below(random, 2) == 1 && objective == Objective::Correspondence;
        let order = if turned { [1, 0] } else { [0, 1] };
        let [left, right] = order.map(|side| sides[side].iter().map(|(id, _)| *id).collect::<Vec<u32>>());
        let frame = &tokenization.pair;
        let mut labels = vec![IGNORED_LABEL; frame.before.len()];
        labels.extend(sides[order[0]].iter().map(|(_, label)| *label));
        labels.extend(frame.between.iter().map(|_| IGNORED_LABEL));
        labels.extend(sides[order[1]].iter().map(|(_, label)| *label));
        if objective == Objective::Entailment {
            labels = vec![i32::from(differs)];
        }
        Row { ids: frame.pair(&left, &right).0, labels }
    }

    fn pair(&self, random: &mut Generator) -> (usize, usize) {
        let count = self.languages.len();
        let one = match self.languages.iter().position(|&language| language == Language::ENGLISH) {
            Some(english) if below(random, 2) == 0 => english,
            _ => below(random, count),
        };
        let other = (one + 1 + below(random, count - 1)) % count;
        if below(random, 2) == 0 { (one, other) } else { (other, one) }
    }
}
