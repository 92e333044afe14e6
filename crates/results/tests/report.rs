//! Reports: golden output in every format, holes, order, and numbers computed a second way.

mod common;

use std::path::Path;

use common::{cells, measured, timing};
use evaluation::ratio;
use results::{Damaged, FinishedCell, Format, Overwrite, ReportOptions, ResultsFolder, report};
use spec::{Cell, Language, Outcome, Stage};

const FORMATS: [(&str, Format); 4] = [
    ("txt", Format::Terminal { width: 100, color: false }),
    ("md", Format::Markdown),
    ("csv", Format::Csv),
    ("tex", Format::Latex),
];

fn options() -> ReportOptions {
    ReportOptions { metrics: Vec::new(), resamples: 200 }
}

/// Two seeds of `ft`, one of `frozen`; the other one crashed with a hostile message, and a third seed was never run.
fn sweep(root: &Path) -> (Vec<Cell>, Vec<FinishedCell>, Vec<Damaged>) {
    let folder = ResultsFolder::open(root).unwrap();
    let mut cells = cells();
    for cell in &cells {
        let claim = folder.claim(cell, Overwrite::Missing).unwrap();
        if cell.method.name.as_str() == "frozen" && cell.seed == 2 {
            let detail = "\u{1b}[31m<script>alert(1)</script> | `rm` \\input{x} *_#$%&~^\n=1+1 \u{202e}end".to_owned();
            claim.fail(&Outcome::Crashed { detail }, &timing(), "").unwrap();
        } else {
            claim.publish(&measured(cell, 60), &timing()).unwrap();
        }
    }
    cells.push(Cell { seed: 3, ..cells[0].clone() });
    let (finished, damaged) = folder.finished().unwrap();
    (cells, finished, damaged)
}

#[test]
fn golden_report_in_every_format() {
    let root = tempfile::tempdir().unwrap();
    let (cells, finished, damaged) = sweep(root.path());
    let report = report(&cells, &finished, &damaged, &options()).unwrap();
    for (ending, format) in FORMATS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/report.{ending}"));
        let text = report.render(format);
        if std::env::var_os("LETHE_WRITE_GOLDEN").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, golden, "{}; LETHE_WRITE_GOLDEN=1 writes it anew", path.display());
    }
}

#[test]
fn the_order_of_cells_does_not_matter() {
    let root = tempfile::tempdir().unwrap();
    let (mut cells, mut finished, damaged) = sweep(root.path());
    let one = report(&cells, &finished, &damaged, &options()).unwrap();
    for turn in 0..3 {
        cells.rotate_left(turn);
        finished.rotate_left(turn + 1);
        cells.reverse();
        let other = report(&cells, &finished, &damaged, &options()).unwrap();
        for (_, format) in FORMATS {
            assert_eq!(one.render(format), other.render(format));
        }
    }
}

#[test]
fn values_are_those_of_the_pooled_examples() {
    let root = tempfile::tempdir().unwrap();
    let (cells, finished, damaged) = sweep(root.path());
    let report = report(&cells, &finished, &damaged, &options()).unwrap();
    let value = |method: &str, probe: &str, moment: &str, language: &str| -> f64 {
        let row = report
            .values
            .rows
            .iter()
            .find(|row| row[4] == method && row[6] == probe && row[5] == moment && row[8] == language)
            .unwrap();
        row[10].parse().unwrap()
    };
    let pooled = |cells: &[&Cell], probe: &str, moment: u32, language: Language| {
        let all: Vec<_> = cells
            .iter()
            .flat_map(|cell| measured(cell, 60).examples)
            .filter(|p| p.probe.as_str() == probe && p.moment == moment && p.language == language)
            .flat_map(|p| p.contributions.into_values().flatten().collect::<Vec<_>>())
            .collect();
        ratio(&all)
    };
    let [de, hi] = ["de", "hi"].map(|code| Language::parse(code).unwrap());
    let ft: Vec<&Cell> = cells.iter().filter(|cell| cell.method.name.as_str() == "ft" && cell.seed < 3).collect();
    for (probe, moment) in [("ner", 1), ("tatoeba", 0), ("tatoeba", 1)] {
        let (one, other) = (pooled(&ft, probe, moment, de), pooled(&ft, probe, moment, hi));
        assert!((value("ft", probe, &moment.to_string(), "de") - one).abs() < 1e-12);
        assert!((value("ft", probe, &moment.to_string(), "avg") - (one + other) / 2.0).abs() < 1e-12);
    }
}

#[test]
fn no_average_over_a_hole() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let cells: Vec<Cell> = cells().into_iter().filter(|cell| cell.seed == 1).collect();
    for cell in &cells {
        let mut result = measured(cell, 10);
        if cell.method.name.as_str() == "ft" {
            result.examples.retain(|probe| probe.probe.as_str() != "ner" || probe.language.code() != "hi");
        }
        folder.claim(cell, Overwrite::Missing).unwrap().publish(&result, &timing()).unwrap();
    }
    let (finished, damaged) = folder.finished().unwrap();
    let report = report(&cells, &finished, &damaged, &options()).unwrap();
    let table = &report.sections[0].tables[0];
    assert_eq!(table.header, ["method", "en*", "de", "hi", "avg"]);
    assert_eq!(table.rows[0][0], "ft");
    assert_eq!(table.rows[0][3..], ["—", "—"]);
    assert!(table.rows[1].iter().all(|cell| cell != "—"));
    assert!(table.notes.iter().any(|note| note.contains("ft: no score for hi")), "{:?}", table.notes);
    let compared =
        report.sections[0].tables.iter().find(|table| table.title.contains("ner") && table.title.contains("pairs"));
    assert!(compared.is_none(), "methods are not compared over a hole");
}

#[test]
fn equal_methods_show_no_difference_and_different_ones_do() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let cells: Vec<Cell> = cells().into_iter().filter(|cell| cell.seed == 1).collect();
    for cell in &cells {
        let mut result = measured(cell, 200);
        let other = measured(&cells[0], 200);
        // Entities are scored alike, retrieval is not.
        for (probe, same) in result.examples.iter_mut().zip(other.examples) {
            if probe.probe.as_str() == "ner" {
                *probe = same;
            }
        }
        folder.claim(cell, Overwrite::Missing).unwrap().publish(&result, &timing()).unwrap();
    }
    let (finished, damaged) = folder.finished().unwrap();
    let report = report(&cells, &finished, &damaged, &options()).unwrap();
    let verdict = |probe: &str| {
        let tables = &report.sections[0].tables;
        let table = tables.iter().find(|t| t.title.starts_with(probe) && t.title.contains("pairs")).unwrap();
        (table.rows[0][3].clone(), table.rows[0][5].clone())
    };
    assert_eq!(verdict("ner"), ("1.000".to_owned(), "no difference shown".to_owned()));
    assert_eq!(verdict("tatoeba").1, "frozen is better");
}

#[test]
fn damaged_cells_are_named_and_the_rest_is_reported() {
    let root = tempfile::tempdir().unwrap();
    let (cells, finished, _) = sweep(root.path());
    std::fs::write(finished[0].path.join("examples.parquet"), "not Parquet").unwrap();
    // Damaged between listing and reading: the hash was right, the content is not.
    let late = report(&cells, &finished, &[], &options()).unwrap();
    assert!(late.sections[0].notes.iter().any(|note| note.contains("examples.parquet")));
    let (finished, damaged) = ResultsFolder::read(root.path()).unwrap().finished().unwrap();
    let report = report(&cells, &finished, &damaged, &options()).unwrap();
    let notes = &report.sections[0].notes;
    assert!(notes.iter().any(|note| note.contains(": damaged: `examples.parquet`")), "{notes:?}");
    assert!(!report.sections[0].tables.is_empty());
}

#[test]
fn an_update_is_shown_as_relative_changes_and_three_readings_of_losses() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let hindi = Language::parse("hi").unwrap();
    let mut cells: Vec<Cell> = cells().into_iter().filter(|cell| cell.seed == 1).collect();
    for cell in &mut cells {
        let first = cell.protocol.stages[0].clone();
        cell.protocol.stages.push(Stage { languages: vec![hindi], ..first });
    }
    // German loses some of its entities in the update, English gains some.
    let updated = |cell: &Cell| {
        let mut result = measured(cell, 40);
        for (code, changed, numerator) in [("de", 10, 0.0), ("en", 40, 2.0)] {
            let probes = result.examples.iter_mut().filter(|p| p.moment == 2 && p.language.code() == code);
            for values in probes.flat_map(|probe| probe.contributions.values_mut()) {
                values[..changed].iter_mut().for_each(|value| value.numerator = numerator);
            }
        }
        result
    };
    for cell in &cells {
        let mut result = updated(cell);
        if cell.method.name.as_str() == "frozen" {
            // Never right before the update: no change is relative to that.
            let german = result.examples.iter_mut().filter(|p| p.moment == 1 && p.language.code() == "de");
            for (_, values) in german.flat_map(|probe| &mut probe.contributions) {
                values.iter_mut().for_each(|value| value.numerator = 0.0);
            }
        }
        folder.claim(cell, Overwrite::Missing).unwrap().publish(&result, &timing()).unwrap();
    }
    let (finished, damaged) = folder.finished().unwrap();
    let report = report(&cells, &finished, &damaged, &options()).unwrap();
    let tables: Vec<_> = report.sections[0].tables.iter().filter(|table| table.title.contains("relative")).collect();
    let [table] = tables[..] else { panic!("one table, of the stages' own task") };
    assert_eq!(table.title, "ner (ner.f1.strict), relative change by stage 2, in percent");
    assert_eq!(table.header, ["method", "en", "hi*", "de", "mean", "gains", "losing", "others", "sum"]);
    let score = |moment: u32, code: &str| {
        let probes = updated(&cells[0]).examples.into_iter();
        let found = probes.filter(|p| p.probe.as_str() == "ner" && p.moment == moment && p.language.code() == code);
        ratio(&found.flat_map(|p| p.contributions["ner.f1.strict"].clone()).collect::<Vec<_>>())
    };
    let changes = ["en", "hi", "de"].map(|code| 100.0 * (score(2, code) - score(1, code)) / score(1, code));
    assert!(changes[0] > 1.0 && changes[2] < -1.0, "{changes:?}");
    let losses = changes.map(|change| f64::max(0.0, -change));
    let losing = changes.iter().filter(|change| **change < 0.0).count().max(1) as f64;
    let aggregates = [
        changes.iter().sum::<f64>() / 3.0,
        100.0 * changes.iter().filter(|change| **change > 0.0).count() as f64 / 3.0,
        losses.iter().sum::<f64>() / losing,
        (losses[0] + losses[2]) / 2.0,
        losses.iter().sum(),
    ];
    for (cell, expected) in table.rows[0][1..].iter().zip(changes.into_iter().chain(aggregates)) {
        assert!((cell.parse::<f64>().unwrap() - expected).abs() <= 0.05 + 1e-9, "{:?}: {expected}", table.rows[0]);
    }
    assert!(table.rows[1][1..].iter().all(|cell| cell == "—"), "{:?}", table.rows[1]);
    assert!(table.notes[0].contains("frozen") && table.notes[0].contains("`de`"), "{:?}", table.notes);
}
