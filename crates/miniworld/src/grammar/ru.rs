//! Russian: names and nouns in six-case paradigms as far as they are needed; the past tense agrees in gender.

use super::{
    Dependent, Front, Grammar, Part, Reference, Style, adp, adv, aux, closing, dependents, det, noun, num, pron, propn,
    quoted_title, take, take_front, verb,
};
use crate::lexicon::ru::{CAUSES, DISASTERS, INSTITUTIONS, NAMES, PROFESSIONS_INSTRUMENTAL, SOURCES, THINGS, WORKS};
use crate::tree::{EntityType, Node, Orthography, Upos, capital};
use crate::world::{Company, Event, Fact, Gender, Institution, InstitutionKind, Person, Place, Role, Work, WorkKind};

pub(super) struct Russian;

impl Grammar for Russian {
    fn orthography(&self) -> &'static Orthography {
        &Orthography { spaces: true, capital }
    }

    fn statement(&self, fact: &Fact, style: Style) -> Node {
        let mut clause = Clause::new(fact, None, style);
        let mut left = Vec::new();
        if let Front::Source(source) = style.front {
            let source = noun(SOURCES[source as usize]);
            left.push(("parataxis", noun("данным").before("case", adp("по")).after("nmod", source)));
            left.push(closing(","));
        }
        left.extend(take_front(&mut clause.parts, style.front).map(Part::dependent));
        if let Event::Struck(_) = fact.event {
            // What comes into being is told last, after where and when.
            left.extend(dependents(clause.parts));
            let right = clause.subject.into_iter().collect();
            return clause.head.led_by(left).followed_by(right).after("punct", Node::closing("."));
        }
        left.extend(clause.subject);
        left.extend(clause.auxiliary);
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
            // Verbs that say that something comes into being or ends stand before their subject, and so does any verb
            // after its object.
            let inverted = matches!(fact.event, Event::Born(_) | Event::Died(_) | Event::Closed { .. })
                || matches!(asked, Role::Object | Role::Count)
                || (asked == Role::Place && matches!(fact.event, Event::Visited(_)));
            if inverted { right.extend(clause.subject) } else { left.extend(clause.subject) }
        }
        right.extend(dependents(clause.parts));
        clause.head.led_by(left).followed_by(right).after("punct", Node::closing("?"))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Case {
    Nominative,
    Genitive,
    Accusative,
    Instrumental,
    Prepositional,
}

/// What a foreign name ends like, which decides how it is declined.
enum Declension {
    /// Consonant: Берлин.
    Hard,
    /// Soft sign or й, masculine: Монреаль, Шанхай.
    Soft,
    /// -а, with и for ы after velars and sibilants: Вена, Анкара, Ольга.
    A,
    /// -я after a consonant, a soft sign or a vowel other than и: Севилья, Кая.
    Ya,
    /// -ия: Россия, Мария.
    Iya,
    /// Feminine soft sign: Казань.
    SoftFeminine,
    /// Plural -ы or -и: Афины, Салоники.
    Plural,
    Indeclinable,
}

/// Puts a name in a case. `feminine` is for women: their family names in a consonant do not change.
fn decline(name: &str, case: Case, feminine: bool) -> String {
    use Case::{Accusative, Genitive, Instrumental, Nominative, Prepositional};
    let declension = match name {
        "Афины" | "Салоники" => Declension::Plural,
        "Казань" => Declension::SoftFeminine,
        _ if name.ends_with("ия") => Declension::Iya,
        _ if name.ends_with('я') => Declension::Ya,
        _ if name.ends_with('а') => Declension::A,
        _ if name.ends_with(['о', 'и', 'у', 'е']) || feminine => Declension::Indeclinable,
        _ if name.ends_with(['ь', 'й']) => Declension::Soft,
        _ => Declension::Hard,
    };
    // The vowel of the nominative is fleeting.
    let mut stem = if name == "Египет" { "Египт".to_owned() } else { name.to_owned() };
    if !matches!(declension, Declension::Hard | Declension::Indeclinable) {
        stem.pop();
    }
    let ending = match (declension, case) {
        (Declension::Indeclinable, _) | (_, Nominative) => return name.to_owned(),
        (Declension::Hard, Accusative) | (Declension::Soft, Accusative) => return name.to_owned(),
        (Declension::Plural | Declension::SoftFeminine, Accusative) => return name.to_owned(),
        (Declension::Hard, Genitive) => "а",
        (Declension::Hard, Instrumental) => "ом",
        (Declension::Hard | Declension::A | Declension::Ya | Declension::Soft, Prepositional) => "е",
        (Declension::Soft, Genitive) => "я",
        (Declension::Soft, Instrumental) => "ем",
        (Declension::A, Genitive) if stem.ends_with(['г', 'к', 'х', 'ж', 'ч', 'ш', 'щ']) => "и",
        (Declension::A, Genitive) => "ы",
        (Declension::A, Accusative) => "у",
        (Declension::A, Instrumental) if stem.ends_with(['ж', 'ч', 'ш', 'щ', 'ц']) => "ей",
        (Declension::A, Instrumental) => "ой",
        (Declension::Ya | Declension::Iya, Genitive) | (Declension::Iya, Prepositional) => "и",
        (Declension::Ya | Declension::Iya, Accusative) => "ю",
        (Declension::Ya | Declension::Iya, Instrumental) => "ей",
        (Declension::SoftFeminine, Genitive | Prepositional) => "и",
        (Declension::SoftFeminine, Instrumental) => "ью",
        (Declension::Plural, Genitive) => "",
        (Declension::Plural, Instrumental) => "ами",
        (Declension::Plural, Prepositional) => "ах",
    };
    stem + ending
}

#[derive(Clone, Copy, PartialEq)]
enum Agreement {
    Masculine,
    Feminine,
}

impl Agreement {
    fn of(person: Person) -> Self {
        match person.gender() {
            Gender::Feminine => Self::Feminine,
            Gender::Masculine => Self::Masculine,
        }
    }

    fn choose(self, masculine: &'static str, feminine: &'static str) -> &'static str {
        if self == Self::Feminine { feminine } else { masculine }
    }
}

struct Clause {
    subject: Option<Dependent>,
    auxiliary: Option<Dependent>,
    head: Node,
    parts: Vec<Part>,
}

impl Clause {
    fn new(fact: &Fact, asked: Option<Role>, style: Style) -> Self {
        let is = |role| asked == Some(role);
        let someone = |person| {
            if is(Role::Subject) {
                (pron("кто"), Agreement::Masculine)
            } else {
                (subject(person, style.reference), Agreement::of(person))
            }
        };
        let mut parts = Vec::new();
        let agent = |person| Part::new(Role::Subject, "obl:agent", name(person, Role::Subject, Case::Instrumental));
        let ((subject, agreement), masculine, feminine) = match fact.event {
            Event::Practised(person) => {
                let agreement = Agreement::of(person);
                let column = usize::from(agreement == Agreement::Masculine);
                return Self {
                    subject: Some(("nsubj", someone(person).0)),
                    auxiliary: Some(("cop", aux(agreement.choose("был", "была")))),
                    head: noun(PROFESSIONS_INSTRUMENTAL[person.profession().0][column]),
                    parts,
                };
            }
            Event::Located(city) => {
                let subject = place(Place::City(city), Case::Nominative, Role::Subject);
                let head = noun("город").after("nmod", within(Place::Country(city.country()), Case::Prepositional));
                return Self {
                    subject: Some(("nsubj", subject)),
                    auxiliary: Some(("punct", Node::new(Upos::Punct, "—"))),
                    head,
                    parts,
                };
            }
            Event::Struck(disaster) => {
                let [was, disaster] = DISASTERS[disaster as usize];
                ((noun(disaster).role(Role::Cause), Agreement::Masculine), was, was)
            }
            Event::Failed(failed) => {
                ((company(failed, Role::Subject, "компания"), Agreement::Feminine), "обанкротился", "обанкротилась")
            }
            Event::Owned { owner, target } => {
                parts.push(Part::new(Role::Subject, "iobj", company(owner, Role::Subject, "компании")));
                ((company(target, Role::Object, "компания"), Agreement::Feminine), "принадлежал", "принадлежала")
            }
            Event::Inherited { heir, from } => {
                parts.push(Part::new(Role::Object, "obj", noun("наследство")));
                let from = name(from, Role::Object, Case::Genitive).before("case", adp("от"));
                parts.push(Part::new(Role::Object, "obl", from));
                (someone(heir), "получил", "получила")
            }
            Event::Born(person) => (someone(person), "родился", "родилась"),
            Event::Died(person) => (someone(person), "умер", "умерла"),
            Event::Visited(person) => (someone(person), "посетил", "посетила"),
            Event::Moved { person, from } => {
                if is(Role::Origin) {
                    parts.push(Part::new(Role::Origin, "advmod", adv("откуда")));
                } else if let Some(from) = from {
                    let from = place(Place::City(from), Case::Genitive, Role::Origin).before("case", adp("из"));
                    parts.push(Part::new(Role::Origin, "obl", from));
                }
                (someone(person), "переехал", "переехала")
            }
            Event::Met { person, other } => {
                let other =
                    if is(Role::Object) { pron("кем") } else { name(other, Role::Object, Case::Instrumental) };
                parts.push(Part::new(Role::Object, "obl", other.before("case", adp("с"))));
                (someone(person), "познакомился", "познакомилась")
            }
            Event::Worked { person, at } | Event::Studied { person, at } => {
                let at = if is(Role::Object) {
                    noun("учреждении").before("det", det("каком"))
                } else {
                    institution(at, Case::Prepositional)
                };
                parts.push(Part::new(Role::Object, "obl", at.before("case", adp("в"))));
                match fact.event {
                    Event::Worked { .. } => (someone(person), "работал", "работала"),
                    _ => (someone(person), "учился", "училась"),
                }
            }
            Event::Created { person, work: made } => {
                if style.passive {
                    parts.push(agent(person));
                    let agreement =
                        if made.kind == WorkKind::Opera { Agreement::Feminine } else { Agreement::Masculine };
                    let participle = if made.kind == WorkKind::Film { "снят" } else { "написан" };
                    ((work(made, Case::Nominative), agreement), participle, "написана")
                } else {
                    parts.push(Part::new(Role::Object, "obj", work(made, Case::Accusative)));
                    match made.kind {
                        WorkKind::Film => (someone(person), "снял", "сняла"),
                        WorkKind::Novel | WorkKind::Opera => (someone(person), "написал", "написала"),
                    }
                }
            }
            Event::Founded { person, institution: founded } => {
                if style.passive {
                    parts.push(agent(person));
                    ((institution(founded, Case::Nominative), gender(founded.kind)), "основан", "основана")
                } else {
                    let founded = if is(Role::Object) {
                        noun("учреждение").before("det", det("какое"))
                    } else {
                        institution(founded, Case::Accusative)
                    };
                    parts.push(Part::new(Role::Object, "obj", founded));
                    (someone(person), "основал", "основала")
                }
            }
            Event::Closed { institution: closed, cause } => {
                if is(Role::Cause) {
                    parts.push(Part::new(Role::Cause, "advmod", adv("почему")));
                } else if let Some(cause) = cause {
                    let cause = noun(CAUSES[cause as usize]).role(Role::Cause).before("case", adp("из-за"));
                    parts.push(Part::new(Role::Cause, "obl", cause));
                }
                ((institution(closed, Case::Nominative), gender(closed.kind)), "закрылся", "закрылась")
            }
            Event::Opened { company: opener, count, thing } => {
                let forms = THINGS[thing as usize];
                let things = if is(Role::Count) {
                    noun(forms[2]).before("det", det("сколько"))
                } else {
                    noun(counted(count, forms)).before("nummod", num(count.to_string()).role(Role::Count))
                };
                parts.push(Part::new(Role::Count, "obj", things));
                let opener = if is(Role::Subject) {
                    noun("компания").before("det", det("какая"))
                } else {
                    company(opener, Role::Subject, "компания")
                };
                ((opener, Agreement::Feminine), "открыл", "открыла")
            }
            Event::Bought { company: buyer, target } => {
                if style.passive {
                    parts.push(Part::new(Role::Subject, "obl:agent", company(buyer, Role::Subject, "компанией")));
                    ((company(target, Role::Object, "компания"), Agreement::Feminine), "куплен", "куплена")
                } else {
                    let target = if is(Role::Object) {
                        noun("компанию").before("det", det("какую"))
                    } else {
                        company(target, Role::Object, "компанию")
                    };
                    parts.push(Part::new(Role::Object, "obj", target));
                    let buyer = if is(Role::Subject) {
                        noun("компания").before("det", det("какая"))
                    } else {
                        company(buyer, Role::Subject, "компания")
                    };
                    ((buyer, Agreement::Feminine), "купил", "купила")
                }
            }
        };
        circumstances(fact, asked, style, &mut parts);
        Self {
            subject: Some((if style.passive { "nsubj:pass" } else { "nsubj" }, subject)),
            auxiliary: style.passive.then(|| ("aux:pass", aux(agreement.choose("был", "была")))),
            head: verb(agreement.choose(masculine, feminine)),
            parts,
        }
    }
}

/// Place and year.
fn circumstances(fact: &Fact, asked: Option<Role>, style: Style, parts: &mut Vec<Part>) {
    let question = match fact.event {
        Event::Visited(_) => Part::new(Role::Place, "obj", noun("город").before("det", det("какой"))),
        Event::Moved { .. } => Part::new(Role::Place, "advmod", adv("куда")),
        _ => Part::new(Role::Place, "advmod", adv("где")),
    };
    if asked == Some(Role::Place) {
        parts.push(question);
    } else if let Some(told) = fact.place {
        parts.push(match fact.event {
            Event::Visited(_) => Part::new(Role::Place, "obj", place(told, Case::Accusative, Role::Place)),
            Event::Moved { .. } => Part::new(Role::Place, "obl", within(told, Case::Accusative)),
            _ => Part::new(Role::Place, "obl", within(told, Case::Prepositional)),
        });
    }
    if asked == Some(Role::Year) {
        parts.push(Part::new(Role::Year, "advmod", adv("когда")));
    } else if let Some(year) = fact.year {
        let form = if style.full_year { format!("{year}-м") } else { year.to_string() };
        let ordinal = Node::new(Upos::Adj, form).stem(4).role(Role::Year);
        parts.push(Part::new(Role::Year, "obl", noun("году").before("amod", ordinal).before("case", adp("в"))));
    }
}

/// The form of an accusative after a numeral.
fn counted(count: u16, forms: [&'static str; 3]) -> &'static str {
    match (count % 10, count % 100) {
        (_, 11..=14) => forms[2],
        (1, _) => forms[0],
        (2..=4, _) => forms[1],
        _ => forms[2],
    }
}

fn gender(kind: InstitutionKind) -> Agreement {
    match kind {
        InstitutionKind::University | InstitutionKind::Museum | InstitutionKind::Bank => Agreement::Masculine,
        InstitutionKind::Hospital | InstitutionKind::Library => Agreement::Feminine,
    }
}

/// Inanimate names have the accusative of the nominative; people never occur in the accusative.
fn name(person: Person, role: Role, case: Case) -> Node {
    let feminine = person.gender() == Gender::Feminine;
    propn(decline(NAMES.given[person.given], case, feminine))
        .after("flat", propn(decline(NAMES.family[person.family], case, feminine)))
        .mention(EntityType::Person)
        .role(role)
}

fn subject(person: Person, reference: Reference) -> Node {
    let (pronoun, column) = match person.gender() {
        Gender::Feminine => ("она", 0),
        Gender::Masculine => ("он", 1),
    };
    match reference {
        Reference::Name => name(person, Role::Subject, Case::Nominative),
        Reference::Titled => noun(NAMES.professions[person.profession().0][column])
            .after("appos", name(person, Role::Subject, Case::Nominative)),
        Reference::Pronoun => pron(pronoun),
    }
}

fn place_name(place: Place) -> &'static str {
    match place {
        Place::City(city) => NAMES.cities[city.0],
        Place::Country(country) => NAMES.countries[country.0],
    }
}

fn place(place: Place, case: Case, role: Role) -> Node {
    propn(decline(place_name(place), case, false)).mention(EntityType::Location).role(role)
}

/// "In" or "to", by the case.
fn within(told: Place, case: Case) -> Node {
    // The vowel eases the cluster.
    let preposition = if place_name(told).starts_with("Фр") { "во" } else { "в" };
    place(told, case, Role::Place).before("case", adp(preposition))
}

fn institution(institution: Institution, case: Case) -> Node {
    let forms = INSTITUTIONS[institution.kind as usize];
    let form = match case {
        Case::Accusative => forms[1],
        Case::Prepositional => forms[2],
        Case::Nominative | Case::Genitive | Case::Instrumental => forms[0],
    };
    noun(form)
        .after("nmod", propn(decline(NAMES.cities[institution.city.0], Case::Genitive, false)))
        .mention(EntityType::Organisation)
        .role(Role::Object)
}

/// The brand stays as it is; the noun before it takes the case.
fn company(company: Company, role: Role, noun_form: &str) -> Node {
    let brand = propn(NAMES.brands[company.0])
        .mention(EntityType::Organisation)
        .role(role)
        .before("punct", Node::opening("«"))
        .after("punct", Node::closing("»"));
    noun(noun_form).after("appos", brand)
}

fn work(work: Work, case: Case) -> Node {
    let [nominative, accusative] = WORKS[work.kind as usize];
    let form = if case == Case::Accusative { accusative } else { nominative };
    noun(form).after("appos", quoted_title("«", NAMES.titles[work.title], "»"))
}
