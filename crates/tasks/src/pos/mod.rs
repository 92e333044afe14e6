//! Parts of speech: Universal Dependencies' CoNLL-U, the hub's Parquet, XTREME's TSV.

use std::path::Path;

use data::lines::read_text;
use data::{DataError, EncodeOptions, Encoded, Examples, ExamplesBuilder, Item, Tokenization, Value as Field};
use model::Learner;
use serde_json::Value;
use spec::{Labels, Language, Task};

use crate::files::conllu;
use crate::files::tagged::{sentences, token_tab_tag};
use crate::files::{hub_table, index, label_names, names, push};
use crate::format::{Description, Files, Found, Given, Input, Read};
use crate::{Scored, TaskError, TaskFolder, token_labels};

pub(super) struct Folder;

/// No part of speech: what files have for a word without one, and what is predicted for words that the length limit has cut
/// away.
const MISSING: &str = "_";
const NO_TAG: &str = "is `_`: the word has no tag";

impl TaskFolder for Folder {
    fn formats(&self) -> &'static [Description] {
        const FORMATS: &[Description] = &[
            Description {
                name: "pos-conllu",
                task: Task::Pos,
                about: "CoNLL-U of Universal Dependencies: its UPOS column; whether its heads make trees is not looked at",
                files: Files::Many,
                given: &[Given::Labels],
                read: read_conllu,
                read_all: None,
            },
            Description {
                name: "pos-parquet",
                task: Task::Pos,
                about: "the hub's Parquet: `tokens`, `upos`",
                files: Files::Many,
                given: &[Given::Labels],
                read: read_table,
                read_all: None,
            },
            Description {
                name: "pos-text",
                task: Task::Pos,
                about: "`token<TAB>tag` lines as in XTREME, a blank line between sentences",
                files: Files::One,
                given: &[Given::Labels],
                read: read_lines,
                read_all: None,
            },
        ];
        FORMATS
    }

    fn recognise(&self, path: &Path) -> Option<Found> {
        if let Some((split, language)) = names::xtreme(path, "udpos", "tsv") {
            let (dataset, language, licence) = ("udpos", names::language(language), names::TREEBANKS_LICENCE);
            return Some(Found { dataset, language, split, format: "pos-text", licence });
        }
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
                let tag = word.upos.or(input.stand_in());
                let tag = tag.ok_or_else(|| DataError::row(file.path, place(), NO_TAG))?;
                tags.push(index(&labels, tag).map_err(|message| DataError::row(file.path, place(), message))?);
            }
            let place = || format!("line {}", sentence.words[0].line);
            let id = file.id(files.len(), row, builder.len());
            push(&mut builder, file.path, place, &id, vec![sentence.forms(), Field::Labels(tags)])?;
        }
    }
    Ok(Read { examples: builder.finish(), notes: conllu::notes(&files), left_out: 0 })
}

fn read_lines(input: &Input) -> Result<Read, DataError> {
    let path = input.path();
    let text = read_text(path)?;
    let found = sentences(&text, |number, line| {
        let (word, tag) = token_tab_tag(path, number, line, input.stand_in())?;
        match (tag, input.stand_in()) {
            (MISSING, Some(any)) => Ok(Some((word, any))),
            (MISSING, None) => {
                Err(DataError::row(path, format!("line {number}"), format!("the tag of `{word}` {NO_TAG}")))
            }
            _ => Ok(Some((word, tag))),
        }
    })?;
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
    // The hub's treebanks have rows for multiword tokens beside those of their words, which bear no tag.
    let check = |labels: &Labels, fields: &[Field]| {
        let [Field::Texts(words), Field::Labels(tags)] = fields else { return Ok(()) };
        let missing = labels.index(MISSING).filter(|_| !input.unlabelled);
        let word = missing.and_then(|missing| words.iter().zip(tags).find(|(_, tag)| **tag == missing));
        let message = |word: &String| {
            format!("the tag of `{word}` in `upos` {NO_TAG}; multiword tokens are passed over by format `pos-conllu`")
        };
        word.map_or(Ok(()), |(word, _)| Err(message(word)))
    };
    let mut read = hub_table(input, Task::Pos, &check)?;
    // No word bears it, though the file lists it.
    if let Ok(examples) = read.examples.without_label(MISSING)
        && input.labels.is_empty()
    {
        let usual = examples.relabelled(&Task::Pos.usual_labels()).ok();
        read.examples = usual.unwrap_or(examples);
    }
    Ok(read)
}
