//! Hindi: the verb last; postpositions; the ergative *ne* with perfective transitive verbs, which then agree with the object.

use super::{
    Dependent, Front, Grammar, Part, Reference, Style, adp, adv, aux, closing, dependents, det, flat, noun, num, pron,
    quoted_title, take, take_front, verb,
};
use crate::lexicon::hi::{CAUSES, HAPPENED, INSTITUTIONS, NAMES, SOURCES, THINGS, WORKS};
use crate::tree::{EntityType, Node, Orthography, Upos, capital};
use crate::world::{Company, Event, Fact, Gender, Institution, Person, Place, Role, Thing, Work, WorkKind};

pub(super) struct Hindi;

impl Grammar for Hindi {
    fn orthography(&self) -> &'static Orthography {
        &Orthography { spaces: true, capital }
    }

    fn statement(&self, fact: &Fact, style: Style) -> Node {
        let mut clause = Clause::new(fact, None, style);
        let mut front = Vec::new();
        if let Front::Source(source) = style.front {
            let according = adp("के").after("fixed", noun("अनुसार"));
            front.push(("obl", noun(SOURCES[source as usize]).after("case", according)));
            front.push(closing(","));
        }
        front.extend(take_front(&mut clause.parts, style.front).map(Part::dependent));
        clause.build(front, "।")
    }

    fn question(&self, fact: &Fact, asked: Role) -> Node {
        let mut clause = Clause::new(fact, Some(asked), Style::PLAIN);
        // What is asked stands before the verb.
        if asked == Role::Subject {
            let left = dependents(clause.parts).into_iter().chain(clause.subject).collect();
            return clause.head.led_by(left).after("punct", Node::closing("?"));
        }
        if asked == Role::Year || asked == Role::Place {
            let question = take(&mut clause.parts, asked);
            clause.parts.extend(question);
        }
        clause.build(Vec::new(), "?")
    }
}

/// How a person who acts is marked.
#[derive(Clone, Copy)]
enum Marking {
    Plain,
    Ergative,
    Genitive,
    /// Who gets something.
    Dative,
}

struct Clause {
    subject: Option<Dependent>,
    parts: Vec<Part>,
    head: Node,
}

impl Clause {
    fn build(self, front: Vec<Dependent>, stop: &str) -> Node {
        let left = front.into_iter().chain(self.subject).chain(dependents(self.parts)).collect();
        self.head.led_by(left).after("punct", Node::closing(stop))
    }

    fn new(fact: &Fact, asked: Option<Role>, style: Style) -> Self {
        let is = |role| asked == Some(role);
        let someone = |person, marking| {
            if is(Role::Subject) { who(marking) } else { subject(person, style.reference, marking) }
        };
        let whose = |person, what| noun(what).before("nmod:poss", someone(person, Marking::Genitive));
        // The honorific plural of a named person; a question takes the singular.
        let agree = |person: Person, singular, masculine, feminine| match (is(Role::Subject), person.gender()) {
            (true, _) => singular,
            (_, Gender::Masculine) => masculine,
            (_, Gender::Feminine) => feminine,
        };
        let by = |node: Node| Part::new(Role::Subject, "obl:agent", node.after("case", adp("द्वारा")));
        let which = |what| noun(what).before("det", det("किस"));
        let mut parts = Vec::new();
        if is(Role::Year) {
            parts.push(Part::new(Role::Year, "advmod", adv("कब")));
        } else if let Some(year) = fact.year {
            let year = num(year.to_string()).role(Role::Year);
            let year = if style.full_year { year.before("compound", noun("सन्")) } else { year };
            parts.push(Part::new(Role::Year, "obl", year.after("case", adp("में"))));
        }
        let place = if is(Role::Place) {
            Some(Part::new(Role::Place, "advmod", adv("कहाँ")))
        } else {
            fact.place.map(|told| Part::new(Role::Place, "obl", located(told, Role::Place).after("case", adp("में"))))
        };
        let mut relation = if style.passive { "nsubj:pass" } else { "nsubj" };
        let (subject, head) = match fact.event {
            Event::Practised(person) => {
                let column = usize::from(person.gender() == Gender::Masculine);
                let copula = aux(agree(person, "था", "थे", "थीं"));
                let head = noun(NAMES.professions[person.profession().0][column]).after("cop", copula);
                (someone(person, Marking::Plain), head)
            }
            Event::Located(city) => {
                let country = located(Place::Country(city.country()), Role::Place).after("case", adp("का"));
                let head = noun("शहर").before("nummod", num("एक")).before("nmod:poss", country).after("cop", aux("है"));
                (located(Place::City(city), Role::Subject), head)
            }
            Event::Struck(disaster) => {
                parts.extend(place);
                let head = verb(HAPPENED[disaster as usize]);
                let disaster = noun(CAUSES[disaster as usize]).role(Role::Cause);
                parts.push(Part::new(Role::Cause, "nsubj", disaster));
                return Self { subject: None, parts, head };
            }
            Event::Failed(failed) => {
                let bankrupt = Node::new(Upos::Adj, "दिवालिया");
                let head = verb("हो").before("compound:lvc", bankrupt).after("aux", aux("गई"));
                (company(failed, Role::Subject), head)
            }
            Event::Owned { owner, target } => {
                let owner = company(owner, Role::Subject).after("case", adp("के"));
                let head = noun("स्वामित्व").before("nmod:poss", owner).after("case", adp("में")).after("cop", aux("थी"));
                (company(target, Role::Object), head)
            }
            Event::Inherited { heir, from } => {
                let from = name(from, Role::Object).after("case", adp("से"));
                parts.push(Part::new(Role::Object, "obl", from));
                parts.push(Part::new(Role::Object, "nsubj", noun("विरासत")));
                // What is got is the subject, and the verb agrees with it.
                relation = "iobj";
                (someone(heir, Marking::Dative), verb("मिली"))
            }
            Event::Born(person) => {
                parts.extend(place);
                (whose(person, "जन्म"), verb("हुआ"))
            }
            Event::Died(person) => {
                parts.extend(place);
                (whose(person, "निधन"), verb("हुआ"))
            }
            Event::Moved { person, from } => {
                let from = if is(Role::Origin) {
                    Some(adv("कहाँ"))
                } else {
                    from.map(|from| located(Place::City(from), Role::Origin))
                };
                parts.extend(from.map(|from| Part::new(Role::Origin, "obl", from.after("case", adp("से")))));
                // The goal of going has no postposition.
                if is(Role::Place) {
                    parts.extend(place);
                } else if let Some(to) = fact.place {
                    parts.push(Part::new(Role::Place, "obl", located(to, Role::Place)));
                }
                let went = aux(agree(person, "गया", "गए", "गईं"));
                let head = verb(agree(person, "चला", "चले", "चली")).after("aux", went);
                (someone(person, Marking::Plain), head)
            }
            Event::Visited(person) => {
                let to = if is(Role::Place) {
                    Some(which("शहर"))
                } else {
                    fact.place.map(|to| located(to, Role::Place))
                };
                let journey = match to {
                    Some(to) => noun("यात्रा").before("nmod:poss", to.after("case", adp("की"))),
                    None => noun("यात्रा"),
                };
                parts.push(Part::new(Role::Place, "obj", journey));
                (someone(person, Marking::Ergative), verb("की"))
            }
            Event::Met { person, other } => {
                parts.extend(place);
                let other = if is(Role::Object) {
                    pron("किससे")
                } else {
                    name(other, Role::Object).after("case", adp("से"))
                };
                parts.push(Part::new(Role::Object, "obl", other));
                (someone(person, Marking::Plain), verb(agree(person, "मिला", "मिले", "मिलीं")))
            }
            Event::Worked { person, at } | Event::Studied { person, at } => {
                let at = if is(Role::Object) { which("संस्था") } else { institution(at) };
                parts.push(Part::new(Role::Object, "obl", at.after("case", adp("में"))));
                let head = match fact.event {
                    Event::Worked { .. } => verb("किया").before("compound:lvc", noun("काम")),
                    _ => verb("की").before("compound:lvc", noun("पढ़ाई")),
                };
                (someone(person, Marking::Ergative), head)
            }
            Event::Created { person, work: made } => {
                let (form, went) = match made.kind {
                    WorkKind::Novel => ("लिखा", "गया"),
                    WorkKind::Film => ("बनाई", "गई"),
                    WorkKind::Opera => ("रचा", "गया"),
                };
                if style.passive {
                    parts.push(by(name(person, Role::Subject)));
                    (work(made), verb(form).after("aux:pass", aux(went)))
                } else {
                    parts.push(Part::new(Role::Object, "obj", work(made)));
                    (someone(person, Marking::Ergative), verb(form))
                }
            }
            Event::Founded { person, institution: founded } => {
                let founded = if is(Role::Object) { which("संस्था") } else { institution(founded) };
                let founding = noun("स्थापना").before("nmod:poss", founded.after("case", adp("की")));
                if style.passive {
                    parts.push(by(name(person, Role::Subject)));
                    (founding, verb("की").after("aux:pass", aux("गई")))
                } else {
                    parts.push(Part::new(Role::Object, "obj", founding));
                    (someone(person, Marking::Ergative), verb("की"))
                }
            }
            Event::Closed { institution: closed, cause } => {
                if is(Role::Cause) {
                    parts.push(Part::new(Role::Cause, "advmod", adv("क्यों")));
                } else if let Some(cause) = cause {
                    let because = adp("के").after("fixed", noun("कारण"));
                    let cause = noun(CAUSES[cause as usize]).role(Role::Cause).after("case", because);
                    parts.push(Part::new(Role::Cause, "obl", cause));
                }
                let head = verb("हो").before("compound:lvc", Node::new(Upos::Adj, "बंद")).after("aux", aux("गया"));
                (institution(closed), head)
            }
            Event::Opened { company: opener, count, thing: sort } => {
                parts.extend(place);
                let [thing, opened] = THINGS[sort as usize];
                let things = if is(Role::Count) {
                    noun(thing).before("det", det(if sort == Thing::Shop { "कितनी" } else { "कितने" }))
                } else {
                    noun(thing).before("nummod", num(count.to_string()).role(Role::Count))
                };
                parts.push(Part::new(Role::Count, "obj", things));
                let opener = if is(Role::Subject) { which("कंपनी") } else { company(opener, Role::Subject) };
                (opener.after("case", adp("ने")), verb(opened))
            }
            Event::Bought { company: buyer, target } => {
                let buyer = if is(Role::Subject) { which("कंपनी") } else { company(buyer, Role::Subject) };
                let target = if is(Role::Object) { which("कंपनी") } else { company(target, Role::Object) };
                if style.passive {
                    parts.push(by(buyer));
                    (target, verb("ख़रीदी").after("aux:pass", aux("गई")))
                } else {
                    parts.push(Part::new(Role::Object, "obj", target.after("case", adp("को"))));
                    (buyer.after("case", adp("ने")), verb("ख़रीद").after("aux", aux("लिया")))
                }
            }
        };
        if matches!(fact.event, Event::Practised(_) | Event::Located(_)) {
            relation = "nsubj";
        }
        Self { subject: Some((relation, subject)), parts, head }
    }
}

fn name(person: Person, role: Role) -> Node {
    flat(NAMES.given[person.given])
        .after("flat", flat(NAMES.family[person.family]))
        .mention(EntityType::Person)
        .role(role)
}

fn who(marking: Marking) -> Node {
    pron(match marking {
        Marking::Plain => "कौन",
        Marking::Ergative => "किसने",
        Marking::Genitive => "किसका",
        Marking::Dative => "किसे",
    })
}

fn subject(person: Person, reference: Reference, marking: Marking) -> Node {
    let named = match reference {
        Reference::Name => name(person, Role::Subject),
        Reference::Titled => {
            let column = usize::from(person.gender() == Gender::Masculine);
            noun(NAMES.professions[person.profession().0][column]).after("appos", name(person, Role::Subject))
        }
        Reference::Pronoun => {
            return pron(match marking {
                Marking::Plain => "वे",
                Marking::Ergative => "उन्होंने",
                Marking::Genitive => "उनका",
                Marking::Dative => "उन्हें",
            });
        }
    };
    match marking {
        Marking::Plain => named,
        Marking::Ergative => named.after("case", adp("ने")),
        Marking::Genitive => named.after("case", adp("का")),
        Marking::Dative => named.after("case", adp("को")),
    }
}

fn located(place: Place, role: Role) -> Node {
    flat(match place {
        Place::City(city) => NAMES.cities[city.0],
        Place::Country(country) => NAMES.countries[country.0],
    })
    .mention(EntityType::Location)
    .role(role)
}

fn institution(institution: Institution) -> Node {
    noun(INSTITUTIONS[institution.kind as usize])
        .before("compound", flat(NAMES.cities[institution.city.0]))
        .mention(EntityType::Organisation)
        .role(Role::Object)
}

fn company(company: Company, role: Role) -> Node {
    noun("कंपनी").before("compound", flat(NAMES.brands[company.0]).mention(EntityType::Organisation).role(role))
}

fn work(work: Work) -> Node {
    noun(WORKS[work.kind as usize]).after("appos", quoted_title("“", NAMES.titles[work.title], "”"))
}
