//! Examples for every task, from facts drawn once for all languages: row `i` says the same in each.

mod choice;
mod facts;
mod ner;
mod nli;
mod parallel;
mod qa;
mod story;
mod trees;

pub use choice::{ChoiceExample, ChoicePlan, Question, choices};
pub use facts::{FactExample, facts, told_plainly};
pub use ner::tagged;
pub use nli::{InferencePlan, inferences};
pub use parallel::{ParallelPlan, Passage, parallel};
pub use qa::{QuestionPlan, questions};
pub use story::{Told, sentences};
pub use trees::{TreeExample, trees};

use spec::Split;

use crate::Reference;
use crate::grammar::{Front, Language, Style};
use crate::world::{Draw, Fact};

/// A pattern of `split` that `fact` allows.
fn style(draw: &mut Draw, fact: &Fact, split: Split) -> Style {
    let allowed = Style::all().filter(|style| style.split() == split && style.settled(fact) == *style);
    // Few sentences name their source, unless there is no other way in this split.
    let (sourced, own): (Vec<Style>, Vec<Style>) = allowed.partition(|style| matches!(style.front, Front::Source(_)));
    let style = if own.is_empty() || draw.chance(15) { draw.pick(&sourced) } else { draw.pick(&own) };
    let titled = fact.person().is_some() && !style.passive && draw.chance(25);
    Style { reference: if titled { Reference::Titled } else { style.reference }, ..style }
}

/// Sentences one after the other, as a paragraph.
fn join(language: Language, told: &[Told]) -> String {
    told.iter().map(|told| told.text(language)).collect::<Vec<_>>().join(language.sentence_gap())
}
