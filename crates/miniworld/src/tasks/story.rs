//! What a text tells, before it is put into words: single facts and paragraphs about a few people and companies.

use std::collections::HashSet;

use spec::Split;

use super::style;
use crate::error::MiniworldError;
use crate::grammar::{Language, Reference, Style};
use crate::world::{Draw, Event, Fact, Label, Person, Pool, Role, relation};

/// A fact and the pattern that tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Told {
    pub fact: Fact,
    pub style: Style,
}

impl Told {
    /// The sentence in a language.
    pub fn text(&self, language: Language) -> String {
        language.say(&self.fact, self.style).text()
    }
}

/// `count` different facts of `split`, each in one of its patterns.
///
/// # Errors
/// [`MiniworldError::TooMany`] if the world of the split has not so many.
pub fn sentences(seed: u64, purpose: &str, split: Split, count: usize) -> Result<Vec<Told>, MiniworldError> {
    let mut draw = Draw::new(seed, purpose);
    let pool = Pool::of(split);
    distinct(purpose, count, || {
        let fact = pool.fact(&mut draw);
        Some(Told { fact, style: style(&mut draw, &fact, split) })
    })
}

/// `count` different draws, `None` being nothing new; gives up when hardly anything new turns up.
pub(super) fn distinct<T: Copy + Eq + std::hash::Hash>(
    what: &str,
    count: usize,
    mut draw: impl FnMut() -> Option<T>,
) -> Result<Vec<T>, MiniworldError> {
    let mut seen = HashSet::new();
    let mut items = Vec::with_capacity(count);
    let mut misses = 0;
    while items.len() < count {
        if let Some(item) = draw().filter(|item| seen.insert(*item)) {
            items.push(item);
            misses = 0;
        } else {
            misses += 1;
            if misses > 1000 {
                return Err(MiniworldError::TooMany { what: what.to_owned(), wanted: count, found: items.len() });
            }
        }
    }
    Ok(items)
}

/// Which facts a paragraph tells, those about one person together.
pub(super) type Facts = fn(&mut Draw, &Pool) -> Vec<Vec<Fact>>;

/// A paragraph; `pattern` picks the pattern of each sentence.
pub(super) fn paragraph(
    draw: &mut Draw,
    pool: &Pool,
    facts: Facts,
    mut pattern: impl FnMut(&mut Draw, &Fact) -> Style,
) -> Vec<Told> {
    let mut groups = facts(draw, pool);
    while !coherent(&groups.concat()) {
        groups = facts(draw, pool);
    }
    draw.shuffle(&mut groups);
    groups.into_iter().flat_map(|group| tell(draw, group, &mut pattern)).collect()
}

/// One person, and sometimes another of whom something is told that is told of the first, or an organisation.
pub(super) fn one_life(draw: &mut Draw, pool: &Pool) -> Vec<Vec<Fact>> {
    let person = pool.person(draw);
    let mut groups = vec![life(draw, pool, person, 2)];
    if draw.chance(30) {
        let other = pool.another_person(draw, person);
        let fact = draw.pick(&groups[0]);
        let mut facts = vec![pool.similar_about(draw, &fact, other)];
        consistent(draw, &mut facts);
        groups.push(facts);
    } else if draw.chance(50) {
        groups.push(vec![pool.fact_of_organisations(draw)]);
    }
    groups
}

/// Two people, of whom the same kinds of things are told, and sometimes two companies or institutions.
pub(super) fn two_lives(draw: &mut Draw, pool: &Pool) -> Vec<Vec<Fact>> {
    let first = pool.person(draw);
    let second = pool.another_person(draw, first);
    let count = 2 + draw.below(2);
    let facts = life(draw, pool, first, count);
    let mut others: Vec<Fact> = facts.iter().map(|fact| pool.similar_about(draw, fact, second)).collect();
    let keep = 1 + draw.below(2);
    draw.shuffle(&mut others);
    others.truncate(keep);
    consistent(draw, &mut others);
    let mut groups = vec![facts, others];
    if draw.chance(60) {
        let fact = pool.fact_of_organisations(draw);
        let other = pool.similar(draw, &fact);
        groups.push(vec![fact]);
        groups.push(vec![other]);
    }
    groups
}

/// Whether no fact contradicts another.
fn coherent(facts: &[Fact]) -> bool {
    facts
        .iter()
        .enumerate()
        .all(|(at, fact)| facts[at + 1..].iter().all(|other| relation(&[*fact], other) != Label::Contradiction))
}

/// `count` facts of different kinds about `person`, in an order and with years that a life allows.
fn life(draw: &mut Draw, pool: &Pool, person: Person, count: usize) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    while facts.len() < count {
        let fact = pool.fact_about(draw, Some(person));
        let new = |other: &Fact| std::mem::discriminant(&other.event) != std::mem::discriminant(&fact.event);
        if facts.iter().all(new) {
            facts.push(fact);
        }
    }
    consistent(draw, &mut facts);
    facts
}

/// Gives the facts of one person the years of a life and puts them in order.
fn consistent(draw: &mut Draw, facts: &mut [Fact]) {
    let birth = draw.between(1900, 1940);
    for fact in facts.iter_mut() {
        fact.year = Some(match fact.event {
            Event::Born(_) => birth,
            Event::Died(_) => birth + draw.between(52, 69),
            _ => birth + draw.between(18, 51),
        });
    }
    facts.sort_by_key(|fact| fact.year);
}

/// Tells the facts of one group; a person once named may become a pronoun.
fn tell(draw: &mut Draw, facts: Vec<Fact>, pattern: &mut impl FnMut(&mut Draw, &Fact) -> Style) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for fact in facts {
        let mut style = pattern(draw, &fact);
        if let Some(previous) = told.last() {
            // A pronoun after a sentence with two people, or with another subject, would be unclear.
            let clear = !previous.style.passive && !matches!(previous.fact.event, Event::Met { .. });
            let same = fact.person().is_some() && previous.fact.person() == fact.person();
            if same {
                let pronoun = clear && !style.passive && draw.chance(60);
                style.reference = if pronoun { Reference::Pronoun } else { Reference::Name };
            }
        }
        told.push(Told { fact, style });
    }
    told
}

/// Whether `told` fits what `question` says about everything but `asked`.
pub(super) fn answers(told: &Fact, question: &Fact, asked: Role) -> bool {
    let free = |role| role == asked;
    let event = match (told.event, question.event) {
        (Event::Born(one), Event::Born(other))
        | (Event::Died(one), Event::Died(other))
        | (Event::Visited(one), Event::Visited(other)) => free(Role::Subject) || one == other,
        (Event::Moved { person, from }, Event::Moved { person: other, from: origin }) => {
            (free(Role::Subject) || person == other) && (free(Role::Origin) || origin.is_none() || from == origin)
        }
        (Event::Met { person, other }, Event::Met { person: one, other: two }) => {
            person == one && (free(Role::Object) || other == two)
        }
        (Event::Worked { person, at }, Event::Worked { person: one, at: place })
        | (Event::Studied { person, at }, Event::Studied { person: one, at: place }) => {
            person == one && (free(Role::Object) || at == place)
        }
        (Event::Created { person, work }, Event::Created { person: other, work: made }) => {
            work == made && (free(Role::Subject) || person == other)
        }
        (Event::Founded { person, institution }, Event::Founded { person: other, institution: founded }) => {
            (free(Role::Subject) || person == other) && (free(Role::Object) || institution == founded)
        }
        (Event::Closed { institution, cause }, Event::Closed { institution: other, cause: reason }) => {
            institution == other && (free(Role::Cause) || reason.is_none() || cause == reason)
        }
        (Event::Opened { company, count, thing }, Event::Opened { company: other, count: number, thing: sort }) => {
            thing == sort && (free(Role::Subject) || company == other) && (free(Role::Count) || count == number)
        }
        (Event::Bought { company, target }, Event::Bought { company: other, target: bought }) => {
            (free(Role::Subject) || company == other) && (free(Role::Object) || target == bought)
        }
        _ => false,
    };
    event
        && (free(Role::Place) || question.place.is_none() || told.place == question.place)
        && (free(Role::Year) || question.year.is_none() || told.year == question.year)
}

/// Any pattern at all, as in a text for pre-training; plain more often than any other.
pub(super) fn any_style(draw: &mut Draw, fact: &Fact) -> Style {
    let bare = matches!(fact.event, Event::Located(_) | Event::Practised(_));
    if bare || draw.chance(40) {
        return Style::PLAIN;
    }
    let split = draw.pick(&Split::ALL);
    style(draw, fact, split)
}

#[cfg(test)]
mod tests {
    use super::distinct;

    #[test]
    fn drawing_more_than_there_is_stops_with_a_message() {
        let mut next = 0;
        let draw = || {
            next = (next + 1) % 5;
            Some(next)
        };
        let error = distinct("numbers", 6, draw).unwrap_err().to_string();
        assert_eq!(error, "cannot draw 6 numbers: only 5 different ones turned up; ask for fewer");
    }
}
