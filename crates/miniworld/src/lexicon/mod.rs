//! The names and words of each language as tables, one file a language.
//!
//! Every table of [`Names`] has the same order in all languages: entry `i` of each is the same person's name, city, …
//! The tables of common nouns follow the order of the enumerations in [`crate::world`].

pub(crate) mod ar;
pub(crate) mod de;
pub(crate) mod el;
pub(crate) mod en;
pub(crate) mod es;
pub(crate) mod hi;
mod latin;
pub(crate) mod ru;
pub(crate) mod sw;
pub(crate) mod tr;
pub(crate) mod vi;
pub(crate) mod zh;

use crate::world::{BRANDS, CITIES, COUNTRIES, FAMILY_NAMES, GIVEN_NAMES, PROFESSIONS, TITLES};

/// The proper names of a language, and what its speakers do.
#[derive(Debug)]
pub(crate) struct Names {
    pub given: [&'static str; GIVEN_NAMES],
    pub family: [&'static str; FAMILY_NAMES],
    pub cities: [&'static str; CITIES],
    pub countries: [&'static str; COUNTRIES],
    pub brands: [&'static str; BRANDS],
    /// What a novel, film or opera is called; the last word is the noun.
    pub titles: [&'static str; TITLES],
    /// Feminine and masculine.
    pub professions: [[&'static str; 2]; PROFESSIONS],
}
