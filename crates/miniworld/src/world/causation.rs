//! What brings about what.
//!
//! Everyday laws of the world: people leave where disaster strikes or an institution closes and go where something opens; they
//! work, study, meet, found and in the end die where they have moved to; disasters close institutions; who goes bankrupt is bought,
//! and belongs to the buyer; heirs inherit from the dead. Nothing else causes anything, and no cause comes after its effect.

use super::{City, Event, Fact, Place};

/// Whether `cause` made `effect` happen.
pub fn brings_about(cause: &Fact, effect: &Fact) -> bool {
    let at = |fact: &Fact, city: City| fact.place == Some(Place::City(city));
    let there = cause.place.is_some() && cause.place == effect.place;
    let follows = match (cause.event, effect.event) {
        (Event::Struck(_), Event::Moved { from, .. }) => from.is_some_and(|from| at(cause, from)),
        (Event::Struck(disaster), Event::Closed { institution, cause: reason }) => {
            at(cause, institution.city) && reason.is_none_or(|reason| reason == disaster)
        }
        (Event::Closed { institution, .. }, Event::Moved { from, .. }) => from == Some(institution.city),
        (Event::Opened { .. }, Event::Moved { .. }) => there,
        (Event::Moved { person, .. }, Event::Worked { person: other, at: goal })
        | (Event::Moved { person, .. }, Event::Studied { person: other, at: goal })
        | (Event::Moved { person, .. }, Event::Founded { person: other, institution: goal }) => {
            person == other && at(cause, goal.city)
        }
        (Event::Moved { person, .. } | Event::Visited(person), Event::Met { person: one, other: two }) => {
            (person == one || person == two) && there
        }
        (Event::Moved { person, .. }, Event::Died(other)) => person == other && there,
        (Event::Failed(company), Event::Bought { target, .. }) => company == target,
        (Event::Bought { company, target }, Event::Owned { owner, target: owned }) => {
            company == owner && target == owned
        }
        (Event::Died(person), Event::Inherited { from, .. }) => person == from,
        _ => false,
    };
    follows && !matches!((cause.year, effect.year), (Some(before), Some(after)) if before > after)
}
