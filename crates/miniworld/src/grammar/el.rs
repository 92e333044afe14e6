//! Greek: articles before names, in the case the verb or preposition asks for; no subject pronouns.

use super::{
    Dependent, Front, Grammar, Part, Reference, Style, adp, adv, aux, closing, dependents, det, flat, noun, num, pron,
    propn, quoted_title, take, take_front, verb,
};
use crate::lexicon::el::{CAUSES, CITIES, COUNTRY_GENDERS, DISASTERS, INSTITUTIONS, NAMES, SOURCES, THINGS, WORKS};
use crate::tree::{EntityType, Node, Orthography, capital};
use crate::world::{Company, Event, Fact, Gender, Institution, Person, Place, Role, Work, WorkKind};

pub(super) struct Greek;

impl Grammar for Greek {
    fn orthography(&self) -> &'static Orthography {
        &Orthography { spaces: true, capital }
    }

    fn statement(&self, fact: &Fact, style: Style) -> Node {
        let mut clause = Clause::new(fact, None, style);
        let mut left = Vec::new();
        if let Front::Source(source) = style.front {
            let [article, source] = SOURCES[source as usize];
            let according = adv("σύμφωνα").after("fixed", adp("με"));
            left.push(("obl", noun(source).before("det", det(article)).before("case", according)));
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
        let mut left = Vec::new();
        let mut right = Vec::new();
        if asked == Role::Subject {
            left.extend(clause.subject);
        } else {
            left.extend(take(&mut clause.parts, asked).map(Part::dependent));
            right.extend(clause.subject);
        }
        right.extend(dependents(clause.parts));
        clause.head.led_by(left).followed_by(right).after("punct", Node::closing(";"))
    }
}

#[derive(Clone, Copy)]
enum Case {
    Nominative,
    Accusative,
    /// After the preposition that merges with the article.
    At,
}

/// The article of a noun of gender `m`, `f` or `n`; the feminine keeps its final nu before vowels and stops.
fn article(case: Case, gender: char, next: &str) -> Node {
    let nu = gender == 'm' || keeps_nu(next);
    match (case, gender) {
        (Case::Nominative, 'm') => det("ο"),
        (Case::Nominative, 'f') => det("η"),
        (Case::Nominative | Case::Accusative, 'n') => det("το"),
        (Case::Accusative, 'm') => det("τον"),
        (Case::Accusative, _) => det(if nu { "την" } else { "τη" }),
        (Case::At, 'm') => adp("στον"),
        (Case::At, 'n') => adp("στο"),
        (Case::At, _) => adp(if nu { "στην" } else { "στη" }),
        (Case::Nominative, _) => det("το"),
    }
}

fn keeps_nu(next: &str) -> bool {
    let next = next.to_lowercase();
    let stops = ["κ", "π", "τ", "ξ", "ψ", "γκ", "μπ", "ντ"];
    next.starts_with(['α', 'ά', 'ε', 'έ', 'η', 'ή', 'ι', 'ί', 'ο', 'ό', 'υ', 'ύ', 'ω', 'ώ'])
        || stops.iter().any(|stop| next.starts_with(stop))
}

/// Puts the article of a case before a noun phrase that begins with `next`.
fn with_article(node: Node, case: Case, gender: char, next: &str) -> Node {
    let relation = if matches!(case, Case::At) { "case" } else { "det" };
    node.before(relation, article(case, gender, next))
}

struct Clause {
    subject: Option<Dependent>,
    copula: Option<Dependent>,
    head: Node,
    parts: Vec<Part>,
}

impl Clause {
    fn new(fact: &Fact, asked: Option<Role>, style: Style) -> Self {
        let is = |role| asked == Some(role);
        let which_organisation = || noun("οργανισμό").before("det", det("ποιον"));
        let which_company = || noun("εταιρεία").before("det", det("ποια"));
        let someone = |person| {
            if is(Role::Subject) { Some(pron("ποιος")) } else { subject(person, style.reference) }
        };
        let mut parts = Vec::new();
        let mut copula = None;
        let object = |node| Part::new(Role::Object, "obj", node);
        let agent = |person| {
            let agent = name(person, Role::Subject, Case::Accusative).before("case", adp("από"));
            Part::new(Role::Subject, "obl:agent", agent)
        };
        let (subject, head) = match fact.event {
            Event::Practised(person) => {
                copula = Some(("cop", aux("ήταν")));
                let column = usize::from(person.gender() == Gender::Masculine);
                (someone(person), noun(NAMES.professions[person.profession().0][column]))
            }
            Event::Located(city) => {
                copula = Some(("cop", aux("είναι")));
                let country = place(Place::Country(city.country()), Case::At, Role::Place);
                (Some(place(Place::City(city), Case::Nominative, Role::Subject)), noun("πόλη").after("nmod", country))
            }
            Event::Struck(disaster) => {
                let disaster = noun(DISASTERS[disaster as usize]).role(Role::Cause);
                parts.push(Part::new(Role::Cause, "nsubj", disaster));
                (None, verb("υπήρξε"))
            }
            Event::Failed(failed) => (Some(company(failed, Role::Subject, Case::Nominative)), verb("χρεοκόπησε")),
            Event::Owned { owner, target } => {
                parts.push(Part::new(Role::Subject, "obl", company(owner, Role::Subject, Case::At)));
                (Some(company(target, Role::Object, Case::Nominative)), verb("ανήκε"))
            }
            Event::Inherited { heir, from } => {
                parts.push(object(name(from, Role::Object, Case::Accusative)));
                (someone(heir), verb("κληρονόμησε"))
            }
            Event::Born(person) => (someone(person), verb("γεννήθηκε")),
            Event::Died(person) => (someone(person), verb("πέθανε")),
            Event::Visited(person) => (someone(person), verb("επισκέφθηκε")),
            Event::Moved { person, from } => {
                if is(Role::Origin) {
                    parts.push(Part::new(Role::Origin, "obl", adv("πού").before("case", adp("από"))));
                } else if let Some(from) = from {
                    let from = place(Place::City(from), Case::Accusative, Role::Origin).before("case", adp("από"));
                    parts.push(Part::new(Role::Origin, "obl", from));
                }
                (someone(person), verb("μετακόμισε"))
            }
            Event::Met { person, other } => {
                let other =
                    if is(Role::Object) { pron("ποιον") } else { name(other, Role::Object, Case::Accusative) };
                parts.push(object(other));
                (someone(person), verb("γνώρισε"))
            }
            Event::Worked { person, at } | Event::Studied { person, at } => {
                let at = if is(Role::Object) {
                    which_organisation().before("case", adp("σε"))
                } else {
                    institution(at, Case::At)
                };
                parts.push(Part::new(Role::Object, "obl", at));
                let worked = matches!(fact.event, Event::Worked { .. });
                (someone(person), verb(if worked { "εργάστηκε" } else { "σπούδασε" }))
            }
            Event::Created { person, work: made } => {
                let (active, passive) = match made.kind {
                    WorkKind::Novel => ("έγραψε", "γράφτηκε"),
                    WorkKind::Film => ("σκηνοθέτησε", "σκηνοθετήθηκε"),
                    WorkKind::Opera => ("συνέθεσε", "συντέθηκε"),
                };
                if style.passive {
                    parts.push(agent(person));
                    (Some(work(made, Case::Nominative)), verb(passive))
                } else {
                    parts.push(object(work(made, Case::Accusative)));
                    (someone(person), verb(active))
                }
            }
            Event::Founded { person, institution: founded } => {
                if style.passive {
                    parts.push(agent(person));
                    (Some(institution(founded, Case::Nominative)), verb("ιδρύθηκε"))
                } else {
                    let founded =
                        if is(Role::Object) { which_organisation() } else { institution(founded, Case::Accusative) };
                    parts.push(object(founded));
                    (someone(person), verb("ίδρυσε"))
                }
            }
            Event::Closed { institution: closed, cause } => {
                if is(Role::Cause) {
                    parts.push(Part::new(Role::Cause, "advmod", adv("γιατί")));
                } else if let Some(cause) = cause {
                    let cause = noun(CAUSES[cause as usize]).role(Role::Cause).before("case", adp("λόγω"));
                    parts.push(Part::new(Role::Cause, "obl", cause));
                }
                (Some(institution(closed, Case::Nominative)), verb("έκλεισε"))
            }
            Event::Opened { company: opener, count, thing } => {
                let [thing, how_many] = THINGS[thing as usize];
                let things = if is(Role::Count) {
                    noun(thing).before("det", det(how_many))
                } else {
                    noun(thing).before("nummod", num(count.to_string()).role(Role::Count))
                };
                parts.push(Part::new(Role::Count, "obj", things));
                let opener =
                    if is(Role::Subject) { which_company() } else { company(opener, Role::Subject, Case::Nominative) };
                (Some(opener), verb("άνοιξε"))
            }
            Event::Bought { company: buyer, target } => {
                if style.passive {
                    let buyer = company(buyer, Role::Subject, Case::Accusative).before("case", adp("από"));
                    parts.push(Part::new(Role::Subject, "obl:agent", buyer));
                    (Some(company(target, Role::Object, Case::Nominative)), verb("εξαγοράστηκε"))
                } else {
                    let buyer = if is(Role::Subject) {
                        which_company()
                    } else {
                        company(buyer, Role::Subject, Case::Nominative)
                    };
                    let target = if is(Role::Object) {
                        which_company()
                    } else {
                        company(target, Role::Object, Case::Accusative)
                    };
                    parts.push(object(target));
                    (Some(buyer), verb("εξαγόρασε"))
                }
            }
        };
        circumstances(fact, asked, style, &mut parts);
        let relation = if style.passive { "nsubj:pass" } else { "nsubj" };
        Self { subject: subject.map(|subject| (relation, subject)), copula, head, parts }
    }
}

/// Place and year.
fn circumstances(fact: &Fact, asked: Option<Role>, style: Style, parts: &mut Vec<Part>) {
    let visited = matches!(fact.event, Event::Visited(_));
    if asked == Some(Role::Place) {
        parts.push(if visited {
            Part::new(Role::Place, "obj", noun("πόλη").before("det", det("ποια")))
        } else {
            Part::new(Role::Place, "advmod", adv("πού"))
        });
    } else if let Some(told) = fact.place {
        parts.push(if visited {
            Part::new(Role::Place, "obj", place(told, Case::Accusative, Role::Place))
        } else {
            Part::new(Role::Place, "obl", place(told, Case::At, Role::Place))
        });
    }
    if asked == Some(Role::Year) {
        parts.push(Part::new(Role::Year, "advmod", adv("πότε")));
    } else if let Some(year) = fact.year {
        let year = num(year.to_string()).role(Role::Year);
        let year = if style.full_year { noun("έτος").after("nummod", year) } else { year };
        parts.push(Part::new(Role::Year, "obl", year.before("det", det("το"))));
    }
}

fn bare_name(person: Person, role: Role) -> Node {
    flat(NAMES.given[person.given])
        .after("flat", flat(NAMES.family[person.family]))
        .mention(EntityType::Person)
        .role(role)
}

fn letter(person: Person) -> char {
    match person.gender() {
        Gender::Feminine => 'f',
        Gender::Masculine => 'm',
    }
}

/// Only the article shows the case: the names themselves are alike in nominative and accusative.
fn name(person: Person, role: Role, case: Case) -> Node {
    with_article(bare_name(person, role), case, letter(person), NAMES.given[person.given])
}

fn subject(person: Person, reference: Reference) -> Option<Node> {
    match reference {
        Reference::Name => Some(name(person, Role::Subject, Case::Nominative)),
        Reference::Titled => {
            let column = usize::from(person.gender() == Gender::Masculine);
            let profession = NAMES.professions[person.profession().0][column];
            let titled = noun(profession).after("appos", bare_name(person, Role::Subject));
            Some(with_article(titled, Case::Nominative, letter(person), profession))
        }
        Reference::Pronoun => None,
    }
}

/// Countries are listed in the accusative and only used in it.
fn place(place: Place, case: Case, role: Role) -> Node {
    let (name, gender) = match place {
        Place::City(city) => (NAMES.cities[city.0], if CITIES[city.0].1 { 'f' } else { 'n' }),
        Place::Country(country) => (NAMES.countries[country.0], COUNTRY_GENDERS[country.0]),
    };
    with_article(flat(name).mention(EntityType::Location).role(role), case, gender, name)
}

fn institution(institution: Institution, case: Case) -> Node {
    let (gender, words) = INSTITUTIONS[institution.kind as usize];
    let (city, feminine) = CITIES[institution.city.0];
    let city = propn(city).before("det", det(if feminine { "της" } else { "του" }));
    let node = noun(words).after("nmod", city).mention(EntityType::Organisation).role(Role::Object);
    with_article(node, case, gender, words)
}

fn company(company: Company, role: Role, case: Case) -> Node {
    let brand = propn(NAMES.brands[company.0])
        .mention(EntityType::Organisation)
        .role(role)
        .before("punct", Node::opening("«"))
        .after("punct", Node::closing("»"));
    with_article(noun("εταιρεία").after("appos", brand), case, 'f', "εταιρεία")
}

fn work(work: Work, case: Case) -> Node {
    let (gender, kind) = WORKS[work.kind as usize];
    let title = quoted_title("«", NAMES.titles[work.title], "»");
    with_article(noun(kind).after("appos", title), case, gender, kind)
}
