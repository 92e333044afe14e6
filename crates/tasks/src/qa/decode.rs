use data::{Encoded, Examples};
use model::{Learner, Logits};
use serde_json::Value;

use super::encode::{CONTEXT, OFFSETS};
use crate::TaskError;
use crate::predict::{each_batch, wrong_head};

/// Answers have at most this many tokens, as in SQuAD's usual evaluation.
const LONGEST_ANSWER: usize = 30;
/// Start and end candidates of a window, by logit.
const CANDIDATES: usize = 20;

/// A candidate answer.
#[derive(Debug, Clone, Copy)]
struct Best {
    score: f32,
    window: usize,
    /// In characters of the context.
    span: (u32, u32),
}

/// Text of every question's answer, cut out of its context without the white space around it; empty where no window had a
/// candidate.
///
/// The rule of transformers' `run_qa.py` without a null answer: among the 20 best starts and ends of each window, pairs
/// within the context, in order and of at most 30 tokens; the largest sum of logits wins, over all windows. Of equal
/// candidates the earlier one wins.
pub(super) fn answers(learner: &Learner, examples: &Examples, encoded: &Encoded) -> Result<Vec<Value>, TaskError> {
    let mut found: Vec<Option<Best>> = vec![None; encoded.examples()];
    each_batch(learner, encoded, |items, seq, logits| {
        let Logits::Spans { starts, ends } = logits else { return Err(wrong_head(learner, encoded.task())) };
        for (row, &item) in items.iter().enumerate() {
            let tokens = row * seq..row * seq + encoded.ids(item).len();
            let best = &mut found[encoded.example(item)];
            better(best, encoded, item, &starts[tokens.clone()], &ends[tokens]);
        }
        Ok(())
    })?;
    let contexts = examples.texts("context");
    let cut = |(row, best): (usize, Option<Best>)| match best {
        Some(Best { span: (start, end), .. }) => characters(contexts.value(row), start, end).trim().into(),
        None => "".into(),
    };
    Ok(found.into_iter().enumerate().map(cut).collect())
}

/// Takes the window's best answer, if it is better than what was found before.
fn better(best: &mut Option<Best>, encoded: &Encoded, item: usize, starts: &[f32], ends: &[f32]) {
    let context = encoded.number(CONTEXT, item).unwrap_or_default() as usize;
    let offsets: Vec<(u32, u32)> =
        encoded.list(OFFSETS, item).chunks_exact(2).map(|pair| (pair[0] as u32, pair[1] as u32)).collect();
    let inside = |token: usize| (context..context + offsets.len()).contains(&token);
    let (starts, ends) = (candidates(starts), candidates(ends));
    for &(start, start_logit) in starts.iter().filter(|&&(start, _)| inside(start)) {
        for &(end, end_logit) in ends.iter().filter(|&&(end, _)| inside(end)) {
            if end < start || end - start + 1 > LONGEST_ANSWER {
                continue;
            }
            let span = (offsets[start - context].0, offsets[end - context].1);
            let score = start_logit + end_logit;
            // Batches come in any order: between equal scores the earlier window decides.
            if best.is_none_or(|old| score > old.score || (score == old.score && item < old.window)) {
                *best = Some(Best { score, window: item, span });
            }
        }
    }
}

/// Characters `start..end` of a text.
fn characters(text: &str, start: u32, end: u32) -> &str {
    let byte = |character: u32| text.char_indices().nth(character as usize).map_or(text.len(), |(byte, _)| byte);
    &text[byte(start)..byte(end.max(start))]
}

/// The positions of the largest logits, best first; of equal ones the earlier first.
fn candidates(logits: &[f32]) -> Vec<(usize, f32)> {
    let mut ranked: Vec<(usize, f32)> = logits.iter().copied().enumerate().collect();
    let order = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if ranked.len() > CANDIDATES {
        ranked.select_nth_unstable_by(CANDIDATES - 1, order);
        ranked.truncate(CANDIDATES);
    }
    ranked.sort_unstable_by(order);
    ranked
}
