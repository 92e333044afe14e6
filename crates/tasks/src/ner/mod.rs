//! Named entities: WikiANN and any tag set in IOB1, IOB2, IOBES or BILOU.

mod columns;
mod tags;
mod text;

use std::path::Path;

use data::{DataError, EncodeOptions, Encoded, Examples, Item, Tokenization};
use evaluation::tags::{Notation, TagError, recognise, to_iob2};
use evaluation::{ScoreError, Side};
use model::Learner;
use serde_json::Value;
use spec::{Language, Task};

use crate::files::{hub_table, names};
use crate::format::{Description, Files, Found, Input, Read};
use crate::{Scored, TaskError, TaskFolder, token_labels};

pub(super) struct Folder;

const TAGS: &str = "ner_tags";
/// Of words that are no part of a name, and of those that the length limit has cut away.
const OUTSIDE: &str = "O";

impl TaskFolder for Folder {
    fn formats(&self) -> &'static [Description] {
        const FORMATS: &[Description] = &[
            Description {
                name: "wikiann-parquet",
                task: Task::Ner,
                about: "the hub's Parquet: `tokens`, `ner_tags`",
                files: Files::Many,
                read: read_table,
                read_all: None,
            },
            Description {
                name: "wikiann-text",
                task: Task::Ner,
                about: "`token<TAB>tag` or `language:token<TAB>tag` lines, a blank line between sentences",
                files: Files::One,
                read: text::read,
                read_all: None,
            },
            Description {
                name: "conll",
                task: Task::Ner,
                about: "columns of CoNLL-2002/2003, MasakhaNER or GermEval: the token first (after a number, second), its tag \
                        last (GermEval's outer one), in any tag notation",
                files: Files::One,
                read: columns::read,
                read_all: None,
            },
        ];
        FORMATS
    }

    fn recognise(&self, path: &Path) -> Option<Found> {
        let split = names::hub_shard(path, "wikiann")?;
        let language = names::language(names::parent(path));
        let licence = "not stated by its authors; text of Wikipedia, CC BY-SA";
        Some(Found { dataset: "wikiann", language, split, format: "wikiann-parquet", licence })
    }

    fn items(
        &self,
        examples: &Examples,
        tokenization: &Tokenization,
        options: &EncodeOptions,
    ) -> Result<Vec<Vec<Item>>, DataError> {
        token_labels::items(examples, TAGS, tokenization, options)
    }

    fn predict(&self, learner: &Learner, _examples: &Examples, encoded: &Encoded) -> Result<Vec<Value>, TaskError> {
        token_labels::predict(learner, encoded, OUTSIDE)
    }

    fn score(&self, gold: &Examples, predictions: &[Value], _language: Language) -> Result<Scored, TaskError> {
        let (tags, predicted) = (token_labels::gold(gold, TAGS), token_labels::predicted(gold, predictions)?);
        let scores = evaluation::score_ner(&tags, &predicted).map_err(|error| match error {
            ScoreError::Tag { side: Side::Predicted, example, token, tag } => TaskError::Prediction {
                id: gold.ids().nth(example).unwrap_or_default().to_owned(),
                message: format!("has the tag `{tag}` at word {}, not `O`, `B-TYPE` or `I-TYPE`", token + 1),
            },
            other => other.into(),
        })?;
        let mut scored = Scored::of(scores);
        // WikiANN's three types have their scores in one number, as they always had.
        if *gold.labels() != Task::Ner.usual_labels() {
            scored.contributions.extend(evaluation::score_ner_by_type(&tags, &predicted)?);
        }
        Ok(scored)
    }
}

fn read_table(input: &Input) -> Result<Read, DataError> {
    let examples = hub_table(input, Task::Ner, TAGS, &|_| Ok(()))?;
    if *examples.labels() == Task::Ner.usual_labels() {
        return Ok(examples.into());
    }
    // Labels of one's own, in whatever notation.
    let names = token_labels::gold(&examples, TAGS);
    let bad = |error: TagError| {
        let place = format!("row {}, column `{TAGS}`", error.place().sentence + 1);
        DataError::row(input.path(), place, error.to_string())
    };
    let notation = recognise(&names).map_err(bad)?;
    to_iob2(&names, notation).map_err(bad)?;
    match notation {
        Notation::Iob2 => Ok(examples.into()),
        other => Err(DataError::file(
            input.path(),
            format!(
                "has tags in {other}, not in IOB2: write it as columns and import it by format `conll`, which converts"
            ),
        )),
    }
}
