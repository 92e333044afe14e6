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
use crate::format::{Description, Files, Found, Given, Input, Read, Spoken};
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
                given: &[],
                read: xnli_tsv::read,
                read_all: Some(xnli_tsv::read_all),
            },
            Description {
                name: "multinli-tsv",
                task: Task::Nli,
                about: "`premise`, `hypothesis` and label in three tab-separated columns with a header",
                files: Files::One,
                given: &[],
                read: multinli_tsv::read,
                read_all: None,
            },
            Description {
                name: "multinli-txt",
                task: Task::Nli,
                about: "MultiNLI's own 15 tab-separated columns with a header",
                files: Files::One,
                given: &[],
                read: multinli_tsv::read_official,
                read_all: None,
            },
            Description {
                name: "xtreme-nli",
                task: Task::Nli,
                about: "premise, hypothesis and label in three tab-separated columns without a header, as in XTREME",
                files: Files::One,
                given: &[],
                read: multinli_tsv::read_bare,
                read_all: None,
            },
            Description {
                name: "nli-parquet",
                task: Task::Nli,
                about: "the hub's Parquet: `premise`, `hypothesis`, `label`",
                files: Files::Many,
                given: &[Given::Labels],
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
        if let Some((split, language)) = names::xtreme(path, "xnli", "tsv") {
            return found("xnli", names::language(language), split, "xtreme-nli");
        }
        match names::parts(path)[..] {
            ["multinli_1", "0_train", "txt"] => found("multinli", names::language("en"), Split::Train, "multinli-txt"),
            ["multinli_1", "0_dev_matched", "txt"] => {
                found("multinli", names::language("en"), Split::Validation, "multinli-txt")
            }
            // Of other genres than the training split: a set of its own.
            ["multinli_1", "0_dev_mismatched", "txt"] => {
                found("multinli-mismatched", names::language("en"), Split::Validation, "multinli-txt")
            }
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
        let mut names: Vec<&str> = gold.labels().names().iter().map(String::as_str).collect();
        let predicted = row_labels::predicted(gold, predictions)?;
        let labels: Vec<usize> = gold.numbers("label").values().iter().map(|&label| label as usize).collect();
        let index = |name: &&str| gold.labels().index(name).unwrap_or(gold.labels().len());
        let indices: Vec<usize> = predicted.iter().map(index).collect();
        // What is no class of the gold data is one of its own, and never right.
        if indices.contains(&names.len()) {
            names.push("");
        }
        let scored = Scored::of(evaluation::score_labels(&labels, &indices, &names)?);
        Ok(scored.telling_unknown(gold.labels(), predicted.into_iter()))
    }
}

fn read_table(input: &Input) -> Result<Read, DataError> {
    hub_table(input, Task::Nli, &|_, _| Ok(()))
}

/// The class of a label's name, as XNLI and MultiNLI spell it; none for a row whose annotators found no majority (`-`). Where
/// rows need no label, any class stands for one that is not there.
fn class(labels: &Labels, name: &str, unlabelled: bool) -> Result<Option<usize>, String> {
    match name {
        "-" | "" if unlabelled => Ok(Some(0)),
        "-" => Ok(None),
        // The translated MultiNLI files spell it so.
        "contradictory" => index(labels, "contradiction").map(Some),
        name => index(labels, name).map(Some),
    }
}

/// What is said about rows without a class.
fn skipped_note(skipped: usize) -> Option<String> {
    (skipped > 0).then(|| format!("{skipped} rows without a majority label (`-`) were left out"))
}
