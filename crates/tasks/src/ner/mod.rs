//! Named entities: WikiANN and any tag set in IOB1, IOB2, IOBES or BILOU.

mod text;

use std::path::Path;

use data::{DataError, EncodeOptions, Encoded, Examples, Item, Tokenization};
use model::Learner;
use serde_json::Value;
use spec::{Language, Task};

use crate::entities;
use crate::files::names;
use crate::format::{Description, Files, Found, Given};
use crate::{Scored, TaskError, TaskFolder, token_labels};

pub(super) struct Folder;

const LICENCE: &str = "not stated by its authors; text of Wikipedia, CC BY-SA";

impl TaskFolder for Folder {
    fn formats(&self) -> &'static [Description] {
        const FORMATS: &[Description] = &[
            Description {
                name: "wikiann-parquet",
                task: Task::Ner,
                about: "the hub's Parquet: `tokens`, `ner_tags`",
                files: Files::Many,
                given: &[Given::Labels],
                read: |input| entities::read_table(input, Task::Ner),
                read_all: None,
            },
            Description {
                name: "wikiann-text",
                task: Task::Ner,
                about: "`token<TAB>tag` or `language:token<TAB>tag` lines, a blank line between sentences",
                files: Files::One,
                given: &[Given::Labels],
                read: text::read,
                read_all: None,
            },
            Description {
                name: "conll",
                task: Task::Ner,
                about: "columns of CoNLL-2002/2003, MasakhaNER or GermEval: the token first (after a number, second), its tag \
                        last (GermEval's outer one), in any tag notation",
                files: Files::One,
                given: &[Given::Labels],
                read: |input| entities::read_columns(input, Task::Ner),
                read_all: None,
            },
        ];
        FORMATS
    }

    fn recognise(&self, path: &Path) -> Option<Found> {
        if let Some((split, language)) = names::xtreme(path, "panx", "tsv") {
            let licence = LICENCE;
            return Some(Found {
                dataset: "panx",
                language: names::language(language),
                split,
                format: "wikiann-text",
                licence,
            });
        }
        let split = names::hub_shard(path, "wikiann")?;
        let language = names::language(names::parent(path));
        Some(Found { dataset: "wikiann", language, split, format: "wikiann-parquet", licence: LICENCE })
    }

    fn items(
        &self,
        examples: &Examples,
        tokenization: &Tokenization,
        options: &EncodeOptions,
    ) -> Result<Vec<Vec<Item>>, DataError> {
        token_labels::items(examples, tokenization, options)
    }

    fn predict(&self, learner: &Learner, _examples: &Examples, encoded: &Encoded) -> Result<Vec<Value>, TaskError> {
        token_labels::predict(learner, encoded, entities::OUTSIDE)
    }

    fn score(&self, gold: &Examples, predictions: &[Value], _language: Language) -> Result<Scored, TaskError> {
        entities::score(gold, predictions)
    }
}
