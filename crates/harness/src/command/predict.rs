//! `harness predict`: a saved model over a file of examples, logits and predictions as JSON lines.

use anyhow::{Context, Result, bail};
use data::{EncodeOptions, Encoded, Tokenization};
use model::{Learner, Logits};
use serde_json::{Map, Value, json};
use spec::ExampleRows;
use tasks::{Input, Read, TaskError};

use crate::cli::{Folders, Predict};
use crate::exit::Exit;
use crate::{places, screen};

pub fn run(folders: &Folders, options: &Predict) -> Result<Exit> {
    let model = places::find_model(folders, &options.model)?;
    let task = options.format.task();
    let mut learner = Learner::load(&model, options.backend)?;
    if !task.has_head() {
        bail!("{task} has no predictions; use `harness embed` for sentence vectors")
    }
    let mut input = Input {
        columns: options.columns.named(),
        // What is predicted need not be known.
        unlabelled: true,
        ..Input::new(options.input.clone(), options.language)
    };
    match learner.head(Some(task)) {
        // What a file leaves unnamed means what the head says.
        Some(head) => input.labels = head.labels(),
        None => match learner.head(None) {
            Some(head) => bail!(
                "`{}` was trained for another task: its head is one for {}, not for {task}",
                model.display(),
                learner.main_task().map_or_else(|| format!("{:?}", head.objective()), |task| task.to_string()),
            ),
            None => bail!("`{}` has no head for {task}; train one with `harness run --save`", model.display()),
        },
    }
    learner.use_language(options.language, Some(task)).with_context(|| format!("model `{}`", model.display()))?;
    let Read { examples, notes, .. } = tasks::read(options.format, &input)?;
    notes.iter().for_each(|note| runner::say(format_args!("{}: {note}", options.input[0].display())));
    if let Err(name) = examples.labels().places_in(&input.labels) {
        bail!(
            "the input has the label `{name}`, which `{}` has not learnt; it knows {}",
            model.display(),
            input.labels
        );
    }
    let windows = task.description().rows == ExampleRows::Windows;
    let stride = if windows { options.stride.unwrap_or(options.max_length / 4) } else { 0 };
    let encode = EncodeOptions { max_length: options.max_length, stride, prefix: String::new() };
    let tokenization = Tokenization::load(&model)?;
    let of_input = || format!("`{}`", options.input[0].display());
    let encoded = tasks::encode(&examples, &tokenization, &encode).with_context(of_input)?;
    let of_model = || format!("model `{}`", model.display());
    let predictions = tasks::predict(&learner, &examples, &encoded).with_context(of_model)?;
    let mut logits = if options.no_logits { Vec::new() } else { logits(&learner, &encoded)? };

    screen::write(|out| {
        let mut first_item = 0;
        for (index, (id, prediction)) in examples.ids().zip(predictions).enumerate() {
            let mut line = Map::from_iter([("id".to_owned(), json!(id)), ("prediction".to_owned(), prediction)]);
            let items = (first_item..encoded.len()).take_while(|&item| encoded.example(item) == index).count();
            if !options.no_logits {
                let windows: Vec<Value> = logits[first_item..first_item + items].iter_mut().map(Value::take).collect();
                line.insert("logits".to_owned(), Value::Array(windows));
            }
            first_item += items;
            writeln!(out, "{}", Value::Object(line))?;
        }
        Ok(())
    })?;
    Ok(Exit::Ok)
}

/// Logits of every sequence (an example, or a window of a question), padding left out.
fn logits(learner: &Learner, encoded: &Encoded) -> Result<Vec<Value>> {
    let mut all = vec![Value::Null; encoded.len()];
    tasks::each_batch(learner, encoded, |items, seq, logits| {
        for (row, &item) in items.iter().enumerate() {
            let length = encoded.ids(item).len();
            all[item] = match &logits {
                Logits::Tokens { labels, values } => {
                    let rows = values[row * seq * labels..].chunks_exact(*labels).take(length);
                    json!({ "tokens": rows.collect::<Vec<_>>() })
                }
                Logits::Choices { values } => json!({ "choice": values[row] }),
                Logits::Arcs { words, labels, arcs, relations } => {
                    let here = encoded.list(data::column::FIRST_TOKENS, item).len();
                    let wide = words + 1;
                    let arc = |word: usize| &arcs[(row * words + word) * wide..][..=here];
                    let relation = |word: usize| {
                        let of_heads = &relations[(row * words + word) * wide * labels..][..(here + 1) * labels];
                        of_heads.chunks_exact(*labels).collect::<Vec<_>>()
                    };
                    json!({
                        "arcs": (0..here).map(arc).collect::<Vec<_>>(),
                        "relations": (0..here).map(relation).collect::<Vec<_>>(),
                    })
                }
                Logits::Classes { labels, values } => json!({ "classes": values[row * labels..(row + 1) * labels] }),
                Logits::Spans { starts, ends } => {
                    let span = row * seq..row * seq + length;
                    json!({ "starts": starts[span.clone()], "ends": ends[span] })
                }
            };
        }
        Ok::<_, TaskError>(())
    })?;
    Ok(all)
}
