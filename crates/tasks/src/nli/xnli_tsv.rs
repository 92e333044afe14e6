use std::collections::BTreeMap;
use std::path::Path;

use data::lines::{lines, read_text};
use data::{DataError, ExamplesBuilder, Value};
use spec::{Language, Task};

use super::{class, skipped_note};
use crate::files::push;
use crate::format::{Input, Read};

/// Reads one language of XNLI's tab-separated file.
pub(super) fn read(input: &Input) -> Result<Read, DataError> {
    let (path, language) = (input.path(), input.language);
    let mut all = read_rows(path, input.unlabelled)?;
    let found: Vec<&str> = all.keys().map(|language| language.code()).collect();
    let message = format!("holds no rows of language `{language}`; it has {}", found.join(", "));
    all.remove(&language).ok_or_else(|| DataError::file(path, message))
}

/// Reads every language of XNLI's tab-separated file.
pub(super) fn read_all(path: &Path) -> Result<BTreeMap<Language, Read>, DataError> {
    read_rows(path, false)
}

/// Reads every language of XNLI's tab-separated file; its columns are found by the header's names. Rows labelled `-`
/// (annotators without a majority) are left out, with a note. Examples are named by their row within the language,
/// from 0, so that translations of one item share a name.
fn read_rows(path: &Path, unlabelled: bool) -> Result<BTreeMap<Language, Read>, DataError> {
    let text = read_text(path)?;
    let mut rows = lines(&text);
    let header: Vec<&str> = rows.next().map(|(_, line)| line.split('\t').collect()).unwrap_or_default();
    let column = |name: &str| {
        header.iter().position(|column| *column == name).ok_or_else(|| {
            DataError::row(
                path,
                "line 1",
                format!("has no column `{name}`; XNLI's file begins with a header of 19 names"),
            )
        })
    };
    let language = column("language")?;
    let label = match column("gold_label") {
        Err(_) if unlabelled => None,
        label => Some(label?),
    };
    let (premise, hypothesis) = (column("sentence1")?, column("sentence2")?);
    let labels = Task::Nli.usual_labels();
    /// A language's examples, how many rows it has had, and how many of them are left out.
    type Gathered = (ExamplesBuilder, usize, usize);
    let mut all: BTreeMap<Language, Gathered> = BTreeMap::new();
    for (number, line) in rows {
        let fields: Vec<&str> = line.split('\t').collect();
        let place = || format!("line {number}");
        let bad = |message: String| DataError::row(path, place(), message);
        if fields.len() != header.len() {
            return Err(bad(format!("has {} columns, the header {}", fields.len(), header.len())));
        }
        let language = Language::parse(fields[language]).map_err(|error| bad(error.to_string()))?;
        let fresh = || (ExamplesBuilder::new(Task::Nli, labels.clone()), 0, 0);
        let (builder, rows, skipped) = all.entry(language).or_insert_with(fresh);
        *rows += 1;
        let Some(class) = class(&labels, label.map_or("", |label| fields[label]), unlabelled).map_err(bad)? else {
            *skipped += 1;
            continue;
        };
        let text = |column: usize| Value::Text(fields[column].to_owned());
        push(
            builder,
            path,
            place,
            &(*rows - 1).to_string(),
            vec![text(premise), text(hypothesis), Value::Label(class)],
        )?;
    }
    let read = |(builder, _, skipped): Gathered| Read {
        examples: builder.finish(),
        notes: skipped_note(skipped).into_iter().collect(),
        left_out: skipped,
    };
    Ok(all.into_iter().map(|(language, gathered)| (language, read(gathered))).collect())
}
