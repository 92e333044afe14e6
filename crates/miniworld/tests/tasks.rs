//! The examples: what the splits share, what the labels rest on, and that nothing gives the answers away.

use std::collections::{BTreeMap, HashSet};

use miniworld::giveaway;
use miniworld::tasks::{Inference, ParallelPlan, Told, inferences, parallel, questions, sentences, tagged};
use miniworld::world::{Event, Fact, Label, Person, Pool, Role, Split, relation};
use miniworld::{Language, Style};

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
                let length = row.answer.text.chars().count();
                let found: String = row.context.chars().skip(row.answer.start).take(length).collect();
                assert!(length > 0 && found == row.answer.text, "{}: {}", row.question, row.answer.text);
                if plan.asked() == Role::Year {
                    assert!(row.answer.text.starts_with(['1', '2']), "{}", row.answer.text);
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

#[test]
fn retrieval_pairs_are_not_told_in_the_text() {
    let plan = parallel(1, 50, 50, 2000).unwrap();
    let text: Vec<String> = plan.text(Language::English);
    let pairs = |told: &[Told]| ParallelPlan::pairs(told, Language::English);
    let held_out: HashSet<String> = pairs(&plan.validation).into_iter().chain(pairs(&plan.test)).collect();
    assert_eq!(held_out.len(), 100);
    assert!(text.iter().all(|row| held_out.iter().all(|sentence| !row.contains(sentence.as_str()))));
    for language in Language::ALL {
        assert_eq!(plan.text(language).len(), text.len(), "{}", language.code());
    }
}

fn pairs(split: Split, count: usize, language: Language) -> Vec<Inference> {
    let purpose = format!("nli {}", split.as_str());
    inferences(1, &purpose, split, count).unwrap().iter().map(|plan| plan.say(language)).collect()
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
    let pair = |hypothesis: &str, label| Inference {
        premise: "Anna was born in Rome.".to_owned(),
        hypothesis: hypothesis.to_owned(),
        label,
    };
    let rows: Vec<Inference> = (0..40)
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
