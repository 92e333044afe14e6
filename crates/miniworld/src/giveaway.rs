//! What models reach that cannot have understood anything: the scores a real encoder has to leave behind.

use std::collections::{BTreeMap, HashMap};

use data::{NerExample, NliExample, QaExample};

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
}

impl Scores {
    /// Each task's train, validation and test split.
    pub fn of(ner: &[Vec<NerExample>; 3], nli: &[Vec<NliExample>; 3], qa: &[Vec<MentionedQuestion>; 3]) -> Self {
        let ([tagged, _, unseen], [pairs, _, new], [_, _, questions]) = (ner, nli, qa);
        Self {
            hypothesis_only: hypothesis_only(pairs, new),
            word_overlap: word_overlap(pairs, new),
            first_entity: first_entity(questions),
            longest_entity: longest_entity(questions),
            majority_tag: majority_tag(tagged, unseen),
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

/// Accuracy on `test` of a naive Bayes classifier over the words and word pairs of the hypothesis alone.
pub fn hypothesis_only(train: &[NliExample], test: &[NliExample]) -> f64 {
    let grams = |text: &str| {
        let words = words(text);
        let pairs: Vec<String> = words.windows(2).map(|pair| pair.join(" ")).collect();
        words.into_iter().chain(pairs).collect::<Vec<_>>()
    };
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
