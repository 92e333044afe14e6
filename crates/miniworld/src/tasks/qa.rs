//! Questions with an answer span in a paragraph, as in XQuAD.

use data::Answer;
use spec::Split;

use super::story::{answers, one_life, paragraph};
use super::{Told, join, style};
use crate::error::MiniworldError;
use crate::examples::QaExample;
use crate::grammar::{Language, Reference};
use crate::tree::Span;
use crate::world::{Draw, Event, Fact, Pool, Role};

/// A paragraph and a question on one of its facts.
#[derive(Debug, Clone)]
pub struct QuestionPlan {
    pub id: String,
    paragraph: Vec<Told>,
    /// Which sentence answers, and what it is asked for.
    sentence: usize,
    asked: Role,
    /// The fact as far as the question tells it.
    question: Fact,
}

/// Questions asked of one paragraph.
const PER_PARAGRAPH: usize = 3;

/// In percent: how often a part of a sentence may be asked for. Every sentence has a year and most have a person for
/// their subject, which else would be asked for in three questions of five.
fn share(asked: Role) -> usize {
    match asked {
        Role::Year => 50,
        Role::Subject => 70,
        _ => 100,
    }
}

/// `count` questions; up to three share a paragraph.
///
/// # Errors
/// [`MiniworldError::TooMany`] if no further question can be drawn.
pub fn questions(seed: u64, purpose: &str, split: Split, count: usize) -> Result<Vec<QuestionPlan>, MiniworldError> {
    let mut draw = Draw::new(seed, purpose);
    let pool = Pool::of(split);
    let mut plans: Vec<QuestionPlan> = Vec::with_capacity(count);
    let mut barren = 0;
    while plans.len() < count {
        let told = paragraph(&mut draw, &pool, one_life, |draw, fact| style(draw, fact, split));
        let mut candidates: Vec<(usize, Role)> = (0..told.len())
            .flat_map(|sentence| told[sentence].fact.askable().iter().map(move |&role| (sentence, role)))
            .filter(|&(_, role)| draw.chance(share(role)))
            .collect();
        draw.shuffle(&mut candidates);
        let before = plans.len();
        for (sentence, asked) in candidates {
            if plans.len() == count || plans.len() - before == PER_PARAGRAPH {
                break;
            }
            if let Some(question) = pose(&mut draw, &told, sentence, asked) {
                let id = format!("{}-{:05}", split.as_str(), plans.len());
                plans.push(QuestionPlan { id, paragraph: told.clone(), sentence, asked, question });
            }
        }
        barren = if plans.len() == before { barren + 1 } else { 0 };
        if barren > 100 {
            return Err(MiniworldError::TooMany { what: purpose.to_owned(), wanted: count, found: plans.len() });
        }
    }
    Ok(plans)
}

/// As little of the fact as still leaves one answer, sometimes more; `None` where even all of it leaves several.
fn pose(draw: &mut Draw, paragraph: &[Told], sentence: usize, asked: Role) -> Option<Fact> {
    let full = paragraph[sentence].fact;
    let single = |question: &Fact| paragraph.iter().filter(|told| answers(&told.fact, question, asked)).count() == 1;
    if !single(&full) {
        return None;
    }
    let mut question = full;
    let mut tries = vec![Fact { year: None, ..question }];
    // A visit is nothing without its place, nor a move without its goal.
    if !full.place_is_object() {
        tries.push(Fact { place: None, year: None, ..question });
        tries.push(Fact { place: None, ..question });
    }
    if let Event::Moved { person, .. } = full.event {
        tries.push(Fact { event: Event::Moved { person, from: None }, ..question });
    }
    if let Event::Closed { institution, .. } = full.event {
        tries.push(Fact { event: Event::Closed { institution, cause: None }, ..question });
    }
    // "Who was born?" must keep something to go by.
    tries.retain(|shorter| {
        single(shorter)
            && (asked != Role::Subject || shorter.place.is_some() || shorter.year.is_some() || tells_object(shorter))
    });
    tries.retain(|shorter| {
        asked != Role::Object || shorter.place.is_some() || shorter.year.is_some() || shorter.person().is_none()
    });
    if !tries.is_empty() && draw.chance(75) {
        question = draw.pick(&tries);
    }
    Some(question)
}

fn tells_object(fact: &Fact) -> bool {
    matches!(fact.event, Event::Created { .. } | Event::Founded { .. } | Event::Bought { .. } | Event::Opened { .. })
}

impl QuestionPlan {
    /// What is asked for.
    pub fn asked(&self) -> Role {
        self.asked
    }

    /// The paragraph's sentences and their patterns.
    pub fn paragraph(&self) -> &[Told] {
        &self.paragraph
    }

    /// The spans of all mentions in the context.
    pub fn mentions(&self, language: Language) -> Vec<Span> {
        let gap = language.sentence_gap().chars().count();
        let mut offset = 0;
        let mut spans = Vec::new();
        for told in &self.paragraph {
            let sentence = language.say(&told.fact, told.style);
            spans.extend(sentence.mention_spans().into_iter().map(|span| Span { start: span.start + offset, ..span }));
            offset += sentence.text().chars().count() + gap;
        }
        spans
    }

    /// The question in a language; `None` would mean a fact that does not tell what is asked.
    pub fn say(&self, language: Language) -> Option<QaExample> {
        let sentences: Vec<_> = self.paragraph.iter().map(|told| language.say(&told.fact, told.style)).collect();
        let texts: Vec<String> = sentences.iter().map(|sentence| sentence.text()).collect();
        // A pronoun sends the reader back to where the person was named.
        let mut at = self.sentence;
        while self.asked == Role::Subject && self.paragraph[at].style.reference == Reference::Pronoun {
            at = at.checked_sub(1)?;
        }
        let gap = language.sentence_gap().chars().count();
        let offset: usize = texts[..at].iter().map(|text| text.chars().count() + gap).sum();
        let span = sentences[at].span(self.asked)?;
        Some(QaExample {
            id: self.id.clone(),
            context: join(language, &self.paragraph),
            question: language.ask(&self.question, self.asked)?.text(),
            answers: vec![Answer { start: offset + span.start, text: span.text }],
        })
    }
}
