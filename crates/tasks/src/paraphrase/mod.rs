//! Classes of sentences or of pairs of sentences: PAWS-X, and any table with a text, perhaps a second one, and a label.

mod table;

use std::path::Path;

use data::{DataError, EncodeOptions, Encoded, Examples, Item, Tokenization};
use model::Learner;
use serde_json::Value;
use spec::{Language, Split, Task};

use crate::files::{hub_table, names};
use crate::format::{Description, Files, Found, Given, Input, Read};
use crate::{Scored, TaskError, TaskFolder, row_labels};

pub(super) struct Folder;

impl TaskFolder for Folder {
    fn formats(&self) -> &'static [Description] {
        const FORMATS: &[Description] = &[
            Description {
                name: "pawsx-tsv",
                task: Task::Paraphrase,
                about: "PAWS-X: `id`, `sentence1`, `sentence2`, `label` (0 or 1) in tab-separated columns",
                files: Files::One,
                given: &[],
                read: table::read_pawsx,
                read_all: None,
            },
            Description {
                name: "xtreme-paraphrase",
                task: Task::Paraphrase,
                about: "two sentences and a label (0 or 1) in three tab-separated columns without a header, as in XTREME",
                files: Files::One,
                given: &[],
                read: table::read_xtreme,
                read_all: None,
            },
            Description {
                name: "paraphrase-parquet",
                task: Task::Paraphrase,
                about: "the hub's Parquet: `sentence1`, `sentence2`, `label`",
                files: Files::Many,
                given: &[Given::Labels],
                read: read_table,
                read_all: None,
            },
            Description {
                name: "sentences",
                task: Task::Paraphrase,
                about: "CSV, TSV or JSON lines with any names of columns: --text, --pair (if there are two texts) and --label",
                files: Files::Many,
                given: &[Given::Labels, Given::Columns],
                read: table::read,
                read_all: None,
            },
        ];
        FORMATS
    }

    fn recognise(&self, path: &Path) -> Option<Found> {
        let found = |language, split, format| {
            let licence = "PAWS-X: free for any purpose, see its README";
            Some(Found { dataset: "paws-x", language: names::language(language), split, format, licence })
        };
        if let Some(split) = names::hub_shard(path, "paws-x") {
            return found(names::parent(path), split, "paraphrase-parquet");
        }
        if let Some((split, language)) = names::xtreme(path, "pawsx", "tsv") {
            return found(language, split, "xtreme-paraphrase");
        }
        // The release's own: x-final/de/test_2k.tsv, translated_train.tsv. `train.tsv` is the name of many files.
        if !names::lies_in(path, "paws") && !names::lies_in(path, "x-final") {
            return None;
        }
        match (names::parts(path).as_slice(), names::parent(path)) {
            (["train" | "translated_train", "tsv"], language) => found(language, Split::Train, "pawsx-tsv"),
            (["dev_2k", "tsv"], language) => found(language, Split::Validation, "pawsx-tsv"),
            (["test_2k", "tsv"], language) => found(language, Split::Test, "pawsx-tsv"),
            _ => None,
        }
    }

    fn items(
        &self,
        examples: &Examples,
        tokenization: &Tokenization,
        options: &EncodeOptions,
    ) -> Result<Vec<Vec<Item>>, DataError> {
        row_labels::items(examples, tokenization, options)
    }

    fn predict(&self, learner: &Learner, _examples: &Examples, encoded: &Encoded) -> Result<Vec<Value>, TaskError> {
        row_labels::predict(learner, encoded)
    }

    fn score(&self, gold: &Examples, predictions: &[Value], _language: Language) -> Result<Scored, TaskError> {
        row_labels::score(gold, predictions)
    }
}

fn read_table(input: &Input) -> Result<Read, DataError> {
    hub_table(input, Task::Paraphrase, &|_, _| Ok(()))
}
