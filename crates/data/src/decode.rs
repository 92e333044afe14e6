use spec::Task;

use crate::encode::{Details, NO_TOKEN};
use crate::{DataError, Encoded, QaExample};

/// Answers have at most this many tokens, as in SQuAD's usual evaluation.
const LONGEST_ANSWER: usize = 30;
/// Start and end candidates of a window, by logit.
const CANDIDATES: usize = 20;

/// Gathers tag logits, batch by batch, into tags per word.
#[derive(Debug)]
pub struct NerDecoder<'a> {
    encoded: &'a Encoded,
    tags: Vec<Vec<u8>>,
}

impl<'a> NerDecoder<'a> {
    /// Every word begins as `O`, and stays so where the length limit cut it away.
    pub fn new(encoded: &'a Encoded) -> Self {
        let mut tags = vec![Vec::new(); encoded.examples()];
        if let Details::Ner { bounds, .. } = &encoded.details {
            for (item, pair) in bounds.windows(2).enumerate() {
                tags[encoded.example(item)] = vec![0; (pair[1] - pair[0]) as usize];
            }
        }
        Self { encoded, tags }
    }

    /// Takes the logits of a batch of these items, `[items, seq, labels]`: a word's tag is the best at its first token.
    ///
    /// # Errors
    /// [`DataError::NotFinite`] for a NaN or infinite logit.
    ///
    /// # Panics
    /// If the logits are not of that shape.
    pub fn add(&mut self, items: &[usize], seq: usize, logits: &[f32]) -> Result<(), DataError> {
        let labels = Task::Ner.labels().len();
        assert_eq!(logits.len(), items.len() * seq * labels, "logits are [items, seq, labels]");
        let Details::Ner { bounds, first_tokens, .. } = &self.encoded.details else { return Ok(()) };
        for (row, &item) in items.iter().enumerate() {
            let example = self.encoded.example(item);
            let words = &first_tokens[bounds[item] as usize..bounds[item + 1] as usize];
            for (word, &token) in words.iter().enumerate().filter(|&(_, &token)| token != NO_TOKEN) {
                let position = (row * seq + token as usize) * labels;
                self.tags[example][word] = best(&logits[position..position + labels], example)? as u8;
            }
        }
        Ok(())
    }

    /// Tag of every word of every example, as indices into `Task::Ner.labels()`.
    pub fn finish(self) -> Vec<Vec<u8>> {
        self.tags
    }
}

/// Gathers class logits, batch by batch, into classes per example.
#[derive(Debug)]
pub struct NliDecoder<'a> {
    encoded: &'a Encoded,
    classes: Vec<u8>,
}

impl<'a> NliDecoder<'a> {
    pub fn new(encoded: &'a Encoded) -> Self {
        Self { encoded, classes: vec![0; encoded.examples()] }
    }

    /// Takes the logits of a batch of these items, `[items, labels]`.
    ///
    /// # Errors
    /// [`DataError::NotFinite`] for a NaN or infinite logit.
    ///
    /// # Panics
    /// If the logits are not of that shape.
    pub fn add(&mut self, items: &[usize], logits: &[f32]) -> Result<(), DataError> {
        let labels = Task::Nli.labels().len();
        assert_eq!(logits.len(), items.len() * labels, "logits are [items, labels]");
        for (&item, logits) in items.iter().zip(logits.chunks_exact(labels)) {
            let example = self.encoded.example(item);
            self.classes[example] = best(logits, example)? as u8;
        }
        Ok(())
    }

    /// Class of every example, as an index into `Task::Nli.labels()`.
    pub fn finish(self) -> Vec<u8> {
        self.classes
    }
}

/// Gathers span logits, batch by batch, into one answer per question.
///
/// The rule of transformers' `run_qa.py` without a null answer: among the 20 best starts and ends of each window, pairs
/// within the context, in order and of at most 30 tokens; the largest sum of logits wins, over all windows. Of equal
/// candidates the earlier one wins.
#[derive(Debug)]
pub struct QaDecoder<'a> {
    encoded: &'a Encoded,
    /// The best answer so far of each example.
    best: Vec<Option<Best>>,
}

/// A candidate answer.
#[derive(Debug, Clone, Copy)]
struct Best {
    score: f32,
    window: usize,
    /// In characters of the context.
    span: (u32, u32),
}

impl<'a> QaDecoder<'a> {
    pub fn new(encoded: &'a Encoded) -> Self {
        Self { encoded, best: vec![None; encoded.examples()] }
    }

    /// Takes the logits of a batch of these items, `[items, seq, 2]`: start, end.
    ///
    /// # Errors
    /// [`DataError::NotFinite`] for a NaN or infinite logit.
    ///
    /// # Panics
    /// If the logits are not of that shape.
    pub fn add(&mut self, items: &[usize], seq: usize, logits: &[f32]) -> Result<(), DataError> {
        assert_eq!(logits.len(), items.len() * seq * 2, "logits are [items, seq, 2]");
        for (row, &item) in items.iter().enumerate() {
            let example = self.encoded.example(item);
            let length = self.encoded.ids(item).len();
            let (context, offsets) = self.encoded.context(item);
            let column = |which: usize| {
                let values = (0..length).map(|token| logits[(row * seq + token) * 2 + which]);
                candidates(values.collect(), example)
            };
            let (starts, ends) = (column(0)?, column(1)?);
            let inside = |token: usize| (context..context + offsets.len()).contains(&token);
            for &(start, start_logit) in starts.iter().filter(|&&(start, _)| inside(start)) {
                for &(end, end_logit) in ends.iter().filter(|&&(end, _)| inside(end)) {
                    if end < start || end - start + 1 > LONGEST_ANSWER {
                        continue;
                    }
                    let span = (offsets[start - context].0, offsets[end - context].1);
                    let score = start_logit + end_logit;
                    // Batches come in any order: between equal scores the earlier window decides.
                    let better = self.best[example]
                        .is_none_or(|old| score > old.score || (score == old.score && item < old.window));
                    if better {
                        self.best[example] = Some(Best { score, window: item, span });
                    }
                }
            }
        }
        Ok(())
    }

    /// Text of every question's answer, cut out of its context without the white space around it; empty where no window
    /// had a candidate. `examples` are those that were encoded.
    pub fn finish(self, examples: &[QaExample]) -> Vec<String> {
        let cut = |(best, example): (Option<Best>, &QaExample)| match best {
            Some(Best { span: (start, end), .. }) => characters(&example.context, start, end).trim().to_owned(),
            None => String::new(),
        };
        self.best.into_iter().zip(examples).map(cut).collect()
    }
}

/// Characters `start..end` of a text.
fn characters(text: &str, start: u32, end: u32) -> &str {
    let byte = |character: u32| text.char_indices().nth(character as usize).map_or(text.len(), |(byte, _)| byte);
    &text[byte(start)..byte(end.max(start))]
}

/// Index of the largest logit, the first of equal ones.
fn best(logits: &[f32], example: usize) -> Result<usize, DataError> {
    finite(logits, example)?;
    let first = (0, f32::NEG_INFINITY);
    let best = logits.iter().copied().enumerate().fold(first, |best, next| if next.1 > best.1 { next } else { best });
    Ok(best.0)
}

/// The positions of the largest logits, best first; of equal ones the earlier first.
fn candidates(logits: Vec<f32>, example: usize) -> Result<Vec<(usize, f32)>, DataError> {
    finite(&logits, example)?;
    let mut ranked: Vec<(usize, f32)> = logits.into_iter().enumerate().collect();
    let order = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if ranked.len() > CANDIDATES {
        ranked.select_nth_unstable_by(CANDIDATES - 1, order);
        ranked.truncate(CANDIDATES);
    }
    ranked.sort_unstable_by(order);
    Ok(ranked)
}

fn finite(logits: &[f32], example: usize) -> Result<(), DataError> {
    match logits.iter().find(|logit| !logit.is_finite()) {
        Some(&value) => Err(DataError::NotFinite { example, value }),
        None => Ok(()),
    }
}
