use std::path::Path;

use data::lines::{lines, read_text};
use data::table::Table;
use data::{DataError, ExamplesBuilder, Unlabelled, Value};
use serde_json::{Map, Value as Json};
use spec::{Labels, Task};

use crate::files::push;
use crate::format::{Input, Read};

/// Reads an example a line. `idx` names it, if it is there; `choice1`, `choice2` … are the choices, or a list `choices`.
pub(super) fn read(input: &Input) -> Result<Read, DataError> {
    let mut builder = builder();
    for path in &input.paths {
        let text = read_text(path)?;
        for (number, line) in lines(&text).filter(|(_, line)| !line.trim().is_empty()) {
            let place = || format!("line {number}");
            let bad = |message: String| DataError::row(path, place(), message);
            let object: Map<String, Json> =
                serde_json::from_str(line).map_err(|error| bad(format!("is no JSON object: {error}")))?;
            let (id, fields) = example(&object, input.unlabelled).map_err(|message| fault(path, place(), message))?;
            let id = id.unwrap_or_else(|| builder.len().to_string());
            push(&mut builder, path, place, &id, fields)?;
        }
    }
    Ok(builder.finish().into())
}

/// Reads the hub's columns `premise`, `choice1`, `choice2` …, `question`, `label` and `idx`; or ours, with a list `choices`.
pub(super) fn read_table(input: &Input) -> Result<Read, DataError> {
    if Table::open(input.path())?.has("choices") {
        let check = |fields: &mut [Value]| match fields {
            [_, Value::Text(question), Value::Texts(choices), Value::Number(label)] => {
                checked(question, choices, known(*label, input.unlabelled))
            }
            _ => Ok(()),
        };
        let unlabelled = if input.unlabelled { Unlabelled::Kept } else { Unlabelled::Refused };
        return Ok(data::read_parquet(&input.paths, Task::Choice, &Labels::default(), unlabelled, &check)?.0.into());
    }
    let mut builder = builder();
    for path in &input.paths {
        let table = Table::open(path)?;
        let choices: Vec<String> = (1..).map(|n| format!("choice{n}")).take_while(|name| table.has(name)).collect();
        let named = table.has("idx");
        let labelled = !input.unlabelled;
        let mut columns = vec!["premise", "question"];
        columns.extend(labelled.then_some("label"));
        columns.extend(choices.iter().map(String::as_str));
        columns.extend(named.then_some("idx"));
        for part in table.read(&columns)? {
            let text = |name: &str| part.column(path, name)?.texts(path);
            let (premises, questions) = (text("premise")?, text("question")?);
            let labels = if labelled { Some(part.column(path, "label")?.numbers(path)?) } else { None };
            let ids = if named { Some(part.column(path, "idx")?.words(path)?) } else { None };
            let choices = choices.iter().map(|name| text(name)).collect::<Result<Vec<_>, DataError>>()?;
            for row in 0..part.rows() {
                let place = || format!("row {}", part.first_row + row + 1);
                let texts: Vec<String> = choices.iter().map(|choice| choice.value(row).to_owned()).collect();
                let label = labels.as_ref().map_or(-1, |labels| labels.value(row));
                let label = known(label, input.unlabelled);
                checked(questions.value(row), &texts, label).map_err(|message| fault(path, place(), message))?;
                let id = ids.as_ref().map_or_else(|| builder.len().to_string(), |ids| ids.value(row).to_owned());
                let [premise, question] = [&premises, &questions].map(|texts| Value::Text(texts.value(row).to_owned()));
                push(
                    &mut builder,
                    path,
                    place,
                    &id,
                    vec![premise, question, Value::Texts(texts), Value::Number(label)],
                )?;
            }
        }
    }
    Ok(builder.finish().into())
}

fn builder() -> ExamplesBuilder {
    ExamplesBuilder::new(Task::Choice, Labels::default())
}

const WITHHELD: &str = "label -1";

fn fault(path: &Path, place: String, message: String) -> DataError {
    match message.starts_with(WITHHELD) {
        true => DataError::unlabelled(path, place, message),
        false => DataError::row(path, place, message),
    }
}

/// The label, or any in place of one that is not there, where none is needed.
fn known(label: i64, unlabelled: bool) -> i64 {
    if unlabelled && label == -1 { 0 } else { label }
}

/// Refuses another question than COPA's two, fewer than two choices, an empty one, and a label that is none of them.
fn checked(question: &str, choices: &[String], label: i64) -> Result<(), String> {
    if !matches!(question, "cause" | "effect") {
        return Err(format!("`question` is `{question}`, not `cause` or `effect`"));
    }
    if choices.len() < 2 {
        return Err(format!("has {} choices (`choice1`, `choice2` …); at least two are needed", choices.len()));
    }
    if let Some(empty) = choices.iter().position(|choice| choice.trim().is_empty()) {
        return Err(format!("`choice{}` is empty", empty + 1));
    }
    match usize::try_from(label) {
        Ok(label) if label < choices.len() => Ok(()),
        Err(_) if label == -1 => Err(format!("{WITHHELD} marks a split whose labels are not public")),
        _ => Err(format!("label {label} is not one of 0 to {} (`label` counts the choices from 0)", choices.len() - 1)),
    }
}

/// Name, if it has one, and fields of an object.
fn example(object: &Map<String, Json>, unlabelled: bool) -> Result<(Option<String>, Vec<Value>), String> {
    let text = |key: &str| match object.get(key) {
        Some(Json::String(text)) => Ok(text.clone()),
        Some(other) => Err(format!("`{key}` is {other}, not a text")),
        None => Err(format!("has no `{key}`")),
    };
    let choices = match object.get("choices") {
        Some(Json::Array(choices)) => {
            let texts = choices.iter().map(|choice| choice.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<String>>>().ok_or("`choices` is no list of texts")?
        }
        _ => {
            let keys = (1..).map(|n| format!("choice{n}")).take_while(|key| object.contains_key(key));
            let keys: Vec<String> = keys.collect();
            let stray = object.keys().find(|key| {
                let number = key.strip_prefix("choice").is_some_and(|rest| rest.parse::<u32>().is_ok());
                number && !keys.contains(key)
            });
            if let Some(stray) = stray {
                return Err(format!("has `{stray}`, but no `choice{}`: choices count 1, 2, 3 …", keys.len() + 1));
            }
            keys.iter().map(|key| text(key)).collect::<Result<Vec<String>, String>>()?
        }
    };
    let label = match object.get("label") {
        Some(value) => value.as_i64().ok_or_else(|| format!("`label` is {value}, not a whole number"))?,
        None if unlabelled => -1,
        None => return Err("has no `label`".to_owned()),
    };
    let (question, label) = (text("question")?, known(label, unlabelled));
    checked(&question, &choices, label)?;
    let id = object
        .get("idx")
        .or_else(|| object.get("id"))
        .map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    let fields =
        vec![Value::Text(text("premise")?), Value::Text(question), Value::Texts(choices), Value::Number(label)];
    Ok((id, fields))
}
