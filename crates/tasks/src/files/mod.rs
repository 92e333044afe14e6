//! Formats that several tasks are read from, and words about public file names.

pub(crate) mod conllu;
pub(crate) mod names;
pub(crate) mod tagged;

use std::collections::BTreeSet;
use std::path::Path;

use data::{DataError, ExamplesBuilder, Unlabelled, Value, table::Table};
use spec::{Kind, Labels, Task};

use crate::format::{Input, Read};

/// The column of a kind of which the task has one. A test of the table of tasks sees that it does.
pub(crate) fn the(task: Task, kind: Kind) -> &'static str {
    task.columns_of(kind).next().unwrap_or_default()
}

/// Refuses an example, given what label columns mean and its fields.
pub(crate) type Check<'a> = &'a dyn Fn(&Labels, &[Value]) -> Result<(), String>;

/// Reads tables of the hub's schema: label names are those that the input gives, that the files' metadata give, or the
/// usual ones where everybody numbers them in one order. Labels that are all among the usual ones are numbered as those.
pub(crate) fn hub_table(input: &Input, task: Task, check: Check) -> Result<Read, DataError> {
    let (usual, column) = (task.usual_labels(), task.label_column().unwrap_or_default());
    let labels = match (input.labels.is_empty(), class_names(input, column)?) {
        (false, _) => input.labels.clone(),
        (true, Some(names)) => names,
        (true, None) if task.description().one_order => usual.clone(),
        (true, None) => Labels::default(),
    };
    if labels.is_empty() && task.has_labels() {
        let message = format!("does not name the labels of its column `{column}`: give their names with --labels");
        return Err(DataError::file(input.path(), message));
    }
    let unlabelled = if input.unlabelled { Unlabelled::Kept } else { Unlabelled::LeftOut };
    let check = |fields: &mut [Value]| check(&labels, fields);
    let (examples, left_out) = data::read_parquet(&input.paths, task, &labels, unlabelled, &check)?;
    let as_usual = if input.labels.is_empty() { examples.relabelled(&usual).ok() } else { None };
    let note = (left_out > 0).then(|| format!("{left_out} rows without a label (-1) were left out"));
    Ok(Read { examples: as_usual.unwrap_or(examples), notes: note.into_iter().collect(), left_out })
}

/// The names of a column's classes by the metadata of all files.
fn class_names(input: &Input, column: &str) -> Result<Option<Labels>, DataError> {
    let mut all: Option<Option<Labels>> = None;
    for path in &input.paths {
        let named = Table::open(path)?.class_names(column).map(Labels::new).transpose();
        let named = named.map_err(|error| DataError::file(path, format!("its metadata name labels badly: {error}")))?;
        if all.get_or_insert_with(|| named.clone()) != &named {
            let message = format!("names the labels of `{column}` otherwise than {}", input.path().display());
            return Err(DataError::file(path, message));
        }
    }
    Ok(all.flatten())
}

/// The indices of label names.
///
/// # Errors
/// The name that is not among them.
pub(crate) fn index_all<'a>(labels: &Labels, names: impl IntoIterator<Item = &'a str>) -> Result<Vec<usize>, String> {
    names.into_iter().map(|name| index(labels, name)).collect()
}

/// The index of a label name.
///
/// # Errors
/// That it is none of them.
pub(crate) fn index(labels: &Labels, name: &str) -> Result<usize, String> {
    labels.index(name).ok_or_else(|| format!("label `{name}` is not one of {}", labels.names().join(", ")))
}

/// Adds an example whose place is known.
pub(crate) fn push(
    builder: &mut ExamplesBuilder,
    path: &Path,
    place: impl FnOnce() -> String,
    id: &str,
    fields: Vec<Value>,
) -> Result<(), DataError> {
    builder.push(id, fields).map_err(|message| DataError::row(path, place(), message))
}

/// The names that the input gives, the task's usual ones where they are enough, or those found, sorted.
pub(crate) fn label_names<'a>(
    input: &Input,
    task: Task,
    found: impl Iterator<Item = &'a str>,
) -> Result<Labels, DataError> {
    let (usual, found): (Labels, BTreeSet<&str>) = (task.usual_labels(), found.collect());
    Ok(match (input.labels.is_empty(), found.iter().all(|name| usual.index(name).is_some())) {
        (false, _) => input.labels.clone(),
        (true, true) => usual,
        (true, false) => Labels::new(found).map_err(|error| DataError::file(input.path(), error.to_string()))?,
    })
}
