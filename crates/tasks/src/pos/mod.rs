//! Parts of speech: Universal Dependencies' CoNLL-U, the hub's Parquet, XTREME's TSV.

use std::path::Path;

use data::lines::read_text;
use data::{DataError, EncodeOptions, Encoded, Examples, ExamplesBuilder, Item, Tokenization, Value as Field};
use model::Learner;
use serde_json::Value;
use spec::{Language, Task};

use crate::files::conllu;
use crate::files::tagged::{sentences, token_tab_tag};
use crate::files::{hub_table, index, label_names, names, push};
use crate::format::{Description, Files, Found, Input, Read};
use crate::{Scored, TaskError, TaskFolder, token_labels};

pub(super) struct Folder;

/// Predicted for words that the length limit has cut away: no part of speech.
const MISSING: &str = "_";

impl TaskFolder for Folder {
    fn formats(&self) -> &'static [Description] {
        const FORMATS: &[Description] = &[
            Description {
                name: "pos-conllu",
                task: Task::Pos,
                about: "CoNLL-U of Universal Dependencies: its UPOS column",
                files: Files::Many,
                read: read_conllu,
                read_all: None,
            },
            Description {
                name: "pos-parquet",
                task: Task::Pos,
                about: "the hub's Parquet: `tokens`, `upos`",
                files: Files::Many,
                read: read_table,
                read_all: None,
            },
            Description {
                name: "pos-text",
                task: Task::Pos,
                about: "`token<TAB>tag` lines as in XTREME, a blank line between sentences",
                files: Files::One,
                read: read_lines,
                read_all: None,
            },
        ];
        FORMATS
    }

    fn recognise(&self, path: &Path) -> Option<Found> {
        names::treebank(path, "pos-conllu")
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
        token_labels::predict(learner, encoded, MISSING)
    }

    fn score(&self, gold: &Examples, predictions: &[Value], _language: Language) -> Result<Scored, TaskError> {
        token_labels::score(gold, predictions)
    }
}

fn read_conllu(input: &Input) -> Result<Read, DataError> {
    let texts = conllu::read_texts(&input.paths)?;
    let files = conllu::parse_all(&texts)?;
    let words = files.iter().flat_map(|file| &file.sentences).flat_map(|sentence| &sentence.words);
    let labels = label_names(input, Task::Pos, words.filter_map(|word| word.upos))?;
    let mut builder = ExamplesBuilder::new(Task::Pos, labels.clone());
    for file in &files {
        for (row, sentence) in file.sentences.iter().enumerate() {
            let mut tags = Vec::with_capacity(sentence.words.len());
            for word in &sentence.words {
                let place = || format!("line {}, column `UPOS`", word.line);
                let tag = word.upos.ok_or_else(|| DataError::row(file.path, place(), "is `_`: the word has no tag"))?;
                tags.push(index(&labels, tag).map_err(|message| DataError::row(file.path, place(), message))?);
            }
            let place = || format!("line {}", sentence.words[0].line);
            let id = file.id(files.len(), row, builder.len());
            push(&mut builder, file.path, place, &id, vec![sentence.forms(), Field::Labels(tags)])?;
        }
    }
    Ok(Read { examples: builder.finish(), notes: conllu::notes(&files) })
}

fn read_lines(input: &Input) -> Result<Read, DataError> {
    let path = input.path();
    let text = read_text(path)?;
    let found = sentences(&text, |number, line| token_tab_tag(path, number, line).map(Some))?;
    let labels = label_names(input, Task::Pos, found.iter().flat_map(|sentence| sentence.tags.iter().copied()))?;
    let mut builder = ExamplesBuilder::new(Task::Pos, labels.clone());
    for sentence in &found {
        let mut tags = Vec::with_capacity(sentence.tags.len());
        for (tag, line) in sentence.tags.iter().zip(&sentence.lines) {
            let bad = |message| DataError::row(path, format!("line {line}"), message);
            tags.push(index(&labels, tag).map_err(bad)?);
        }
        let words = Field::Texts(sentence.words.iter().map(|&word| word.to_owned()).collect());
        let id = builder.len().to_string();
        push(&mut builder, path, || format!("line {}", sentence.lines[0]), &id, vec![words, Field::Labels(tags)])?;
    }
    Ok(builder.finish().into())
}

fn read_table(input: &Input) -> Result<Read, DataError> {
    Ok(hub_table(input, Task::Pos, &|_| Ok(()))?.into())
}
