use data::{Encoded, Examples, column};
use model::{Learner, Logits};
use serde_json::Value;

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
    Ok(found.into_iter().enumerate().map(|(row, best)| text(contexts.value(row), best).into()).collect())
}

fn text(context: &str, best: Option<Best>) -> &str {
    best.map_or("", |Best { span: (start, end), .. }| characters(context, start, end).trim())
}

/// Takes the window's best answer, if it is better than what was found before.
fn better(best: &mut Option<Best>, encoded: &Encoded, item: usize, starts: &[f32], ends: &[f32]) {
    let context = encoded.number(column::CONTEXT, item).unwrap_or_default() as usize;
    let offsets: Vec<(u32, u32)> =
        encoded.list(column::OFFSETS, item).chunks_exact(2).map(|pair| (pair[0] as u32, pair[1] as u32)).collect();
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use data::{Answer, EncodeOptions, ExamplesBuilder, Tokenization};
    use serde_json::Value as Json;
    use spec::{Labels, Task};

    use super::*;
    use crate::encode;

    fn reference(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name)
    }

    fn tiny(name: &str) -> Tokenization {
        Tokenization::load(&reference(name)).unwrap()
    }

    /// Question, context, and where in it which answer begins.
    fn examples(questions: &[(&str, &str, &str, usize)]) -> Examples {
        let mut builder = ExamplesBuilder::new(Task::Qa, Labels::default());
        for (row, (question, context, answer, start)) in questions.iter().enumerate() {
            let texts = [question, context].map(|text| data::Value::Text((*text).to_owned()));
            let answers = vec![Answer { text: (*answer).to_owned(), start: *start }];
            let fields = texts.into_iter().chain([data::Value::Answers(answers)]).collect();
            builder.push(&row.to_string(), fields).unwrap();
        }
        builder.finish()
    }

    fn encoded(examples: &Examples, tokenization: &Tokenization, max_length: usize, stride: usize) -> Encoded {
        encode(examples, tokenization, &EncodeOptions { max_length, stride, prefix: String::new() }).unwrap()
    }

    fn context(encoded: &Encoded, item: usize) -> (usize, Vec<(u32, u32)>) {
        let offsets = encoded.list(column::OFFSETS, item).chunks_exact(2).map(|pair| (pair[0] as u32, pair[1] as u32));
        (encoded.number(column::CONTEXT, item).unwrap() as usize, offsets.collect())
    }

    /// The answer to the only question, when window `item` has these logits (token, start or end, logit) and 0 elsewhere.
    fn answer(encoded: &Encoded, said: &str, item: usize, logits: &[(usize, usize, f32)]) -> String {
        let mut sides = [vec![0.0; encoded.lengths()[item]], vec![0.0; encoded.lengths()[item]]];
        logits.iter().for_each(|&(token, side, logit)| sides[side][token] = logit);
        let mut best = None;
        better(&mut best, encoded, item, &sides[0], &sides[1]);
        text(said, best).to_owned()
    }

    #[test]
    fn answers_stay_short_ordered_and_inside() {
        let said = "Maria lives in Lisbon. ".repeat(12);
        let encoded = encoded(&examples(&[("Where?", &said, "Lisbon", 15)]), &tiny("tiny-bert"), 100, 8);
        let (from, offsets) = context(&encoded, 0);
        let answer = |best: &[(usize, usize, f32)]| answer(&encoded, &said, 0, best);
        let cut = |start: usize, end: usize| characters(&said, offsets[start].0, offsets[end].1).to_owned();
        assert_eq!(answer(&[(from + 2, 0, 5.0), (from + 3, 1, 5.0)]), cut(2, 3));
        // The special token and the question score highest, but are no answers.
        let foreign = [(0, 0, 9.0), (0, 1, 9.0), (1, 0, 9.0), (from + 2, 0, 5.0), (from + 3, 1, 5.0)];
        assert_eq!(answer(&foreign), cut(2, 3));
        // End before start, and 31 tokens: the next best is taken; 30 tokens are allowed.
        assert_eq!(answer(&[(from + 35, 0, 5.0), (from + 5, 1, 4.0), (from + 5, 0, 3.0)]), cut(5, 5));
        assert_eq!(answer(&[(from + 5, 0, 5.0), (from + 34, 1, 5.0)]), cut(5, 34));
        assert_ne!(answer(&[(from + 5, 0, 5.0), (from + 35, 1, 5.0)]), cut(5, 35));
    }

    /// When the model is sure of the label, the answer is the text that the label covers.
    #[test]
    fn labels_are_decoded_to_the_text_that_they_cover() {
        let said =
            "🙂🙂 สมชายเดินทางไปเชียงใหม่ and the cafe\u{301} in Zu\u{308}rich: राम दिल्ली से मुंबई जाएगा, 上海 👩‍👩‍👧 ½ end";
        for name in ["tiny-bert", "tiny-xlmr"] {
            for gold in ["เชียงใหม่", "cafe\u{301}", "Zu\u{308}rich", "दिल्ली", "上海", "👩‍👩‍👧", "end", "🙂🙂"]
            {
                let start = said[..said.find(gold).unwrap()].chars().count();
                let encoded = encoded(&examples(&[("Where?", said, gold, start)]), &tiny(name), 40, 16);
                let label = |item: usize| {
                    [column::ANSWER_START, column::ANSWER_END].map(|name| encoded.number(name, item).unwrap() as usize)
                };
                let held: Vec<usize> = (0..encoded.len()).filter(|&item| label(item) != [0, 0]).collect();
                assert!(!held.is_empty(), "{name}: `{gold}` is in no window");
                for item in held {
                    let [start, end] = label(item);
                    let (from, offsets) = context(&encoded, item);
                    let covered = characters(said, offsets[start - from].0, offsets[end - from].1);
                    assert_eq!(answer(&encoded, said, item, &[(start, 0, 9.0), (end, 1, 9.0)]), covered.trim());
                    assert!(covered.contains(gold));
                }
            }
        }
    }

    fn logit(window: usize, token: usize, column: usize) -> f32 {
        ((window * 7919 + token * 104729 + column * 15485863) % 65537) as f32 / 1024.0
    }

    /// Answers for made-up logits, windows in any order, against transformers' (`scripts/reference/data.py`).
    #[test]
    fn answers_are_those_of_transformers() {
        let file = std::fs::read_to_string(reference("tiny.json")).unwrap();
        let all: Json = serde_json::from_str(&file).unwrap();
        for name in ["tiny-bert", "tiny-xlmr"] {
            for max_length in [64, 40] {
                let cases = all[name]["qa"].as_array().unwrap().iter();
                let cases: Vec<&Json> = cases.filter(|case| case["max_length"] == max_length).collect();
                let stride = cases[0]["stride"].as_u64().unwrap() as usize;
                let questions: Vec<(&str, &str, &str, usize)> = cases
                    .iter()
                    .map(|case| {
                        let answer = &case["answers"][0];
                        let [question, context, answer_text] =
                            [&case["question"], &case["context"], &answer["text"]].map(|text| text.as_str().unwrap());
                        (question, context, answer_text, answer["start"].as_u64().unwrap() as usize)
                    })
                    .collect();
                let examples = examples(&questions);
                let encoded = encoded(&examples, &tiny(name), max_length as usize, stride);
                let mut found = vec![None; examples.len()];
                for item in (0..encoded.len()).rev() {
                    let side =
                        |side| (0..encoded.ids(item).len()).map(|token| logit(item, token, side)).collect::<Vec<_>>();
                    better(&mut found[encoded.example(item)], &encoded, item, &side(0), &side(1));
                }
                for ((best, case), question) in found.into_iter().zip(&cases).zip(&questions) {
                    assert_eq!(text(question.1, best), case["best"].as_str().unwrap(), "{case}");
                }
            }
        }
    }
}
