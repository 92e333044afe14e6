//! Causes and effects as in XCOPA: which of two things made another happen, or came of it.
//!
//! Every scene has a mirror image in which two cities, companies or people have changed places. A scene and its mirror make two
//! rows with the same two choices, the right one of the first being the wrong one of the second, so that choices alone say nothing.
//! Premise or choices name both of what changes places, so that shared words say little.

use std::collections::HashSet;

use spec::Split;

use super::{Told, join, style};
use crate::error::MiniworldError;
use crate::grammar::{Language, Style};
use crate::world::{Cause, City, Company, Draw, Event, Fact, Institution, InstitutionKind, Person, Place, Pool, Thing};

/// What is asked about the premise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    Cause,
    Effect,
}

impl Question {
    pub const ALL: [Self; 2] = [Self::Cause, Self::Effect];

    /// As XCOPA writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cause => "cause",
            Self::Effect => "effect",
        }
    }
}

/// A premise and two choices in a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceExample {
    pub id: String,
    pub premise: String,
    /// `cause` or `effect`: the same in every language.
    pub question: &'static str,
    pub choices: [String; 2],
    /// Which choice is right: 0 or 1.
    pub label: u8,
}

/// A row before it is put into words.
#[derive(Debug, Clone)]
pub struct ChoicePlan {
    /// One or two facts.
    pub premise: Vec<Told>,
    pub question: Question,
    pub choices: [Fact; 2],
    pub label: u8,
}

/// What happened and what came of it, one or two of each.
/// The first of both are asked about; the second are there to be told apart from them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Scene {
    causes: Vec<Fact>,
    effects: Vec<Fact>,
}

impl Scene {
    fn of(cause: Fact, effect: Fact) -> Self {
        Self { causes: vec![cause], effects: vec![effect] }
    }
}

/// Why things happen, as [`crate::world::brings_about`] has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Law {
    MovedToWork,
    MovedToStudy,
    MovedAndDied,
    MovedAndMet,
    MovedAndFounded,
    LeftDisaster,
    LeftClosure,
    WentWhereOpened,
    FailedAndBought,
    BoughtAndOwned,
    DiedAndInherited,
    DisasterClosed,
    VisitedAndMet,
}

const LAWS: [Law; 13] = [
    Law::MovedToWork,
    Law::MovedToStudy,
    Law::MovedAndDied,
    Law::MovedAndMet,
    Law::MovedAndFounded,
    Law::LeftDisaster,
    Law::LeftClosure,
    Law::WentWhereOpened,
    Law::FailedAndBought,
    Law::BoughtAndOwned,
    Law::DiedAndInherited,
    Law::DisasterClosed,
    Law::VisitedAndMet,
];

/// `count` rows, each choice right in half of them.
///
/// # Errors
/// [`MiniworldError::TooMany`] if the world of the split has not so many.
pub fn choices(seed: u64, purpose: &str, split: Split, count: usize) -> Result<Vec<ChoicePlan>, MiniworldError> {
    let mut draw = Draw::new(seed, purpose);
    let pool = Pool::of(split);
    let mut plans = Vec::with_capacity(count + 1);
    let mut asked = HashSet::new();
    let mut misses = 0;
    while plans.len() < count {
        let [one, other] = mirrored(&mut draw, &pool);
        let question = draw.pick(&Question::ALL);
        let (premises, mut choices) = match question {
            Question::Cause => ([one.effects, other.effects], [one.causes[0], other.causes[0]]),
            Question::Effect => ([one.causes, other.causes], [one.effects[0], other.effects[0]]),
        };
        choices = choices.map(timeless);
        let rows =
            [0, 1].map(|at| (premises[at].iter().copied().map(timeless).collect::<Vec<Fact>>(), question, choices[at]));
        if !rows.into_iter().all(|row| asked.insert(row)) {
            misses += 1;
            if misses > 1000 {
                return Err(MiniworldError::TooMany { what: purpose.to_owned(), wanted: count, found: plans.len() });
            }
            continue;
        }
        misses = 0;
        let styles: Vec<Style> = premises[0].iter().map(|fact| style(&mut draw, fact, split)).collect();
        let turned = draw.chance(50);
        if turned {
            choices.swap(0, 1);
        }
        let reversed = draw.chance(50);
        for (premise, label) in premises.into_iter().zip([turned, !turned]) {
            let mut premise: Vec<Told> =
                premise.into_iter().zip(&styles).map(|(fact, &style)| Told { fact, style }).collect();
            if reversed {
                premise.reverse();
            }
            plans.push(ChoicePlan { premise, question, choices, label: u8::from(label) });
        }
    }
    plans.truncate(count);
    draw.shuffle(&mut plans);
    Ok(plans)
}

/// The fact without its year, which makes no other question and would make choices long.
fn timeless(fact: Fact) -> Fact {
    Fact { year: None, ..fact }
}

/// A scene and its mirror image.
fn mirrored(draw: &mut Draw, pool: &Pool) -> [Scene; 2] {
    let law = draw.pick(&LAWS);
    let here = pool.city(draw);
    let there = pool.another_city(draw, here);
    let person = pool.person(draw);
    let another = pool.another_person(draw, person);
    let company = pool.company(draw);
    let target = pool.another_company(draw, company);
    let kind = draw.pick(&InstitutionKind::ALL);
    let year = pool.year(draw);
    let other_year = pool.year(draw);
    let told = |event, city: Option<City>| Fact { event, place: city.map(Place::City), year: Some(year) };
    let beside = |event, city: Option<City>| Fact { year: Some(other_year), ..told(event, city) };
    let moved = |from, to| told(Event::Moved { person, from: Some(from) }, Some(to));
    let cities = |scene: &dyn Fn(City, City) -> Scene| [scene(here, there), scene(there, here)];
    let companies = |scene: &dyn Fn(Company, Company) -> Scene| [scene(company, target), scene(target, company)];
    let people = |scene: &dyn Fn(Person, Person) -> Scene| [scene(person, another), scene(another, person)];
    match law {
        Law::MovedToWork => cities(&|from, to| {
            let at = Institution { kind, city: to };
            Scene::of(moved(from, to), told(Event::Worked { person, at }, None))
        }),
        Law::MovedToStudy => cities(&|from, to| {
            let at = Institution { kind: InstitutionKind::University, city: to };
            Scene::of(moved(from, to), told(Event::Studied { person, at }, None))
        }),
        Law::MovedAndDied => cities(&|from, to| Scene::of(moved(from, to), told(Event::Died(person), Some(to)))),
        Law::MovedAndMet => {
            cities(&|from, to| Scene::of(moved(from, to), told(Event::Met { person, other: another }, Some(to))))
        }
        Law::MovedAndFounded => cities(&|from, to| {
            let institution = Institution { kind, city: to };
            Scene::of(moved(from, to), told(Event::Founded { person, institution }, None))
        }),
        Law::LeftDisaster => {
            let disaster = draw.pick(&Cause::ALL);
            cities(&|from, to| Scene::of(told(Event::Struck(disaster), Some(from)), moved(from, to)))
        }
        Law::LeftClosure => {
            let cause = draw.chance(50).then(|| draw.pick(&Cause::ALL));
            cities(&|from, to| {
                let institution = Institution { kind, city: from };
                Scene::of(told(Event::Closed { institution, cause }, None), moved(from, to))
            })
        }
        Law::WentWhereOpened => {
            let event = Event::Opened { company, count: draw.between(3, 30), thing: draw.pick(&Thing::ALL) };
            cities(&|from, to| Scene::of(told(event, Some(to)), moved(from, to)))
        }
        Law::FailedAndBought => companies(&|company, target| {
            Scene::of(told(Event::Failed(target), None), told(Event::Bought { company, target }, None))
        }),
        Law::BoughtAndOwned => companies(&|company, target| {
            let owned = Event::Owned { owner: company, target };
            Scene::of(told(Event::Bought { company, target }, None), told(owned, None))
        }),
        Law::DiedAndInherited => people(&|heir, from| {
            Scene::of(told(Event::Died(from), Some(here)), told(Event::Inherited { heir, from }, None))
        }),
        Law::DisasterClosed => {
            let disaster = draw.pick(&Cause::ALL);
            let others: Vec<Cause> = Cause::ALL.into_iter().filter(|other| *other != disaster).collect();
            let second = draw.pick(&others);
            let kinds = [kind, draw.pick(&InstitutionKind::ALL)];
            let scene = |disaster, second| {
                let closed =
                    |kind, city, cause| Event::Closed { institution: Institution { kind, city }, cause: Some(cause) };
                Scene {
                    causes: vec![told(Event::Struck(disaster), Some(here)), beside(Event::Struck(second), Some(there))],
                    effects: vec![
                        told(closed(kinds[0], here, disaster), None),
                        beside(closed(kinds[1], there, second), None),
                    ],
                }
            };
            [scene(disaster, second), scene(second, disaster)]
        }
        Law::VisitedAndMet => {
            let host = loop {
                let host = pool.another_person(draw, person);
                if host.given != another.given && host.family != another.family {
                    break host;
                }
            };
            let met = |person| Event::Met { person, other: host };
            cities(&|here, there| Scene {
                causes: vec![told(Event::Visited(person), Some(here)), beside(Event::Visited(another), Some(there))],
                effects: vec![told(met(person), Some(here)), beside(met(another), Some(there))],
            })
        }
    }
}

impl ChoicePlan {
    /// The row in a language under its name; choices are told plainly and without a year.
    pub fn say(&self, language: Language, id: String) -> ChoiceExample {
        ChoiceExample {
            id,
            premise: join(language, &self.premise),
            question: self.question.as_str(),
            choices: self.choices.each_ref().map(|fact| language.say(fact, Style::PLAIN).text()),
            label: self.label,
        }
    }
}
