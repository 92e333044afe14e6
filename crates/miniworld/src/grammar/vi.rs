//! Vietnamese: subject, verb, object, place, year; classifiers; questions in place. Words are syllables, as in WikiANN.

use super::{
    Dependent, Front, Grammar, Part, Reference, Style, adp, adv, aux, closing, dependents, det, flat, noun, num, pron,
    take, take_front, verb,
};
use crate::lexicon::vi::{CAUSES, INSTITUTIONS, NAMES, SOURCES, THINGS, WORKS};
use crate::tree::{EntityType, Node, Orthography, Upos, capital};
use crate::world::{Company, Event, Fact, Gender, Institution, Person, Place, Role, Work, WorkKind};

pub(super) struct Vietnamese;

impl Grammar for Vietnamese {
    fn orthography(&self) -> &'static Orthography {
        &Orthography { spaces: true, capital }
    }

    fn statement(&self, fact: &Fact, style: Style) -> Node {
        let mut clause = Clause::new(fact, None, style);
        let mut left = Vec::new();
        if let Front::Source(source) = style.front {
            left.push(("obl", compound(Upos::Noun, SOURCES[source as usize]).before("case", adp("theo"))));
        }
        left.extend(take_front(&mut clause.parts, style.front).map(Part::dependent));
        if !left.is_empty() {
            left.push(closing(","));
        }
        clause.build(left, ".")
    }

    fn question(&self, fact: &Fact, asked: Role) -> Node {
        let mut clause = Clause::new(fact, Some(asked), Style::PLAIN);
        // Only "why" comes first.
        let why = (asked == Role::Cause).then(|| take(&mut clause.parts, Role::Cause)).flatten().map(Part::dependent);
        clause.build(why.into_iter().collect(), "?")
    }
}

/// A word of several syllables: the later ones hang on the first.
fn compound(upos: Upos, word: &str) -> Node {
    let mut syllables = word.split(' ').map(|syllable| Node::new(upos, syllable));
    let first = syllables.next().unwrap_or_else(|| Node::new(upos, ""));
    syllables.fold(first, |first, syllable| first.after("compound", syllable))
}

struct Clause {
    subject: Dependent,
    /// Between subject and verb: a copula, or the passive marker and the agent.
    middle: Vec<Dependent>,
    head: Node,
    parts: Vec<Part>,
}

impl Clause {
    fn build(self, front: Vec<Dependent>, stop: &str) -> Node {
        let left = front.into_iter().chain([self.subject]).chain(self.middle).collect();
        self.head.led_by(left).followed_by(dependents(self.parts)).after("punct", Node::closing(stop))
    }

    fn new(fact: &Fact, asked: Option<Role>, style: Style) -> Self {
        let is = |role| asked == Some(role);
        let someone = |person| if is(Role::Subject) { pron("ai") } else { subject(person, style.reference) };
        let mut parts = Vec::new();
        let mut middle = Vec::new();
        let mut passive = |agent| {
            middle.push(("aux:pass", aux("được")));
            middle.push(("obl:agent", agent));
        };
        let object = |node| Part::new(Role::Object, "obj", node);
        let (subject, head) = match fact.event {
            Event::Practised(person) => {
                middle.push(("cop", aux("là")));
                (someone(person), compound(Upos::Noun, NAMES.professions[person.profession().0][0]))
            }
            Event::Located(city) => {
                middle.push(("cop", aux("là")));
                let country = place(Place::Country(city.country()), Role::Place).before("case", adp("ở"));
                let head = compound(Upos::Noun, "thành phố").before("nummod", num("một")).after("nmod", country);
                (place(Place::City(city), Role::Subject), head)
            }
            Event::Struck(disaster) => {
                let disaster = compound(Upos::Noun, CAUSES[disaster as usize]).role(Role::Cause);
                (disaster, compound(Upos::Verb, "xảy ra"))
            }
            Event::Failed(failed) => (company(failed, Role::Subject), compound(Upos::Verb, "phá sản")),
            Event::Owned { owner, target } => {
                parts.push(object(company(owner, Role::Subject)));
                (company(target, Role::Object), compound(Upos::Verb, "thuộc về"))
            }
            Event::Inherited { heir, from } => {
                let from = name(from, Role::Object).before("case", adp("của"));
                parts.push(object(compound(Upos::Noun, "tài sản").after("nmod", from)));
                (someone(heir), compound(Upos::Verb, "thừa kế"))
            }
            Event::Born(person) => (someone(person), verb("sinh").after("compound", verb("ra"))),
            Event::Died(person) => (someone(person), compound(Upos::Verb, "qua đời")),
            Event::Visited(person) => (someone(person), compound(Upos::Verb, "đến thăm")),
            Event::Moved { person, from } => {
                let from = if is(Role::Origin) {
                    Some(pron("đâu"))
                } else {
                    from.map(|from| place(Place::City(from), Role::Origin))
                };
                parts.extend(from.map(|from| Part::new(Role::Origin, "obl", from.before("case", adp("từ")))));
                (someone(person), verb("chuyển"))
            }
            Event::Met { person, other } => {
                parts.push(object(if is(Role::Object) { pron("ai") } else { name(other, Role::Object) }));
                (someone(person), verb("gặp"))
            }
            Event::Worked { person, at } | Event::Studied { person, at } => {
                let at = if is(Role::Object) { which("tổ chức") } else { institution(at) };
                parts.push(Part::new(Role::Object, "obl", at.before("case", adp("tại"))));
                let worked = matches!(fact.event, Event::Worked { .. });
                (someone(person), compound(Upos::Verb, if worked { "làm việc" } else { "học" }))
            }
            Event::Created { person, work: made } => {
                let head = compound(
                    Upos::Verb,
                    match made.kind {
                        WorkKind::Novel => "viết",
                        WorkKind::Film => "đạo diễn",
                        WorkKind::Opera => "sáng tác",
                    },
                );
                if style.passive {
                    passive(name(person, Role::Subject));
                    (work(made), head)
                } else {
                    parts.push(object(work(made)));
                    (someone(person), head)
                }
            }
            Event::Founded { person, institution: founded } => {
                let head = compound(Upos::Verb, "thành lập");
                if style.passive {
                    passive(name(person, Role::Subject));
                    (institution(founded), head)
                } else {
                    parts.push(object(if is(Role::Object) { which("tổ chức") } else { institution(founded) }));
                    (someone(person), head)
                }
            }
            Event::Closed { institution: closed, cause } => {
                if is(Role::Cause) {
                    parts.push(Part::new(Role::Cause, "advmod", adv("sao").before("case", adp("vì"))));
                } else if let Some(cause) = cause {
                    let cause =
                        compound(Upos::Noun, CAUSES[cause as usize]).role(Role::Cause).before("case", adp("vì"));
                    parts.push(Part::new(Role::Cause, "obl", cause));
                }
                (institution(closed), compound(Upos::Verb, "đóng cửa"))
            }
            Event::Opened { company: opener, count, thing } => {
                let things = compound(Upos::Noun, THINGS[thing as usize]);
                let things = if is(Role::Count) {
                    things.before("det", compound(Upos::Det, "bao nhiêu"))
                } else {
                    things.before("nummod", num(count.to_string()).role(Role::Count))
                };
                parts.push(Part::new(Role::Count, "obj", things));
                let opener = if is(Role::Subject) { which("công ty") } else { company(opener, Role::Subject) };
                (opener, verb("mở"))
            }
            Event::Bought { company: buyer, target } => {
                let buyer = if is(Role::Subject) { which("công ty") } else { company(buyer, Role::Subject) };
                let target = if is(Role::Object) { which("công ty") } else { company(target, Role::Object) };
                let head = compound(Upos::Verb, "mua lại");
                if style.passive {
                    passive(buyer);
                    (target, head)
                } else {
                    parts.push(object(target));
                    (buyer, head)
                }
            }
        };
        circumstances(fact, asked, style, &mut parts);
        let relation = if style.passive { "nsubj:pass" } else { "nsubj" };
        Self { subject: (relation, subject), middle, head, parts }
    }
}

/// Place and year.
fn circumstances(fact: &Fact, asked: Option<Role>, style: Style, parts: &mut Vec<Part>) {
    let (relation, case) = match fact.event {
        Event::Visited(_) => ("obj", None),
        Event::Moved { .. } => ("obl", Some("đến")),
        _ => ("obl", Some("ở")),
    };
    let filler = match (asked == Some(Role::Place), fact.event) {
        (true, Event::Visited(_)) => Some(which("thành phố")),
        (true, _) => Some(pron("đâu")),
        (false, _) => fact.place.map(|told| place(told, Role::Place)),
    };
    if let Some(filler) = filler {
        parts.push(Part::new(
            Role::Place,
            relation,
            match case {
                Some(case) => filler.before("case", adp(case)),
                None => filler,
            },
        ));
    }
    if asked == Some(Role::Year) {
        parts.push(Part::new(Role::Year, "advmod", noun("khi").after("det", det("nào"))));
    } else if let Some(year) = fact.year {
        let year = noun("năm").after("nummod", num(year.to_string()).role(Role::Year));
        let year = if style.full_year { year.before("case", adp("vào")) } else { year };
        parts.push(Part::new(Role::Year, "obl", year));
    }
}

fn which(what: &str) -> Node {
    compound(Upos::Noun, what).after("det", det("nào"))
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
        Reference::Titled => compound(Upos::Noun, NAMES.professions[person.profession().0][0])
            .after("appos", name(person, Role::Subject)),
        Reference::Pronoun => pron(match person.gender() {
            Gender::Feminine => "bà",
            Gender::Masculine => "ông",
        }),
    }
}

fn place(place: Place, role: Role) -> Node {
    flat(match place {
        Place::City(city) => NAMES.cities[city.0],
        Place::Country(country) => NAMES.countries[country.0],
    })
    .mention(EntityType::Location)
    .role(role)
}

fn institution(institution: Institution) -> Node {
    compound(Upos::Noun, INSTITUTIONS[institution.kind as usize])
        .after("nmod", flat(NAMES.cities[institution.city.0]))
        .mention(EntityType::Organisation)
        .role(Role::Object)
}

fn company(company: Company, role: Role) -> Node {
    let brand = flat(NAMES.brands[company.0]).mention(EntityType::Organisation).role(role);
    compound(Upos::Noun, "công ty").after("appos", brand)
}

fn work(work: Work) -> Node {
    let [classifier, kind] = WORKS[work.kind as usize];
    let title = compound(Upos::Noun, NAMES.titles[work.title])
        .before("punct", Node::opening("“"))
        .after("punct", Node::closing("”"));
    compound(Upos::Noun, kind).before("clf", noun(classifier)).after("appos", title)
}
