//! Files that are wrong although their hashes say that they are right: whoever writes them can compute those too.

use std::fs;

use crate::common::{cells, measured, timing};
use crate::{FinishedCell, Overwrite, ReportOptions, ResultsError, ResultsFolder, frames, manifest};

/// A record with one of its files replaced, and the list of files as if that were what was written.
fn forge(folder: &ResultsFolder, name: &str, content: &[u8]) -> FinishedCell {
    let cell = &cells()[0];
    let path = folder.get(cell).unwrap().expect("a record").path;
    fs::write(path.join(name), content).unwrap();
    fs::write(path.join(manifest::FILE), manifest::describe(&path, None).unwrap()).unwrap();
    folder.get(cell).unwrap().expect("its hashes are right")
}

#[test]
fn forged_files_are_damage_and_never_a_panic() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    for cell in cells() {
        folder.claim(&cell, Overwrite::Missing).unwrap().publish(&measured(&cell, 20), &timing()).unwrap();
    }
    let path = folder.get(&cells()[0]).unwrap().expect("a record").path;
    let options = ReportOptions { resamples: 20, ..ReportOptions::default() };
    let mut damaged = 0;
    for name in [frames::SCORES, frames::EXAMPLES, frames::CURVE, frames::SERIES] {
        let whole = fs::read(path.join(name)).unwrap();
        // Among the bytes left out are two that make a count of 2^61: that ends the process, and nobody can catch it.
        for at in (1..whole.len()).step_by(3) {
            let mut content = whole.clone();
            content[at] ^= 1 << (at % 8);
            let forged = forge(&folder, name, &content);
            let read = match name {
                frames::SCORES => forged.scores().map(drop),
                frames::EXAMPLES => forged.examples().map(drop),
                frames::CURVE => forged.curve().map(drop),
                _ => forged.series().map(drop),
            };
            if let Err(error) = read {
                assert!(matches!(error, ResultsError::Damaged { .. }), "byte {at} of {name}: {error}");
                damaged += 1;
            } else if at % 256 == 1 {
                let (finished, unusable) = folder.finished().unwrap();
                // It may have no table, but it ends.
                let _ = crate::report(&cells(), &finished, &unusable, &options);
            }
        }
        forge(&folder, name, &whole);
    }
    assert!(damaged > 100, "only {damaged}");
}
