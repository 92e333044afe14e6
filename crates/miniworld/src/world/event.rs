//! What happens, to whom, where and when.

use super::{Cause, City, Company, Institution, Person, Place, Thing, Work};

/// A part of a fact that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Who (a person) or which company.
    Subject,
    /// Whom, which institution or which company.
    Object,
    /// Where, or where to.
    Place,
    /// Where from.
    Origin,
    Year,
    Count,
    Cause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    Born(Person),
    Died(Person),
    /// The place of the fact is where to.
    Moved {
        person: Person,
        from: Option<City>,
    },
    /// The place of the fact is what is visited.
    Visited(Person),
    Met {
        person: Person,
        other: Person,
    },
    Worked {
        person: Person,
        at: Institution,
    },
    Studied {
        person: Person,
        at: Institution,
    },
    Created {
        person: Person,
        work: Work,
    },
    Founded {
        person: Person,
        institution: Institution,
    },
    Closed {
        institution: Institution,
        cause: Option<Cause>,
    },
    Opened {
        company: Company,
        count: u16,
        thing: Thing,
    },
    Bought {
        company: Company,
        target: Company,
    },
    /// A city lies in its country.
    Located(City),
    /// A person had a profession.
    Practised(Person),
    /// The place of the fact is what is struck.
    Struck(Cause),
    /// A company went bankrupt.
    Failed(Company),
    /// The target belonged to the owner.
    Owned {
        owner: Company,
        target: Company,
    },
    Inherited {
        heir: Person,
        from: Person,
    },
}

/// An event with as much of its circumstances as is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fact {
    pub event: Event,
    pub place: Option<Place>,
    pub year: Option<u16>,
}

impl Fact {
    /// Where a city lies.
    pub fn located(city: City) -> Self {
        Self { event: Event::Located(city), place: None, year: None }
    }

    /// What someone's profession was.
    pub fn practised(person: Person) -> Self {
        Self { event: Event::Practised(person), place: None, year: None }
    }

    /// The person the fact is about.
    pub fn person(&self) -> Option<Person> {
        match self.event {
            Event::Born(person)
            | Event::Died(person)
            | Event::Visited(person)
            | Event::Practised(person)
            | Event::Moved { person, .. }
            | Event::Met { person, .. }
            | Event::Worked { person, .. }
            | Event::Studied { person, .. }
            | Event::Created { person, .. }
            | Event::Founded { person, .. }
            | Event::Inherited { heir: person, .. } => Some(person),
            Event::Closed { .. }
            | Event::Opened { .. }
            | Event::Bought { .. }
            | Event::Located(_)
            | Event::Struck(_)
            | Event::Failed(_)
            | Event::Owned { .. } => None,
        }
    }

    /// Whether the fact can also be told from the side of its object.
    pub fn passive(&self) -> bool {
        matches!(self.event, Event::Created { .. } | Event::Founded { .. } | Event::Bought { .. })
    }

    /// Whether nothing is said to befall itself: nobody meets, buys, inherits from or moves to where they are.
    pub fn sensible(&self) -> bool {
        match self.event {
            Event::Met { person, other } => person != other,
            Event::Bought { company, target } => company != target,
            Event::Owned { owner, target } => owner != target,
            Event::Inherited { heir, from } => heir != from,
            Event::Moved { from: Some(from), .. } => match self.place {
                Some(Place::City(to)) => from.country() != to.country(),
                Some(Place::Country(to)) => from.country() != to,
                None => true,
            },
            _ => true,
        }
    }

    /// Whether the verb itself takes the place: a visit, or a move.
    pub fn place_is_object(&self) -> bool {
        matches!(self.event, Event::Visited(_) | Event::Moved { .. })
    }

    /// The roles that a question can ask for.
    pub fn askable(&self) -> &'static [Role] {
        match self.event {
            Event::Born(_) | Event::Died(_) | Event::Visited(_) => &[Role::Subject, Role::Place, Role::Year],
            Event::Moved { .. } => &[Role::Subject, Role::Place, Role::Origin, Role::Year],
            Event::Met { .. } => &[Role::Object, Role::Place, Role::Year],
            Event::Worked { .. } | Event::Studied { .. } => &[Role::Object, Role::Year],
            Event::Created { .. } => &[Role::Subject, Role::Year],
            Event::Founded { .. } => &[Role::Subject, Role::Object, Role::Year],
            Event::Closed { .. } => &[Role::Cause, Role::Year],
            Event::Opened { .. } => &[Role::Subject, Role::Count, Role::Place, Role::Year],
            Event::Bought { .. } => &[Role::Subject, Role::Object, Role::Year],
            Event::Located(_)
            | Event::Practised(_)
            | Event::Struck(_)
            | Event::Failed(_)
            | Event::Owned { .. }
            | Event::Inherited { .. } => &[],
        }
    }
}
