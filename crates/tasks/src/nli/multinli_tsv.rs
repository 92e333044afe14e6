use data::lines::{lines, read_text};
use data::{DataError, ExamplesBuilder, Value};
use spec::Task;

use super::class;
use crate::files::push;
use crate::format::{Input, Read};

/// Reads the three columns premise, hypothesis and label, in the order of the files that XNLI's authors gave out. Rows
/// labelled `-` are left out, with a note. Examples are named by their row, from 0.
pub(super) fn read(input: &Input) -> Result<Read, DataError> {
    let path = input.path();
    let text = read_text(path)?;
    let mut rows = lines(&text);
    let header = rows.next().map_or("", |(_, line)| line);
    if !matches!(header, "premise\thypo\tlabel" | "premise\thypothesis\tlabel") {
        return Err(DataError::row(path, "line 1", "is not the header `premise`, `hypo`, `label` with tabs between"));
    }
    let labels = Task::Nli.usual_labels();
    let mut builder = ExamplesBuilder::new(Task::Nli, labels.clone());
    let mut skipped = 0;
    for (row, (number, line)) in rows.enumerate() {
        let place = || format!("line {number}");
        let bad = |message: String| DataError::row(path, place(), message);
        let fields: Vec<&str> = line.split('\t').collect();
        let [premise, hypothesis, label] = fields[..] else {
            return Err(bad(format!("has {} columns, not 3", fields.len())));
        };
        if label == "-" {
            skipped += 1;
            continue;
        }
        let label = class(&labels, label).map_err(bad)?;
        let [premise, hypothesis] = [premise, hypothesis].map(|text| Value::Text(text.to_owned()));
        push(&mut builder, path, place, &row.to_string(), vec![premise, hypothesis, Value::Label(label)])?;
    }
    let note = (skipped > 0).then(|| format!("{skipped} rows without a majority label (`-`) were left out"));
    Ok(Read { examples: builder.finish(), notes: note.into_iter().collect() })
}
