use std::path::Path;

use data::lines::{lines, read_text};
use data::{DataError, ExamplesBuilder, Value};
use serde_json::{Map, Value as Json};
use spec::{Labels, Task};

use crate::files::{index, label_names, push};
use crate::format::{Columns, Input, Read};

/// What PAWS-X's two labels mean.
const PAWSX: [(&str, &str); 2] = [("0", "different"), ("1", "paraphrase")];
/// The names of columns that need not be named.
const TEXT: &str = "text";
const LABEL: &str = "label";

/// A row of a table, before its label is a number.
struct Row {
    place: String,
    id: Option<String>,
    texts: [String; 2],
    label: String,
}

/// PAWS-X's release. Rows whose translation failed (`NS`) are left out, with a note.
pub(super) fn read_pawsx(input: &Input) -> Result<Read, DataError> {
    let path = input.path();
    let text = read_text(path)?;
    let mut found = lines(&text);
    let header: Vec<&str> = found.next().map(|(_, line)| line.split('\t').collect()).unwrap_or_default();
    let known = match header[..] {
        ["id", "sentence1", "sentence2", "label"] => true,
        ["id", "sentence1", "sentence2"] => input.unlabelled,
        _ => false,
    };
    if !known {
        let message = "is not the header `id`, `sentence1`, `sentence2`, `label` with tabs between";
        return Err(DataError::row(path, "line 1", message));
    }
    let (mut rows, mut failed) = (Vec::new(), 0);
    for (number, line) in found {
        let place = format!("line {number}");
        let fields: Vec<&str> = line.split('\t').collect();
        let (id, first, second, label) = match fields[..] {
            [id, first, second, label] => (id, first, second, label),
            [id, first, second] if input.unlabelled => (id, first, second, ""),
            _ => return Err(DataError::row(path, place, format!("has {} columns, not 4", fields.len()))),
        };
        let label = if label.is_empty() && input.unlabelled { PAWSX[0].0 } else { label };
        if first.trim() == "NS" || second.trim() == "NS" {
            failed += 1;
            continue;
        }
        let named = PAWSX.iter().find(|(number, _)| *number == label);
        let (_, label) =
            named.ok_or_else(|| DataError::row(path, &*place, format!("label `{label}` is not 0 or 1")))?;
        let (id, label) = (Some(id.to_owned()), (*label).to_owned());
        rows.push(Row { place, id, texts: [first.to_owned(), second.to_owned()], label });
    }
    let labels = Labels::new(PAWSX.map(|(_, name)| name))?;
    let note = (failed > 0).then(|| format!("{failed} rows whose translation failed (`NS`) were left out"));
    examples(vec![(path, rows)], &labels, note.into_iter().collect())
}

/// PAWS-X as XTREME's script writes it: Python's csv module, tabs between, quotation marks around fields that hold one, no
/// label in the test split.
pub(super) fn read_xtreme(input: &Input) -> Result<Read, DataError> {
    let path = input.path();
    let text = read_text(path)?;
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b'\t').has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| broken(path, &error))?;
        let place = format!("line {}", record.position().map_or(0, csv::Position::line));
        let fields: Vec<&str> = record.iter().collect();
        let (texts, label) = match fields[..] {
            [first, second] | [first, second, _] if input.unlabelled => ([first, second], PAWSX[0].0),
            [first, second, label] => ([first, second], label),
            [_, _] => return Err(DataError::unlabelled(path, place, "has two sentences and no label")),
            _ => return Err(DataError::row(path, place, format!("has {} columns, not 3", fields.len()))),
        };
        let named = PAWSX.iter().find(|(number, _)| *number == label);
        let (_, label) =
            named.ok_or_else(|| DataError::row(path, &*place, format!("label `{label}` is not 0 or 1")))?;
        rows.push(Row { place, id: None, texts: texts.map(str::to_owned), label: (*label).to_owned() });
    }
    examples(vec![(path, rows)], &Labels::new(PAWSX.map(|(_, name)| name))?, Vec::new())
}

fn broken(path: &Path, error: &csv::Error) -> DataError {
    let place = error.position().map_or("line 1".to_owned(), |position| format!("line {}", position.line()));
    DataError::row(path, place, error.to_string())
}

/// Tables by their ending: `.csv`, `.tsv`, or JSON lines. Label names are those given, or those found, sorted.
pub(super) fn read(input: &Input) -> Result<Read, DataError> {
    let one = |path: &'_ std::path::PathBuf| -> Result<Vec<Row>, DataError> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => delimited(path, b',', input),
            Some("tsv" | "tab" | "txt") => delimited(path, b'\t', input),
            Some("jsonl" | "json" | "ndjson") => json_lines(path, input),
            _ => Err(DataError::file(path, "must end in .csv, .tsv or .jsonl, so that its form is known")),
        }
    };
    let mut files =
        input.paths.iter().map(|path| Ok((path.as_path(), one(path)?))).collect::<Result<Vec<_>, DataError>>()?;
    if let Some(any) = input.stand_in() {
        let rows = files.iter_mut().flat_map(|(_, rows)| rows);
        rows.filter(|row| row.label.trim().is_empty()).for_each(|row| any.clone_into(&mut row.label));
    }
    for (path, rows) in &files {
        if let Some(row) = rows.iter().find(|row| row.label.trim().is_empty()) {
            let column = input.columns.label.as_deref().unwrap_or(LABEL);
            return Err(DataError::row(path, &*row.place, format!("has an empty label in column `{column}`")));
        }
    }
    let found = files.iter().flat_map(|(_, rows)| rows).map(|row| row.label.as_str());
    let labels = label_names(input, Task::Paraphrase, found)?;
    examples(files, &labels, Vec::new())
}

fn examples(files: Vec<(&Path, Vec<Row>)>, labels: &Labels, notes: Vec<String>) -> Result<Read, DataError> {
    let mut builder = ExamplesBuilder::new(Task::Paraphrase, labels.clone());
    for (path, rows) in files {
        for Row { place, id, texts: [first, second], label } in rows {
            let bad = |message: String| DataError::row(path, &*place, message);
            if first.trim().is_empty() {
                return Err(bad("has an empty text".to_owned()));
            }
            let label = index(labels, &label).map_err(bad)?;
            let id = id.unwrap_or_else(|| builder.len().to_string());
            let fields = vec![Value::Text(first), Value::Text(second), Value::Label(label)];
            push(&mut builder, path, || place.clone(), &id, fields)?;
        }
    }
    Ok(Read { examples: builder.finish(), notes, left_out: 0 })
}

/// The names of the columns that are asked for: text, label, and perhaps the second text.
fn wanted(columns: &Columns) -> (&str, &str, Option<&str>) {
    (columns.text.as_deref().unwrap_or(TEXT), columns.label.as_deref().unwrap_or(LABEL), columns.pair.as_deref())
}

fn delimited(path: &Path, delimiter: u8, input: &Input) -> Result<Vec<Row>, DataError> {
    let text = read_text(path)?;
    // Tabs part fields that are not quoted: a quotation mark is a part of the text there.
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).quoting(delimiter == b',').from_reader(text.as_bytes());
    let broken = |error: csv::Error| broken(path, &error);
    let header = reader.headers().map_err(broken)?.clone();
    let place_of = |name: &str, flag: &str| {
        header.iter().position(|column| column == name).ok_or_else(|| {
            let columns = header.iter().collect::<Vec<_>>().join(", ");
            DataError::row(
                path,
                "line 1",
                format!("has no column `{name}`: name one with {flag}; its columns are {columns}"),
            )
        })
    };
    let (text, label, pair) = wanted(&input.columns);
    let text = place_of(text, "--text")?;
    let label = match place_of(label, "--label") {
        Err(_) if input.unlabelled => None,
        label => Some(label?),
    };
    let pair = pair.map(|pair| place_of(pair, "--pair")).transpose()?;
    let id = header.iter().position(|column| column == "id");
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |column: usize| record.get(column).unwrap_or_default().to_owned();
        rows.push(Row {
            place: format!("line {line}"),
            id: id.map(field),
            texts: [field(text), pair.map(field).unwrap_or_default()],
            label: label.map(field).unwrap_or_default(),
        });
    }
    Ok(rows)
}

fn json_lines(path: &Path, input: &Input) -> Result<Vec<Row>, DataError> {
    let content = read_text(path)?;
    let (text, label, pair) = wanted(&input.columns);
    let mut rows = Vec::new();
    for (number, line) in lines(&content).filter(|(_, line)| !line.trim().is_empty()) {
        let place = format!("line {number}");
        let bad = |message: String| DataError::row(path, &*place, message);
        let object: Map<String, Json> =
            serde_json::from_str(line).map_err(|error| bad(format!("is no JSON object: {error}")))?;
        let plain = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let field = |key: &str, flag: &str| match object.get(key) {
            Some(Json::Null) | None => Err(bad(format!("has no `{key}`: name another field with {flag}"))),
            Some(value) => Ok(plain(value)),
        };
        let texts = [field(text, "--text")?, pair.map_or(Ok(String::new()), |pair| field(pair, "--pair"))?];
        rows.push(Row {
            id: object.get("id").map(plain),
            texts,
            label: match field(label, "--label") {
                Err(_) if input.unlabelled => String::new(),
                label => label?,
            },
            place: place.clone(),
        });
    }
    Ok(rows)
}
