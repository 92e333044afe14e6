use std::collections::BTreeMap;
use std::fmt;

use spec::Language;

use super::Mask;

/// Whose mask a language is scored under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MaskSource {
    Language(Language),
    /// The `draw`-th random mask with as many heads in every layer as this language's.
    Random {
        like: Language,
        draw: u64,
    },
}

impl fmt::Display for MaskSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Language(language) => f.pad(language.code()),
            Self::Random { like, draw } => f.pad(&format!("random-{}.{like}", draw + 1)),
        }
    }
}

/// The masks of a cross evaluation: every language's own and `draws` random ones like it. Scoring each language under each
/// of them shows whether a mask is its language's, or any mask of its size would do.
pub fn cross_masks(masks: &BTreeMap<Language, Mask>, draws: u64, seed: u64) -> BTreeMap<MaskSource, Mask> {
    let own = masks.iter().map(|(&language, mask)| (MaskSource::Language(language), mask.clone()));
    let random = masks.iter().flat_map(|(&like, mask)| {
        (0..draws).map(move |draw| (MaskSource::Random { like, draw }, mask.random_like(seed, like, draw)))
    });
    own.chain(random).collect()
}
