//! Turkish: the verb last; suffixes by vowel harmony, after an apostrophe on names of people and places.
//!
//! Names of institutions take no apostrophe (Turkish Language Association, spelling guide).

use super::{
    Dependent, Front, Grammar, Part, Reference, Style, adp, adv, closing, dependents, det, flat, noun, num, pron,
    propn, quoted_title, take, take_front, verb,
};
use crate::lexicon::tr::{CAUSES, HAPPENED, INSTITUTIONS, NAMES, SOURCES, THINGS, WORKS};
use crate::tree::{EntityType, Node, Orthography, Upos};
use crate::world::{Company, Event, Fact, Institution, Person, Place, Role, Work, WorkKind};

pub(super) struct Turkish;

fn capital(letter: char) -> String {
    if letter == 'i' { "İ".to_owned() } else { crate::tree::capital(letter) }
}

impl Grammar for Turkish {
    fn orthography(&self) -> &'static Orthography {
        &Orthography { spaces: true, capital }
    }

    fn statement(&self, fact: &Fact, style: Style) -> Node {
        let mut clause = Clause::new(fact, None, style);
        let mut front = Vec::new();
        if let Front::Source(source) = style.front {
            front.push(("obl", noun(SOURCES[source as usize]).after("case", adp("göre"))));
            front.push(closing(","));
        }
        front.extend(take_front(&mut clause.parts, style.front).map(Part::dependent));
        let left = front.into_iter().chain(clause.subject).chain(dependents(clause.parts)).collect();
        clause.head.led_by(left).after("punct", Node::closing("."))
    }

    fn question(&self, fact: &Fact, asked: Role) -> Node {
        let mut clause = Clause::new(fact, Some(asked), Style::PLAIN);
        // What is asked stands before the verb, but an indefinite object does not leave it.
        let in_place = matches!(fact.event, Event::Opened { .. });
        let left: Vec<Dependent> = if in_place {
            clause.subject.into_iter().chain(dependents(clause.parts)).collect()
        } else if asked == Role::Subject {
            dependents(clause.parts).into_iter().chain(clause.subject).collect()
        } else {
            let asked = take(&mut clause.parts, asked).map(Part::dependent);
            clause.subject.into_iter().chain(dependents(clause.parts)).chain(asked).collect()
        };
        clause.head.led_by(left).after("punct", Node::closing("?"))
    }
}

/// The last vowel as it is pronounced.
fn last_vowel(word: &str) -> char {
    match word {
        // The foreign l is soft and takes front vowels.
        "Montreal" => return 'e',
        // Read as in German, like "Klayn", and as in English, like "Parkır".
        "Klein" => return 'a',
        "Parker" | "Carter" | "Miller" | "Cooper" | "Turner" | "Walker" => return 'ı',
        _ => {}
    }
    let lower = |letter: char| match letter {
        'İ' => 'i',
        'I' => 'ı',
        other => other.to_lowercase().next().unwrap_or(other),
    };
    word.chars().rev().map(lower).find(|letter| "aıoueiöü".contains(*letter)).unwrap_or('e')
}

fn low(word: &str) -> &'static str {
    if "aıou".contains(last_vowel(word)) { "a" } else { "e" }
}

fn high(word: &str) -> &'static str {
    match last_vowel(word) {
        'a' | 'ı' => "ı",
        'o' | 'u' => "u",
        'ö' | 'ü' => "ü",
        _ => "i",
    }
}

fn ends_in_vowel(word: &str) -> bool {
    word.ends_with(['a', 'ı', 'o', 'u', 'e', 'i', 'ö', 'ü'])
}

/// d, or t after a voiceless consonant.
fn dental(word: &str) -> &'static str {
    if word.ends_with(['p', 'ç', 't', 'k', 'f', 'h', 's', 'ş']) { "t" } else { "d" }
}

fn locative(word: &str) -> String {
    dental(word).to_owned() + low(word)
}

fn ablative(word: &str) -> String {
    locative(word) + "n"
}

fn dative(word: &str) -> String {
    (if ends_in_vowel(word) { "y" } else { "" }).to_owned() + low(word)
}

fn accusative(word: &str) -> String {
    (if ends_in_vowel(word) { "y" } else { "" }).to_owned() + high(word)
}

/// The past copula.
fn was(word: &str) -> String {
    let buffer = if ends_in_vowel(word) { "y" } else { "" };
    format!("{word}{buffer}{}{}", if buffer.is_empty() { dental(word) } else { "d" }, high(word))
}

/// The last word of a year as it is read out, which decides its suffix.
fn read_out(year: u16) -> &'static str {
    const ONES: [&str; 10] = ["", "bir", "iki", "üç", "dört", "beş", "altı", "yedi", "sekiz", "dokuz"];
    const TENS: [&str; 10] = ["", "on", "yirmi", "otuz", "kırk", "elli", "altmış", "yetmiş", "seksen", "doksan"];
    match (year % 10, year / 10 % 10, year / 100 % 10) {
        (0, 0, 0) => "bin",
        (0, 0, _) => "yüz",
        (0, ten, _) => TENS[usize::from(ten)],
        (one, ..) => ONES[usize::from(one)],
    }
}

struct Clause {
    subject: Option<Dependent>,
    parts: Vec<Part>,
    head: Node,
}

impl Clause {
    fn new(fact: &Fact, asked: Option<Role>, style: Style) -> Self {
        let is = |role| asked == Some(role);
        let which = |what| noun(what).before("det", det("hangi"));
        let someone = |person| {
            if is(Role::Subject) { Some(pron("kim")) } else { subject(person, style.reference) }
        };
        let mut parts = Vec::new();
        if is(Role::Year) {
            parts.push(Part::new(Role::Year, "advmod", noun("zaman").before("det", det("ne"))));
        } else if let Some(year) = fact.year {
            let year = if style.full_year {
                noun("yılında").before("nummod", num(year.to_string()).role(Role::Year))
            } else {
                num(format!("{year}'{}", locative(read_out(year)))).stem(4).role(Role::Year)
            };
            parts.push(Part::new(Role::Year, "obl", year));
        }
        let at = if is(Role::Place) {
            Some(Part::new(Role::Place, "advmod", adv("nerede")))
        } else {
            fact.place.map(|told| Part::new(Role::Place, "obl", place(told, locative, Role::Place)))
        };
        let agent = |person| {
            Part::new(Role::Subject, "obl:agent", name(person, Role::Subject).after("case", adp("tarafından")))
        };
        let object = |node| Part::new(Role::Object, "obj", node);
        let (subject, head) = match fact.event {
            Event::Practised(person) => (someone(person), noun(was(NAMES.professions[person.profession().0][0]))),
            Event::Located(city) => {
                let country = place(Place::Country(city.country()), locative, Role::Place);
                let city = flat(NAMES.cities[city.0]).mention(EntityType::Location).after("punct", Node::closing(","));
                (Some(city), noun("şehirdir").before("det", det("bir")).before("nmod", country))
            }
            Event::Struck(disaster) => {
                parts.extend(at);
                let happened = verb(HAPPENED[disaster as usize]);
                let disaster = noun(CAUSES[disaster as usize]).before("det", det("bir")).role(Role::Cause);
                parts.push(Part::new(Role::Cause, "nsubj", disaster));
                (None, happened)
            }
            Event::Failed(failed) => {
                let head = verb("etti").before("compound:lvc", noun("iflas"));
                (Some(company(failed, Role::Subject, "şirketi")), head)
            }
            Event::Owned { owner, target } => {
                parts.push(Part::new(Role::Subject, "obl", company(owner, Role::Subject, "şirketine")));
                (Some(company(target, Role::Object, "şirketi")), Node::new(Upos::Adj, was("ait")))
            }
            Event::Inherited { heir, from } => {
                parts.push(Part::new(Role::Object, "obl", name_from(from, Role::Object)));
                (someone(heir), verb("aldı").before("obj", noun("miras")))
            }
            Event::Born(person) => {
                parts.extend(at);
                (someone(person), verb("doğdu"))
            }
            Event::Died(person) => {
                parts.extend(at);
                (someone(person), verb("öldü"))
            }
            Event::Moved { person, from } => {
                if is(Role::Origin) {
                    parts.push(Part::new(Role::Origin, "advmod", adv("nereden")));
                } else if let Some(from) = from {
                    parts.push(Part::new(Role::Origin, "obl", place(Place::City(from), ablative, Role::Origin)));
                }
                if is(Role::Place) {
                    parts.push(Part::new(Role::Place, "advmod", adv("nereye")));
                } else if let Some(to) = fact.place {
                    parts.push(Part::new(Role::Place, "obl", place(to, dative, Role::Place)));
                }
                (someone(person), verb("taşındı"))
            }
            Event::Visited(person) => {
                if is(Role::Place) {
                    parts.push(Part::new(Role::Place, "obj", which("şehri")));
                } else if let Some(told) = fact.place {
                    parts.push(Part::new(Role::Place, "obj", place(told, accusative, Role::Place)));
                }
                (someone(person), verb("etti").before("compound:lvc", noun("ziyaret")))
            }
            Event::Met { person, other } => {
                parts.extend(at);
                let other = if is(Role::Object) {
                    pron("kiminle")
                } else {
                    name(other, Role::Object).after("case", adp("ile"))
                };
                parts.push(Part::new(Role::Object, "obl", other));
                (someone(person), verb("tanıştı"))
            }
            Event::Worked { person, at } | Event::Studied { person, at } => {
                let at = if is(Role::Object) { which("kurumda") } else { institution(at, Some(locative)) };
                parts.push(Part::new(Role::Object, "obl", at));
                let worked = matches!(fact.event, Event::Worked { .. });
                (someone(person), verb(if worked { "çalıştı" } else { "okudu" }))
            }
            Event::Created { person, work: made } => {
                let (active, passive) = match made.kind {
                    WorkKind::Novel => ("yazdı", "yazıldı"),
                    WorkKind::Film => ("çekti", "çekildi"),
                    WorkKind::Opera => ("besteledi", "bestelendi"),
                };
                if style.passive {
                    parts.push(agent(person));
                    (Some(work(made, 0)), verb(passive))
                } else {
                    parts.push(object(work(made, 1)));
                    (someone(person), verb(active))
                }
            }
            Event::Founded { person, institution: founded } => {
                if style.passive {
                    parts.push(agent(person));
                    (Some(institution(founded, None)), verb("kuruldu"))
                } else {
                    let founded =
                        if is(Role::Object) { which("kurumu") } else { institution(founded, Some(accusative)) };
                    parts.push(object(founded));
                    (someone(person), verb("kurdu"))
                }
            }
            Event::Closed { institution: closed, cause } => {
                if is(Role::Cause) {
                    parts.push(Part::new(Role::Cause, "advmod", adv("neden")));
                } else if let Some(cause) = cause {
                    let cause = noun(CAUSES[cause as usize]).role(Role::Cause).after("case", adp("nedeniyle"));
                    parts.push(Part::new(Role::Cause, "obl", cause));
                }
                (Some(institution(closed, None)), verb("kapandı"))
            }
            Event::Opened { company: opener, count, thing } => {
                parts.extend(at);
                let things = noun(THINGS[thing as usize]);
                let things = if is(Role::Count) {
                    things.before("det", det("kaç"))
                } else {
                    things.before("nummod", num(count.to_string()).role(Role::Count))
                };
                parts.push(Part::new(Role::Count, "obj", things));
                let opener =
                    if is(Role::Subject) { which("şirket") } else { company(opener, Role::Subject, "şirketi") };
                (Some(opener), verb("açtı"))
            }
            Event::Bought { company: buyer, target } => {
                let bought = |form| verb(form).before("compound", noun("satın"));
                if style.passive {
                    let buyer = company(buyer, Role::Subject, "şirketi").after("case", adp("tarafından"));
                    parts.push(Part::new(Role::Subject, "obl:agent", buyer));
                    (Some(company(target, Role::Object, "şirketi")), bought("alındı"))
                } else {
                    let buyer =
                        if is(Role::Subject) { which("şirket") } else { company(buyer, Role::Subject, "şirketi") };
                    let target =
                        if is(Role::Object) { which("şirketi") } else { company(target, Role::Object, "şirketini") };
                    parts.push(object(target));
                    (Some(buyer), bought("aldı"))
                }
            }
        };
        let relation = if style.passive { "nsubj:pass" } else { "nsubj" };
        Self { subject: subject.map(|subject| (relation, subject)), parts, head }
    }
}

fn name(person: Person, role: Role) -> Node {
    flat(NAMES.given[person.given])
        .after("flat", flat(NAMES.family[person.family]))
        .mention(EntityType::Person)
        .role(role)
}

/// A name in the ablative; an answer leaves the suffix out.
fn name_from(person: Person, role: Role) -> Node {
    let family = NAMES.family[person.family];
    let suffixed = propn(format!("{family}'{}", ablative(family))).stem(family.chars().count());
    flat(NAMES.given[person.given]).after("flat", suffixed).mention(EntityType::Person).role(role)
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

/// A place with a case suffix; an answer leaves the suffix out.
fn place(place: Place, suffix: fn(&str) -> String, role: Role) -> Node {
    let name = match place {
        Place::City(city) => NAMES.cities[city.0],
        Place::Country(country) => NAMES.countries[country.0],
    };
    propn(format!("{name}'{}", suffix(name))).stem(name.chars().count()).mention(EntityType::Location).role(role)
}

/// An institution; its possessive suffix takes n before a case.
fn institution(institution: Institution, suffix: Option<fn(&str) -> String>) -> Node {
    let word = INSTITUTIONS[institution.kind as usize];
    let form = match suffix {
        Some(suffix) => {
            let ending = suffix(word);
            format!("{word}n{}", ending.trim_start_matches('y'))
        }
        None => word.to_owned(),
    };
    Node::new(Upos::Propn, form)
        .stem(word.chars().count())
        .before("nmod:poss", propn(NAMES.cities[institution.city.0]))
        .mention(EntityType::Organisation)
        .role(Role::Object)
}

fn company(company: Company, role: Role, form: &str) -> Node {
    let brand = propn(NAMES.brands[company.0]).mention(EntityType::Organisation).role(role);
    noun(form).before("nmod:poss", brand)
}

/// A work in a case: 0 nominative, 1 accusative.
fn work(work: Work, case: usize) -> Node {
    let named = Node::new(Upos::Adj, "adlı").before("nmod", quoted_title("“", NAMES.titles[work.title], "”"));
    noun(WORKS[work.kind as usize][case]).before("amod", named)
}
