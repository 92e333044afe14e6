//! Questions answered by a span of a paragraph: SQuAD, XQuAD, MLQA, TyDiQA-GoldP.

mod decode;
mod encode;
mod squad_json;

use std::cell::Cell;
use std::path::Path;

use data::{DataError, EncodeOptions, Encoded, Examples, Item, Tokenization, Unlabelled, Value as Field};
use model::Learner;
use serde_json::Value;
use spec::{Labels, Language, Split, Task};

use crate::encode::each;
use crate::files::names;
use crate::format::{Description, Files, Found, Input, Read};
use crate::{Scored, TaskError, TaskFolder};

pub(super) struct Folder;

impl TaskFolder for Folder {
    fn formats(&self) -> &'static [Description] {
        const FORMATS: &[Description] = &[
            Description {
                name: "squad-json",
                task: Task::Qa,
                about: "SQuAD 1.1's JSON, which XQuAD, MLQA and TyDiQA-GoldP share",
                files: Files::Many,
                given: &[],
                read: squad_json::read,
                read_all: None,
            },
            Description {
                name: "squad-parquet",
                task: Task::Qa,
                about: "the hub's Parquet: `id`, `context`, `question`, `answers`",
                files: Files::Many,
                given: &[],
                read: read_table,
                read_all: None,
            },
        ];
        FORMATS
    }

    fn recognise(&self, path: &Path) -> Option<Found> {
        let found = |dataset, language: &str, split, format| {
            let licence = match dataset {
                "mlqa" => "CC BY-SA 3.0",
                "tydiqa" => "Apache-2.0",
                _ => "CC BY-SA 4.0",
            };
            Some(Found { dataset, language: names::language(language), split, format, licence })
        };
        if let Some(split) = names::hub_shard(path, "xquad") {
            return found("xquad", names::parent(path).strip_prefix("xquad.")?, split, "squad-parquet");
        }
        if let Some(split) = names::hub_shard(path, "squad") {
            return found("squad", "en", split, "squad-parquet");
        }
        match names::parts(path)[..] {
            ["xquad", language, "json"] => found("xquad", language, Split::Test, "squad-json"),
            ["train-v1", "1", .., "json"] => found("squad", "en", Split::Train, "squad-json"),
            ["dev-v1", "1", "json"] => found("squad", "en", Split::Validation, "squad-json"),
            ["dev-v1", "1", "minus-xquad", "json"] => found("squad-dev", "en", Split::Train, "squad-json"),
            ["tydiqa", "goldp", language, split @ ("train" | "dev"), "json"] => {
                found("tydiqa", language, split.parse().ok()?, "squad-json")
            }
            [stem, "json"] => match stem.split('-').collect::<Vec<_>>()[..] {
                [split @ ("dev" | "test"), "context", context, "question", question] if context == question => {
                    found("mlqa", context, split.parse().ok()?, "squad-json")
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn items(
        &self,
        examples: &Examples,
        tokenization: &Tokenization,
        options: &EncodeOptions,
    ) -> Result<Vec<Vec<Item>>, DataError> {
        let (questions, contexts) = (examples.texts("question"), examples.texts("context"));
        let answers = examples.answers("answers");
        each(examples.len(), |row| {
            let texts = [questions.value(row), contexts.value(row)];
            encode::windows(row, texts, answers.get(row).first().copied(), tokenization, options)
        })
    }

    fn predict(&self, learner: &Learner, examples: &Examples, encoded: &Encoded) -> Result<Vec<Value>, TaskError> {
        decode::answers(learner, examples, encoded)
    }

    fn score(&self, gold: &Examples, predictions: &[Value], language: Language) -> Result<Scored, TaskError> {
        let answers = gold.answers("answers");
        let answers: Vec<Vec<&str>> =
            (0..gold.len()).map(|row| answers.get(row).into_iter().map(|(text, _)| text).collect()).collect();
        let text = |(id, value): (&str, &Value)| {
            let bad = || TaskError::Prediction { id: id.to_owned(), message: format!("is {value}, not a text") };
            value.as_str().map(str::to_owned).ok_or_else(bad)
        };
        let predicted = gold.ids().zip(predictions).map(text).collect::<Result<Vec<String>, _>>()?;
        Ok(Scored::of(evaluation::score_qa(language.code(), &answers, &predicted)?))
    }
}

fn read_table(input: &Input) -> Result<Read, DataError> {
    let unlabelled = if input.unlabelled { Unlabelled::Kept } else { Unlabelled::Refused };
    let left_out = Cell::new(0);
    let check = |fields: &mut [Field]| {
        left_out.set(left_out.get() + squad_json::keep_standing(fields));
        squad_json::check(fields, input.unlabelled)
    };
    let (examples, _) = data::read_parquet(&input.paths, Task::Qa, &Labels::default(), unlabelled, &check)?;
    Ok(Read { examples, notes: squad_json::note(left_out.get()), left_out: 0 })
}
