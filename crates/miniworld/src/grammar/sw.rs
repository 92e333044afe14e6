//! Swahili: verbs take the prefix of the subject's noun class; "of" agrees with what stands before it.

use super::{
    Dependent, Front, Grammar, Part, Reference, Style, adp, adv, aux, closing, dependents, det, flat, noun, num, pron,
    propn, quoted_title, take, take_front, verb,
};
use crate::lexicon::sw::{CAUSES, INSTITUTIONS, NAMES, SOURCES, THINGS, WORKS};
use crate::tree::{EntityType, Node, Orthography, capital};
use crate::world::{Company, Event, Fact, Institution, Person, Place, Role, Work, WorkKind};

pub(super) struct Swahili;

impl Grammar for Swahili {
    fn orthography(&self) -> &'static Orthography {
        &Orthography { spaces: true, capital }
    }

    fn statement(&self, fact: &Fact, style: Style) -> Node {
        let mut clause = Clause::new(fact, None, style);
        let mut left = Vec::new();
        if let Front::Source(source) = style.front {
            let according = verb("kulingana").after("fixed", adp("na"));
            left.push(("obl", noun(SOURCES[source as usize]).before("case", according)));
        }
        left.extend(take_front(&mut clause.parts, style.front).map(Part::dependent));
        if !left.is_empty() {
            left.push(closing(","));
        }
        left.extend(clause.subject);
        left.extend(clause.copula);
        clause.head.led_by(left).followed_by(dependents(clause.parts)).after("punct", Node::closing("."))
    }

    fn question(&self, fact: &Fact, asked: Role) -> Node {
        let mut clause = Clause::new(fact, Some(asked), Style::PLAIN);
        // Only "why" comes first.
        let why = (asked == Role::Cause).then(|| take(&mut clause.parts, Role::Cause)).flatten().map(Part::dependent);
        let left = why.into_iter().chain(clause.subject).collect();
        clause.head.led_by(left).followed_by(dependents(clause.parts)).after("punct", Node::closing("?"))
    }
}

/// The past with the prefix of persons.
const PERSON: &str = "ali";

struct Clause {
    subject: Option<Dependent>,
    copula: Option<Dependent>,
    head: Node,
    parts: Vec<Part>,
}

impl Clause {
    fn new(fact: &Fact, asked: Option<Role>, style: Style) -> Self {
        let is = |role| asked == Some(role);
        let which = |what| noun(what).after("det", det("gani"));
        let someone = |person| {
            if is(Role::Subject) { Some(pron("nani")) } else { subject(person, style.reference) }
        };
        let mut parts = Vec::new();
        let mut copula = None;
        let by = |node: Node| Part::new(Role::Subject, "obl:agent", node.before("case", adp("na")));
        let object = |node| Part::new(Role::Object, "obj", node);
        let (subject, prefix, stem) = match fact.event {
            Event::Practised(person) => {
                copula = Some(("cop", aux("alikuwa")));
                let head = noun(NAMES.professions[person.profession().0][0]);
                return Self { subject: someone(person).map(|subject| ("nsubj", subject)), copula, head, parts };
            }
            Event::Located(city) => {
                copula = Some(("cop", aux("ni")));
                let head = noun("mji").after("nmod", within(Place::Country(city.country())));
                return Self { subject: Some(("nsubj", place(Place::City(city)))), copula, head, parts };
            }
            Event::Struck(disaster) => {
                let disaster = caused(CAUSES[disaster as usize]).before("case", adp("na"));
                parts.push(Part::new(Role::Cause, "obj", disaster));
                (None, "kuli", "kuwa")
            }
            Event::Failed(failed) => (Some(company(failed, Role::Subject)), "ili", "filisika"),
            Event::Owned { owner, target } => {
                parts.push(by(company(owner, Role::Subject)));
                (Some(company(target, Role::Object)), "ili", "milikiwa")
            }
            Event::Inherited { heir, from } => {
                parts.push(object(name(from, Role::Object)));
                // The object prefix of persons.
                (someone(heir), PERSON, "mrithi")
            }
            Event::Born(person) => (someone(person), PERSON, "zaliwa"),
            Event::Died(person) => (someone(person), PERSON, "fariki"),
            Event::Visited(person) => {
                if is(Role::Place) {
                    parts.push(Part::new(Role::Place, "obj", which("mji")));
                } else if let Some(told) = fact.place {
                    parts.push(Part::new(Role::Place, "obj", place(told).role(Role::Place)));
                }
                (someone(person), PERSON, "tembelea")
            }
            Event::Moved { person, from } => {
                let from = if is(Role::Origin) {
                    Some(adv("wapi"))
                } else {
                    from.map(|from| place(Place::City(from)).role(Role::Origin))
                };
                let to =
                    if is(Role::Place) { Some(adv("wapi")) } else { fact.place.map(|to| place(to).role(Role::Place)) };
                // The applicative takes the goal alone; with an origin both have a preposition.
                let stem = if from.is_some() { "hama" } else { "hamia" };
                let to = match (to, &from) {
                    (Some(to), Some(_)) => Some(Part::new(Role::Place, "obl", to.before("case", adp("kwenda")))),
                    (Some(to), None) => Some(Part::new(Role::Place, "obj", to)),
                    (None, _) => None,
                };
                parts.extend(from.map(|from| Part::new(Role::Origin, "obl", from.before("case", adp("kutoka")))));
                parts.extend(to);
                (someone(person), PERSON, stem)
            }
            Event::Met { person, other } => {
                let other = if is(Role::Object) { pron("nani") } else { name(other, Role::Object) };
                parts.push(Part::new(Role::Object, "obl", other.before("case", adp("na"))));
                (someone(person), PERSON, "kutana")
            }
            Event::Worked { person, at } | Event::Studied { person, at } => {
                let at = if is(Role::Object) { which("taasisi") } else { institution(at) };
                parts.push(Part::new(Role::Object, "obl", at.before("case", adp("katika"))));
                (someone(person), PERSON, if matches!(fact.event, Event::Worked { .. }) { "fanya" } else { "soma" })
            }
            Event::Created { person, work: made } => {
                let (active, passive) = match made.kind {
                    WorkKind::Novel => ("andika", "andikwa"),
                    WorkKind::Film => ("ongoza", "ongozwa"),
                    WorkKind::Opera => ("tunga", "tungwa"),
                };
                if style.passive {
                    parts.push(by(name(person, Role::Subject)));
                    (Some(work(made)), WORKS[made.kind as usize][1], passive)
                } else {
                    parts.push(object(work(made)));
                    (someone(person), PERSON, active)
                }
            }
            Event::Founded { person, institution: founded } => {
                if style.passive {
                    parts.push(by(name(person, Role::Subject)));
                    (Some(institution(founded)), INSTITUTIONS[founded.kind as usize].past, "anzishwa")
                } else {
                    parts.push(object(if is(Role::Object) { which("taasisi") } else { institution(founded) }));
                    (someone(person), PERSON, "anzisha")
                }
            }
            Event::Closed { institution: closed, cause } => {
                if is(Role::Cause) {
                    parts.push(Part::new(Role::Cause, "advmod", adv("nini").before("case", adp("kwa"))));
                } else if let Some(cause) = cause {
                    parts.push(Part::new(Role::Cause, "obl", because(CAUSES[cause as usize])));
                }
                (Some(institution(closed)), INSTITUTIONS[closed.kind as usize].past, "fungwa")
            }
            Event::Opened { company: opener, count, thing } => {
                let [things, how_many] = THINGS[thing as usize];
                let things = if is(Role::Count) {
                    noun(things).after("det", det(how_many))
                } else {
                    noun(things).after("nummod", num(count.to_string()).role(Role::Count))
                };
                parts.push(Part::new(Role::Count, "obj", things));
                let opener = if is(Role::Subject) { which("kampuni") } else { company(opener, Role::Subject) };
                (Some(opener), "ili", "fungua")
            }
            Event::Bought { company: buyer, target } => {
                let buyer = if is(Role::Subject) { which("kampuni") } else { company(buyer, Role::Subject) };
                let target = if is(Role::Object) { which("kampuni") } else { company(target, Role::Object) };
                if style.passive {
                    parts.push(by(buyer));
                    (Some(target), "ili", "nunuliwa")
                } else {
                    parts.push(object(target));
                    (Some(buyer), "ili", "nunua")
                }
            }
        };
        circumstances(fact, asked, style, &mut parts);
        let passive =
            style.passive || matches!(fact.event, Event::Born(_) | Event::Closed { .. } | Event::Owned { .. });
        let relation = if passive { "nsubj:pass" } else { "nsubj" };
        let mut head = verb(format!("{prefix}{stem}"));
        if matches!(fact.event, Event::Worked { .. }) {
            head = head.after("obj", noun("kazi"));
        }
        Self { subject: subject.map(|subject| (relation, subject)), copula, head, parts }
    }
}

/// Place, unless the verb takes it, and year.
fn circumstances(fact: &Fact, asked: Option<Role>, style: Style, parts: &mut Vec<Part>) {
    if !fact.place_is_object() {
        if asked == Some(Role::Place) {
            parts.push(Part::new(Role::Place, "advmod", adv("wapi")));
        } else if let Some(told) = fact.place {
            parts.push(Part::new(Role::Place, "obl", within(told)));
        }
    }
    if asked == Some(Role::Year) {
        parts.push(Part::new(Role::Year, "advmod", adv("lini")));
    } else if let Some(year) = fact.year {
        let year = num(year.to_string()).role(Role::Year);
        let year = if style.full_year {
            noun("mwaka").after("nmod", year.before("case", adp("wa"))).before("case", adp("katika"))
        } else {
            noun("mwaka").after("nummod", year)
        };
        parts.push(Part::new(Role::Year, "obl", year));
    }
}

fn because(cause: (&str, Option<[&str; 2]>)) -> Node {
    let reason = adp("kwa").after("fixed", noun("sababu")).after("fixed", adp("ya"));
    caused(cause).before("case", reason)
}

fn caused((cause, of): (&str, Option<[&str; 2]>)) -> Node {
    let cause = match of {
        Some([of, what]) => noun(cause).after("nmod", noun(what).before("case", adp(of))),
        None => noun(cause),
    };
    cause.role(Role::Cause)
}

fn name(person: Person, role: Role) -> Node {
    flat(NAMES.given[person.given])
        .after("flat", flat(NAMES.family[person.family]))
        .mention(EntityType::Person)
        .role(role)
}

fn subject(person: Person, reference: Reference) -> Option<Node> {
    match reference {
        Reference::Name => Some(name(person, Role::Subject)),
        Reference::Titled => {
            Some(noun(NAMES.professions[person.profession().0][0]).after("appos", name(person, Role::Subject)))
        }
        Reference::Pronoun => None,
    }
}

fn place(place: Place) -> Node {
    flat(match place {
        Place::City(city) => NAMES.cities[city.0],
        Place::Country(country) => NAMES.countries[country.0],
    })
    .mention(EntityType::Location)
}

/// In the town of, or in the country of.
fn within(told: Place) -> Node {
    let locative = match told {
        Place::City(_) => "mjini",
        Place::Country(_) => "nchini",
    };
    noun(locative).after("nmod", place(told).role(Role::Place))
}

fn institution(institution: Institution) -> Node {
    let words = &INSTITUTIONS[institution.kind as usize];
    let city = flat(NAMES.cities[institution.city.0]).before("case", adp(words.of));
    let node = match words.noun {
        [head, rest @ ..] => rest.iter().fold(noun(*head), |node, word| node.after("amod", adjective(word))),
        [] => noun(""),
    };
    node.after("nmod", city).mention(EntityType::Organisation).role(Role::Object)
}

fn adjective(form: &str) -> Node {
    Node::new(crate::tree::Upos::Adj, form)
}

fn company(company: Company, role: Role) -> Node {
    let brand = propn(NAMES.brands[company.0]).mention(EntityType::Organisation).role(role).before("case", adp("ya"));
    noun("kampuni").after("nmod", brand)
}

fn work(work: Work) -> Node {
    let title = quoted_title("“", NAMES.titles[work.title], "”").before("case", adp("ya"));
    noun(WORKS[work.kind as usize][0]).after("nmod", title)
}
