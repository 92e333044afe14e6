//! Facts as lists of names and values with the sentence that tells them, for generation. No task reads them yet, so that they are
//! not stored.

use spec::Split;

use super::story::distinct;
use crate::error::MiniworldError;
use crate::grammar::{Language, Style};
use crate::lexicon::en::{CAUSES, INSTITUTIONS, NAMES, THINGS, WORKS};
use crate::world::{Draw, Event, Fact, Gender, Institution, Person, Place, Pool};

/// A fact and its plain sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactExample {
    pub id: String,
    /// `event=bought; subject=Orion; …`: the same in all languages.
    pub facts: String,
    pub text: String,
}

/// `count` different facts of `split`, some without their year.
///
/// # Errors
/// [`MiniworldError::TooMany`] if the world of the split has not so many.
pub fn facts(seed: u64, purpose: &str, split: Split, count: usize) -> Result<Vec<Fact>, MiniworldError> {
    let mut draw = Draw::new(seed, purpose);
    let pool = Pool::of(split);
    distinct(purpose, count, || {
        let fact = pool.fact(&mut draw);
        Some(if draw.chance(30) { Fact { year: None, ..fact } } else { fact })
    })
}

/// Tells each fact plainly.
pub fn told_plainly(language: Language, split: Split, facts: &[Fact]) -> Vec<FactExample> {
    let example = |(row, fact): (usize, &Fact)| FactExample {
        id: format!("{split}-{row:05}"),
        facts: language_free(fact),
        text: language.say(fact, Style::PLAIN).text(),
    };
    facts.iter().enumerate().map(example).collect()
}

/// The fact as `name=value` pairs, names of the world as English spells them.
fn language_free(fact: &Fact) -> String {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    let event = match fact.event {
        Event::Born(person) => {
            pairs.extend(someone("subject", person));
            "born"
        }
        Event::Died(person) => {
            pairs.extend(someone("subject", person));
            "died"
        }
        Event::Moved { person, from } => {
            pairs.extend(someone("subject", person));
            pairs.extend(from.map(|from| ("origin", NAMES.cities[from.0].to_owned())));
            "moved"
        }
        Event::Visited(person) => {
            pairs.extend(someone("subject", person));
            "visited"
        }
        Event::Met { person, other } => {
            pairs.extend(someone("subject", person));
            pairs.extend(someone("object", other));
            "met"
        }
        Event::Worked { person, at } => {
            pairs.extend(someone("subject", person));
            pairs.extend(institution(at));
            "worked"
        }
        Event::Studied { person, at } => {
            pairs.extend(someone("subject", person));
            pairs.extend(institution(at));
            "studied"
        }
        Event::Created { person, work } => {
            pairs.extend(someone("subject", person));
            pairs.push(("work", WORKS[work.kind as usize].to_owned()));
            pairs.push(("title", NAMES.titles[work.title].to_owned()));
            "created"
        }
        Event::Founded { person, institution: founded } => {
            pairs.extend(someone("subject", person));
            pairs.extend(institution(founded));
            "founded"
        }
        Event::Closed { institution: closed, cause } => {
            pairs.extend(institution(closed));
            pairs.extend(cause.map(|cause| ("cause", CAUSES[cause as usize][1].to_owned())));
            "closed"
        }
        Event::Opened { company, count, thing } => {
            pairs.push(("subject", NAMES.brands[company.0].to_owned()));
            pairs.push(("count", count.to_string()));
            pairs.push(("thing", THINGS[thing as usize].to_owned()));
            "opened"
        }
        Event::Bought { company, target } => {
            pairs.push(("subject", NAMES.brands[company.0].to_owned()));
            pairs.push(("object", NAMES.brands[target.0].to_owned()));
            "bought"
        }
        Event::Located(city) => {
            pairs.push(("subject", NAMES.cities[city.0].to_owned()));
            pairs.push(("country", NAMES.countries[city.country().0].to_owned()));
            "located"
        }
        Event::Practised(person) => {
            pairs.extend(someone("subject", person));
            pairs.push(("profession", NAMES.professions[person.profession().0][0].to_owned()));
            "practised"
        }
        Event::Struck(disaster) => {
            pairs.push(("cause", CAUSES[disaster as usize][1].to_owned()));
            "struck"
        }
        Event::Failed(failed) => {
            pairs.push(("subject", NAMES.brands[failed.0].to_owned()));
            "failed"
        }
        Event::Owned { owner, target } => {
            pairs.push(("subject", NAMES.brands[owner.0].to_owned()));
            pairs.push(("object", NAMES.brands[target.0].to_owned()));
            "owned"
        }
        Event::Inherited { heir, from } => {
            pairs.extend(someone("subject", heir));
            pairs.extend(someone("object", from));
            "inherited"
        }
    };
    pairs.extend(fact.place.map(|place| {
        let name = match place {
            Place::City(city) => NAMES.cities[city.0],
            Place::Country(country) => NAMES.countries[country.0],
        };
        ("place", name.to_owned())
    }));
    pairs.extend(fact.year.map(|year| ("year", year.to_string())));
    let pairs = pairs.into_iter().map(|(name, value)| format!("; {name}={value}"));
    format!("event={event}") + &pairs.collect::<String>()
}

/// Name and gender: many languages need both.
fn someone(role: &'static str, person: Person) -> [(&'static str, String); 2] {
    let name = format!("{} {}", NAMES.given[person.given], NAMES.family[person.family]);
    let gender = match person.gender() {
        Gender::Feminine => "feminine",
        Gender::Masculine => "masculine",
    };
    [(role, name), ("gender", gender.to_owned())]
}

fn institution(institution: Institution) -> [(&'static str, String); 2] {
    let kind = INSTITUTIONS[institution.kind as usize].to_lowercase();
    [("institution", kind), ("of", NAMES.cities[institution.city.0].to_owned())]
}
