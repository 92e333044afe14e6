//! Formats that several tasks are read from, and words about public file names.

pub(crate) mod conllu;
pub(crate) mod names;
pub(crate) mod tagged;

use std::collections::BTreeSet;
use std::path::Path;

use data::{DataError, Examples, ExamplesBuilder, Value, table::Table};
use spec::{Labels, Task};

use crate::format::Input;

/// Reads tables of the hub's schema: label names are those that the input gives, that the file's metadata give for
/// `column`, or the usual ones.
pub(crate) fn hub_table(
    input: &Input,
    task: Task,
    column: &str,
    check: &dyn Fn(&[Value]) -> Result<(), String>,
) -> Result<Examples, DataError> {
    let labels = match (input.labels.is_empty(), Table::open(input.path())?.class_names(column)) {
        (false, _) => input.labels.clone(),
        (true, Some(names)) => Labels::new(names)
            .map_err(|error| DataError::file(input.path(), format!("its metadata name labels badly: {error}")))?,
        (true, None) => task.usual_labels(),
    };
    if labels.is_empty() && task.has_labels() {
        let message = format!("does not name the labels of its column `{column}`: give their names with --labels");
        return Err(DataError::file(input.path(), message));
    }
    data::read_parquet(&input.paths, task, &labels, check)
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
        (true, false) => Labels::new(found)?,
    })
}
