//! What follows from what.
//!
//! The single-event reading of textual inference: two sentences that name the same event (this person's birth, this company's
//! opening of factories, …) speak of one event, so that different circumstances exclude each other. Besides: a city lies in one
//! country, a work or institution has one maker, of two companies only one can own the other, and nobody acts before birth or after death.

use super::{Event, Fact, Place};

/// The three labels of XNLI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    Entailment,
    Neutral,
    Contradiction,
}

impl Label {
    pub const ALL: [Self; 3] = [Self::Entailment, Self::Neutral, Self::Contradiction];

    /// Its place in `Task::Nli.labels()`.
    pub fn number(self) -> u8 {
        match self {
            Self::Entailment => 0,
            Self::Neutral => 1,
            Self::Contradiction => 2,
        }
    }
}

/// What `premise`, taken as true, says about `hypothesis`.
pub fn relation(premise: &[Fact], hypothesis: &Fact) -> Label {
    if premise.iter().any(|fact| contradicts(fact, hypothesis)) {
        Label::Contradiction
    } else if premise.iter().any(|fact| entails(fact, hypothesis)) {
        Label::Entailment
    } else {
        Label::Neutral
    }
}

/// Whether a detail is implied: not asked for, or told and the same (or narrower).
fn covers<T: Copy>(told: Option<T>, asked: Option<T>, same: impl Fn(T, T) -> bool) -> bool {
    asked.is_none_or(|asked| told.is_some_and(|told| same(told, asked)))
}

fn differs<T: Copy + PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}

fn apart(one: Option<Place>, other: Option<Place>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if !one.within(other) && !other.within(one))
}

fn entails(fact: &Fact, hypothesis: &Fact) -> bool {
    let event = match (fact.event, hypothesis.event) {
        (Event::Moved { person, from }, Event::Moved { person: mover, from: origin }) => {
            person == mover && covers(from, origin, |one, other| one == other)
        }
        (Event::Closed { institution, cause }, Event::Closed { institution: closed, cause: reason }) => {
            institution == closed && covers(cause, reason, |one, other| one == other)
        }
        (one, other) => one == other,
    };
    event
        && covers(fact.place, hypothesis.place, Place::within)
        && covers(fact.year, hypothesis.year, |one, other| one == other)
}

fn contradicts(fact: &Fact, hypothesis: &Fact) -> bool {
    let circumstances = differs(fact.year, hypothesis.year) || apart(fact.place, hypothesis.place);
    let same_event = match (fact.event, hypothesis.event) {
        (Event::Born(one), Event::Born(other)) | (Event::Died(one), Event::Died(other)) => {
            one == other && circumstances
        }
        (Event::Moved { person, from }, Event::Moved { person: mover, from: origin }) => {
            person == mover && (circumstances || differs(from, origin))
        }
        (Event::Created { person, work }, Event::Created { person: maker, work: other }) => {
            work == other && (person != maker || circumstances)
        }
        (Event::Founded { person, institution }, Event::Founded { person: founder, institution: other }) => {
            institution == other && (person != founder || circumstances)
        }
        (Event::Closed { institution, cause }, Event::Closed { institution: other, cause: reason }) => {
            institution == other && (circumstances || differs(cause, reason))
        }
        (Event::Opened { company, count, thing }, Event::Opened { company: other, count: number, thing: sort }) => {
            company == other && thing == sort && (circumstances || count != number)
        }
        (Event::Bought { company, target }, Event::Bought { company: buyer, target: bought }) => {
            (target == bought && (company != buyer || circumstances)) || (target == buyer && company == bought)
        }
        _ => false,
    };
    same_event || out_of_life(fact, hypothesis) || out_of_life(hypothesis, fact)
}

/// Whether `act` falls outside the life that `end` bounds.
fn out_of_life(end: &Fact, act: &Fact) -> bool {
    let (Some(bound), Some(year), Some(actor)) = (end.year, act.year, act.person()) else { return false };
    match end.event {
        Event::Born(person) => person == actor && year < bound,
        Event::Died(person) => person == actor && year > bound,
        _ => false,
    }
}
