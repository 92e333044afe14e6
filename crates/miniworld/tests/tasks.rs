//! The examples: what the splits share, what the labels rest on, and that nothing gives the answers away.

use std::collections::{BTreeMap, HashMap, HashSet};

use miniworld::NliExample;
use miniworld::giveaway;
use miniworld::tasks::{
    ChoiceExample, ChoicePlan, Passage, Question, choices, facts, inferences, parallel, questions, sentences, tagged,
    told_plainly, trees,
};
use miniworld::world::{Event, Fact, Label, Person, Place, Pool, Role, brings_about, relation};
use miniworld::{Language, Style};
use spec::Split;

#[test]
fn splits_share_no_sentence_pattern_and_no_name() {
    let told = Split::ALL.map(|split| sentences(1, "splits", split, 300).unwrap());
    let patterns = told.each_ref().map(|told| {
        told.iter().map(|told| (told.style.front, told.style.passive, told.style.full_year)).collect::<HashSet<_>>()
    });
    let people = told.each_ref().map(|told| {
        let people: Vec<Person> = told.iter().filter_map(|told| told.fact.person()).collect();
        let given: HashSet<usize> = people.iter().map(|person| person.given).collect();
        let family: HashSet<usize> = people.iter().map(|person| person.family).collect();
        (given, family)
    });
    let countries = told.each_ref().map(|told| {
        let cities = told.iter().filter_map(|told| match (told.fact.event, told.fact.place) {
            (Event::Founded { institution, .. } | Event::Closed { institution, .. }, _) => {
                Some(institution.city.country())
            }
            (_, Some(miniworld::world::Place::City(city))) => Some(city.country()),
            _ => None,
        });
        cities.collect::<HashSet<_>>()
    });
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        assert!(patterns[one].is_disjoint(&patterns[other]));
        assert!(people[one].0.is_disjoint(&people[other].0) && people[one].1.is_disjoint(&people[other].1));
        assert!(countries[one].is_disjoint(&countries[other]));
    }
}

#[test]
fn the_same_seed_tells_the_same_and_another_does_not() {
    let draw = |seed| sentences(seed, "seed", Split::Train, 50).unwrap();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

#[test]
fn labels_are_what_the_world_says_and_balanced() {
    for split in Split::ALL {
        let plans = inferences(1, "labels", split, 300).unwrap();
        let mut counts = BTreeMap::new();
        for plan in &plans {
            let premise: Vec<Fact> = plan.premise.iter().map(|told| told.fact).collect();
            assert_eq!(relation(&premise, &plan.hypothesis), plan.label);
            assert!(premise.iter().all(Fact::sensible), "{premise:?}");
            *counts.entry(plan.label).or_insert(0) += 1;
        }
        assert_eq!(counts.into_values().collect::<Vec<_>>(), [100, 100, 100]);
    }
}

#[test]
fn logic_knows_places_times_and_roles() {
    let pool = Pool::all();
    let mut draw = miniworld::world::Draw::new(1, "logic");
    let person = pool.person(&mut draw);
    let city = pool.city(&mut draw);
    let other = pool.another_city(&mut draw, city);
    use miniworld::world::Place::{City, Country};
    let born = |place, year| Fact { event: Event::Born(person), place, year };
    let is = |premise: Fact, hypothesis: Fact| relation(&[premise], &hypothesis);
    let told = born(Some(City(city)), Some(1950));
    assert_eq!(is(told, born(Some(Country(city.country())), None)), Label::Entailment);
    assert_eq!(is(told, born(Some(City(other)), None)), Label::Contradiction);
    assert_eq!(is(told, born(None, Some(1951))), Label::Contradiction);
    // The country does not say which city, and the place does not say the year.
    assert_eq!(is(born(Some(Country(city.country())), None), born(Some(City(city)), None)), Label::Neutral);
    assert_eq!(is(born(Some(City(city)), None), born(None, Some(1950))), Label::Neutral);
    let visited = |year| Fact { event: Event::Visited(person), place: Some(City(other)), year: Some(year) };
    assert_eq!(is(told, visited(1949)), Label::Contradiction);
    assert_eq!(is(told, visited(1990)), Label::Neutral);
    let (one, two) = (miniworld::world::Company(1), miniworld::world::Company(2));
    let bought = |company, target| Fact { event: Event::Bought { company, target }, place: None, year: None };
    assert_eq!(is(bought(one, two), bought(two, one)), Label::Contradiction);
    assert_eq!(is(bought(one, two), bought(one, two)), Label::Entailment);
}

#[test]
fn answers_stand_where_they_are_said_to_in_every_language() {
    for split in Split::ALL {
        let plans = questions(1, "answers", split, 60).unwrap();
        assert!(plans.iter().all(|plan| plan.paragraph().iter().all(|told| told.fact.sensible())));
        for language in Language::ALL {
            for plan in &plans {
                let row = plan.say(language).expect("a told fact");
                let answer = &row.answers[0];
                let length = answer.text.chars().count();
                let found: String = row.context.chars().skip(answer.start).take(length).collect();
                assert!(length > 0 && found == answer.text, "{}: {}", row.question, answer.text);
                if plan.asked() == Role::Year {
                    assert!(answer.text.starts_with(['1', '2']), "{}", answer.text);
                }
            }
        }
    }
}

#[test]
fn questions_ask_for_every_kind_of_answer() {
    let plans = questions(1, "kinds", Split::Train, 300).unwrap();
    let asked: HashSet<Role> = plans.iter().map(|plan| plan.asked()).collect();
    assert_eq!(asked.len(), 7, "{asked:?}");
}

/// Every fact that the passages tell or ask about, without its year.
fn told_in(passages: &[Passage]) -> Vec<Fact> {
    let facts = passages.iter().flat_map(|passage| match passage {
        Passage::Telling(told) => told.iter().map(|told| told.fact).collect(),
        Passage::Asking(fact, _) => vec![*fact],
    });
    facts.map(|fact| Fact { year: None, ..fact }).collect()
}

#[test]
fn what_is_held_out_is_told_nowhere_else() {
    let plan = parallel(1, [50, 50], [2000, 60, 70]).unwrap();
    let pairs = plan.pairs.each_ref().map(|told| told_in(&[Passage::Telling(told.clone())]));
    let [train, validation, test] = plan.text.each_ref().map(|passages| told_in(passages));
    let held_out: Vec<Fact> = pairs.into_iter().chain([validation, test]).flatten().collect();
    assert_eq!(held_out.len(), 50 + 50 + 60 + 70);
    let different: HashSet<Fact> = held_out.iter().copied().collect();
    assert_eq!(different.len(), held_out.len());
    assert!(train.len() >= 2000 && train.iter().all(|fact| !different.contains(fact)));
    // Without holding out there would be something to find: the world is small.
    let other = parallel(2, [50, 50], [20_000, 60, 70]).unwrap();
    assert!(told_in(&other.text[0]).iter().any(|fact| different.contains(fact)));
}

#[test]
fn text_has_every_row_in_every_language() {
    let plan = parallel(1, [5, 5], [1500, 20, 20]).unwrap();
    assert!(plan.text[0].iter().any(|passage| matches!(passage, Passage::Asking(..))));
    for passage in plan.text.iter().flatten() {
        for language in Language::ALL {
            let text = passage.text(language);
            assert!(text.is_some_and(|text| !text.is_empty()), "{} {passage:?}", language.code());
        }
    }
}

#[test]
fn lists_of_facts_are_the_same_in_every_language_and_tell_all() {
    let plan = facts(1, "facts", Split::Test, 200).unwrap();
    let english = told_plainly(Language::English, Split::Test, &plan);
    for language in Language::ALL {
        let rows = told_plainly(language, Split::Test, &plan);
        assert!(rows.iter().zip(&english).all(|(row, other)| (&row.id, &row.facts) == (&other.id, &other.facts)));
    }
    assert!(english.iter().map(|row| &row.facts).collect::<HashSet<_>>().len() == english.len());
    for row in &english {
        assert!(!row.text.contains('\t') && !row.facts.contains('\t'));
        // Every name and number of the list is in the English sentence.
        for value in row.facts.split("; ").filter_map(|pair| pair.split_once('=')) {
            let told = matches!(value.0, "event" | "gender" | "institution" | "work") || row.text.contains(value.1);
            assert!(told, "{value:?}: {}", row.text);
        }
    }
}

fn pairs(split: Split, count: usize, language: Language) -> Vec<NliExample> {
    let purpose = format!("nli {}", split.as_str());
    inferences(1, &purpose, split, count).unwrap().iter().map(|plan| plan.say(language, 0)).collect()
}

#[test]
fn hypotheses_and_shared_words_give_little_away() {
    for language in [Language::English, Language::Turkish, Language::Chinese] {
        // Within one split too: with train and test apart, unseen names alone would keep a model from the labels.
        let (train, test) = (pairs(Split::Train, 1500, language), pairs(Split::Test, 300, language));
        let (first, second) = train.split_at(1000);
        for (train, test) in [(&train[..], &test[..]), (first, second)] {
            let hypothesis = giveaway::hypothesis_only(train, test);
            assert!(hypothesis <= 0.40, "{}: hypothesis only {hypothesis}", language.code());
            let overlap = giveaway::word_overlap(train, test);
            assert!(overlap <= 0.70, "{}: overlap {overlap}", language.code());
        }
    }
}

#[test]
fn the_overlap_check_would_see_a_give_away() {
    // If every false hypothesis lacked a word of its premise, the check would have to find out.
    let pair = |hypothesis: &str, label: Label| NliExample {
        id: String::new(),
        premise: "Anna was born in Rome.".to_owned(),
        hypothesis: hypothesis.to_owned(),
        label: label.number(),
    };
    let rows: Vec<NliExample> = (0..40)
        .flat_map(|_| {
            [pair("Anna was born.", Label::Entailment), pair("Anna was born in Paris.", Label::Contradiction)]
        })
        .collect();
    assert!(giveaway::word_overlap(&rows, &rows) > 0.99);
    assert!(giveaway::hypothesis_only(&rows, &rows) > 0.99);
}

#[test]
fn first_and_longest_names_rarely_answer() {
    let plans = questions(1, "qa test", Split::Test, 150).unwrap();
    for language in Language::ALL {
        let rows: Vec<_> =
            plans.iter().map(|plan| (plan.say(language).expect("a told fact"), plan.mentions(language))).collect();
        let (first, longest) = (giveaway::first_entity(&rows), giveaway::longest_entity(&rows));
        assert!(first < 0.25 && longest < 0.25, "{}: first {first}, longest {longest}", language.code());
    }
}

#[test]
fn the_usual_tag_of_a_word_finds_few_new_names() {
    let told = |split: Split, count| sentences(1, &format!("ner {}", split.as_str()), split, count).unwrap();
    let (train, test) = (told(Split::Train, 1000), told(Split::Test, 200));
    for language in Language::ALL {
        let score = giveaway::majority_tag(&tagged(language, &train), &tagged(language, &test));
        assert!(score < 0.5, "{}: {score}", language.code());
    }
    // The score itself works: with the names known, it is far from nothing.
    let english = tagged(Language::English, &train);
    assert!(giveaway::majority_tag(&english, &english) > 0.3);
}

#[test]
fn trees_have_one_root_no_cycle_and_universal_labels() {
    const PARTS: [&str; 17] = [
        "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ",
        "SYM", "VERB", "X",
    ];
    const RELATIONS: [&str; 37] = [
        "acl",
        "advcl",
        "advmod",
        "amod",
        "appos",
        "aux",
        "case",
        "cc",
        "ccomp",
        "clf",
        "compound",
        "conj",
        "cop",
        "csubj",
        "dep",
        "det",
        "discourse",
        "dislocated",
        "expl",
        "fixed",
        "flat",
        "goeswith",
        "iobj",
        "list",
        "mark",
        "nmod",
        "nsubj",
        "nummod",
        "obj",
        "obl",
        "orphan",
        "parataxis",
        "punct",
        "reparandum",
        "root",
        "vocative",
        "xcomp",
    ];
    let told: Vec<_> = Split::ALL.into_iter().flat_map(|split| sentences(1, "trees", split, 150).unwrap()).collect();
    for language in Language::ALL {
        let rows = trees(language, &told, "all");
        assert_eq!(rows, trees(language, &told, "all"));
        for (row, told) in rows.iter().zip(&told) {
            let length = row.words.len();
            assert_eq!([row.upos.len(), row.heads.len(), row.relations.len()], [length; 3]);
            assert_eq!(row.words.concat(), told.text(language).replace(' ', ""));
            assert!(row.upos.iter().all(|part| PARTS.contains(part)), "{row:?}");
            let universal = |relation: &str| RELATIONS.contains(&relation.split(':').next().unwrap_or(relation));
            assert!(row.relations.iter().all(|relation| universal(relation)), "{row:?}");
            let roots = (0..length).filter(|&at| row.heads[at] == 0);
            assert!(roots.map(|at| row.relations[at]).eq(["root"]), "{row:?}");
            for start in 0..length {
                let mut at = start + 1;
                let steps = (0..length).take_while(|_| {
                    at = row.heads[at - 1];
                    at != 0
                });
                assert!(steps.count() < length, "{row:?}");
            }
        }
    }
}

#[test]
fn usual_parts_and_heads_are_far_from_all() {
    let told = |split: Split, count| sentences(1, &format!("pos {split}"), split, count).unwrap();
    let (train, test) = (told(Split::Train, 1000), told(Split::Test, 200));
    for language in Language::ALL {
        let (train, test) = (trees(language, &train, "train"), trees(language, &test, "test"));
        let (part, head) = (giveaway::usual_part(&train, &test), giveaway::usual_head(&train, &test));
        assert!((0.5..1.0).contains(&part), "{}: {part}", language.code());
        assert!((0.1..0.7).contains(&head), "{}: {head}", language.code());
        assert!(giveaway::usual_part(&train, &train) > 0.9, "{}", language.code());
    }
}

fn asked(split: Split, count: usize) -> Vec<ChoicePlan> {
    choices(1, &format!("choice {split}"), split, count).unwrap()
}

fn told_choices(plans: &[ChoicePlan], language: Language) -> Vec<ChoiceExample> {
    plans.iter().enumerate().map(|(row, plan)| plan.say(language, format!("row-{row}"))).collect()
}

#[test]
fn the_right_choice_is_a_cause_or_an_effect_and_the_wrong_one_is_not() {
    for split in Split::ALL {
        for plan in asked(split, 200) {
            let follows = |choice: &Fact| {
                plan.premise.iter().any(|told| match plan.question {
                    Question::Cause => brings_about(choice, &told.fact),
                    Question::Effect => brings_about(&told.fact, choice),
                })
            };
            assert_eq!(plan.choices.each_ref().map(follows), [plan.label == 0, plan.label == 1], "{plan:?}");
            assert!(plan.premise.iter().map(|told| told.fact).chain(plan.choices).all(|fact| fact.sensible()));
            assert!(plan.choices.iter().all(|choice| choice.year.is_none()));
        }
    }
}

#[test]
fn causes_do_not_come_after_effects_nor_without_a_law() {
    let pool = Pool::all();
    let mut draw = miniworld::world::Draw::new(1, "causes");
    let person = pool.person(&mut draw);
    let here = pool.city(&mut draw);
    let there = pool.another_city(&mut draw, here);
    let moved = |year| {
        let event = Event::Moved { person, from: Some(here) };
        Fact { event, place: Some(Place::City(there)), year: Some(year) }
    };
    let died = |city, year| Fact { event: Event::Died(person), place: Some(Place::City(city)), year: Some(year) };
    assert!(brings_about(&moved(1950), &died(there, 1950)));
    assert!(!brings_about(&moved(1950), &died(there, 1949)));
    assert!(!brings_about(&moved(1950), &died(here, 1960)));
    assert!(!brings_about(&died(there, 1960), &moved(1950)));
}

#[test]
fn every_two_choices_come_twice_each_right_once() {
    for split in Split::ALL {
        let plans = asked(split, 200);
        let mut labels: HashMap<_, Vec<u8>> = HashMap::new();
        for plan in &plans {
            labels.entry((plan.question, plan.choices)).or_default().push(plan.label);
        }
        for (choices, mut labels) in labels {
            labels.sort();
            let half = labels.len() / 2;
            assert_eq!(labels, [vec![0; half], vec![1; half]].concat(), "{choices:?}");
        }
        let effects = plans.iter().filter(|plan| plan.question == Question::Effect).count();
        assert!((70..=130).contains(&effects), "{effects}");
        let rows: HashSet<_> = plans
            .iter()
            .map(|plan| {
                let mut premise: Vec<String> = plan.premise.iter().map(|told| told.text(Language::English)).collect();
                premise.sort();
                (premise, plan.question, plan.choices)
            })
            .collect();
        assert_eq!(rows.len(), plans.len());
    }
}

#[test]
fn choices_are_the_same_in_every_language_and_from_the_same_seed() {
    let plans = asked(Split::Test, 150);
    let english = told_choices(&plans, Language::English);
    assert_eq!(told_choices(&asked(Split::Test, 150), Language::English), english);
    let other = choices(2, "choice test", Split::Test, 150).unwrap();
    assert_ne!(told_choices(&other, Language::English), english);
    for language in Language::ALL {
        for (row, other) in told_choices(&plans, language).iter().zip(&english) {
            assert_eq!((&row.id, row.question, row.label), (&other.id, other.question, other.label));
            assert!(row.choices[0] != row.choices[1] && !row.premise.is_empty(), "{row:?}");
        }
    }
}

/// Every name that the facts of a split tell, by kind; cities by their countries.
fn names(plans: &[ChoicePlan]) -> HashSet<(&'static str, usize)> {
    let mut names = HashSet::new();
    for fact in plans.iter().flat_map(|plan| plan.premise.iter().map(|told| told.fact).chain(plan.choices)) {
        let (other, companies, cities) = match fact.event {
            Event::Moved { from, .. } => (None, vec![], vec![from]),
            Event::Met { other, .. } => (Some(other), vec![], vec![]),
            Event::Inherited { from, .. } => (Some(from), vec![], vec![]),
            Event::Worked { at, .. } | Event::Studied { at, .. } => (None, vec![], vec![Some(at.city)]),
            Event::Founded { institution, .. } | Event::Closed { institution, .. } => {
                (None, vec![], vec![Some(institution.city)])
            }
            Event::Opened { company, .. } | Event::Failed(company) => (None, vec![company], vec![]),
            Event::Bought { company, target } | Event::Owned { owner: company, target } => {
                (None, vec![company, target], vec![])
            }
            _ => (None, vec![], vec![]),
        };
        for person in fact.person().into_iter().chain(other) {
            names.extend([("given", person.given), ("family", person.family)]);
        }
        names.extend(companies.iter().map(|company| ("brand", company.0)));
        names.extend(cities.iter().flatten().map(|city| ("country", city.country().0)));
        if let Some(Place::City(city)) = fact.place {
            names.insert(("country", city.country().0));
        }
    }
    names
}

#[test]
fn choices_of_different_splits_share_no_name_and_no_pattern() {
    let plans = Split::ALL.map(|split| asked(split, 300));
    let names = plans.each_ref().map(|plans| names(plans));
    let patterns = plans.each_ref().map(|plans| {
        let told = plans.iter().flat_map(|plan| &plan.premise);
        told.map(|told| (told.style.front, told.style.passive, told.style.full_year)).collect::<HashSet<_>>()
    });
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        assert!(names[one].is_disjoint(&names[other]));
        assert!(patterns[one].is_disjoint(&patterns[other]));
    }
    assert!(["given", "family", "brand", "country"].iter().all(|kind| names[1].iter().any(|name| name.0 == *kind)));
}

#[test]
fn choices_and_shared_words_give_little_away() {
    let (train, test) = (asked(Split::Train, 1500), asked(Split::Test, 300));
    // Within one split too: with train and test apart, unseen names alone would keep a model from the labels.
    // Whoever knows one of two rows with the same choices knows the other, so that they stay together.
    let mut known = HashMap::new();
    let (first, second): (Vec<_>, Vec<_>) = train.iter().cloned().partition(|plan| {
        let next = known.len();
        known.entry((plan.question, plan.choices)).or_insert(next).is_multiple_of(2)
    });
    for language in Language::ALL {
        let [train, test, first, second] = [&train, &test, &first, &second].map(|plans| told_choices(plans, language));
        for (train, test) in [(&train, &test), (&first, &second)] {
            let alone = giveaway::choices_only(train, test);
            assert!((0.4..=0.6).contains(&alone), "{}: choices only {alone}", language.code());
            let overlap = giveaway::choice_overlap(train, test);
            assert!(overlap <= 0.65, "{}: overlap {overlap}", language.code());
        }
    }
}

#[test]
fn the_choice_checks_would_see_a_give_away() {
    let row = |city: &str, label: u8| ChoiceExample {
        id: String::new(),
        premise: format!("The Museum of {city} closed."),
        question: "cause",
        choices: ["There was a fire in Rome.", "There was a fire in Paris."].map(str::to_owned),
        label,
    };
    let shared = [row("Rome", 0), row("Paris", 1)];
    assert_eq!((giveaway::choices_only(&shared, &shared), giveaway::choice_overlap(&shared, &shared)), (0.5, 1.0));
    let known = [row("Cairo", 0), row("Lima", 0)];
    assert_eq!((giveaway::choices_only(&known, &known), giveaway::choice_overlap(&known, &known)), (1.0, 0.5));
}

#[test]
fn a_style_settles_for_what_a_fact_can_say() {
    let fact = Fact { event: Event::Practised(Person { given: 0, family: 0 }), place: None, year: None };
    let wished = Style { front: miniworld::Front::Year, passive: true, ..Style::PLAIN };
    assert_eq!(wished.settled(&fact), Style::PLAIN);
}
