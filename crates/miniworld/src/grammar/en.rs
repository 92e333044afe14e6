//! English: subject, verb, object, place, year; questions with *did*.

use super::{
    Dependent, Front, Grammar, Part, Reference, Style, adp, adv, aux, closing, dependents, det, flat, noun, num, pron,
    quoted_title, take, take_front, verb,
};
use crate::lexicon::en::{CAUSES, INSTITUTIONS, NAMES, SOURCES, THINGS, WORKS};
use crate::tree::{EntityType, Node, Orthography, capital};
use crate::world::{Company, Event, Fact, Gender, Institution, Person, Place, Role, Work, WorkKind};

pub(super) struct English;

impl Grammar for English {
    fn orthography(&self) -> &'static Orthography {
        &Orthography { spaces: true, capital }
    }

    fn statement(&self, fact: &Fact, style: Style) -> Node {
        let mut clause = Clause::new(fact, None, style);
        let mut left = Vec::new();
        if let Front::Source(source) = style.front {
            let according = verb("according").after("fixed", adp("to"));
            left.push(("obl", noun(SOURCES[source as usize]).before("det", det("the")).before("case", according)));
        }
        left.extend(take_front(&mut clause.parts, style.front).map(Part::dependent));
        if !left.is_empty() {
            left.push(closing(","));
        }
        left.push(clause.subject);
        left.extend(clause.auxiliary.map(|form| (clause.auxiliary_relation, aux(form))));
        clause.head.led_by(left).followed_by(dependents(clause.parts)).after("punct", Node::closing("."))
    }

    fn question(&self, fact: &Fact, asked: Role) -> Node {
        let mut clause = Clause::new(fact, Some(asked), Style::PLAIN);
        let mut left = Vec::new();
        let auxiliary = clause.auxiliary.map(|form| (clause.auxiliary_relation, aux(form)));
        if asked == Role::Subject {
            left.push(clause.subject);
            left.extend(auxiliary);
        } else {
            left.extend(take(&mut clause.parts, asked).map(Part::dependent));
            left.push(auxiliary.unwrap_or_else(|| ("aux", aux("did"))));
            left.push(clause.subject);
            if clause.auxiliary.is_none() {
                clause.head = verb(clause.base);
            }
        }
        clause.head.led_by(left).followed_by(dependents(clause.parts)).after("punct", Node::closing("?"))
    }
}

struct Clause {
    subject: Dependent,
    auxiliary: Option<&'static str>,
    auxiliary_relation: &'static str,
    head: Node,
    /// The infinitive, for questions.
    base: &'static str,
    parts: Vec<Part>,
}

impl Clause {
    fn new(fact: &Fact, asked: Option<Role>, style: Style) -> Self {
        let (past, base, participle) = forms(&fact.event);
        let mut parts = Vec::new();
        let who = |role| (asked == Some(role)).then(|| pron("who"));
        let which = |role, what| (asked == Some(role)).then(|| noun(what).before("det", det("which")));
        let someone = |person: Person| who(Role::Subject).unwrap_or_else(|| subject(person, style.reference));
        let mut agent = None;
        let subject = match fact.event {
            Event::Born(person) | Event::Died(person) => someone(person),
            Event::Practised(person) => {
                let profession = NAMES.professions[person.profession().0][0];
                let article = if profession.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
                let head = noun(profession).before("det", det(article));
                let subject = ("nsubj", someone(person));
                return Self { subject, auxiliary: Some("was"), auxiliary_relation: "cop", head, base: "be", parts };
            }
            Event::Located(city) => {
                let country =
                    flat(NAMES.countries[city.country().0]).mention(EntityType::Location).before("case", adp("in"));
                let head = noun("city").before("det", det("a")).after("nmod", country);
                let subject = ("nsubj", place(Place::City(city)));
                return Self { subject, auxiliary: Some("is"), auxiliary_relation: "cop", head, base: "be", parts };
            }
            Event::Moved { person, from } => {
                if asked == Some(Role::Origin) {
                    let from_where = adv("where").before("case", adp("from"));
                    parts.push(Part::new(Role::Origin, "obl", from_where));
                } else if let Some(from) = from {
                    let from = place(Place::City(from)).role(Role::Origin).before("case", adp("from"));
                    parts.push(Part::new(Role::Origin, "obl", from));
                }
                someone(person)
            }
            Event::Struck(disaster) => {
                let [article, thing] = CAUSES[disaster as usize];
                let disaster = noun(thing).before("det", det(article)).role(Role::Cause);
                parts.push(Part::new(Role::Cause, "nsubj", disaster));
                circumstances(fact, asked, style, &mut parts);
                let subject = ("expl", pron("there"));
                return Self {
                    subject,
                    auxiliary: None,
                    auxiliary_relation: "aux",
                    head: verb("was"),
                    base: "be",
                    parts,
                };
            }
            Event::Failed(failed) => {
                parts.push(Part::new(Role::Object, "xcomp", Node::new(crate::tree::Upos::Adj, "bankrupt")));
                company(failed, Role::Subject)
            }
            Event::Owned { owner, target } => {
                let owner = company(owner, Role::Subject).before("case", adp("to"));
                parts.push(Part::new(Role::Subject, "obl", owner));
                company(target, Role::Object)
            }
            Event::Inherited { heir, from } => {
                let from = name(from, Role::Object).before("case", adp("from"));
                parts.push(Part::new(Role::Object, "obl", from));
                someone(heir)
            }
            Event::Visited(person) => someone(person),
            Event::Met { person, other } => {
                let other = who(Role::Object).unwrap_or_else(|| name(other, Role::Object));
                parts.push(Part::new(Role::Object, "obj", other));
                someone(person)
            }
            Event::Worked { person, at } | Event::Studied { person, at } => {
                let at = which(Role::Object, "institution").unwrap_or_else(|| institution(at));
                parts.push(Part::new(Role::Object, "obl", at.before("case", adp("at"))));
                someone(person)
            }
            Event::Created { person, work: made } => {
                agent = Some(person);
                if style.passive {
                    work(made)
                } else {
                    parts.push(Part::new(Role::Object, "obj", work(made)));
                    someone(person)
                }
            }
            Event::Founded { person, institution: founded } => {
                let founded = which(Role::Object, "institution").unwrap_or_else(|| institution(founded));
                agent = Some(person);
                if style.passive {
                    founded
                } else {
                    parts.push(Part::new(Role::Object, "obj", founded));
                    someone(person)
                }
            }
            Event::Closed { institution: closed, cause } => {
                if asked == Some(Role::Cause) {
                    parts.push(Part::new(Role::Cause, "advmod", adv("why")));
                } else if let Some(cause) = cause {
                    let [article, thing] = CAUSES[cause as usize];
                    let because = adv("because").after("fixed", adp("of"));
                    let cause = noun(thing).before("det", det(article)).role(Role::Cause).before("case", because);
                    parts.push(Part::new(Role::Cause, "obl", cause));
                }
                institution(closed)
            }
            Event::Opened { company: opener, count, thing } => {
                let things = noun(THINGS[thing as usize]);
                let things = if asked == Some(Role::Count) {
                    things.before("amod", Node::new(crate::tree::Upos::Adj, "many").before("advmod", adv("how")))
                } else {
                    things.before("nummod", num(count.to_string()).role(Role::Count))
                };
                parts.push(Part::new(Role::Count, "obj", things));
                which(Role::Subject, "company").unwrap_or_else(|| company(opener, Role::Subject))
            }
            Event::Bought { company: buyer, target } => {
                let target = which(Role::Object, "company").unwrap_or_else(|| company(target, Role::Object));
                let buyer = which(Role::Subject, "company").unwrap_or_else(|| company(buyer, Role::Subject));
                if style.passive {
                    parts.push(Part::new(Role::Subject, "obl:agent", buyer.before("case", adp("by"))));
                    target
                } else {
                    parts.push(Part::new(Role::Object, "obj", target));
                    buyer
                }
            }
        };
        if let (Some(person), true) = (agent, style.passive) {
            parts.push(Part::new(Role::Subject, "obl:agent", name(person, Role::Subject).before("case", adp("by"))));
        }
        circumstances(fact, asked, style, &mut parts);
        let passive = style.passive || matches!(fact.event, Event::Born(_));
        Self {
            subject: (if passive { "nsubj:pass" } else { "nsubj" }, subject),
            auxiliary: passive.then_some("was"),
            auxiliary_relation: "aux:pass",
            head: verb(if passive { participle } else { past }),
            base,
            parts,
        }
    }
}

/// Place and year.
fn circumstances(fact: &Fact, asked: Option<Role>, style: Style, parts: &mut Vec<Part>) {
    let (relation, case) = match fact.event {
        Event::Visited(_) => ("obj", None),
        Event::Moved { .. } => ("obl", Some("to")),
        _ => ("obl", Some("in")),
    };
    if asked == Some(Role::Place) {
        let place = match fact.event {
            Event::Visited(_) => Part::new(Role::Place, "obj", noun("city").before("det", det("which"))),
            // "Where did she move from Rome?" could be read as asking for the place in Rome that she left.
            Event::Moved { from: Some(_), .. } => Part::new(Role::Place, "obl", adv("where").before("case", adp("to"))),
            _ => Part::new(Role::Place, "advmod", adv("where")),
        };
        parts.push(place);
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
        parts.push(Part::new(Role::Year, "advmod", adv("when")));
    } else if let Some(year) = fact.year {
        let year = num(year.to_string()).role(Role::Year);
        let year = if style.full_year { noun("year").before("det", det("the")).after("nummod", year) } else { year };
        parts.push(Part::new(Role::Year, "obl", year.before("case", adp("in"))));
    }
}

/// Past, infinitive, participle.
fn forms(event: &Event) -> (&'static str, &'static str, &'static str) {
    match event {
        Event::Born(_) => ("born", "born", "born"),
        Event::Died(_) => ("died", "die", "died"),
        Event::Moved { .. } => ("moved", "move", "moved"),
        Event::Visited(_) => ("visited", "visit", "visited"),
        Event::Met { .. } => ("met", "meet", "met"),
        Event::Worked { .. } => ("worked", "work", "worked"),
        Event::Studied { .. } => ("studied", "study", "studied"),
        Event::Created { work, .. } => match work.kind {
            WorkKind::Novel => ("wrote", "write", "written"),
            WorkKind::Film => ("directed", "direct", "directed"),
            WorkKind::Opera => ("composed", "compose", "composed"),
        },
        Event::Founded { .. } => ("founded", "found", "founded"),
        Event::Closed { .. } => ("closed", "close", "closed"),
        Event::Opened { .. } => ("opened", "open", "opened"),
        Event::Bought { .. } => ("bought", "buy", "bought"),
        Event::Failed(_) => ("went", "go", "gone"),
        Event::Owned { .. } => ("belonged", "belong", "belonged"),
        Event::Inherited { .. } => ("inherited", "inherit", "inherited"),
        Event::Located(_) | Event::Practised(_) | Event::Struck(_) => ("was", "be", "been"),
    }
}

fn name(person: Person, role: Role) -> Node {
    flat(NAMES.given[person.given])
        .after("flat", flat(NAMES.family[person.family]))
        .mention(EntityType::Person)
        .role(role)
}

fn subject(person: Person, reference: Reference) -> Node {
    match reference {
        Reference::Name => name(person, Role::Subject),
        Reference::Titled => noun(NAMES.professions[person.profession().0][0])
            .before("det", det("the"))
            .after("appos", name(person, Role::Subject)),
        Reference::Pronoun => pron(match person.gender() {
            Gender::Feminine => "she",
            Gender::Masculine => "he",
        }),
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
    let city = flat(NAMES.cities[institution.city.0]).before("case", adp("of"));
    noun(INSTITUTIONS[institution.kind as usize])
        .after("nmod", city)
        .mention(EntityType::Organisation)
        .role(Role::Object)
        .before("det", det("the"))
}

fn company(company: Company, role: Role) -> Node {
    let brand = flat(NAMES.brands[company.0]).mention(EntityType::Organisation).role(role);
    noun("company").before("det", det("the")).after("appos", brand)
}

fn work(work: Work) -> Node {
    noun(WORKS[work.kind as usize])
        .before("det", det("the"))
        .after("appos", quoted_title("“", NAMES.titles[work.title], "”"))
}
