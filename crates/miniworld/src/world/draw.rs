//! Random draws, each stream named by what it is for, and the entities of one part of the world.

use random::Generator;
use spec::Split;

use super::{
    BRANDS, CITIES, COUNTRIES, Cause, City, Company, Event, FAMILY_NAMES, Fact, GIVEN_NAMES, Institution,
    InstitutionKind, Person, Place, TITLES, Thing, Work, WorkKind, split_of_name,
};

/// A stream of random draws, a function of the seed and a purpose.
#[derive(Debug, Clone)]
pub struct Draw(Generator);

impl Draw {
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(purpose.as_bytes());
        Self(random::keyed(*hasher.finalize().as_bytes()))
    }

    /// A number in `0..bound`.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        random::below(&mut self.0, bound)
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: u16, high: u16) -> u16 {
        low + u16::try_from(self.below(usize::from(high - low) + 1)).expect("smaller than a u16")
    }

    /// True with probability `percent` / 100.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of `options`.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        random::shuffle(&mut self.0, items);
    }
}

/// The kinds of events that a pool can draw, before their fillers are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Born,
    Died,
    Moved,
    Visited,
    Met,
    Worked,
    Studied,
    Created,
    Founded,
    Closed,
    Opened,
    Bought,
}

const OF_PERSONS: [Kind; 9] = [
    Kind::Born,
    Kind::Died,
    Kind::Moved,
    Kind::Visited,
    Kind::Met,
    Kind::Worked,
    Kind::Studied,
    Kind::Created,
    Kind::Founded,
];

/// The entities of one split, or all.
#[derive(Debug, Clone)]
pub struct Pool {
    given: Vec<usize>,
    family: Vec<usize>,
    countries: Vec<usize>,
    brands: Vec<usize>,
    titles: Vec<usize>,
}

impl Pool {
    fn filtered(keep: impl Fn(usize) -> bool) -> Self {
        let some = |count: usize| (0..count).filter(|&index| keep(index)).collect();
        Self {
            given: some(GIVEN_NAMES),
            family: some(FAMILY_NAMES),
            countries: some(COUNTRIES),
            brands: some(BRANDS),
            titles: some(TITLES),
        }
    }

    /// The names of one split: no name part, city, country, brand or title occurs in two.
    pub fn of(split: Split) -> Self {
        Self::filtered(|index| split_of_name(index) == split)
    }

    /// Every name: what a pre-training text speaks of.
    pub fn all() -> Self {
        Self::filtered(|_| true)
    }

    pub fn person(&self, draw: &mut Draw) -> Person {
        Person { given: draw.pick(&self.given), family: draw.pick(&self.family) }
    }

    /// A person with none of the names of `other`.
    pub fn another_person(&self, draw: &mut Draw, other: Person) -> Person {
        loop {
            let person = self.person(draw);
            if person.given != other.given && person.family != other.family {
                return person;
            }
        }
    }

    pub fn city(&self, draw: &mut Draw) -> City {
        City(draw.pick(&self.countries) * 2 + draw.below(CITIES / COUNTRIES))
    }

    /// A city in another country.
    pub fn another_city(&self, draw: &mut Draw, other: City) -> City {
        loop {
            let city = self.city(draw);
            if city.country() != other.country() {
                return city;
            }
        }
    }

    pub fn company(&self, draw: &mut Draw) -> Company {
        Company(draw.pick(&self.brands))
    }

    pub fn another_company(&self, draw: &mut Draw, other: Company) -> Company {
        loop {
            let company = self.company(draw);
            if company != other {
                return company;
            }
        }
    }

    pub fn institution(&self, draw: &mut Draw) -> Institution {
        Institution { kind: draw.pick(&InstitutionKind::ALL), city: self.city(draw) }
    }

    pub fn work(&self, draw: &mut Draw) -> Work {
        Work { kind: draw.pick(&WorkKind::ALL), title: draw.pick(&self.titles) }
    }

    pub fn year(&self, draw: &mut Draw) -> u16 {
        draw.between(1900, 2009)
    }

    /// A fully told fact about anything.
    pub fn fact(&self, draw: &mut Draw) -> Fact {
        if draw.chance(70) { self.fact_about(draw, None) } else { self.fact_of_organisations(draw) }
    }

    /// A fully told fact about `person`, or about someone.
    pub fn fact_about(&self, draw: &mut Draw, person: Option<Person>) -> Fact {
        let person = person.unwrap_or_else(|| self.person(draw));
        let kind = draw.pick(&OF_PERSONS);
        self.fill(draw, kind, person)
    }

    /// A fully told fact about a company or an institution.
    pub fn fact_of_organisations(&self, draw: &mut Draw) -> Fact {
        let kind = draw.pick(&[Kind::Closed, Kind::Opened, Kind::Bought]);
        let person = self.person(draw);
        self.fill(draw, kind, person)
    }

    /// A fully told fact of the same kind as `fact`, with fillers of its own and about someone else.
    pub fn similar(&self, draw: &mut Draw, fact: &Fact) -> Fact {
        let person = match fact.person() {
            Some(person) => self.another_person(draw, person),
            None => self.person(draw),
        };
        self.similar_about(draw, fact, person)
    }

    /// A fully told fact of the same kind as `fact`, with fillers of its own; about `person` if the kind is about people.
    pub fn similar_about(&self, draw: &mut Draw, fact: &Fact, person: Person) -> Fact {
        let kind = match fact.event {
            Event::Born(_) => Kind::Born,
            Event::Died(_) => Kind::Died,
            Event::Moved { .. } => Kind::Moved,
            Event::Visited(_) => Kind::Visited,
            Event::Met { .. } => Kind::Met,
            Event::Worked { .. } => Kind::Worked,
            Event::Studied { .. } => Kind::Studied,
            Event::Created { .. } => Kind::Created,
            Event::Founded { .. } => Kind::Founded,
            Event::Closed { .. } => Kind::Closed,
            Event::Opened { .. } => Kind::Opened,
            Event::Bought { .. } => Kind::Bought,
            Event::Located(city) => return Fact::located(self.another_city(draw, city)),
            Event::Practised(_) => return Fact::practised(person),
            // What pools never draw has nothing like it; questions of cause draw their own.
            Event::Struck(_) | Event::Failed(_) | Event::Owned { .. } | Event::Inherited { .. } => return *fact,
        };
        self.fill(draw, kind, person)
    }

    fn fill(&self, draw: &mut Draw, kind: Kind, person: Person) -> Fact {
        let city = self.city(draw);
        let year = Some(self.year(draw));
        let (event, placed) = match kind {
            Kind::Born => (Event::Born(person), true),
            Kind::Died => (Event::Died(person), true),
            Kind::Moved => (Event::Moved { person, from: Some(self.another_city(draw, city)) }, true),
            Kind::Visited => (Event::Visited(person), true),
            Kind::Met => (Event::Met { person, other: self.another_person(draw, person) }, true),
            Kind::Worked => (Event::Worked { person, at: self.institution(draw) }, false),
            Kind::Studied => {
                let at = Institution { kind: InstitutionKind::University, city };
                (Event::Studied { person, at }, false)
            }
            Kind::Created => (Event::Created { person, work: self.work(draw) }, false),
            Kind::Founded => (Event::Founded { person, institution: self.institution(draw) }, false),
            Kind::Closed => {
                let cause = Some(draw.pick(&Cause::ALL));
                (Event::Closed { institution: self.institution(draw), cause }, false)
            }
            Kind::Opened => {
                let (company, thing) = (self.company(draw), draw.pick(&Thing::ALL));
                (Event::Opened { company, count: draw.between(3, 30), thing }, true)
            }
            Kind::Bought => {
                let company = self.company(draw);
                (Event::Bought { company, target: self.another_company(draw, company) }, false)
            }
        };
        Fact { event, place: placed.then_some(Place::City(city)), year }
    }
}
