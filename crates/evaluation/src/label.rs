//! Accuracy and macro F1 of labels of any set: one an example, or one a word.

use std::collections::BTreeMap;

use crate::accuracy::PLACEHOLDER_MINIMUM;
use crate::contribution::{Contribution, NamedScores};
use crate::error::ScoreError;
use crate::macro_f1::MacroF1;

/// What labels score, by metric name.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelScores {
    /// `<task>.accuracy`.
    pub scores: NamedScores,
    /// `<task>.f1.macro`.
    pub macro_f1: BTreeMap<String, MacroF1>,
}

/// `<task>.accuracy`, one contribution an example, and `<task>.f1.macro`. Labels are compared as they are.
///
/// # Errors
/// No examples, unequal counts, or gold labels that look like the placeholders of a hidden test set: all equal, with at
/// least [`PLACEHOLDER_MINIMUM`] examples.
pub fn score_classes(task: &str, gold: &[&str], predicted: &[&str]) -> Result<LabelScores, ScoreError> {
    ScoreError::check_counts(gold.len(), predicted.len())?;
    refuse_placeholders(gold.len(), gold.iter())?;
    let pairs = || gold.iter().copied().zip(predicted.iter().copied());
    let hits = pairs().map(|(gold, predicted)| Contribution::hit(gold == predicted)).collect();
    Ok(named(task, hits, MacroF1::new(pairs().map(|pair| [pair]))))
}

/// `<task>.accuracy` over words, one contribution a sentence (correct words / words), and `<task>.f1.macro` over the tags
/// of words, for one tag a word, such as a part of speech. Tags are compared as they are.
///
/// # Errors
/// No sentences, a sentence or tag without its counterpart, or gold tags that look like the placeholders of a hidden test
/// set: all equal, in at least [`PLACEHOLDER_MINIMUM`] sentences.
pub fn score_tags(task: &str, gold: &[Vec<&str>], predicted: &[Vec<&str>]) -> Result<LabelScores, ScoreError> {
    ScoreError::check_counts(gold.len(), predicted.len())?;
    let uneven = gold.iter().zip(predicted).position(|(gold, predicted)| gold.len() != predicted.len());
    if let Some(example) = uneven {
        let (gold, predicted) = (gold[example].len(), predicted[example].len());
        return Err(ScoreError::TagCount { example, gold, predicted });
    }
    refuse_placeholders(gold.len(), gold.iter().flatten())?;
    let sentences = || {
        let sentences = gold.iter().zip(predicted);
        sentences.map(|(gold, predicted)| gold.iter().copied().zip(predicted.iter().copied()))
    };
    let accuracy = sentences().map(|words| Contribution {
        denominator: words.len() as f64,
        numerator: words.filter(|(gold, predicted)| gold == predicted).count() as f64,
    });
    Ok(named(task, accuracy.collect(), MacroF1::new(sentences())))
}

fn named(task: &str, accuracy: Vec<Contribution>, macro_f1: MacroF1) -> LabelScores {
    LabelScores {
        scores: NamedScores::from([(format!("{task}.accuracy"), accuracy)]),
        macro_f1: BTreeMap::from([(format!("{task}.f1.macro"), macro_f1)]),
    }
}

/// Unlike [`crate::score_labels`], which is told the classes, this cannot know whether there are others.
fn refuse_placeholders<'a>(examples: usize, mut gold: impl Iterator<Item = &'a &'a str>) -> Result<(), ScoreError> {
    match gold.next() {
        Some(first) if examples >= PLACEHOLDER_MINIMUM && gold.all(|label| label == first) => {
            Err(ScoreError::PlaceholderLabels { count: examples, label: (*first).to_owned() })
        }
        _ => Ok(()),
    }
}
