//! Premise/hypothesis pairs labelled by the world's logic, as in XNLI.
//!
//! A hypothesis is drawn first and then given three premises, one for each label, so that it says nothing about the label.
//! Half of the premises or more also tell a second fact that repeats words of the hypothesis, so that counting shared words says little.

use spec::Split;

use super::{Told, join, style};
use crate::error::MiniworldError;
use crate::examples::NliExample;
use crate::grammar::{Language, Style};
use crate::world::{Draw, Event, Fact, Label, Place, Pool, relation};

/// A pair before it is put into words.
#[derive(Debug, Clone)]
pub struct InferencePlan {
    pub premise: Vec<Told>,
    pub hypothesis: Fact,
    pub label: Label,
}

/// `count` pairs, the labels balanced within one.
///
/// # Errors
/// [`MiniworldError::TooMany`] if no premise can be found for a label.
pub fn inferences(seed: u64, purpose: &str, split: Split, count: usize) -> Result<Vec<InferencePlan>, MiniworldError> {
    let mut draw = Draw::new(seed, purpose);
    let pool = Pool::of(split);
    let mut plans = Vec::with_capacity(count + 2);
    while plans.len() < count {
        let fact = hypothesised(&mut draw, &pool);
        let hypothesis = reduced(&mut draw, &fact);
        for label in Label::ALL {
            let premise = premise(&mut draw, &pool, &fact, &hypothesis, label).ok_or_else(|| {
                MiniworldError::TooMany { what: purpose.to_owned(), wanted: count, found: plans.len() }
            })?;
            let premise =
                premise.into_iter().map(|fact| Told { fact, style: style(&mut draw, &fact, split) }).collect();
            plans.push(InferencePlan { premise, hypothesis, label });
        }
    }
    plans.truncate(count);
    draw.shuffle(&mut plans);
    Ok(plans)
}

/// A fully told fact of a kind that other facts can contradict.
fn hypothesised(draw: &mut Draw, pool: &Pool) -> Fact {
    loop {
        let fact = pool.fact(draw);
        if !matches!(
            fact.event,
            Event::Visited(_) | Event::Met { .. } | Event::Worked { .. } | Event::Studied { .. } | Event::Practised(_)
        ) {
            return fact;
        }
    }
}

/// The fact with some details left out, or the country for the city.
fn reduced(draw: &mut Draw, fact: &Fact) -> Fact {
    let place = match fact.place {
        Some(Place::City(city)) if draw.chance(30) => Some(Place::Country(city.country())),
        place => place,
    };
    let mut hypothesis = Fact { place, ..*fact };
    match hypothesis.event {
        Event::Moved { person, .. } => {
            match draw.below(3) {
                0 => hypothesis.year = None,
                1 => hypothesis.event = Event::Moved { person, from: None },
                _ => {
                    hypothesis.event = Event::Moved { person, from: None };
                    hypothesis.year = None;
                }
            };
        }
        Event::Closed { institution, .. } => match draw.below(3) {
            0 => hypothesis.year = None,
            1 => hypothesis.event = Event::Closed { institution, cause: None },
            _ => {}
        },
        Event::Born(_) | Event::Died(_) => match draw.below(3) {
            0 => hypothesis.year = None,
            1 => hypothesis.place = None,
            _ => {}
        },
        Event::Opened { .. } => match draw.below(3) {
            0 => hypothesis.year = None,
            1 => hypothesis.place = None,
            _ => {
                hypothesis.year = None;
                hypothesis.place = None;
            }
        },
        _ => {
            if draw.chance(50) {
                hypothesis.year = None;
            }
        }
    }
    hypothesis
}

/// Facts that stand in the relation `label` to `hypothesis`, a reduced form of `fact`.
fn premise(draw: &mut Draw, pool: &Pool, fact: &Fact, hypothesis: &Fact, label: Label) -> Option<Vec<Fact>> {
    for _ in 0..200 {
        let mut facts = match label {
            Label::Entailment => {
                let mut facts = vec![*fact];
                if draw.chance(60) {
                    facts.push(if draw.chance(50) { beside(draw, pool, fact) } else { pool.similar(draw, fact) });
                }
                facts
            }
            Label::Contradiction => {
                let (core, replaced) = altered(draw, pool, fact, hypothesis);
                let mut facts = vec![core];
                if draw.chance(65) {
                    // The second fact uses what the first one should have said.
                    facts.push(if draw.chance(80) {
                        echo(draw, pool, fact, replaced)
                    } else {
                        beside(draw, pool, fact)
                    });
                }
                facts
            }
            Label::Neutral => {
                let core = beside(draw, pool, fact);
                let mut facts = vec![core];
                if draw.chance(75) {
                    facts.push(elsewhere(draw, pool, fact));
                }
                if draw.chance(30)
                    && let Some(core) = thinned(fact, hypothesis)
                {
                    facts[0] = core;
                }
                facts
            }
        };
        draw.shuffle(&mut facts);
        let coherent = facts.len() < 2
            || relation(&facts[..1], &facts[1]) == Label::Neutral && relation(&facts[1..], &facts[0]) == Label::Neutral;
        if coherent && facts.iter().all(Fact::sensible) && relation(&facts, hypothesis) == label {
            return Some(facts);
        }
    }
    None
}

/// Which detail a contradiction changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    Place,
    Year,
    Other,
}

/// The fact with one detail changed that the hypothesis tells.
fn altered(draw: &mut Draw, pool: &Pool, fact: &Fact, hypothesis: &Fact) -> (Fact, Detail) {
    let other = pool.similar(draw, fact);
    let mut details = Vec::new();
    if hypothesis.place.is_some() {
        details.push(Detail::Place);
    }
    if hypothesis.year.is_some() {
        details.push(Detail::Year);
    }
    let event = match (fact.event, other.event) {
        (Event::Created { work, .. }, Event::Created { person, .. }) => Some(Event::Created { person, work }),
        (Event::Founded { institution, .. }, Event::Founded { person, .. }) => {
            Some(Event::Founded { person, institution })
        }
        (Event::Bought { company, target }, Event::Bought { company: buyer, .. }) => Some(if draw.chance(50) {
            Event::Bought { company: target, target: company }
        } else {
            Event::Bought { company: buyer, target }
        }),
        (Event::Opened { company, thing, .. }, Event::Opened { count, .. }) => {
            Some(Event::Opened { company, count, thing })
        }
        (Event::Closed { institution, .. }, Event::Closed { cause, .. }) => {
            let told = matches!(hypothesis.event, Event::Closed { cause: Some(_), .. });
            told.then_some(Event::Closed { institution, cause })
        }
        (Event::Moved { person, .. }, Event::Moved { from, .. }) => {
            let told = matches!(hypothesis.event, Event::Moved { from: Some(_), .. });
            told.then_some(Event::Moved { person, from })
        }
        _ => None,
    };
    if event.is_some() {
        details.push(Detail::Other);
    }
    let detail = draw.pick(&details);
    let changed = match detail {
        Detail::Place => Fact { place: other.place, ..*fact },
        Detail::Year => Fact { year: other.year, ..*fact },
        Detail::Other => Fact { event: event.unwrap_or(fact.event), ..*fact },
    };
    (changed, detail)
}

/// A fact about someone else that has the detail `fact` had.
fn echo(draw: &mut Draw, pool: &Pool, fact: &Fact, detail: Detail) -> Fact {
    let other = pool.similar(draw, fact);
    match detail {
        Detail::Place => Fact { place: fact.place, ..other },
        Detail::Year => Fact { year: fact.year, ..other },
        Detail::Other => {
            let event = match (fact.event, other.event) {
                (Event::Created { person, .. }, Event::Created { work, .. }) => Event::Created { person, work },
                (Event::Founded { person, .. }, Event::Founded { institution, .. }) => {
                    Event::Founded { person, institution }
                }
                (Event::Bought { company, .. }, Event::Bought { target, .. }) => Event::Bought { company, target },
                (Event::Opened { count, .. }, Event::Opened { company, thing, .. }) => {
                    Event::Opened { company, count, thing }
                }
                (Event::Closed { cause, .. }, Event::Closed { institution, .. }) => {
                    Event::Closed { institution, cause }
                }
                (Event::Moved { from, .. }, Event::Moved { person, .. }) => Event::Moved { person, from },
                _ => other.event,
            };
            Fact { event, ..other }
        }
    }
}

/// A different kind of fact about the same subject, with the same place and year where it has them.
fn beside(draw: &mut Draw, pool: &Pool, fact: &Fact) -> Fact {
    let keep_year = |other: Fact| Fact { year: fact.year, ..other };
    match fact.event {
        Event::Born(person) | Event::Died(person) | Event::Moved { person, .. } => {
            let event = match draw.below(3) {
                0 => Event::Visited(person),
                1 => Event::Met { person, other: pool.another_person(draw, person) },
                _ if matches!(fact.event, Event::Moved { .. }) => Event::Died(person),
                _ => Event::Moved { person, from: fact.place.map(|_| pool.city(draw)) },
            };
            let other = Fact { event, ..*fact };
            match (event, fact.place) {
                (Event::Moved { person, .. }, Some(Place::City(city))) => {
                    let from = Some(pool.another_city(draw, city));
                    Fact { event: Event::Moved { person, from }, ..other }
                }
                _ => other,
            }
        }
        Event::Created { person, .. } => {
            if draw.chance(50) {
                keep_year(Fact { event: Event::Created { person, work: pool.work(draw) }, ..*fact })
            } else {
                let place = Some(Place::City(pool.city(draw)));
                Fact { event: Event::Visited(person), place, year: fact.year }
            }
        }
        Event::Founded { person, institution } => {
            let event = if draw.chance(60) {
                Event::Worked { person, at: institution }
            } else {
                Event::Founded { person, institution: pool.institution(draw) }
            };
            Fact { event, ..*fact }
        }
        Event::Closed { institution, .. } => {
            let person = pool.person(draw);
            let event = if draw.chance(50) {
                Event::Founded { person, institution }
            } else {
                Event::Worked { person, at: institution }
            };
            Fact { event, ..*fact }
        }
        Event::Bought { company, target } => {
            let company = draw.pick(&[company, target]);
            let other = pool.similar(draw, fact);
            if let (Event::Bought { target, .. }, true) = (other.event, draw.chance(60)) {
                keep_year(Fact { event: Event::Bought { company, target }, ..other })
            } else {
                let thing = draw.pick(&crate::world::Thing::ALL);
                let event = Event::Opened { company, count: draw.between(3, 30), thing };
                Fact { event, place: Some(Place::City(pool.city(draw))), year: fact.year }
            }
        }
        Event::Opened { company, count, .. } => {
            if draw.chance(70) {
                let thing = draw.pick(&crate::world::Thing::ALL);
                Fact { event: Event::Opened { company, count, thing }, ..*fact }
            } else {
                let target = pool.another_company(draw, company);
                Fact { event: Event::Bought { company, target }, place: None, year: fact.year }
            }
        }
        _ => pool.similar(draw, fact),
    }
}

/// The same kind of fact, place, year and further details, about another subject.
fn elsewhere(draw: &mut Draw, pool: &Pool, fact: &Fact) -> Fact {
    let other = pool.similar(draw, fact);
    let detail = draw.pick(&[Detail::Place, Detail::Year, Detail::Other]);
    let echoed = echo(draw, pool, fact, detail);
    let year = if draw.chance(60) { fact.year } else { other.year };
    Fact { year, ..echoed }
}

/// The same event with fewer details than the hypothesis asks for.
fn thinned(fact: &Fact, hypothesis: &Fact) -> Option<Fact> {
    match (fact.event, hypothesis.place, hypothesis.year) {
        (Event::Born(_) | Event::Died(_), Some(_), _) => Some(Fact { place: None, ..*fact }),
        (Event::Moved { person, .. }, ..) if matches!(hypothesis.event, Event::Moved { from: Some(_), .. }) => {
            Some(Fact { event: Event::Moved { person, from: None }, ..*fact })
        }
        (Event::Opened { .. }, Some(_), _) => Some(Fact { place: None, ..*fact }),
        (Event::Closed { institution, .. }, ..) if matches!(hypothesis.event, Event::Closed { cause: Some(_), .. }) => {
            Some(Fact { event: Event::Closed { institution, cause: None }, ..*fact })
        }
        _ => None,
    }
}

impl InferencePlan {
    /// The pair in a language, named by its row; the hypothesis is always told plainly.
    pub fn say(&self, language: Language, row: usize) -> NliExample {
        NliExample {
            id: row.to_string(),
            premise: join(language, &self.premise),
            hypothesis: language.say(&self.hypothesis, Style::PLAIN).text(),
            label: self.label.number(),
        }
    }
}
