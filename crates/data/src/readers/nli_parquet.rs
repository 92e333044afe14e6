use std::path::PathBuf;

use spec::Task;

use super::table::read_columns;
use crate::{DataError, NliExample};

/// Reads the hub's schema of one language: `premise`, `hypothesis` (text) and `label` (0 entailment, 1 neutral,
/// 2 contradiction). Examples are named by their row, counted from 0 over all files.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<NliExample>, DataError> {
    let labels = Task::Nli.labels();
    let mut examples = Vec::new();
    for path in paths {
        for part in read_columns(path, &["premise", "hypothesis", "label"])? {
            let premises = part.column(path, "premise")?.texts(path)?;
            let hypotheses = part.column(path, "hypothesis")?.texts(path)?;
            let classes = part.column(path, "label")?.numbers(path)?;
            for index in 0..part.rows() {
                let class = classes.value(index);
                let label = u8::try_from(class).ok().filter(|&class| usize::from(class) < labels.len());
                let label = label.ok_or_else(|| {
                    let place = format!("row {}, column `label`", part.first_row + index + 1);
                    if class == -1 {
                        return DataError::unlabelled(
                            path,
                            place,
                            "label -1 marks a split whose labels are not public",
                        );
                    }
                    let message = format!("label {class} is not one of 0 to 2 ({})", labels.join(" "));
                    DataError::row(path, place, message)
                })?;
                examples.push(NliExample {
                    id: examples.len().to_string(),
                    premise: premises.value(index).to_owned(),
                    hypothesis: hypotheses.value(index).to_owned(),
                    label,
                });
            }
        }
    }
    Ok(examples)
}
