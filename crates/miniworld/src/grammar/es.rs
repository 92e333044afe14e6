//! Spanish: subject, verb, object, place, year; no subject pronouns; questions with the subject after the verb.

use super::{
    Dependent, Front, Grammar, Part, Reference, Style, adp, adv, aux, closing, dependents, det, flat, noun, num, pron,
    quoted_title, take, take_front, verb,
};
use crate::lexicon::es::{CAUSES, INSTITUTIONS, NAMES, SOURCES, THINGS, WORKS};
use crate::tree::{EntityType, Node, Orthography, capital};
use crate::world::{Company, Event, Fact, Gender, Institution, Person, Place, Role, Work, WorkKind};

pub(super) struct Spanish;

impl Grammar for Spanish {
    fn orthography(&self) -> &'static Orthography {
        &Orthography { spaces: true, capital }
    }

    fn statement(&self, fact: &Fact, style: Style) -> Node {
        let mut clause = Clause::new(fact, None, style);
        let mut left = Vec::new();
        if let Front::Source(source) = style.front {
            let [article, source] = SOURCES[source as usize];
            left.push(("obl", noun(source).before("det", det(article)).before("case", adp("según"))));
        }
        left.extend(take_front(&mut clause.parts, style.front).map(Part::dependent));
        if !left.is_empty() {
            left.push(closing(","));
        }
        left.extend(clause.subject);
        left.extend(clause.auxiliary);
        clause.head.led_by(left).followed_by(dependents(clause.parts)).after("punct", Node::closing("."))
    }

    fn question(&self, fact: &Fact, asked: Role) -> Node {
        // With the subject after the verb two companies do not show which of them is bought; the passive does.
        let style = Style { passive: matches!(fact.event, Event::Bought { .. }), ..Style::PLAIN };
        let mut clause = Clause::new(fact, Some(asked), style);
        let mut left = vec![("punct", Node::opening("¿"))];
        let mut right = Vec::new();
        match take(&mut clause.parts, asked) {
            Some(part) => {
                left.push(part.dependent());
                right.extend(clause.subject);
            }
            None => left.extend(clause.subject),
        }
        left.extend(clause.auxiliary);
        right.extend(dependents(clause.parts));
        clause.head.led_by(left).followed_by(right).after("punct", Node::closing("?"))
    }
}

struct Clause {
    subject: Option<Dependent>,
    /// A copula, a passive auxiliary or the reflexive of "mudarse".
    auxiliary: Option<Dependent>,
    head: Node,
    parts: Vec<Part>,
}

impl Clause {
    fn new(fact: &Fact, asked: Option<Role>, style: Style) -> Self {
        let is = |role| asked == Some(role);
        let which = |what| noun(what).before("det", det("qué"));
        let someone = |person| {
            if is(Role::Subject) { Some(pron("quién")) } else { subject(person, style.reference) }
        };
        let mut parts = Vec::new();
        let mut auxiliary = style.passive.then(|| ("aux:pass", aux("fue")));
        let mut object = |node| parts.push(Part::new(Role::Object, "obj", node));
        let agent =
            |person| Part::new(Role::Subject, "obl:agent", name(person, Role::Subject).before("case", adp("por")));
        let (subject, head) = match fact.event {
            Event::Practised(person) => {
                auxiliary = Some(("cop", aux("era")));
                let column = usize::from(person.gender() == Gender::Masculine);
                (someone(person), noun(NAMES.professions[person.profession().0][column]))
            }
            Event::Located(city) => {
                auxiliary = Some(("cop", aux("es")));
                let country = place(Place::Country(city.country())).before("case", adp("de"));
                (Some(place(Place::City(city))), noun("ciudad").before("det", det("una")).after("nmod", country))
            }
            Event::Struck(disaster) => {
                let [article, thing] = CAUSES[disaster as usize];
                let disaster = noun(thing).before("det", det(article)).role(Role::Cause);
                parts.push(Part::new(Role::Cause, "obj", disaster));
                (None, verb("hubo"))
            }
            Event::Failed(failed) => (Some(company(failed, Role::Subject)), verb("quebró")),
            Event::Owned { owner, target } => {
                let owner = company(owner, Role::Subject).before("case", adp("a"));
                parts.push(Part::new(Role::Subject, "obl:arg", owner));
                (Some(company(target, Role::Object)), verb("pertenecía"))
            }
            Event::Inherited { heir, from } => {
                let from = name(from, Role::Object).before("case", adp("de"));
                parts.push(Part::new(Role::Object, "obl", from));
                (someone(heir), verb("heredó"))
            }
            Event::Born(person) => (someone(person), verb("nació")),
            Event::Died(person) => (someone(person), verb("murió")),
            Event::Visited(person) => (someone(person), verb("visitó")),
            Event::Moved { person, from } => {
                auxiliary = Some(("expl:pv", pron("se")));
                if is(Role::Origin) {
                    parts.push(Part::new(Role::Origin, "obl", adv("dónde").before("case", adp("desde"))));
                } else if let Some(from) = from {
                    let from = place(Place::City(from)).role(Role::Origin).before("case", adp("de"));
                    parts.push(Part::new(Role::Origin, "obl", from));
                }
                (someone(person), verb("mudó"))
            }
            Event::Met { person, other } => {
                let other = if is(Role::Object) { pron("quién") } else { name(other, Role::Object) };
                object(other.before("case", adp("a")));
                (someone(person), verb("conoció"))
            }
            Event::Worked { person, at } | Event::Studied { person, at } => {
                let at = if is(Role::Object) { which("institución") } else { institution(at) };
                parts.push(Part::new(Role::Object, "obl", at.before("case", adp("en"))));
                let worked = matches!(fact.event, Event::Worked { .. });
                (someone(person), verb(if worked { "trabajó" } else { "estudió" }))
            }
            Event::Created { person, work: made } => {
                let (active, participle) = match made.kind {
                    WorkKind::Novel => ("escribió", "escrita"),
                    WorkKind::Film => ("dirigió", "dirigida"),
                    WorkKind::Opera => ("compuso", "compuesta"),
                };
                if style.passive {
                    parts.push(agent(person));
                    (Some(work(made)), verb(participle))
                } else {
                    object(work(made));
                    (someone(person), verb(active))
                }
            }
            Event::Founded { person, institution: founded } => {
                if style.passive {
                    parts.push(agent(person));
                    let feminine = INSTITUTIONS[founded.kind as usize][0] == "la";
                    (Some(institution(founded)), verb(if feminine { "fundada" } else { "fundado" }))
                } else {
                    object(if is(Role::Object) { which("institución") } else { institution(founded) });
                    (someone(person), verb("fundó"))
                }
            }
            Event::Closed { institution: closed, cause } => {
                if is(Role::Cause) {
                    parts.push(Part::new(Role::Cause, "obl", pron("qué").before("case", adp("por"))));
                } else if let Some(cause) = cause {
                    let [article, thing] = CAUSES[cause as usize];
                    let because = adp("a").after("fixed", noun("causa")).after("fixed", adp("de"));
                    let cause = noun(thing).before("det", det(article)).role(Role::Cause).before("case", because);
                    parts.push(Part::new(Role::Cause, "obl", cause));
                }
                (Some(institution(closed)), verb("cerró"))
            }
            Event::Opened { company: opener, count, thing } => {
                let [thing, how_many] = THINGS[thing as usize];
                let things = if is(Role::Count) {
                    noun(thing).before("det", det(how_many))
                } else {
                    noun(thing).before("nummod", num(count.to_string()).role(Role::Count))
                };
                parts.push(Part::new(Role::Count, "obj", things));
                let opener = if is(Role::Subject) { which("empresa") } else { company(opener, Role::Subject) };
                (Some(opener), verb("abrió"))
            }
            Event::Bought { company: buyer, target } => {
                let buyer = if is(Role::Subject) { which("empresa") } else { company(buyer, Role::Subject) };
                let target = if is(Role::Object) { which("empresa") } else { company(target, Role::Object) };
                if style.passive {
                    parts.push(Part::new(Role::Subject, "obl:agent", buyer.before("case", adp("por"))));
                    (Some(target), verb("comprada"))
                } else {
                    object(target);
                    (Some(buyer), verb("compró"))
                }
            }
        };
        circumstances(fact, asked, style, &mut parts);
        let relation = if style.passive { "nsubj:pass" } else { "nsubj" };
        Self { subject: subject.map(|subject| (relation, subject)), auxiliary, head, parts }
    }
}

/// Place and year.
fn circumstances(fact: &Fact, asked: Option<Role>, style: Style, parts: &mut Vec<Part>) {
    let (relation, case, question) = match fact.event {
        Event::Visited(_) => ("obj", None, noun("ciudad").before("det", det("qué"))),
        Event::Moved { .. } => ("obl", Some("a"), adv("adónde")),
        _ => ("obl", Some("en"), adv("dónde")),
    };
    if asked == Some(Role::Place) {
        let relation = if relation == "obj" { "obj" } else { "advmod" };
        parts.push(Part::new(Role::Place, relation, question));
    } else if let Some(told) = fact.place {
        let told = place(told).role(Role::Place);
        parts.push(Part::new(
            Role::Place,
            relation,
            match case {
                Some(case) => told.before("case", adp(case)),
                None => told,
            },
        ));
    }
    if asked == Some(Role::Year) {
        let year = noun("año").before("det", det("qué")).before("case", adp("en"));
        parts.push(Part::new(Role::Year, "obl", year));
    } else if let Some(year) = fact.year {
        let year = num(year.to_string()).role(Role::Year);
        let year = if style.full_year { noun("año").before("det", det("el")).after("nummod", year) } else { year };
        parts.push(Part::new(Role::Year, "obl", year.before("case", adp("en"))));
    }
}

fn name(person: Person, role: Role) -> Node {
    flat(NAMES.given[person.given])
        .after("flat", flat(NAMES.family[person.family]))
        .mention(EntityType::Person)
        .role(role)
}

fn subject(person: Person, reference: Reference) -> Option<Node> {
    let (article, column) = match person.gender() {
        Gender::Feminine => ("la", 0),
        Gender::Masculine => ("el", 1),
    };
    match reference {
        Reference::Name => Some(name(person, Role::Subject)),
        Reference::Titled => Some(
            noun(NAMES.professions[person.profession().0][column])
                .before("det", det(article))
                .after("appos", name(person, Role::Subject)),
        ),
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

fn institution(institution: Institution) -> Node {
    let [article, words] = INSTITUTIONS[institution.kind as usize];
    noun(words)
        .after("nmod", flat(NAMES.cities[institution.city.0]).before("case", adp("de")))
        .mention(EntityType::Organisation)
        .role(Role::Object)
        .before("det", det(article))
}

fn company(company: Company, role: Role) -> Node {
    let brand = flat(NAMES.brands[company.0]).mention(EntityType::Organisation).role(role);
    noun("empresa").before("det", det("la")).after("appos", brand)
}

fn work(work: Work) -> Node {
    let [article, kind] = WORKS[work.kind as usize];
    noun(kind).before("det", det(article)).after("appos", quoted_title("«", NAMES.titles[work.title], "»"))
}
