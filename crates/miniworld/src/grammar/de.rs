//! German: the finite verb second, participles last; articles in the case the verb or preposition asks for.

use super::{
    Dependent, Front, Grammar, Part, Reference, Style, adp, adv, aux, dependents, det, flat, noun, num, pron, propn,
    quoted_title, take, take_front, verb,
};
use crate::lexicon::de::{CAUSES, DISASTERS, INSTITUTIONS, NAMES, SOURCES, THINGS, WORKS};
use crate::tree::{EntityType, Node, Orthography, Upos, capital};
use crate::world::{Company, Country, Event, Fact, Gender, Institution, Person, Place, Role, Work, WorkKind};

pub(super) struct German;

impl Grammar for German {
    fn orthography(&self) -> &'static Orthography {
        &Orthography { spaces: true, capital }
    }

    fn statement(&self, fact: &Fact, style: Style) -> Node {
        let mut clause = Clause::new(fact, None, style);
        let front = match style.front {
            Front::Source(source) => {
                let [article, source] = SOURCES[source as usize];
                Some(("obl", noun(source).before("det", det(article)).before("case", adp("laut"))))
            }
            front => take_front(&mut clause.parts, front).map(Part::dependent),
        };
        clause.verb_second(front).after("punct", Node::closing("."))
    }

    fn question(&self, fact: &Fact, asked: Role) -> Node {
        // Two feminine noun phrases do not show who buys whom; the passive does.
        let style = Style { passive: matches!(fact.event, Event::Bought { .. }), ..Style::PLAIN };
        let mut clause = Clause::new(fact, Some(asked), style);
        let front = take(&mut clause.parts, asked).map(Part::dependent);
        clause.verb_second(front).after("punct", Node::closing("?"))
    }
}

struct Clause {
    subject: Dependent,
    /// The finite auxiliary and its relation, if the head is not finite itself.
    auxiliary: Option<Dependent>,
    head: Node,
    parts: Vec<Part>,
}

impl Clause {
    fn verb_second(self, front: Option<Dependent>) -> Node {
        let (first, subject) = match front {
            Some(front) => (front, Some(self.subject)),
            None => (self.subject, None),
        };
        let rest: Vec<_> = subject.into_iter().chain(dependents(self.parts)).collect();
        match self.auxiliary {
            Some(auxiliary) => {
                let left = [first, auxiliary].into_iter().chain(rest).collect();
                self.head.led_by(left)
            }
            None => self.head.led_by(vec![first]).followed_by(rest),
        }
    }

    fn new(fact: &Fact, asked: Option<Role>, style: Style) -> Self {
        let (past, participle) = forms(&fact.event);
        let mut parts = Vec::new();
        if asked == Some(Role::Year) {
            parts.push(Part::new(Role::Year, "advmod", adv("wann")));
        } else if let Some(year) = fact.year {
            let year = num(year.to_string()).role(Role::Year);
            // Next to the number of things a bare year would be hard to read.
            let full = style.full_year || matches!(fact.event, Event::Opened { .. });
            let year = if full { noun("Jahr").after("nummod", year).before("case", adp("im")) } else { year };
            parts.push(Part::new(Role::Year, "obl", year));
        }
        let is = |role| asked == Some(role);
        let someone = |person| if is(Role::Subject) { pron("wer") } else { subject(person, style.reference) };
        let subject = match fact.event {
            Event::Practised(person) => {
                let feminine = person.gender() == Gender::Feminine;
                return Self {
                    subject: ("nsubj", someone(person)),
                    auxiliary: Some(("cop", aux("war"))),
                    head: noun(NAMES.professions[person.profession().0][usize::from(!feminine)]),
                    parts,
                };
            }
            Event::Located(city) => {
                let subject = ("nsubj", flat(NAMES.cities[city.0]).mention(EntityType::Location));
                let head =
                    noun("Stadt").before("det", det("eine")).after("nmod", within(Place::Country(city.country())));
                return Self { subject, auxiliary: Some(("cop", aux("ist"))), head, parts };
            }
            Event::Struck(disaster) => {
                parts.extend(where_at(fact, asked));
                let [article, thing] = DISASTERS[disaster as usize];
                let disaster = noun(thing).before("det", det(article)).role(Role::Cause);
                parts.push(Part::new(Role::Cause, "obj", disaster));
                return Self { subject: ("expl", pron("es")), auxiliary: None, head: verb(past), parts };
            }
            Event::Failed(failed) => {
                parts.push(Part::new(Role::Object, "xcomp", Node::new(Upos::Adj, "bankrott")));
                company(failed, Role::Subject, Some("die"))
            }
            Event::Owned { owner, target } => {
                parts.push(Part::new(Role::Subject, "iobj", company(owner, Role::Subject, Some("der"))));
                company(target, Role::Object, Some("die"))
            }
            Event::Inherited { heir, from } => {
                let from = name(from, Role::Object).before("case", adp("von"));
                parts.push(Part::new(Role::Object, "obl", from));
                someone(heir)
            }
            Event::Born(person) | Event::Died(person) => {
                parts.extend(where_at(fact, asked));
                someone(person)
            }
            Event::Moved { person, from } => {
                if is(Role::Origin) {
                    parts.push(Part::new(Role::Origin, "advmod", adv("wo").before("case", adp("von"))));
                } else if let Some(from) = from {
                    let from = city(from.0).role(Role::Origin).before("case", adp("von"));
                    parts.push(Part::new(Role::Origin, "obl", from));
                }
                if is(Role::Place) {
                    parts.push(Part::new(Role::Place, "advmod", adv("wohin")));
                } else if let Some(place) = fact.place {
                    parts.push(Part::new(Role::Place, "obl", towards(place)));
                }
                someone(person)
            }
            Event::Visited(person) => {
                if is(Role::Place) {
                    parts.push(Part::new(Role::Place, "obj", noun("Stadt").before("det", det("welche"))));
                } else if let Some(place) = fact.place {
                    parts.push(Part::new(Role::Place, "obj", bare(place, "die")));
                }
                someone(person)
            }
            Event::Met { person, other } => {
                parts.extend(where_at(fact, asked));
                let other = if is(Role::Object) { pron("wen") } else { name(other, Role::Object) };
                parts.push(Part::new(Role::Object, "obj", other));
                someone(person)
            }
            Event::Worked { person, at } | Event::Studied { person, at } => {
                let at = if is(Role::Object) {
                    noun("Einrichtung").before("det", det("welcher")).before("case", adp("in"))
                } else {
                    match INSTITUTIONS[at.kind as usize].at {
                        [preposition, article] => {
                            institution(at).before("det", det(article)).before("case", adp(preposition))
                        }
                        contracted => institution(at).before("case", adp(contracted[0])),
                    }
                };
                parts.push(Part::new(Role::Object, "obl", at));
                someone(person)
            }
            Event::Created { person, work } if style.passive => {
                parts.push(Part::new(
                    Role::Subject,
                    "obl:agent",
                    name(person, Role::Subject).before("case", adp("von")),
                ));
                made(work, 0)
            }
            Event::Created { person, work } => {
                parts.push(Part::new(Role::Object, "obj", made(work, 1)));
                someone(person)
            }
            Event::Founded { person, institution: founded } if style.passive => {
                parts.push(Part::new(
                    Role::Subject,
                    "obl:agent",
                    name(person, Role::Subject).before("case", adp("von")),
                ));
                institution(founded).before("det", det(INSTITUTIONS[founded.kind as usize].nominative))
            }
            Event::Founded { person, institution: founded } => {
                let founded = if is(Role::Object) {
                    noun("Einrichtung").before("det", det("welche"))
                } else {
                    institution(founded).before("det", det(INSTITUTIONS[founded.kind as usize].accusative))
                };
                parts.push(Part::new(Role::Object, "obj", founded));
                someone(person)
            }
            Event::Closed { institution: closed, cause } => {
                if is(Role::Cause) {
                    parts.push(Part::new(Role::Cause, "advmod", adv("warum")));
                } else if let Some(cause) = cause {
                    let [article, thing] = CAUSES[cause as usize];
                    let cause = noun(thing).before("det", det(article)).role(Role::Cause).before("case", adp("wegen"));
                    parts.push(Part::new(Role::Cause, "obl", cause));
                }
                institution(closed).before("det", det(INSTITUTIONS[closed.kind as usize].nominative))
            }
            Event::Opened { company: opener, count, thing } => {
                parts.extend(where_at(fact, asked));
                let things = noun(THINGS[thing as usize]);
                let things = if is(Role::Count) {
                    things.before("det", det("viele").before("advmod", adv("wie")))
                } else {
                    things.before("nummod", num(count.to_string()).role(Role::Count))
                };
                parts.push(Part::new(Role::Count, "obj", things));
                let year = take(&mut parts, Role::Year);
                parts.extend(year);
                company(opener, Role::Subject, if is(Role::Subject) { None } else { Some("die") })
            }
            Event::Bought { company: buyer, target } if style.passive => {
                let article = if is(Role::Subject) { None } else { Some("der") };
                let agent = match article {
                    Some(_) => company(buyer, Role::Subject, article),
                    None => noun("Firma").before("det", det("welcher")),
                };
                parts.push(Part::new(Role::Subject, "obl:agent", agent.before("case", adp("von"))));
                company(target, Role::Object, if is(Role::Object) { None } else { Some("die") })
            }
            Event::Bought { company: buyer, target } => {
                parts.push(Part::new(Role::Object, "obj", company(target, Role::Object, Some("die"))));
                company(buyer, Role::Subject, Some("die"))
            }
        };
        let passive = style.passive || matches!(fact.event, Event::Born(_));
        Self {
            subject: (if passive { "nsubj:pass" } else { "nsubj" }, subject),
            auxiliary: passive.then(|| ("aux:pass", aux("wurde"))),
            head: verb(if passive { participle } else { past }),
            parts,
        }
    }
}

fn where_at(fact: &Fact, asked: Option<Role>) -> Option<Part> {
    if asked == Some(Role::Place) {
        return Some(Part::new(Role::Place, "advmod", adv("wo")));
    }
    fact.place.map(|place| Part::new(Role::Place, "obl", within(place)))
}

/// Past and participle.
fn forms(event: &Event) -> (&'static str, &'static str) {
    match event {
        Event::Born(_) => ("geboren", "geboren"),
        Event::Died(_) => ("starb", "gestorben"),
        Event::Moved { .. } => ("zog", "gezogen"),
        Event::Visited(_) => ("besuchte", "besucht"),
        Event::Met { .. } => ("traf", "getroffen"),
        Event::Worked { .. } => ("arbeitete", "gearbeitet"),
        Event::Studied { .. } => ("studierte", "studiert"),
        Event::Created { work, .. } => match work.kind {
            WorkKind::Novel => ("schrieb", "geschrieben"),
            WorkKind::Film => ("drehte", "gedreht"),
            WorkKind::Opera => ("komponierte", "komponiert"),
        },
        Event::Founded { .. } => ("gründete", "gegründet"),
        Event::Closed { .. } => ("schloss", "geschlossen"),
        Event::Opened { .. } => ("eröffnete", "eröffnet"),
        Event::Bought { .. } => ("kaufte", "gekauft"),
        Event::Struck(_) => ("gab", "gegeben"),
        Event::Failed(_) => ("ging", "gegangen"),
        Event::Owned { .. } => ("gehörte", "gehört"),
        Event::Inherited { .. } => ("erbte", "geerbt"),
        Event::Located(_) | Event::Practised(_) => ("war", "gewesen"),
    }
}

fn name(person: Person, role: Role) -> Node {
    flat(NAMES.given[person.given])
        .after("flat", flat(NAMES.family[person.family]))
        .mention(EntityType::Person)
        .role(role)
}

fn subject(person: Person, reference: Reference) -> Node {
    let (article, pronoun, column) = match person.gender() {
        Gender::Feminine => ("die", "sie", 0),
        Gender::Masculine => ("der", "er", 1),
    };
    match reference {
        Reference::Name => name(person, Role::Subject),
        Reference::Titled => noun(NAMES.professions[person.profession().0][column])
            .before("det", det(article))
            .after("appos", name(person, Role::Subject)),
        Reference::Pronoun => pron(pronoun),
    }
}

fn city(index: usize) -> Node {
    flat(NAMES.cities[index]).mention(EntityType::Location)
}

/// Turkey is "die Türkei"; the other countries have no article.
fn articled(country: Country) -> bool {
    NAMES.countries[country.0] == "Türkei"
}

/// A place, with `article` where it needs one.
fn bare(place: Place, article: &str) -> Node {
    match place {
        Place::City(told) => city(told.0).role(Role::Place),
        Place::Country(country) => {
            let name = flat(NAMES.countries[country.0]).mention(EntityType::Location).role(Role::Place);
            if articled(country) { name.before("det", det(article)) } else { name }
        }
    }
}

fn within(place: Place) -> Node {
    bare(place, "der").before("case", adp("in"))
}

fn towards(place: Place) -> Node {
    let preposition = match place {
        Place::Country(country) if articled(country) => "in",
        _ => "nach",
    };
    bare(place, "die").before("case", adp(preposition))
}

/// Without its article.
fn institution(institution: Institution) -> Node {
    let words = &INSTITUTIONS[institution.kind as usize];
    let city = propn(NAMES.cities[institution.city.0]);
    let noun = match words.of {
        Some(of) => noun(words.noun).after("nmod", city.before("case", adp(of))),
        None => noun(words.noun).after("nmod", city),
    };
    noun.mention(EntityType::Organisation).role(Role::Object)
}

/// A company with its article, or, without one, "which company".
fn company(company: Company, role: Role, article: Option<&str>) -> Node {
    match article {
        Some(article) => noun("Firma")
            .before("det", det(article))
            .after("appos", propn(NAMES.brands[company.0]).mention(EntityType::Organisation).role(role)),
        None => noun("Firma").before("det", det("welche")),
    }
}

/// A work with the article of the given case: 0 nominative, 1 accusative.
fn made(work: Work, case: usize) -> Node {
    let words = WORKS[work.kind as usize];
    noun(words[2]).before("det", det(words[case])).after("appos", quoted_title("„", NAMES.titles[work.title], "“"))
}
