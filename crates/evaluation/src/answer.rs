//! Exact match and token F1 of extracted answers, by the SQuAD v1.1 and the MLQA rules.
//!
//! Sources: the official `evaluate-v1.1.py` of SQuAD (Rajpurkar et al., EMNLP 2016) and `mlqa_evaluation_v1.py` of MLQA
//! (Lewis et al., ACL 2020, section 5), reproduced per example, on fractions instead of percent.
//!
//! XTREME scores XQuAD with the SQuAD rules in every language, so `qa.*.squad` is what compares with its tables.
//! MLQA's script knows ar, de, en, es, hi, vi and zh, and refuses others. Here every other language is treated as MLQA treats Hindi:
//! Unicode punctuation removed, tokens at white space, no articles. For Thai, which writes no spaces between words, the
//! F1 under either rule is therefore close to exact match.

use crate::character::{is_punctuation, is_space, is_word};
use crate::contribution::{Contribution, Scores, divide};
use crate::error::ScoreError;

pub const QA_EM_SQUAD: &str = "qa.em.squad";
pub const QA_F1_SQUAD: &str = "qa.f1.squad";
pub const QA_EM_MLQA: &str = "qa.em.mlqa";
pub const QA_F1_MLQA: &str = "qa.f1.mlqa";

const ENGLISH_ARTICLES: &[&str] = &["a", "an", "the"];

/// Exact match and F1 under both rules, the best over a question's gold answers; one contribution a question.
///
/// `language` is the two-letter code of the answers. An answer that normalises to nothing matches another such answer
/// exactly, yet has an F1 of 0, as in both scripts.
///
/// # Errors
/// No questions, unequal counts, or a question without gold answers.
pub fn score_qa<G: AsRef<str>, P: AsRef<str>>(
    language: &str,
    gold: &[Vec<G>],
    predicted: &[P],
) -> Result<Scores, ScoreError> {
    ScoreError::check_counts(gold.len(), predicted.len())?;
    if let Some(example) = gold.iter().position(Vec::is_empty) {
        return Err(ScoreError::NoAnswer { example });
    }
    let mut scores = Scores::new();
    let mut add = |exact_name, f1_name, tokens: &dyn Fn(&str) -> Vec<String>| {
        let (exact, f1) =
            gold.iter().zip(predicted).map(|(gold, predicted)| best(gold, predicted.as_ref(), tokens)).unzip();
        scores.insert(exact_name, exact);
        scores.insert(f1_name, f1);
    };
    add(QA_EM_SQUAD, QA_F1_SQUAD, &squad_tokens);
    add(QA_EM_MLQA, QA_F1_MLQA, &|text| mlqa_tokens(text, language));
    Ok(scores)
}

/// The tokens SQuAD compares: lower case, ASCII punctuation and English articles removed, split at white space.
pub fn squad_tokens(text: &str) -> Vec<String> {
    let text: String = text.to_lowercase().chars().filter(|c| !c.is_ascii_punctuation()).collect();
    words(&without_articles(&text, ENGLISH_ARTICLES))
}

/// The tokens MLQA compares in a language: lower case, Unicode punctuation and the language's articles removed, split
/// at white space, in Chinese also around every Han character.
pub fn mlqa_tokens(text: &str, language: &str) -> Vec<String> {
    let text: String = text.to_lowercase().chars().filter(|&c| !is_punctuation(c)).collect();
    match language {
        // The script removes the letters of the article wherever they stand, within words too.
        "ar" => words(&text.replace("ال", " ")),
        "zh" => words(&spaced_han(&text)),
        _ => words(&without_articles(&text, articles(language))),
    }
}

/// MLQA's lists; the Vietnamese one holds classifiers and particles.
fn articles(language: &str) -> &'static [&'static str] {
    match language {
        "de" => &["ein", "eine", "einen", "einem", "eines", "einer", "der", "die", "das", "den", "dem", "des"],
        "en" => ENGLISH_ARTICLES,
        "es" => &["un", "una", "unos", "unas", "el", "la", "los", "las"],
        "vi" => &["của", "là", "cái", "chiếc", "những"],
        _ => &[],
    }
}

/// Replaces each article that stands alone by a space. Both scripts match `\b(…)\b`; as articles consist of word
/// characters only, that is a maximal run of word characters equal to an article.
fn without_articles(text: &str, articles: &[&str]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
        kept.push_str(if articles.contains(&word) { " " } else { word });
        rest = &rest[word.len()..];
        let other = &rest[..rest.find(is_word).unwrap_or(rest.len())];
        kept.push_str(other);
        rest = &rest[other.len()..];
    }
    kept
}

/// Makes each character of the script's range of Han characters, U+4E00..=U+9FA5, a token of its own.
fn spaced_han(text: &str) -> String {
    let mut spaced = String::with_capacity(2 * text.len());
    for character in text.chars() {
        if matches!(character, '\u{4e00}'..='\u{9fa5}') {
            spaced.extend([' ', character, ' ']);
        } else {
            spaced.push(character);
        }
    }
    spaced
}

fn words(text: &str) -> Vec<String> {
    text.split(is_space).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn best<G: AsRef<str>>(
    gold: &[G],
    predicted: &str,
    tokens: &dyn Fn(&str) -> Vec<String>,
) -> (Contribution, Contribution) {
    let mut predicted = tokens(predicted);
    let mut gold: Vec<Vec<String>> = gold.iter().map(|answer| tokens(answer.as_ref())).collect();
    let exact = gold.contains(&predicted);
    predicted.sort_unstable();
    gold.iter_mut().for_each(|answer| answer.sort_unstable());
    let f1 = gold.iter().map(|answer| token_f1(answer, &predicted)).fold(0.0, f64::max);
    (Contribution::hit(exact), Contribution::mean(f1))
}

/// Harmonic mean of precision and recall of two sorted bags of tokens.
fn token_f1(gold: &[String], predicted: &[String]) -> f64 {
    let mut shared = 0;
    let mut candidates = predicted.iter().peekable();
    for token in gold {
        while candidates.next_if(|candidate| *candidate < token).is_some() {}
        shared += usize::from(candidates.next_if_eq(&token).is_some());
    }
    divide(2.0 * shared as f64, (gold.len() + predicted.len()) as f64)
}
