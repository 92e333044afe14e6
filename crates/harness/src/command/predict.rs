//! `harness predict`: a saved model over a file of examples, logits and predictions as JSON lines.

use std::io::Write;

use anyhow::{Context, Result, bail};
use data::{EncodeOptions, Encoded, Examples, Tokenization};
use model::{Learner, Logits};
use serde_json::{Map, Value, json};
use spec::Task;

use crate::cli::{Folders, Predict};
use crate::exit::Exit;
use crate::{cell, places};

pub fn run(folders: &Folders, options: &Predict) -> Result<Exit> {
    let model = places::find_model(folders, &options.model)?;
    let examples = data::read(options.format, &options.input, options.language)?.examples;
    let learner = Learner::load(&model, options.backend)?;
    let task = examples.task();
    let Some(wanted) = task.head() else {
        bail!("{task} has no predictions; use `harness embed` for sentence vectors")
    };
    match learner.head() {
        Some(head) if head == wanted => {}
        Some(head) => {
            bail!("`{}` was trained for another task: its head is {head:?}, {task} needs {wanted:?}", model.display())
        }
        None => bail!("`{}` has no head for {task}; train one with `harness run --save`", model.display()),
    }
    let stride = if task == Task::Qa { options.stride.unwrap_or(options.max_length / 4) } else { 0 };
    let encode = EncodeOptions { max_length: options.max_length, stride, prefix: String::new() };
    let encoded = data::encode(&examples, &Tokenization::load(&model)?, &encode)?;
    let predictions = predict(&learner, &examples, &encoded)?;
    let mut logits = if options.no_logits { Vec::new() } else { logits(&learner, &encoded)? };

    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut first_item = 0;
    for (index, (id, prediction)) in examples.ids().into_iter().zip(predictions).enumerate() {
        let mut line = Map::from_iter([("id".to_owned(), json!(id)), ("prediction".to_owned(), prediction)]);
        let items = (first_item..encoded.len()).take_while(|&item| encoded.example(item) == index).count();
        if !options.no_logits {
            let windows: Vec<Value> = logits[first_item..first_item + items].iter_mut().map(Value::take).collect();
            line.insert("logits".to_owned(), Value::Array(windows));
        }
        first_item += items;
        serde_json::to_writer(&mut out, &line).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    }
    out.flush().context("cannot write to standard output")?;
    Ok(Exit::Ok)
}

/// One prediction an example: tags, a label, or an answer.
fn predict(learner: &Learner, examples: &Examples, encoded: &Encoded) -> Result<Vec<Value>> {
    let labels = examples.task().labels();
    let name = |label: u8| labels[usize::from(label)];
    Ok(match examples {
        Examples::Ner(_) => {
            let tags = cell::predict_tags(learner, encoded)?;
            tags.into_iter().map(|tags| tags.into_iter().map(name).collect::<Vec<_>>().into()).collect()
        }
        Examples::Nli(_) => {
            cell::predict_labels(learner, encoded)?.into_iter().map(|label| name(label).into()).collect()
        }
        Examples::Qa(questions) => {
            cell::predict_answers(learner, questions, encoded)?.into_iter().map(Value::from).collect()
        }
        Examples::Pairs(_) => bail!("sentence pairs have no predictions"),
        Examples::Text(_) => bail!("plain text has no predictions"),
    })
}

/// Logits of every sequence (an example, or a window of a question), padding left out.
fn logits(learner: &Learner, encoded: &Encoded) -> Result<Vec<Value>> {
    let mut all = vec![Value::Null; encoded.len()];
    cell::each_batch(learner, encoded, |items, seq, logits| {
        for (row, &item) in items.iter().enumerate() {
            let length = encoded.ids(item).len();
            all[item] = match &logits {
                Logits::Tokens { labels, values } => {
                    let rows = values[row * seq * labels..].chunks_exact(*labels).take(length);
                    json!({ "tokens": rows.collect::<Vec<_>>() })
                }
                Logits::Classes { labels, values } => json!({ "classes": values[row * labels..(row + 1) * labels] }),
                Logits::Spans { starts, ends } => {
                    let span = row * seq..row * seq + length;
                    json!({ "starts": starts[span.clone()], "ends": ends[span] })
                }
            };
        }
        Ok(())
    })?;
    Ok(all)
}
