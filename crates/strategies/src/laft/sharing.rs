use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use spec::{Laft, Language, Sharing};
use thiserror::Error;

use super::Module;
use super::kernel::{kappa, median, softmax};
use crate::draw;

/// Strengths that cannot be found.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum LaftError {
    #[error(
        "there is no `{distance}` distance of `{language}`: it has no such features in URIEL; use another `distance`"
    )]
    NoVector { language: Language, distance: String },
    #[error("the distance between `{first}` and `{second}` is {value}")]
    Distance { first: Language, second: Language, value: f64 },
    #[error("the median distance between the languages is {median}, too small for a width: give `tau`")]
    NoWidth { median: f64 },
    #[error("an update needs new data in at least one language")]
    NothingUpdated,
}

/// How strongly each language uses the modules of one update.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Strengths {
    /// The kernel's width, where distances decide.
    pub tau: Option<f64>,
    /// In `[0, 1]`, in the modules' order; modules without effect are left out.
    pub languages: BTreeMap<Language, Vec<(Module, f64)>>,
}

/// Strengths, in `languages` and `updated`, of what a stage (from 0) has trained on the languages `updated`.
///
/// `distance` gives the distance of two languages, 0 between a language and itself, and `None` if one of them has no
/// features. The seed decides how `shuffled` shuffles.
///
/// # Errors
/// [`LaftError`]; distances are asked for only by sharings that need them.
pub fn strengths(
    laft: &Laft,
    stage: usize,
    languages: &[Language],
    updated: &[Language],
    distance: &dyn Fn(Language, Language) -> Option<f64>,
    seed: u64,
) -> Result<Strengths, LaftError> {
    if updated.is_empty() {
        return Err(LaftError::NothingUpdated);
    }
    let all: BTreeSet<Language> = languages.iter().chain(updated).copied().collect();
    let shared = Module { stage, language: None };
    let alike = |strength: &dyn Fn(Language) -> f64| {
        let used = |language| match strength(language) {
            0.0 => Vec::new(),
            strength => vec![(shared, strength)],
        };
        all.iter().map(|&language| (language, used(language))).collect()
    };
    if !laft.needs_distances() {
        let everywhere = laft.kind == Sharing::All;
        let in_update = |language| f64::from(u8::from(everywhere || updated.contains(&language)));
        return Ok(Strengths { tau: None, languages: alike(&in_update) });
    }

    let all_distances = distances_of(laft, &all, distance)?;
    let tau = match laft.tau {
        Some(tau) => tau,
        None => width(&all_distances)?,
    };
    let stand_in = match laft.kind {
        Sharing::Shuffled => shuffled(&all, seed),
        _ => all.iter().map(|&language| (language, language)).collect(),
    };
    let between = |l: Language, u: Language| all_distances[&(stand_in[&l], stand_in[&u])];
    let nearest = |l: Language| updated.iter().map(|&u| kappa(laft.kernel, between(l, u), tau)).fold(0.0, f64::max);
    let languages = match laft.kind {
        Sharing::Mixture => {
            let mixture = |l: Language| -> Vec<(Module, f64)> {
                let distances: Vec<f64> = updated.iter().map(|&u| between(l, u)).collect();
                let weights = softmax(&distances, tau).into_iter().map(|weight| weight * nearest(l));
                let modules = updated.iter().map(|&u| Module { stage, language: Some(u) });
                modules.zip(weights).filter(|(_, strength)| *strength > 0.0).collect()
            };
            all.iter().map(|&l| (l, mixture(l))).collect()
        }
        _ => alike(&nearest),
    };
    Ok(Strengths { tau: Some(tau), languages })
}

/// Of all pairs, in both orders.
fn distances_of(
    laft: &Laft,
    languages: &BTreeSet<Language>,
    distance: &dyn Fn(Language, Language) -> Option<f64>,
) -> Result<BTreeMap<(Language, Language), f64>, LaftError> {
    let missing = |language| {
        let names: Vec<&str> = laft.distance.parts().iter().map(|(distance, _)| distance.name()).collect();
        LaftError::NoVector { language, distance: names.join(" + ") }
    };
    // A language without features is missing from all pairs: it must be named, not the first to meet it.
    if let Some(&language) = languages.iter().find(|&&language| distance(language, language).is_none()) {
        return Err(missing(language));
    }
    let mut found = BTreeMap::new();
    for &first in languages {
        for &second in languages {
            let value = if first == second { 0.0 } else { distance(first, second).ok_or_else(|| missing(second))? };
            if !(value >= 0.0 && value.is_finite()) {
                return Err(LaftError::Distance { first, second, value });
            }
            found.insert((first, second), value);
        }
    }
    Ok(found)
}

/// The median over pairs of different languages.
fn width(distances: &BTreeMap<(Language, Language), f64>) -> Result<f64, LaftError> {
    let pairs = distances.iter().filter(|((first, second), _)| first < second);
    // Of one language, every width gives strength 1.
    let median = median(pairs.map(|(_, &value)| value).collect()).unwrap_or(1.0);
    if median > 0.0 { Ok(median) } else { Err(LaftError::NoWidth { median }) }
}

/// Every language is given another one's place: a random cycle (Sattolo 1986).
fn shuffled(languages: &BTreeSet<Language>, seed: u64) -> BTreeMap<Language, Language> {
    let mut order: Vec<Language> = languages.iter().copied().collect();
    let mut generator = draw::generator(seed, "laft-shuffled", 0);
    for last in (1..order.len()).rev() {
        order.swap(last, random::below(&mut generator, last));
    }
    languages.iter().copied().zip(order).collect()
}
