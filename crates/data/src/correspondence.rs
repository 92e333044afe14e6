//! Text in which some tokens say what the text beside it does not: what an encoder that is to compare texts learns from.
//!
//! In the family of translation replaced-token detection (Chi et al. 2022, XLM-E) and cross-lingual paraphrase
//! classification (Huang et al. 2019, Unicoder), reconstructed without a generator network.

use std::collections::HashMap;

use random::{Generator, below_in_one_draw as below};

/// Of a hundred retellings: so many are replaced by a text that is like them, so many more have tokens exchanged, and so
/// many more leave some out.
const ALIKE: usize = 20;
const EXCHANGED: usize = 30;
const SHORTENED: usize = 20;
/// A shortened text keeps at least so many tokens, and leaves out at most so many in a row.
const KEPT: usize = 3;
const LEFT_OUT: usize = 3;
/// Rarest tokens of a text by which texts like it are found, and how many of those are looked at.
const RAREST: usize = 4;
const CANDIDATES: usize = 8;

/// What stands where in the texts of a parallel corpus, `[language][row]`.
#[derive(Debug)]
pub(crate) struct Correspondence {
    /// For each language what has followed a token, as often as it did; `None` is the beginning of a text.
    followers: Vec<HashMap<Option<u32>, Vec<u32>>>,
    /// Rows of the first language that hold a token.
    holders: HashMap<u32, Vec<usize>>,
}

/// A retelling.
pub(crate) struct Retelling {
    pub ids: Vec<u32>,
    /// Which of its tokens say what the original does not.
    pub strange: Vec<bool>,
    /// Whether it is the original.
    pub faithful: bool,
}

impl Correspondence {
    pub fn of(texts: &[Vec<Vec<u32>>]) -> Self {
        let followers = texts
            .iter()
            .map(|rows| {
                let mut followers: HashMap<Option<u32>, Vec<u32>> = HashMap::new();
                for row in rows {
                    let before = std::iter::once(None).chain(row.iter().map(|&id| Some(id)));
                    for (before, &id) in before.zip(row) {
                        followers.entry(before).or_default().push(id);
                    }
                }
                followers
            })
            .collect();
        let mut holders: HashMap<u32, Vec<usize>> = HashMap::new();
        for (row, text) in texts.first().into_iter().flatten().enumerate() {
            for id in distinct(text) {
                holders.entry(id).or_default().push(row);
            }
        }
        Self { followers, holders }
    }

    /// A retelling of `row` in `language`: true and whole, or shortened, or with one to three tokens exchanged, or of another
    /// row like it.
    pub fn retell(&self, texts: &[Vec<Vec<u32>>], language: usize, row: usize, random: &mut Generator) -> Retelling {
        let original = &texts[language][row];
        match below(random, 100) {
            draw if draw < ALIKE => {
                let ids = texts[language][self.alike(&texts[0], row, random)].clone();
                let strange = ids.iter().map(|id| !original.contains(id)).collect();
                Retelling { ids, strange, faithful: false }
            }
            draw if draw < ALIKE + EXCHANGED => self.exchange(language, original, random),
            draw => {
                let mut ids = original.clone();
                if draw < ALIKE + EXCHANGED + SHORTENED && ids.len() > KEPT {
                    let start = below(random, ids.len() - KEPT);
                    let end = start + 1 + below(random, LEFT_OUT.min(ids.len() - KEPT));
                    ids.drain(start..end.min(ids.len()));
                }
                Retelling { strange: vec![false; ids.len()], faithful: ids.len() == original.len(), ids }
            }
        }
    }

    /// Exchanges one to three tokens for others that have followed the same token elsewhere.
    fn exchange(&self, language: usize, original: &[u32], random: &mut Generator) -> Retelling {
        let mut told = Retelling { ids: original.to_vec(), strange: vec![false; original.len()], faithful: false };
        for _ in 0..[1, 1, 1, 2, 2, 3][below(random, 6)] {
            let place = below(random, original.len());
            let before = place.checked_sub(1).map(|before| told.ids[before]);
            if let Some(followers) = self.followers[language].get(&before) {
                let other = followers[below(random, followers.len())];
                told.strange[place] = other != original[place];
                told.ids[place] = other;
            }
        }
        told
    }

    /// Of a few rows that share a rare token with `row`, the one that shares most tokens with it.
    fn alike(&self, texts: &[Vec<u32>], row: usize, random: &mut Generator) -> usize {
        let own = distinct(&texts[row]);
        let mut tokens: Vec<(usize, u32)> =
            own.iter().map(|&id| (self.holders.get(&id).map_or(0, Vec::len), id)).collect();
        tokens.sort_unstable();
        tokens.truncate(RAREST);
        let shared = |other: usize| own.iter().filter(|id| texts[other].contains(id)).count();
        let mut best = None;
        for _ in 0..CANDIDATES {
            let (_, token) = tokens[below(random, tokens.len())];
            let Some(holders) = self.holders.get(&token) else { continue };
            let other = holders[below(random, holders.len())];
            let common = shared(other);
            if other != row && best.is_none_or(|(most, _)| common > most) {
                best = Some((common, other));
            }
        }
        best.map_or_else(|| below(random, texts.len()), |(_, other)| other)
    }
}

fn distinct(text: &[u32]) -> Vec<u32> {
    let mut ids = text.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids
}
