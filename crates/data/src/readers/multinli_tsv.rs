use std::path::Path;

use super::lines::{lines, read_text};
use super::nli_label;
use crate::{DataError, NliExample};

/// Reads the three columns premise, hypothesis and label, in the order of the files that XNLI's authors gave out. Rows
/// labelled `-` are left out, with a note.
pub(super) fn read(path: &Path) -> Result<(Vec<NliExample>, Option<String>), DataError> {
    let text = read_text(path)?;
    let mut rows = lines(&text);
    let header = rows.next().map_or("", |(_, line)| line);
    if !matches!(header, "premise\thypo\tlabel" | "premise\thypothesis\tlabel") {
        return Err(DataError::row(path, "line 1", "is not the header `premise`, `hypo`, `label` with tabs between"));
    }
    let mut examples = Vec::new();
    let mut skipped = 0;
    for (row, (number, line)) in rows.enumerate() {
        let bad = |message: String| DataError::row(path, format!("line {number}"), message);
        let fields: Vec<&str> = line.split('\t').collect();
        let [premise, hypothesis, label] = fields[..] else {
            return Err(bad(format!("has {} columns, not 3", fields.len())));
        };
        if label == "-" {
            skipped += 1;
            continue;
        }
        let label = nli_label(label)
            .ok_or_else(|| bad(format!("label `{label}` is not entailment, neutral or contradiction")))?;
        examples.push(NliExample {
            id: row.to_string(),
            premise: premise.to_owned(),
            hypothesis: hypothesis.to_owned(),
            label,
        });
    }
    let note = (skipped > 0).then(|| format!("{skipped} rows without a majority label (`-`) were left out"));
    Ok((examples, note))
}
