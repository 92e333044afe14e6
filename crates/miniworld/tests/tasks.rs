//! The examples: what the splits share, what the labels rest on, and that nothing gives the answers away.

use std::collections::{BTreeMap, HashSet};

use data::NliExample;
use miniworld::giveaway;
use miniworld::tasks::{Passage, facts, inferences, parallel, questions, sentences, tagged, told_plainly};
use miniworld::world::{Event, Fact, Label, Person, Pool, Role, relation};
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
fn a_style_settles_for_what_a_fact_can_say() {
    let fact = Fact { event: Event::Practised(Person { given: 0, family: 0 }), place: None, year: None };
    let wished = Style { front: miniworld::Front::Year, passive: true, ..Style::PLAIN };
    assert_eq!(wished.settled(&fact), Style::PLAIN);
}
