use std::collections::BTreeMap;
use std::path::Path;

use spec::Language;

use super::lines::{lines, read_text};
use super::nli_label;
use crate::{DataError, NliExample};

/// The examples of each language in a file.
pub(crate) type ByLanguage = BTreeMap<Language, Vec<NliExample>>;

/// Reads every language of XNLI's tab-separated file; its columns are found by the header's names. Rows labelled `-`
/// (annotators without a majority) are left out, with a note. Examples are named by their row within the language,
/// from 0, so that translations of one item share a name.
pub(crate) fn read_all(path: &Path) -> Result<(ByLanguage, Option<String>), DataError> {
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
    let (language, label) = (column("language")?, column("gold_label")?);
    let (premise, hypothesis) = (column("sentence1")?, column("sentence2")?);
    let mut all = ByLanguage::new();
    let mut seen: BTreeMap<Language, usize> = BTreeMap::new();
    let mut skipped = 0;
    for (number, line) in rows {
        let fields: Vec<&str> = line.split('\t').collect();
        let bad = |message: String| DataError::row(path, format!("line {number}"), message);
        if fields.len() != header.len() {
            return Err(bad(format!("has {} columns, the header {}", fields.len(), header.len())));
        }
        let language = Language::parse(fields[language]).map_err(|error| bad(error.to_string()))?;
        let row = seen.entry(language).or_default();
        *row += 1;
        if fields[label] == "-" {
            skipped += 1;
            continue;
        }
        let label = nli_label(fields[label]).ok_or_else(|| {
            bad(format!("gold_label `{}` is not entailment, neutral or contradiction", fields[label]))
        })?;
        all.entry(language).or_default().push(NliExample {
            id: (*row - 1).to_string(),
            premise: fields[premise].to_owned(),
            hypothesis: fields[hypothesis].to_owned(),
            label,
        });
    }
    let note = (skipped > 0).then(|| format!("{skipped} rows without a majority label (`-`) were left out"));
    Ok((all, note))
}
