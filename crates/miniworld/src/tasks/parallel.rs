//! Parallel text: sentence pairs for retrieval, and text for masked language modelling: sentences, questions and paragraphs to
//! train on, other sentences to measure it.

use std::collections::HashSet;

use super::story::{any_style, distinct, paragraph, two_lives};
use super::{Told, join};
use crate::error::MiniworldError;
use crate::grammar::{Language, Style};
use crate::world::{CITIES, City, Draw, Fact, Pool, Role};

/// What the retrieval pairs and the text tell. No fact of one split of either is told in another, with its year or without.
#[derive(Debug, Clone)]
pub struct ParallelPlan {
    /// Retrieval pairs: validation and test.
    pub pairs: [Vec<Told>; 2],
    /// Text: train, validation and test.
    pub text: [Vec<Passage>; 3],
}

/// A row of text.
#[derive(Debug, Clone)]
pub enum Passage {
    Telling(Vec<Told>),
    Asking(Fact, Role),
}

/// Draws retrieval pairs (validation, test) and text: at least `text[0]` sentences to train on (a paragraph is one row), and
/// just as many single sentences as asked for in validation and test.
///
/// # Errors
/// [`MiniworldError::TooMany`] if the world has not so many different sentences.
pub fn parallel(seed: u64, pairs: [usize; 2], text: [usize; 3]) -> Result<ParallelPlan, MiniworldError> {
    let pool = Pool::all();
    let mut told = HashSet::new();
    let mut sentences = |purpose: &str, count: usize| {
        let mut draw = Draw::new(seed, purpose);
        distinct(purpose, count, || Some(single(&mut draw, &pool)).filter(|new| told.insert(timeless(&new.fact))))
    };
    let pairs = [sentences("retrieval validation", pairs[0])?, sentences("retrieval test", pairs[1])?];
    let held_out = [sentences("text validation", text[1])?, sentences("text test", text[2])?];
    let [validation, test] = held_out.map(|told| told.into_iter().map(|told| Passage::Telling(vec![told])).collect());
    let train = training(&mut Draw::new(seed, "text train"), &pool, text[0], &told);
    Ok(ParallelPlan { pairs, text: [train, validation, test] })
}

/// The fact without its year: telling when it happened also tells that it happened.
fn timeless(fact: &Fact) -> Fact {
    Fact { year: None, ..*fact }
}

/// At least `sentences` sentences, none of which tells a fact that is `held_out`.
fn training(draw: &mut Draw, pool: &Pool, sentences: usize, held_out: &HashSet<Fact>) -> Vec<Passage> {
    let cities = (0..CITIES).map(|city| Fact::located(City(city)));
    let mut text: Vec<Passage> =
        cities.map(|fact| Passage::Telling(vec![Told { fact, style: Style::PLAIN }])).take(sentences).collect();
    let mut count = text.len();
    while count < sentences {
        let passage = match draw.below(100) {
            0..10 => {
                let fact = pool.fact(draw);
                // To ask when something happened tells that it did.
                if held_out.contains(&timeless(&fact)) {
                    continue;
                }
                let fact = part(draw, fact);
                Passage::Asking(fact, draw.pick(fact.askable()))
            }
            10..13 => {
                let fact = Fact::practised(pool.person(draw));
                Passage::Telling(vec![Told { fact, style: Style::PLAIN }])
            }
            13..20 => Passage::Telling(paragraph(draw, pool, two_lives, any_style)),
            _ => Passage::Telling(vec![single(draw, pool)]),
        };
        count += match &passage {
            Passage::Telling(told) if told.iter().any(|told| held_out.contains(&timeless(&told.fact))) => continue,
            Passage::Telling(told) => told.len(),
            Passage::Asking(..) => 1,
        };
        text.push(passage);
    }
    draw.shuffle(&mut text);
    text
}

/// One sentence in any pattern, more often without its year than with it: figures are the same in every language.
fn single(draw: &mut Draw, pool: &Pool) -> Told {
    let fact = pool.fact(draw);
    let fact = if draw.chance(60) { Fact { year: None, ..fact } } else { fact };
    Told { fact, style: any_style(draw, &fact) }
}

/// A fact with perhaps less told.
fn part(draw: &mut Draw, fact: Fact) -> Fact {
    let year = fact.year.filter(|_| draw.chance(40));
    let place = fact.place.filter(|_| fact.place_is_object() || draw.chance(60));
    Fact { year, place, ..fact }
}

impl Passage {
    /// The row in a language; `None` for a question that the fact does not answer, in whatever language.
    pub fn text(&self, language: Language) -> Option<String> {
        match self {
            Self::Telling(told) => Some(join(language, told)),
            Self::Asking(fact, role) => language.ask(fact, *role).map(|sentence| sentence.text()),
        }
    }
}
