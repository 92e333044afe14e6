//! Which of several sentences is the cause or the effect of a premise: COPA, XCOPA.

mod jsonl;

use std::path::Path;

use data::{Cells, DataError, EncodeOptions, Encoded, Examples, Item, Tokenization, column};
use evaluation::Contribution;
use model::{Learner, Logits};
use serde_json::Value;
use spec::{Language, Split, Task};

use crate::encode::{each, pair};
use crate::files::names;
use crate::format::{Description, Files, Found};
use crate::predict::{best, each_batch, wrong_head};
use crate::{Scored, TaskError, TaskFolder};

pub(super) struct Folder;

const ACCURACY: &str = "choice.accuracy";

impl TaskFolder for Folder {
    fn formats(&self) -> &'static [Description] {
        const FORMATS: &[Description] = &[
            Description {
                name: "choice-jsonl",
                task: Task::Choice,
                about: "XCOPA's and COPA's JSON lines: `premise`, `choice1`, `choice2` …, `question`, `label` from 0, `idx`",
                files: Files::Many,
                given: &[],
                read: jsonl::read,
                read_all: None,
            },
            Description {
                name: "choice-parquet",
                task: Task::Choice,
                about: "the hub's Parquet with the same columns",
                files: Files::Many,
                given: &[],
                read: jsonl::read_table,
                read_all: None,
            },
        ];
        FORMATS
    }

    fn recognise(&self, path: &Path) -> Option<Found> {
        let found = |dataset, language, split, format| {
            let licence = if dataset == "copa" { "BSD-2-Clause" } else { "CC BY 4.0" };
            Some(Found { dataset, language: names::language(language), split, format, licence })
        };
        if let Some(split) = names::hub_shard(path, "xcopa") {
            return found("xcopa", names::parent(path), split, "choice-parquet");
        }
        let split = |split: &str| match split {
            "train" => Some(Split::Train),
            "val" | "dev" => Some(Split::Validation),
            "test" => Some(Split::Test),
            _ => None,
        };
        match names::parts(path)[..] {
            // As in the release, where every language has its folder.
            [_, language, _] if !names::lies_in(path, "copa") || names::parent(path) != language => None,
            // XCOPA has no English; where it lies beside the others it is COPA.
            [part, "en", "jsonl"] => found("copa", "en", split(part)?, "choice-jsonl"),
            [part, language, "jsonl"] => found("xcopa", language, split(part)?, "choice-jsonl"),
            _ => None,
        }
    }

    /// One sequence a choice: the premise with the question, and the choice.
    fn items(
        &self,
        examples: &Examples,
        tokenization: &Tokenization,
        options: &EncodeOptions,
    ) -> Result<Vec<Vec<Item>>, DataError> {
        let (premises, questions) = (examples.texts("premise"), examples.texts("question"));
        let (choices, right) = (examples.text_lists("choices"), examples.numbers("label"));
        each(examples.len(), |row| {
            let context = format!("{} {}", premises.value(row), asked(questions.value(row)));
            let item = |choice: &str| {
                let mut item = pair(row, [&context, choice], tokenization, options)?;
                item.columns = vec![(column::RIGHT, Cells::Number(right.value(row) as i32))];
                Ok(item)
            };
            choices.get(row).into_iter().map(item).collect()
        })
    }

    /// The place of the choice with the highest logit, from 0.
    fn predict(&self, learner: &Learner, examples: &Examples, encoded: &Encoded) -> Result<Vec<Value>, TaskError> {
        let mut logits = vec![0.0; encoded.len()];
        each_batch(learner, encoded, |items, _, found| {
            let Logits::Choices { values } = found else { return Err(wrong_head(learner, encoded.task())) };
            for (&item, logit) in items.iter().zip(values) {
                logits[item] = logit;
            }
            Ok::<_, TaskError>(())
        })?;
        let mut rest = logits.as_slice();
        let choices = examples.text_lists("choices");
        let first = |row: usize| {
            let (own, others) = rest.split_at(choices.get(row).len());
            rest = others;
            best(own).into()
        };
        Ok((0..examples.len()).map(first).collect())
    }

    fn score(&self, gold: &Examples, predictions: &[Value], _language: Language) -> Result<Scored, TaskError> {
        let (choices, right) = (gold.text_lists("choices"), gold.numbers("label"));
        let one = |(row, (id, value)): (usize, (&str, &Value))| {
            let count = choices.get(row).len();
            let bad = || TaskError::Prediction {
                id: id.to_owned(),
                message: format!("is {value}, not the place of one of {count} choices, counted from 0"),
            };
            let chosen = value.as_u64().filter(|&chosen| chosen < count as u64).ok_or_else(bad)?;
            Ok(Contribution::hit(chosen as i64 == right.value(row)))
        };
        let hits = gold.ids().zip(predictions).enumerate().map(one).collect::<Result<_, TaskError>>()?;
        Ok(Scored::of(evaluation::Scores::from([(ACCURACY, hits)])))
    }
}

/// The question in words.
fn asked(question: &str) -> &str {
    match question {
        "cause" => "What was the cause?",
        "effect" => "What was the effect?",
        other => other,
    }
}
