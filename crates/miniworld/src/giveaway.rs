//! What models reach that cannot have understood anything: the scores a real encoder has to leave behind.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use crate::examples::{NerExample, NliExample, QaExample};

use crate::tasks::{ChoiceExample, TreeExample};
use crate::tree::Span;

/// A question and the spans of all mentions in its context.
pub type MentionedQuestion = (QaExample, Vec<Span>);

/// What such models reach on the test split of one language.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// Accuracy; chance is 1/3.
    pub hypothesis_only: f64,
    /// Accuracy; chance is 1/3.
    pub word_overlap: f64,
    /// Exact match.
    pub first_entity: f64,
    /// Exact match.
    pub longest_entity: f64,
    /// Strict F1.
    pub majority_tag: f64,
    /// Accuracy over words.
    pub usual_part: f64,
    /// Labelled attachment over words.
    pub usual_head: f64,
    /// Accuracy; chance is 1/2.
    pub choices_only: f64,
    /// Accuracy; chance is 1/2.
    pub choice_overlap: f64,
}

impl Scores {
    /// Each task's train, validation and test split.
    pub fn of(
        ner: &[Vec<NerExample>; 3],
        nli: &[Vec<NliExample>; 3],
        qa: &[Vec<MentionedQuestion>; 3],
        trees: &[Vec<TreeExample>; 3],
        choice: &[Vec<ChoiceExample>; 3],
    ) -> Self {
        let ([tagged, _, unseen], [pairs, _, new], [_, _, questions]) = (ner, nli, qa);
        let ([parsed, _, unparsed], [chosen, _, open]) = (trees, choice);
        Self {
            hypothesis_only: hypothesis_only(pairs, new),
            word_overlap: word_overlap(pairs, new),
            first_entity: first_entity(questions),
            longest_entity: longest_entity(questions),
            majority_tag: majority_tag(tagged, unseen),
            usual_part: usual_part(parsed, unparsed),
            usual_head: usual_head(parsed, unparsed),
            choices_only: choices_only(chosen, open),
            choice_overlap: choice_overlap(chosen, open),
        }
    }
}

/// Words in lower case without punctuation; characters where the text has no spaces.
fn words(text: &str) -> Vec<String> {
    let spaced = text.contains(' ');
    let plain: String = text.chars().map(|letter| if letter.is_alphanumeric() { letter } else { ' ' }).collect();
    if spaced {
        plain.split_whitespace().map(str::to_lowercase).collect()
    } else {
        plain.chars().filter(|letter| *letter != ' ').map(String::from).collect()
    }
}

/// Words and word pairs.
fn grams(text: &str) -> Vec<String> {
    let words = words(text);
    let pairs: Vec<String> = words.windows(2).map(|pair| pair.join(" ")).collect();
    words.into_iter().chain(pairs).collect()
}

/// Accuracy on `test` of a naive Bayes classifier over the words and word pairs of the hypothesis alone.
pub fn hypothesis_only(train: &[NliExample], test: &[NliExample]) -> f64 {
    let mut counts: HashMap<String, [f64; 3]> = HashMap::new();
    let mut totals = [0.0; 3];
    for pair in train {
        for gram in grams(&pair.hypothesis) {
            counts.entry(gram).or_default()[usize::from(pair.label)] += 1.0;
            totals[usize::from(pair.label)] += 1.0;
        }
    }
    // Add one half: a common choice between none and Laplace's one.
    let vocabulary = counts.len() as f64;
    accuracy(test, |pair| {
        let mut scores = [0.0; 3];
        for count in grams(&pair.hypothesis).iter().filter_map(|gram| counts.get(gram)) {
            for label in 0..3 {
                scores[label] += ((count[label] + 0.5) / (totals[label] + 0.5 * vocabulary)).ln();
            }
        }
        scores
    })
}

const FEATURES: usize = 12;

/// What the two bags of words share: how many words of the hypothesis the premise lacks, whether figures are among them, and lengths.
fn overlap(pair: &NliExample) -> [f64; FEATURES] {
    let (premise, hypothesis) = (words(&pair.premise), words(&pair.hypothesis));
    let missing: Vec<&String> = hypothesis.iter().filter(|word| !premise.contains(word)).collect();
    let share = missing.len() as f64 / hypothesis.len().max(1) as f64;
    let figures = missing.iter().any(|word| word.starts_with(|letter: char| letter.is_ascii_digit()));
    let flag = |value: bool| if value { 1.0 } else { 0.0 };
    [
        1.0,
        share,
        share * share,
        flag(missing.is_empty()),
        flag(missing.len() == 1),
        flag(missing.len() == 2),
        flag(missing.len() == 3),
        flag(figures),
        flag(premise.len() < 13),
        premise.len() as f64 / 20.0,
        hypothesis.len() as f64 / 10.0,
        (premise.len() as f64 - hypothesis.len() as f64) / 20.0,
    ]
}

/// Accuracy on `test` of a multinomial logistic regression over what the two bags of words share.
pub fn word_overlap(train: &[NliExample], test: &[NliExample]) -> f64 {
    let rows: Vec<([f64; FEATURES], usize)> =
        train.iter().map(|pair| (overlap(pair), usize::from(pair.label))).collect();
    let mut weights = [[0.0; FEATURES]; 3];
    for _ in 0..400 {
        let mut gradient = [[0.0; FEATURES]; 3];
        for (features, label) in &rows {
            let scores = linear(&weights, features);
            let greatest = scores.iter().copied().fold(f64::MIN, f64::max);
            let exponentials = scores.map(|score| (score - greatest).exp());
            let sum: f64 = exponentials.iter().sum();
            for class in 0..3 {
                let error = exponentials[class] / sum - if class == *label { 1.0 } else { 0.0 };
                for (slot, feature) in gradient[class].iter_mut().zip(features) {
                    *slot += error * feature;
                }
            }
        }
        for (row, slopes) in weights.iter_mut().zip(&gradient) {
            for (weight, slope) in row.iter_mut().zip(slopes) {
                *weight -= 1.5 * slope / rows.len() as f64;
            }
        }
    }
    accuracy(test, |pair| linear(&weights, &overlap(pair)))
}

fn linear(weights: &[[f64; FEATURES]; 3], features: &[f64; FEATURES]) -> [f64; 3] {
    weights.each_ref().map(|row| row.iter().zip(features).map(|(weight, feature)| weight * feature).sum())
}

/// The share of pairs whose label has the highest score.
fn accuracy(test: &[NliExample], score: impl Fn(&NliExample) -> [f64; 3]) -> f64 {
    let right = test.iter().filter(|pair| {
        let scores = score(pair);
        let best = (0..3u8).max_by(|one, other| scores[usize::from(*one)].total_cmp(&scores[usize::from(*other)]));
        best == Some(pair.label)
    });
    right.count() as f64 / test.len().max(1) as f64
}

/// Share of questions that the first mention of the context answers exactly.
pub fn first_entity(questions: &[MentionedQuestion]) -> f64 {
    exact(questions, |spans| spans.first())
}

/// Share of questions that the longest mention of the context answers exactly.
pub fn longest_entity(questions: &[MentionedQuestion]) -> f64 {
    exact(questions, |spans| spans.iter().rev().max_by_key(|span| span.text.chars().count()))
}

fn exact(questions: &[MentionedQuestion], choose: impl Fn(&[Span]) -> Option<&Span>) -> f64 {
    let right = questions.iter().filter(|(question, spans)| {
        choose(spans).is_some_and(|span| question.answers.iter().any(|answer| answer.text == span.text))
    });
    right.count() as f64 / questions.len().max(1) as f64
}

/// Strict F1 over mentions of giving every word the tag it most often has in `train` (O if unknown).
pub fn majority_tag(train: &[NerExample], test: &[NerExample]) -> f64 {
    // Ordered, so that ties between tags do not hang on hashing.
    let mut counts: HashMap<&str, BTreeMap<u8, usize>> = HashMap::new();
    for row in train {
        for (token, tag) in row.words.iter().zip(&row.tags) {
            *counts.entry(token).or_default().entry(*tag).or_default() += 1;
        }
    }
    let guess = |token: &String| {
        counts
            .get(token.as_str())
            .and_then(|tags| tags.iter().max_by_key(|(_, count)| **count))
            .map_or(0, |(tag, _)| *tag)
    };
    let (mut right, mut found, mut wanted) = (0usize, 0usize, 0usize);
    for row in test {
        let predicted: Vec<u8> = row.words.iter().map(guess).collect();
        let (gold, guessed) = (mentions(&row.tags), mentions(&predicted));
        right += guessed.iter().filter(|mention| gold.contains(mention)).count();
        found += guessed.len();
        wanted += gold.len();
    }
    2.0 * right as f64 / (found + wanted).max(1) as f64
}

/// Accuracy over words of giving every word the part of speech it most often has in `train` (a name if unknown).
pub fn usual_part(train: &[TreeExample], test: &[TreeExample]) -> f64 {
    let usual = usual(train, |row, at| (row.words[at].as_str(), row.upos[at]));
    over_words(test, |row, at| usual.get(row.words[at].as_str()).copied().unwrap_or("PROPN") == row.upos[at])
}

/// The share of words whose head and relation are those that words of their part of speech most often have in `train`, the
/// head being told by how far off it is and the part of speech being known.
pub fn usual_head(train: &[TreeExample], test: &[TreeExample]) -> f64 {
    let attached = |row: &TreeExample, at: usize| {
        let distance = (row.heads[at] != 0).then(|| row.heads[at].abs_diff(at + 1));
        (distance, row.heads[at] > at, row.relations[at])
    };
    let usual = usual(train, |row, at| (row.upos[at], attached(row, at)));
    over_words(test, |row, at| usual.get(row.upos[at]) == Some(&attached(row, at)))
}

/// What each key most often goes with.
fn usual<'a, V: Ord + Copy>(
    rows: &'a [TreeExample],
    pair: impl Fn(&'a TreeExample, usize) -> (&'a str, V),
) -> HashMap<&'a str, V> {
    // Ordered, so that ties do not hang on hashing.
    let mut counts: HashMap<&str, BTreeMap<V, usize>> = HashMap::new();
    for row in rows {
        for at in 0..row.words.len() {
            let (key, value) = pair(row, at);
            *counts.entry(key).or_default().entry(value).or_default() += 1;
        }
    }
    let most = |values: BTreeMap<V, usize>| values.into_iter().max_by_key(|(_, count)| *count).map(|(value, _)| value);
    counts.into_iter().filter_map(|(key, values)| Some((key, most(values)?))).collect()
}

fn over_words(rows: &[TreeExample], right: impl Fn(&TreeExample, usize) -> bool) -> f64 {
    let words: usize = rows.iter().map(|row| row.words.len()).sum();
    let found: usize = rows.iter().map(|row| (0..row.words.len()).filter(|&at| right(row, at)).count()).sum();
    found as f64 / words.max(1) as f64
}

/// Accuracy on `test` of taking the choice that a naive Bayes classifier finds likelier to be right, over the words and word
/// pairs of a choice and what is asked, without the premise.
pub fn choices_only(train: &[ChoiceExample], test: &[ChoiceExample]) -> f64 {
    let grams = |row: &ChoiceExample, choice: usize| -> Vec<String> {
        grams(&row.choices[choice]).into_iter().map(|gram| format!("{} {gram}", row.question)).collect()
    };
    // How often each is in a wrong and in a right choice.
    let mut counts: HashMap<String, [f64; 2]> = HashMap::new();
    let mut totals = [0.0; 2];
    for row in train {
        for choice in 0..2 {
            let right = usize::from(usize::from(row.label) == choice);
            for gram in grams(row, choice) {
                counts.entry(gram).or_default()[right] += 1.0;
                totals[right] += 1.0;
            }
        }
    }
    let vocabulary = counts.len() as f64;
    taken(test, |row, choice| {
        let known = grams(row, choice);
        let share = |count: &[f64; 2], right: usize| (count[right] + 0.5) / (totals[right] + 0.5 * vocabulary);
        known.iter().filter_map(|gram| counts.get(gram)).map(|count| (share(count, 1) / share(count, 0)).ln()).sum()
    })
}

const CHOICE_FEATURES: usize = 14;

/// What premise and choice share, once for each question, so that causes may be chosen otherwise than effects.
fn shared(row: &ChoiceExample, choice: usize) -> [f64; CHOICE_FEATURES] {
    let (premise, choice) = (words(&row.premise), words(&row.choices[choice]));
    let missing = choice.iter().filter(|word| !premise.contains(word)).count();
    let share = missing as f64 / choice.len().max(1) as f64;
    let flag = |value: bool| if value { 1.0 } else { 0.0 };
    let counted = [
        share,
        share * share,
        missing as f64 / 5.0,
        flag(missing == 0),
        flag(missing == 1),
        flag(missing == 2),
        choice.len() as f64 / 10.0,
    ];
    let offset = if row.question == "cause" { 0 } else { counted.len() };
    let mut features = [0.0; CHOICE_FEATURES];
    features[offset..offset + counted.len()].copy_from_slice(&counted);
    features
}

/// Accuracy on `test` of taking the choice that a logistic regression over what the bags of words of premise and choice share
/// finds likelier to be right.
pub fn choice_overlap(train: &[ChoiceExample], test: &[ChoiceExample]) -> f64 {
    // What the right choice has more of than the wrong one.
    let rows: Vec<[f64; CHOICE_FEATURES]> = train
        .iter()
        .map(|row| {
            let (right, wrong) = (usize::from(row.label), usize::from(1 - row.label));
            let (right, wrong) = (shared(row, right), shared(row, wrong));
            std::array::from_fn(|at| right[at] - wrong[at])
        })
        .collect();
    let product = |weights: &[f64; CHOICE_FEATURES], features: &[f64; CHOICE_FEATURES]| -> f64 {
        weights.iter().zip(features).map(|(weight, feature)| weight * feature).sum()
    };
    let mut weights = [0.0; CHOICE_FEATURES];
    for _ in 0..400 {
        let mut gradient = [0.0; CHOICE_FEATURES];
        for row in &rows {
            let error = 1.0 / (1.0 + product(&weights, row).exp());
            for (slot, feature) in gradient.iter_mut().zip(row) {
                *slot += error * feature;
            }
        }
        for (weight, slope) in weights.iter_mut().zip(&gradient) {
            *weight += 1.5 * slope / rows.len().max(1) as f64;
        }
    }
    taken(test, |row, choice| product(&weights, &shared(row, choice)))
}

/// The share of rows whose right choice has the higher score; half a row where both score alike.
fn taken(rows: &[ChoiceExample], score: impl Fn(&ChoiceExample, usize) -> f64) -> f64 {
    let right = rows.iter().map(|row| {
        let scores = [0, 1].map(|choice| score(row, choice));
        let (right, wrong) = (scores[usize::from(row.label)], scores[usize::from(1 - row.label)]);
        match right.total_cmp(&wrong) {
            Ordering::Greater => 1.0,
            Ordering::Equal => 0.5,
            Ordering::Less => 0.0,
        }
    });
    right.sum::<f64>() / rows.len().max(1) as f64
}

/// Start, end and type of each mention that begins with a B tag.
fn mentions(tags: &[u8]) -> Vec<(usize, usize, u8)> {
    let mut mentions = Vec::new();
    for (start, &tag) in tags.iter().enumerate() {
        if tag % 2 == 1 {
            let length = tags[start + 1..].iter().take_while(|inside| **inside == tag + 1).count();
            mentions.push((start, start + 1 + length, tag));
        }
    }
    mentions
}
