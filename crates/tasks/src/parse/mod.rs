//! Dependency parsing: Universal Dependencies' CoNLL-U.

mod decode;

use std::path::Path;

use data::Value as Field;
use data::{Cells, DataError, EncodeOptions, Encoded, Examples, ExamplesBuilder, Item, Tokenization, column};
use evaluation::Dependency;
use model::Learner;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spec::{IGNORED_LABEL, Labels, Language, Task};

use crate::encode::{each, words};
use crate::files::conllu::{self, universal};
use crate::files::{hub_table, index, label_names, names, push};
use crate::format::{Description, Files, Found, Given, Input, Read};
use crate::{Scored, TaskError, TaskFolder};

pub(super) struct Folder;

/// Relation of words that the length limit has cut away: none, so that they never count as right.
const UNSEEN: &str = "_";

/// A tree as `harness predict` writes it: for each word its head (0 for the root, k for the k-th word) and its relation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    heads: Vec<usize>,
    relations: Vec<String>,
}

impl Tree {
    fn dependencies(&self) -> Vec<Dependency<'_>> {
        let pairs = self.heads.iter().zip(&self.relations);
        pairs.map(|(&head, relation)| Dependency { head, relation }).collect()
    }
}

impl TaskFolder for Folder {
    fn formats(&self) -> &'static [Description] {
        const FORMATS: &[Description] = &[
            Description {
                name: "parse-conllu",
                task: Task::Parse,
                about: "CoNLL-U of Universal Dependencies: its HEAD and DEPREL columns, subtypes left off",
                files: Files::Many,
                given: &[Given::Labels],
                read: read_conllu,
                read_all: None,
            },
            Description {
                name: "parse-parquet",
                task: Task::Parse,
                about: "Parquet: `tokens`, `head`, `deprel`",
                files: Files::Many,
                given: &[Given::Labels],
                read: read_table,
                read_all: None,
            },
        ];
        FORMATS
    }

    fn recognise(&self, path: &Path) -> Option<Found> {
        names::treebank(path, "parse-conllu")
    }

    /// One sequence for a sentence. A word whose head is cut away does not count in training.
    fn items(
        &self,
        examples: &Examples,
        tokenization: &Tokenization,
        options: &EncodeOptions,
    ) -> Result<Vec<Vec<Item>>, DataError> {
        let sentences = examples.text_lists("tokens");
        let (heads, relations) = (examples.number_lists("head"), examples.number_lists("deprel"));
        each(examples.len(), |row| {
            let mut found = words(row, &sentences.get(row), tokenization, options)?;
            let there = |word: usize| found.first[word] != IGNORED_LABEL;
            let counts = |(word, &head): (usize, &i64)| there(word) && (head == 0 || there(head as usize - 1));
            let counted: Vec<bool> = heads.get(row).iter().enumerate().map(counts).collect();
            let kept = |values: &[i64]| {
                let pairs = values.iter().zip(&counted);
                Cells::List(pairs.map(|(&value, &counts)| if counts { value as i32 } else { IGNORED_LABEL }).collect())
            };
            found.item.columns = vec![
                (column::HEADS, kept(heads.get(row))),
                (column::RELATIONS, kept(relations.get(row))),
                (column::FIRST_TOKENS, Cells::List(found.first)),
                (column::LAST_TOKENS, Cells::List(found.last)),
            ];
            Ok(vec![found.item])
        })
    }

    fn predict(&self, learner: &Learner, _examples: &Examples, encoded: &Encoded) -> Result<Vec<Value>, TaskError> {
        decode::trees(learner, encoded)
    }

    fn score(&self, gold: &Examples, predictions: &[Value], _language: Language) -> Result<Scored, TaskError> {
        let (heads, relations) = (gold.number_lists("head"), gold.number_lists("deprel"));
        let relation = |&label: &i64| gold.labels().name(label as usize).unwrap_or_default();
        let tree = |row: usize| {
            let pairs = heads.get(row).iter().zip(relations.get(row));
            pairs.map(|(&head, label)| Dependency { head: head as usize, relation: relation(label) }).collect()
        };
        let predicted = |(row, (id, value)): (usize, (&str, &Value))| {
            let bad = |message: String| TaskError::Prediction { id: id.to_owned(), message };
            let form = "is not an object with the lists `heads` and `relations`";
            let tree: Tree = serde_json::from_value(value.clone()).map_err(|_| bad(form.to_owned()))?;
            let (words, found) = (heads.get(row).len(), [tree.heads.len(), tree.relations.len()]);
            if found != [words; 2] {
                return Err(bad(format!("has {} heads and {} relations for {words} words", found[0], found[1])));
            }
            evaluation::check_tree(&tree.dependencies()).map_err(|error| bad(format!("is no tree: {error}")))?;
            Ok(tree)
        };
        let predicted = gold.ids().zip(predictions).enumerate().map(predicted).collect::<Result<Vec<Tree>, _>>()?;
        let predicted: Vec<Vec<Dependency>> = predicted.iter().map(Tree::dependencies).collect();
        let trees: Vec<Vec<Dependency>> = (0..gold.len()).map(tree).collect();
        let mut scored = Scored::of(evaluation::score_trees(&trees, &predicted)?);
        // The head that a word was given without being seen is no merit.
        for (row, (gold, tree)) in trees.iter().zip(&predicted).enumerate() {
            let unseen = gold.iter().zip(tree).filter(|(gold, told)| told.relation == UNSEEN && gold.head == told.head);
            if let Some(found) = scored.contributions.get_mut(evaluation::PARSE_UAS) {
                found[row].numerator -= unseen.count() as f64;
            }
        }
        Ok(scored.telling_unknown(gold.labels(), predicted.iter().flatten().map(|told| told.relation)))
    }
}

/// Refuses what is no tree with one root.
fn check(heads: &[i64]) -> Result<(), String> {
    let dependency = |(word, &head): (usize, &i64)| match usize::try_from(head) {
        Ok(head) => Ok(Dependency { head, relation: "" }),
        Err(_) => Err(format!("head {head} of word {} is below 0", word + 1)),
    };
    let tree = heads.iter().enumerate().map(dependency).collect::<Result<Vec<_>, _>>()?;
    evaluation::check_tree(&tree).map_err(|error| error.to_string())
}

fn read_table(input: &Input) -> Result<Read, DataError> {
    let check = |_: &Labels, fields: &[Field]| match fields {
        [_, Field::Numbers(heads), _] if !input.unlabelled => check(heads),
        _ => Ok(()),
    };
    hub_table(input, Task::Parse, &check)
}

/// Relations are read without the subtypes of a language, as the official script compares them.
fn read_conllu(input: &Input) -> Result<Read, DataError> {
    let texts = conllu::read_texts(&input.paths)?;
    let files = conllu::parse_all(&texts)?;
    let words = files.iter().flat_map(|file| &file.sentences).flat_map(|sentence| &sentence.words);
    let labels = label_names(input, Task::Parse, words.filter_map(|word| word.deprel).map(universal))?;
    let mut builder = ExamplesBuilder::new(Task::Parse, labels.clone());
    for file in &files {
        for (row, sentence) in file.sentences.iter().enumerate() {
            if !input.unlabelled {
                conllu::check_tree(sentence)
                    .map_err(|fault| DataError::row(file.path, fault.place(), fault.message))?;
            }
            let (mut heads, mut relations) = (Vec::new(), Vec::new());
            for word in &sentence.words {
                let bad = |message: String| {
                    DataError::row(file.path, format!("line {}, column `DEPREL`", word.line), message)
                };
                let relation = word
                    .deprel
                    .or(input.stand_in())
                    .ok_or_else(|| bad("is `_`: the word has no relation".to_owned()))?;
                relations.push(index(&labels, universal(relation)).map_err(bad)?);
                heads.push(word.head.unwrap_or_default() as i64);
            }
            let place = || format!("line {}", sentence.words[0].line);
            let id = file.id(files.len(), row, builder.len());
            let fields = vec![sentence.forms(), Field::Numbers(heads), Field::Labels(relations)];
            push(&mut builder, file.path, place, &id, fields)?;
        }
    }
    Ok(Read { examples: builder.finish(), notes: conllu::notes(&files), left_out: 0 })
}
