//! Natural language inference: MultiNLI, XNLI.

mod multinli_tsv;
mod xnli_tsv;

use std::path::Path;

use data::{DataError, EncodeOptions, Encoded, Examples, Item, Tokenization};
use model::Learner;
use serde_json::Value;
use spec::{Labels, Language, Split, Task};

use crate::encode::{each, pair};
use crate::files::{hub_table, index, names};
use crate::format::{Description, Files, Found, Input, Read, Spoken};
use crate::row_labels::{self, classed};
use crate::{Scored, TaskError, TaskFolder};

pub(super) struct Folder;

impl TaskFolder for Folder {
    fn formats(&self) -> &'static [Description] {
        const FORMATS: &[Description] = &[
            Description {
                name: "xnli-tsv",
                task: Task::Nli,
                about: "XNLI's tab-separated file with a header and all languages in it",
                files: Files::One,
                read: xnli_tsv::read,
                read_all: Some(xnli_tsv::read_all),
            },
            Description {
                name: "multinli-tsv",
                task: Task::Nli,
                about: "`premise`, `hypothesis` and label in three tab-separated columns with a header",
                files: Files::One,
                read: multinli_tsv::read,
                read_all: None,
            },
            Description {
                name: "nli-parquet",
                task: Task::Nli,
                about: "the hub's Parquet: `premise`, `hypothesis`, `label`",
                files: Files::Many,
                read: read_table,
                read_all: None,
            },
        ];
        FORMATS
    }

    fn recognise(&self, path: &Path) -> Option<Found> {
        let found = |dataset, language, split, format| {
            let licence = if dataset == "xnli" { "CC BY-NC 4.0" } else { "OANC and others, see the MultiNLI paper" };
            Some(Found { dataset, language, split, format, licence })
        };
        if let Some(split) = names::hub_shard(path, "xnli") {
            return found("xnli", names::language(names::parent(path)), split, "nli-parquet");
        }
        match names::parts(path)[..] {
            ["xnli", split @ ("dev" | "test"), "tsv"] => found("xnli", Spoken::Many, split.parse().ok()?, "xnli-tsv"),
            ["multinli", "train", language, .., "tsv"] => {
                found("multinli", names::language(language), Split::Train, "multinli-tsv")
            }
            _ => None,
        }
    }

    fn items(
        &self,
        examples: &Examples,
        tokenization: &Tokenization,
        options: &EncodeOptions,
    ) -> Result<Vec<Vec<Item>>, DataError> {
        let (premises, hypotheses) = (examples.texts("premise"), examples.texts("hypothesis"));
        let labels = examples.numbers("label");
        each(examples.len(), |row| {
            let item = pair(row, [premises.value(row), hypotheses.value(row)], tokenization, options)?;
            Ok(vec![classed(item, labels.value(row))])
        })
    }

    fn predict(&self, learner: &Learner, _examples: &Examples, encoded: &Encoded) -> Result<Vec<Value>, TaskError> {
        row_labels::predict(learner, encoded)
    }

    fn score(&self, gold: &Examples, predictions: &[Value], _language: Language) -> Result<Scored, TaskError> {
        let names: Vec<&str> = gold.labels().names().iter().map(String::as_str).collect();
        let named = |(id, name): (&str, &str)| {
            index(gold.labels(), name).map_err(|message| TaskError::Prediction {
                id: id.to_owned(),
                message: format!("is of no use: {message}"),
            })
        };
        let predicted = row_labels::predicted(gold, predictions)?;
        let predicted = gold.ids().zip(predicted).map(named).collect::<Result<Vec<usize>, _>>()?;
        let labels: Vec<usize> = gold.numbers("label").values().iter().map(|&label| label as usize).collect();
        Ok(Scored::of(evaluation::score_labels(&labels, &predicted, &names)?))
    }
}

fn read_table(input: &Input) -> Result<Read, DataError> {
    Ok(hub_table(input, Task::Nli, &|_| Ok(()))?.into())
}

/// The class of a label's name, as XNLI and MultiNLI spell it.
fn class(labels: &Labels, name: &str) -> Result<usize, String> {
    // The translated MultiNLI files spell it so.
    let name = if name == "contradictory" { "contradiction" } else { name };
    index(labels, name)
}
