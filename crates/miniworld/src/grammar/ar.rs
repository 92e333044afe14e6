//! Arabic: verb, subject, object, place, year; the verb agrees in gender; names of institutions are construct phrases.

use super::{
    Dependent, Front, Grammar, Part, Reference, Style, adp, adv, aux, closing, dependents, det, flat, noun, num, pron,
    propn, quoted_title, take, take_front, verb,
};
use crate::lexicon::ar::{CAUSES, HAPPENED, INSTITUTIONS, NAMES, PROFESSIONS_ACCUSATIVE, SOURCES, THINGS, WORKS};
use crate::tree::{EntityType, Node, Orthography, capital};
use crate::world::{Company, Event, Fact, Gender, Institution, Person, Place, Role, Work, WorkKind};

pub(super) struct Arabic;

impl Grammar for Arabic {
    fn orthography(&self) -> &'static Orthography {
        &Orthography { spaces: true, capital }
    }

    fn statement(&self, fact: &Fact, style: Style) -> Node {
        if let Event::Located(city) = fact.event {
            let country = place(Place::Country(city.country()), Role::Place).before("case", adp("في"));
            let subject = place(Place::City(city), Role::Subject);
            return noun("مدينة").before("nsubj", subject).after("nmod", country).after("punct", Node::closing("."));
        }
        let mut clause = Clause::new(fact, None, style);
        let mut left = Vec::new();
        if let Front::Source(source) = style.front {
            left.push(("obl", noun(SOURCES[source as usize]).before("case", adv("وفقًا"))));
        }
        left.extend(take_front(&mut clause.parts, style.front).map(Part::dependent));
        if !left.is_empty() {
            left.push(closing("،"));
        }
        let right = clause.subject.into_iter().chain(dependents(clause.parts)).collect();
        clause.head.led_by(left).followed_by(right).after("punct", Node::closing("."))
    }

    fn question(&self, fact: &Fact, asked: Role) -> Node {
        let mut clause = Clause::new(fact, Some(asked), Style::PLAIN);
        // Which of two companies acts is not to be seen from the order alone: a relative clause says it.
        if let (Event::Bought { .. }, Role::Subject | Role::Object) = (fact.event, asked) {
            let (relation, form, rest) = if asked == Role::Subject {
                ("nsubj", "اشترت", dependents(clause.parts))
            } else {
                take(&mut clause.parts, Role::Object);
                ("obj", "اشترتها", clause.subject.into_iter().chain(dependents(clause.parts)).collect())
            };
            let relative = verb(form).before(relation, pron("التي")).followed_by(rest);
            let company = noun("الشركة").after("acl:relcl", relative);
            return pron("ما").after("nsubj", company).after("punct", Node::closing("؟"));
        }
        let (left, right): (Vec<Dependent>, Vec<Dependent>) = if asked == Role::Subject {
            (clause.subject.into_iter().collect(), dependents(clause.parts))
        } else {
            let asked = take(&mut clause.parts, asked).map(Part::dependent);
            (asked.into_iter().collect(), clause.subject.into_iter().chain(dependents(clause.parts)).collect())
        };
        clause.head.led_by(left).followed_by(right).after("punct", Node::closing("؟"))
    }
}

struct Clause {
    head: Node,
    subject: Option<Dependent>,
    parts: Vec<Part>,
}

impl Clause {
    fn new(fact: &Fact, asked: Option<Role>, style: Style) -> Self {
        let is = |role| asked == Some(role);
        let which = |what| noun(what).before("det", det("أي"));
        // Who is unknown is masculine.
        let someone = |person: Person| {
            if is(Role::Subject) {
                (Some(pron("من")), false)
            } else {
                (subject(person, style.reference), person.gender() == Gender::Feminine)
            }
        };
        let mut parts = Vec::new();
        let by = |node: Node| {
            Part::new(Role::Subject, "obl:agent", node.before("case", adp("من").after("fixed", adp("قبل"))))
        };
        let object = |node| Part::new(Role::Object, "obj", node);
        let ((subject, feminine), [masculine_form, feminine_form]) = match fact.event {
            Event::Practised(person) => {
                let (subject, feminine) = someone(person);
                let profession = PROFESSIONS_ACCUSATIVE[person.profession().0][usize::from(!feminine)];
                let mut head = noun(profession);
                if let Some(subject) = subject {
                    head = head.before("nsubj", subject);
                }
                head = head.before("cop", aux(if feminine { "كانت" } else { "كان" }));
                return Self { head, subject: None, parts };
            }
            Event::Located(city) => ((Some(place(Place::City(city), Role::Subject)), true), ["تقع", "تقع"]),
            Event::Struck(disaster) => {
                let happened = HAPPENED[disaster as usize];
                ((Some(noun(CAUSES[disaster as usize]).role(Role::Cause)), false), [happened; 2])
            }
            Event::Failed(failed) => ((Some(company(failed, Role::Subject)), true), ["أفلست"; 2]),
            Event::Owned { owner, target } => {
                // The preposition is written together with the noun.
                parts.push(Part::new(Role::Subject, "nmod", company_as("لشركة", owner, Role::Subject)));
                circumstances(fact, asked, style, &mut parts);
                let head = noun("ملكًا").before("nsubj", company(target, Role::Object)).before("cop", aux("كانت"));
                return Self { head, subject: None, parts };
            }
            Event::Inherited { heir, from } => {
                parts.push(object(name(from, Role::Object)));
                (someone(heir), ["ورث", "ورثت"])
            }
            Event::Born(person) => (someone(person), ["وُلد", "وُلدت"]),
            Event::Died(person) => (someone(person), ["توفي", "توفيت"]),
            Event::Visited(person) => (someone(person), ["زار", "زارت"]),
            Event::Moved { person, from } => {
                if is(Role::Origin) {
                    parts.push(Part::new(Role::Origin, "obl", adv("أين").before("case", adp("من"))));
                } else if let Some(from) = from {
                    let from = place(Place::City(from), Role::Origin).before("case", adp("من"));
                    parts.push(Part::new(Role::Origin, "obl", from));
                }
                (someone(person), ["انتقل", "انتقلت"])
            }
            // "Whom did he meet" and "who met him" would be one string with the transitive verb.
            Event::Met { person, .. } if is(Role::Object) => {
                parts.push(Part::new(Role::Object, "obl", pron("بمن")));
                (someone(person), ["التقى", "التقت"])
            }
            Event::Met { person, other } => {
                parts.push(object(name(other, Role::Object)));
                (someone(person), ["قابل", "قابلت"])
            }
            Event::Worked { person, at } | Event::Studied { person, at } => {
                let at = if is(Role::Object) { which("مؤسسة") } else { institution(at) };
                parts.push(Part::new(Role::Object, "obl", at.before("case", adp("في"))));
                match fact.event {
                    Event::Worked { .. } => (someone(person), ["عمل", "عملت"]),
                    _ => (someone(person), ["درس", "درست"]),
                }
            }
            Event::Created { person, work: made } => {
                let (active, passive) = match made.kind {
                    WorkKind::Novel => (["كتب", "كتبت"], "كُتبت"),
                    WorkKind::Film => (["أخرج", "أخرجت"], "أُخرج"),
                    WorkKind::Opera => (["ألّف", "ألّفت"], "أُلّفت"),
                };
                if style.passive {
                    parts.push(by(name(person, Role::Subject)));
                    ((Some(work(made)), false), [passive; 2])
                } else {
                    parts.push(object(work(made)));
                    (someone(person), active)
                }
            }
            Event::Founded { person, institution: founded } => {
                if style.passive {
                    parts.push(by(name(person, Role::Subject)));
                    let feminine = INSTITUTIONS[founded.kind as usize].1;
                    ((Some(institution(founded)), feminine), ["أُسّس", "أُسّست"])
                } else {
                    parts.push(object(if is(Role::Object) { which("مؤسسة") } else { institution(founded) }));
                    (someone(person), ["أسّس", "أسّست"])
                }
            }
            Event::Closed { institution: closed, cause } => {
                if is(Role::Cause) {
                    parts.push(Part::new(Role::Cause, "advmod", adv("لماذا")));
                } else if let Some(cause) = cause {
                    let cause = noun(CAUSES[cause as usize]).role(Role::Cause).before("case", adp("بسبب"));
                    parts.push(Part::new(Role::Cause, "obl", cause));
                }
                ((Some(institution(closed)), INSTITUTIONS[closed.kind as usize].1), ["أُغلق", "أُغلقت"])
            }
            Event::Opened { company: opener, count, thing } => {
                let [plural, singular] = THINGS[thing as usize];
                let things = if is(Role::Count) {
                    noun(singular).before("det", det("كم"))
                } else {
                    let form = if (3..=10).contains(&(count % 100)) { plural } else { singular };
                    noun(form).before("nummod", num(count.to_string()).role(Role::Count))
                };
                parts.push(Part::new(Role::Count, "obj", things));
                let opener = if is(Role::Subject) { which("شركة") } else { company(opener, Role::Subject) };
                ((Some(opener), true), ["افتتحت"; 2])
            }
            Event::Bought { company: buyer, target } => {
                if style.passive {
                    parts.push(by(company(buyer, Role::Subject)));
                    ((Some(company(target, Role::Object)), true), ["اشتُريت"; 2])
                } else {
                    parts.push(object(company(target, Role::Object)));
                    ((Some(company(buyer, Role::Subject)), true), ["اشترت"; 2])
                }
            }
        };
        circumstances(fact, asked, style, &mut parts);
        let passive = style.passive || matches!(fact.event, Event::Born(_) | Event::Closed { .. });
        let relation = if passive { "nsubj:pass" } else { "nsubj" };
        Self {
            head: verb(if feminine { feminine_form } else { masculine_form }),
            subject: subject.map(|subject| (relation, subject)),
            parts,
        }
    }
}

/// Place and year.
fn circumstances(fact: &Fact, asked: Option<Role>, style: Style, parts: &mut Vec<Part>) {
    let (relation, case) = match fact.event {
        Event::Visited(_) => ("obj", None),
        Event::Moved { .. } => ("obl", Some("إلى")),
        _ => ("obl", Some("في")),
    };
    if asked == Some(Role::Place) {
        parts.push(match fact.event {
            Event::Visited(_) => Part::new(Role::Place, "obj", noun("مدينة").before("det", det("أي"))),
            Event::Moved { .. } => Part::new(Role::Place, "obl", adv("أين").before("case", adp("إلى"))),
            _ => Part::new(Role::Place, "advmod", adv("أين")),
        });
    } else if let Some(told) = fact.place {
        let told = place(told, Role::Place);
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
        parts.push(Part::new(Role::Year, "advmod", adv("متى")));
    } else if let Some(year) = fact.year {
        let year = noun("عام").after("nummod", num(year.to_string()).role(Role::Year));
        let year = if style.full_year { year.before("case", adp("في")) } else { year };
        parts.push(Part::new(Role::Year, "obl", year));
    }
}

fn name(person: Person, role: Role) -> Node {
    flat(NAMES.given[person.given])
        .after("flat", flat(NAMES.family[person.family]))
        .mention(EntityType::Person)
        .role(role)
}

fn subject(person: Person, reference: Reference) -> Option<Node> {
    let column = usize::from(person.gender() == Gender::Masculine);
    match reference {
        Reference::Name => Some(name(person, Role::Subject)),
        Reference::Titled => {
            Some(noun(NAMES.professions[person.profession().0][column]).after("appos", name(person, Role::Subject)))
        }
        Reference::Pronoun => None,
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
    noun(INSTITUTIONS[institution.kind as usize].0)
        .after("nmod", flat(NAMES.cities[institution.city.0]))
        .mention(EntityType::Organisation)
        .role(Role::Object)
}

fn company(company: Company, role: Role) -> Node {
    company_as("شركة", company, role)
}

fn company_as(form: &str, company: Company, role: Role) -> Node {
    noun(form).after("nmod", propn(NAMES.brands[company.0]).mention(EntityType::Organisation).role(role))
}

fn work(work: Work) -> Node {
    noun(WORKS[work.kind as usize]).after("nmod", quoted_title("«", NAMES.titles[work.title], "»"))
}
