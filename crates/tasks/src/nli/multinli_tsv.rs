use std::path::Path;

use data::lines::{lines, read_text};
use data::{DataError, ExamplesBuilder, Value};
use spec::Task;

use super::{class, skipped_note};
use crate::files::push;
use crate::format::{Input, Read};

/// Reads the three columns premise, hypothesis and label, in the order of the files that XNLI's authors gave out.
pub(super) fn read(input: &Input) -> Result<Read, DataError> {
    let path = input.path();
    let text = read_text(path)?;
    let mut rows = lines(&text);
    let header = rows.next().map_or("", |(_, line)| line);
    let known = match header {
        "premise\thypo\tlabel" | "premise\thypothesis\tlabel" => true,
        "premise\thypo" | "premise\thypothesis" => input.unlabelled,
        _ => false,
    };
    if !known {
        return Err(DataError::row(path, "line 1", "is not the header `premise`, `hypo`, `label` with tabs between"));
    }
    collect(path, input.unlabelled, rows, |fields| three(fields, input.unlabelled))
}

/// Reads the same columns without a header.
pub(super) fn read_bare(input: &Input) -> Result<Read, DataError> {
    let text = read_text(input.path())?;
    collect(input.path(), input.unlabelled, lines(&text), |fields| three(fields, input.unlabelled))
}

/// Reads MultiNLI's own files, whose columns are found by the header's names.
pub(super) fn read_official(input: &Input) -> Result<Read, DataError> {
    let path = input.path();
    let text = read_text(path)?;
    let mut rows = lines(&text);
    let header: Vec<&str> = rows.next().map(|(_, line)| line.split('\t').collect()).unwrap_or_default();
    let column = |name: &str| {
        let message = format!("has no column `{name}`; MultiNLI's own files begin with a header of 15 names");
        header.iter().position(|column| *column == name).ok_or_else(|| DataError::row(path, "line 1", message))
    };
    let (premise, hypothesis, label) = (column("sentence1")?, column("sentence2")?, column("gold_label")?);
    collect(path, input.unlabelled, rows, |fields| match fields.len() == header.len() {
        true => Ok([fields[premise], fields[hypothesis], fields[label]]),
        false => Err(format!("has {} columns, the header {}", fields.len(), header.len())),
    })
}

fn three<'a>(fields: &[&'a str], unlabelled: bool) -> Result<[&'a str; 3], String> {
    match *fields {
        [premise, hypothesis, label] => Ok([premise, hypothesis, label]),
        [premise, hypothesis] if unlabelled => Ok([premise, hypothesis, ""]),
        _ => Err(format!("has {} columns, not 3", fields.len())),
    }
}

/// Rows of premise, hypothesis and label. Those labelled `-` are left out, with a note. Examples are named by their row, from
/// 0.
fn collect<'a>(
    path: &Path,
    unlabelled: bool,
    rows: impl Iterator<Item = (usize, &'a str)>,
    fields: impl Fn(&[&'a str]) -> Result<[&'a str; 3], String>,
) -> Result<Read, DataError> {
    let labels = Task::Nli.usual_labels();
    let mut builder = ExamplesBuilder::new(Task::Nli, labels.clone());
    let mut skipped = 0;
    for (row, (number, line)) in rows.enumerate() {
        let place = || format!("line {number}");
        let bad = |message: String| DataError::row(path, place(), message);
        let [premise, hypothesis, label] = fields(&line.split('\t').collect::<Vec<_>>()).map_err(bad)?;
        let Some(label) = class(&labels, label, unlabelled).map_err(bad)? else {
            skipped += 1;
            continue;
        };
        let [premise, hypothesis] = [premise, hypothesis].map(|text| Value::Text(text.to_owned()));
        push(&mut builder, path, place, &row.to_string(), vec![premise, hypothesis, Value::Label(label)])?;
    }
    Ok(Read { examples: builder.finish(), notes: skipped_note(skipped).into_iter().collect(), left_out: skipped })
}
