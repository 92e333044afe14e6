//! Parallel text: sentence pairs for retrieval, and sentences, questions and paragraphs to pre-train on.

use std::collections::HashSet;

use super::story::{any_style, distinct, paragraph};
use super::{Told, join};
use crate::error::MiniworldError;
use crate::grammar::{Language, Style};
use crate::world::{CITIES, City, Draw, Fact, Pool, Role};

/// The facts behind the retrieval pairs and the pre-training text; they share no sentence.
#[derive(Debug, Clone)]
pub struct ParallelPlan {
    pub validation: Vec<Told>,
    pub test: Vec<Told>,
    text: Vec<Passage>,
}

/// A row of the pre-training text.
#[derive(Debug, Clone)]
enum Passage {
    Telling(Vec<Told>),
    Asking(Fact, Role),
}

/// Draws `validation` and `test` retrieval pairs and at least `sentences` sentences of other text (a paragraph is one row).
///
/// # Errors
/// [`MiniworldError::TooMany`] if the world has not so many different sentences.
pub fn parallel(seed: u64, validation: usize, test: usize, sentences: usize) -> Result<ParallelPlan, MiniworldError> {
    let pool = Pool::all();
    let mut draw = Draw::new(seed, "retrieval");
    let mut pairs = distinct("retrieval sentences", validation + test, || single(&mut draw, &pool))?;
    let held_out: HashSet<Fact> = pairs.iter().map(|told| told.fact).collect();
    let test = pairs.split_off(validation);
    let mut draw = Draw::new(seed, "text");
    let cities = (0..CITIES).map(|city| Fact::located(City(city)));
    let mut text: Vec<Passage> =
        cities.map(|fact| Passage::Telling(vec![Told { fact, style: Style::PLAIN }])).take(sentences).collect();
    let mut count = text.len();
    while count < sentences {
        let passage = match draw.below(100) {
            0..10 => {
                let fact = pool.fact(&mut draw);
                let fact = part(&mut draw, fact);
                Passage::Asking(fact, draw.pick(fact.askable()))
            }
            10..13 => {
                let fact = Fact::practised(pool.person(&mut draw));
                Passage::Telling(vec![Told { fact, style: Style::PLAIN }])
            }
            13..20 => Passage::Telling(paragraph(&mut draw, &pool, any_style)),
            _ => Passage::Telling(vec![single(&mut draw, &pool)]),
        };
        if let Passage::Telling(told) = &passage
            && told.iter().any(|told| held_out.contains(&told.fact))
        {
            continue;
        }
        count += match &passage {
            Passage::Telling(told) => told.len(),
            Passage::Asking(..) => 1,
        };
        text.push(passage);
    }
    draw.shuffle(&mut text);
    Ok(ParallelPlan { validation: pairs, test, text })
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

impl ParallelPlan {
    /// The sentences of a retrieval split in a language.
    pub fn pairs(told: &[Told], language: Language) -> Vec<String> {
        told.iter().map(|told| language.say(&told.fact, told.style).text()).collect()
    }

    /// The pre-training text in a language, one row a sentence, question or paragraph.
    pub fn text(&self, language: Language) -> Vec<String> {
        self.text
            .iter()
            .filter_map(|passage| match passage {
                Passage::Telling(told) => Some(join(language, &Self::pairs(told, language))),
                Passage::Asking(fact, role) => language.ask(fact, *role).map(|sentence| sentence.text()),
            })
            .collect()
    }
}
