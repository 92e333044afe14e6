//! Accuracy of one label an example.

use crate::contribution::{Contribution, Scores};
use crate::error::{ScoreError, Side};

pub const NLI_ACCURACY: &str = "nli.accuracy";

/// From this many examples on, a single gold label among several classes is taken for a placeholder.
pub const PLACEHOLDER_MINIMUM: usize = 20;

/// Accuracy of class indices; one contribution an example. `classes` are the class names, in index order.
///
/// # Errors
/// No examples, unequal counts, an index out of range, or gold labels that look like the placeholders of a hidden test
/// set: all equal, with at least [`PLACEHOLDER_MINIMUM`] examples and two classes.
pub fn score_labels(gold: &[usize], predicted: &[usize], classes: &[&str]) -> Result<Scores, ScoreError> {
    ScoreError::check_counts(gold.len(), predicted.len())?;
    for (side, labels) in [(Side::Gold, gold), (Side::Predicted, predicted)] {
        if let Some((example, &label)) = labels.iter().enumerate().find(|&(_, &label)| label >= classes.len()) {
            return Err(ScoreError::Label { side, example, label, classes: classes.len() });
        }
    }
    let constant = gold.iter().all(|label| *label == gold[0]);
    if constant && classes.len() > 1 && gold.len() >= PLACEHOLDER_MINIMUM {
        return Err(ScoreError::PlaceholderLabels { count: gold.len(), label: classes[gold[0]].to_owned() });
    }
    let hits = gold.iter().zip(predicted).map(|(gold, predicted)| Contribution::hit(gold == predicted)).collect();
    Ok(Scores::from([(NLI_ACCURACY, hits)]))
}
