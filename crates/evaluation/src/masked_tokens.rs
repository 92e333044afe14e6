//! How well hidden tokens are restored.

use crate::contribution::{Contribution, Scores};
use crate::error::ScoreError;

pub const MLM_ACCURACY: &str = "mlm.accuracy";
pub const MLM_LOSS: &str = "mlm.loss";

/// A text's hidden tokens: how many, how many of them the model ranks first, and the sum of their negative
/// log-likelihoods in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskedText {
    pub hidden: usize,
    pub restored: usize,
    pub loss: f64,
}

/// Accuracy and mean loss (nats) over the hidden tokens of all texts; one contribution a text.
///
/// # Errors
/// No texts, a text that restores more than was hidden, or a loss that is not finite.
pub fn score_masked_tokens(texts: &[MaskedText]) -> Result<Scores, ScoreError> {
    ScoreError::check_counts(texts.len(), texts.len())?;
    if let Some(example) = texts.iter().position(|text| text.restored > text.hidden || !text.loss.is_finite()) {
        return Err(ScoreError::MaskedText { example });
    }
    let over_hidden = |numerator: fn(&MaskedText) -> f64| {
        let part = |text| Contribution { numerator: numerator(text), denominator: text.hidden as f64 };
        texts.iter().map(part).collect()
    };
    Ok(Scores::from([
        (MLM_ACCURACY, over_hidden(|text| text.restored as f64)),
        (MLM_LOSS, over_hidden(|text| text.loss)),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ratio;

    #[test]
    fn tokens_count_equally_whatever_text_they_are_in() {
        let texts =
            [MaskedText { hidden: 1, restored: 1, loss: 0.5 }, MaskedText { hidden: 3, restored: 0, loss: 5.5 }];
        let scores = score_masked_tokens(&texts).unwrap();
        assert_eq!((ratio(&scores[MLM_ACCURACY]), ratio(&scores[MLM_LOSS])), (0.25, 1.5));
    }

    #[test]
    fn nonsense_is_refused() {
        let text = MaskedText { hidden: 1, restored: 1, loss: 0.5 };
        assert!(score_masked_tokens(&[]).is_err());
        for bad in [MaskedText { restored: 2, ..text }, MaskedText { loss: f64::NAN, ..text }] {
            assert!(score_masked_tokens(&[text, bad]).unwrap_err().to_string().contains("example 1"));
        }
    }
}
