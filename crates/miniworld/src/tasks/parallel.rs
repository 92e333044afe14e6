//! Parallel text: sentence pairs for retrieval, and text for masked language modelling: sentences, questions and paragraphs to
//! train on, other sentences to measure it.

use std::collections::HashSet;

use super::qa::pose;
use super::story::{any_style, distinct, paragraph};
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
    /// Something told, then one of its facts again in plain words and perhaps with less: texts repeat themselves.
    Retelling(Vec<Told>, Fact),
    /// A question, a paragraph that answers it, and the answer in plain words.
    Reading {
        question: Fact,
        asked: Role,
        paragraph: Vec<Told>,
        answer: Fact,
    },
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
            0..6 => {
                let fact = pool.fact(draw);
                // To ask when something happened tells that it did.
                if held_out.contains(&timeless(&fact)) {
                    continue;
                }
                let fact = part(draw, fact);
                Passage::Asking(fact, draw.pick(fact.askable()))
            }
            6..9 => {
                let fact = Fact::practised(pool.person(draw));
                Passage::Telling(vec![Told { fact, style: Style::PLAIN }])
            }
            9..15 => Passage::Telling(paragraph(draw, pool, any_style)),
            15..45 => retelling(draw, pool),
            45..60 => match reading(draw, pool) {
                Some(passage) => passage,
                None => continue,
            },
            _ => Passage::Telling(vec![single(draw, pool)]),
        };
        if passage.told().iter().any(|told| held_out.contains(&timeless(&told.fact))) {
            continue;
        }
        count += passage.sentences();
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

/// One fact, or two of one kind, and the first again.
fn retelling(draw: &mut Draw, pool: &Pool) -> Passage {
    let fact = pool.fact(draw);
    let mut facts = vec![fact];
    if draw.chance(60) {
        facts.push(pool.similar(draw, &fact));
        draw.shuffle(&mut facts);
    }
    let told = facts.into_iter().map(|fact| Told { fact, style: any_style(draw, &fact) }).collect();
    Passage::Retelling(told, part(draw, fact))
}

/// `None` for a paragraph that leaves no question with one answer.
fn reading(draw: &mut Draw, pool: &Pool) -> Option<Passage> {
    let paragraph = paragraph(draw, pool, any_style);
    let sentence = draw.below(paragraph.len());
    let answer = paragraph[sentence].fact;
    let asked = draw.pick(answer.askable());
    let question = pose(draw, &paragraph, sentence, asked)?;
    Some(Passage::Reading { question, asked, paragraph, answer })
}

/// A fact with perhaps less told.
fn part(draw: &mut Draw, fact: Fact) -> Fact {
    let year = fact.year.filter(|_| draw.chance(40));
    let place = fact.place.filter(|_| fact.place_is_object() || draw.chance(60));
    Fact { year, place, ..fact }
}

fn plainly(language: Language, fact: &Fact) -> String {
    language.say(fact, Style::PLAIN).text()
}

impl Passage {
    /// The row in a language; `None` for a question that the fact does not answer, in whatever language.
    pub fn text(&self, language: Language) -> Option<String> {
        let gap = language.sentence_gap();
        match self {
            Self::Telling(told) => Some(join(language, told)),
            Self::Asking(fact, role) => language.ask(fact, *role).map(|sentence| sentence.text()),
            Self::Retelling(told, again) => Some([join(language, told), plainly(language, again)].join(gap)),
            Self::Reading { question, asked, paragraph, answer } => {
                let question = language.ask(question, *asked)?.text();
                Some([question, join(language, paragraph), plainly(language, answer)].join(gap))
            }
        }
    }

    /// What is told at length.
    fn told(&self) -> &[Told] {
        match self {
            Self::Telling(told) | Self::Retelling(told, _) => told,
            Self::Reading { paragraph, .. } => paragraph,
            Self::Asking(..) => &[],
        }
    }

    fn sentences(&self) -> usize {
        match self {
            Self::Telling(told) => told.len(),
            Self::Asking(..) => 1,
            Self::Retelling(told, _) => told.len() + 1,
            Self::Reading { paragraph, .. } => paragraph.len() + 2,
        }
    }
}
