//! Chinese: subject, time, place, verb, object; measure words; questions in place.

use super::{
    Dependent, Front, Grammar, Part, Reference, Style, adp, adv, aux, closing, dependents, det, noun, num, pron, propn,
    take, take_front, verb,
};
use crate::lexicon::zh::{CAUSES, INSTITUTIONS, NAMES, SOURCES, THINGS, WORKS};
use crate::tree::{EntityType, Node, Orthography, Upos, capital};
use crate::world::{Company, Event, Fact, Gender, Institution, Person, Place, Role, Work, WorkKind};

pub(super) struct Chinese;

impl Grammar for Chinese {
    fn orthography(&self) -> &'static Orthography {
        &Orthography { spaces: false, capital }
    }

    fn statement(&self, fact: &Fact, style: Style) -> Node {
        let mut clause = Clause::new(fact, None, style);
        let mut front = Vec::new();
        if let Front::Source(source) = style.front {
            let [source, says] = SOURCES[source as usize];
            front.push(("advcl", verb(says).before("nsubj", noun(source)).before("mark", adp("据"))));
        }
        front.extend(take_front(&mut clause.before, style.front).map(Part::dependent));
        if !front.is_empty() {
            front.push(closing("，"));
        }
        clause.build(front).after("punct", Node::closing("。"))
    }

    fn question(&self, fact: &Fact, asked: Role) -> Node {
        Clause::new(fact, Some(asked), Style::PLAIN).build(Vec::new()).after("punct", Node::closing("？"))
    }
}

struct Clause {
    subject: Option<Dependent>,
    /// Between subject and verb.
    before: Vec<Part>,
    head: Node,
    /// Whether the verb takes the perfective 了.
    perfective: bool,
    object: Option<Dependent>,
}

impl Clause {
    fn build(mut self, front: Vec<Dependent>) -> Node {
        let year = take(&mut self.before, Role::Year).map(Part::dependent);
        let left = front.into_iter().chain(self.subject).chain(year).chain(dependents(self.before)).collect();
        let head = self.head.led_by(left);
        let head = if self.perfective { head.after("aux", aux("了")) } else { head };
        head.followed_by(self.object.into_iter().collect())
    }

    fn new(fact: &Fact, asked: Option<Role>, style: Style) -> Self {
        let is = |role| asked == Some(role);
        let mut before = Vec::new();
        if is(Role::Year) {
            before.push(Part::new(Role::Year, "obl", noun("年").before("nummod", num("一")).before("det", det("哪"))));
        } else if let Some(year) = fact.year {
            let year = noun("年").before("nummod", num(year.to_string())).role(Role::Year);
            // At the head of the sentence the preposition of plain speech, inside that of writing.
            let preposition = if style.front == Front::Year { "在" } else { "于" };
            // "谁1957年" would run together.
            let year = if style.full_year || is(Role::Subject) { year.before("case", adp(preposition)) } else { year };
            before.push(Part::new(Role::Year, "obl", year));
        }
        let place = if is(Role::Place) { Some(pron("哪里")) } else { fact.place.map(located) };
        let place_before = |before: &mut Vec<Part>| {
            before.extend(place.clone().map(|place| Part::new(Role::Place, "obl", place.before("case", adp("在")))));
        };
        let someone = |person| if is(Role::Subject) { pron("谁") } else { subject(person, style.reference) };
        let agent = |person, before: &mut Vec<Part>| {
            let agent = name(person, Role::Subject).before("case", adp("由"));
            before.push(Part::new(Role::Subject, "obl:agent", agent));
        };
        let (subject, head, perfective, object) = match fact.event {
            Event::Practised(person) => {
                let measure = num("一").after("clf", noun("名"));
                let head = noun(NAMES.professions[person.profession().0][0])
                    .before("nummod", measure)
                    .before("cop", aux("是"));
                (someone(person), head, false, None)
            }
            Event::Located(city) => {
                let country = propn(NAMES.countries[city.country().0]).mention(EntityType::Location);
                let head = noun("城市")
                    .before("nummod", num("一").after("clf", noun("座")))
                    .before("nmod", country.after("case", Node::new(Upos::Part, "的")))
                    .before("cop", aux("是"));
                (located(Place::City(city)), head, false, None)
            }
            Event::Struck(disaster) => {
                let object = noun(CAUSES[disaster as usize]).role(Role::Cause);
                let subject = place.map(|place| ("nsubj", place));
                return Self { subject, before, head: verb("发生"), perfective: true, object: Some(("obj", object)) };
            }
            Event::Failed(failed) => (company(failed, Role::Subject), verb("破产"), true, None),
            Event::Owned { owner, target } => {
                let owner = company(owner, Role::Subject);
                (company(target, Role::Object), verb("属于"), false, Some(("obj", owner)))
            }
            Event::Inherited { heir, from } => {
                let from = name(from, Role::Object).after("case", Node::new(Upos::Part, "的"));
                (someone(heir), verb("继承"), true, Some(("obj", noun("遗产").before("nmod", from))))
            }
            Event::Born(person) => {
                place_before(&mut before);
                (someone(person), verb("出生"), false, None)
            }
            Event::Died(person) => {
                place_before(&mut before);
                (someone(person), verb("去世"), false, None)
            }
            Event::Moved { person, from } => {
                let from = if is(Role::Origin) {
                    Some(pron("哪里"))
                } else {
                    from.map(|from| propn(NAMES.cities[from.0]).mention(EntityType::Location).role(Role::Origin))
                };
                before.extend(from.map(|from| Part::new(Role::Origin, "obl", from.before("case", adp("从")))));
                match place {
                    Some(place) => (someone(person), verb("搬到"), true, Some(("obj", place))),
                    None => (someone(person), verb("搬走"), true, None),
                }
            }
            Event::Visited(person) => {
                let place = if is(Role::Place) { Some(which("座", "城市")) } else { place };
                (someone(person), verb("访问"), true, place.map(|place| ("obj", place)))
            }
            Event::Met { person, other } => {
                place_before(&mut before);
                let other = if is(Role::Object) { pron("谁") } else { name(other, Role::Object) };
                (someone(person), verb("结识"), true, Some(("obj", other)))
            }
            Event::Worked { person, at } | Event::Studied { person, at } => {
                let at = if is(Role::Object) { which("家", "机构") } else { institution(at) };
                before.push(Part::new(Role::Object, "obl", at.before("case", adp("在"))));
                let head = if matches!(fact.event, Event::Worked { .. }) { "工作" } else { "学习" };
                (someone(person), verb(head), false, None)
            }
            Event::Created { person, work: made } => {
                let head = verb(if made.kind == WorkKind::Film { "拍摄" } else { "创作" });
                if style.passive {
                    agent(person, &mut before);
                    (work(made), head, false, None)
                } else {
                    (someone(person), head, true, Some(("obj", work(made))))
                }
            }
            Event::Founded { person, institution: founded } => {
                if style.passive {
                    agent(person, &mut before);
                    (institution(founded), verb("创办"), false, None)
                } else {
                    let founded = if is(Role::Object) { which("家", "机构") } else { institution(founded) };
                    (someone(person), verb("创办"), true, Some(("obj", founded)))
                }
            }
            Event::Closed { institution: closed, cause } => {
                if is(Role::Cause) {
                    before.push(Part::new(Role::Cause, "advmod", adv("为什么")));
                } else if let Some(cause) = cause {
                    let cause = noun(CAUSES[cause as usize]).role(Role::Cause).before("case", adp("因"));
                    before.push(Part::new(Role::Cause, "obl", cause));
                }
                (institution(closed), verb("关闭"), false, None)
            }
            Event::Opened { company: opener, count, thing } => {
                place_before(&mut before);
                let [measure, thing] = THINGS[thing as usize];
                let number = if is(Role::Count) { num("多少") } else { num(count.to_string()).role(Role::Count) };
                let things = noun(thing).before("nummod", number.after("clf", noun(measure)));
                let opener = if is(Role::Subject) { which("家", "公司") } else { company(opener, Role::Subject) };
                (opener, verb("开设"), true, Some(("obj", things)))
            }
            Event::Bought { company: buyer, target } => {
                let buyer = if is(Role::Subject) { which("家", "公司") } else { company(buyer, Role::Subject) };
                let target = if is(Role::Object) { which("家", "公司") } else { company(target, Role::Object) };
                if style.passive {
                    before.push(Part::new(Role::Subject, "obl:agent", buyer.before("case", adp("被"))));
                    (target, verb("收购"), false, None)
                } else {
                    (buyer, verb("收购"), true, Some(("obj", target)))
                }
            }
        };
        let relation = if style.passive { "nsubj:pass" } else { "nsubj" };
        Self { subject: Some((relation, subject)), before, head, perfective, object }
    }
}

/// "Which" with a measure word.
fn which(measure: &str, what: &str) -> Node {
    noun(what).before("det", det("哪").after("clf", noun(measure)))
}

/// A foreign name is one word, its parts joined by a dot.
fn name(person: Person, role: Role) -> Node {
    propn(format!("{}·{}", NAMES.given[person.given], NAMES.family[person.family]))
        .mention(EntityType::Person)
        .role(role)
}

fn subject(person: Person, reference: Reference) -> Node {
    match reference {
        Reference::Name => name(person, Role::Subject),
        Reference::Titled => {
            noun(NAMES.professions[person.profession().0][0]).after("appos", name(person, Role::Subject))
        }
        Reference::Pronoun => pron(match person.gender() {
            Gender::Feminine => "她",
            Gender::Masculine => "他",
        }),
    }
}

fn located(place: Place) -> Node {
    propn(match place {
        Place::City(city) => NAMES.cities[city.0],
        Place::Country(country) => NAMES.countries[country.0],
    })
    .mention(EntityType::Location)
    .role(Role::Place)
}

fn institution(institution: Institution) -> Node {
    noun(INSTITUTIONS[institution.kind as usize])
        .before("nmod", propn(NAMES.cities[institution.city.0]))
        .mention(EntityType::Organisation)
        .role(Role::Object)
}

fn company(company: Company, role: Role) -> Node {
    let brand = propn(NAMES.brands[company.0]).mention(EntityType::Organisation).role(role);
    noun("公司").before("compound", brand)
}

fn work(work: Work) -> Node {
    let title = noun(NAMES.titles[work.title]).before("punct", Node::opening("《")).after("punct", Node::closing("》"));
    noun(WORKS[work.kind as usize]).after("appos", title)
}
