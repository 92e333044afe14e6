//! Reports: golden output in every format, holes, order, and numbers computed a second way.

mod common;

use std::path::Path;

use common::{cells, measured, timing};
use evaluation::{Contribution, ratio};
use results::{
    CellResult, Damaged, FinishedCell, Format, Overwrite, Pairs, Report, ReportOptions, ResultsFolder, Table, report,
};
use spec::{Cell, Language, Name, Outcome, Probe, Stage, Task};

const FORMATS: [(&str, Format); 4] = [
    ("txt", Format::Terminal { width: 100, color: false }),
    ("md", Format::Markdown),
    ("csv", Format::Csv),
    ("tex", Format::Latex),
];

fn options() -> ReportOptions {
    ReportOptions { resamples: 200, ..ReportOptions::default() }
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
    golden("report", &report(&cells, &finished, &damaged, &options()).unwrap());
}

#[track_caller]
fn golden(name: &str, report: &Report) {
    for (ending, format) in FORMATS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.{ending}"));
        let text = report.render(format);
        if std::env::var_os("LETHE_WRITE_GOLDEN").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, golden, "{}; LETHE_WRITE_GOLDEN=1 writes it anew", path.display());
    }
}

/// A protocol of one stage has neither transfer nor forgetting.
#[test]
fn the_reference_reports_come_out_again() {
    for run in ["mini", "real-small", "real-methods"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results/record").join(run);
        let (finished, damaged) = ResultsFolder::read(&root).unwrap().finished().unwrap();
        let report = report(&[], &finished, &damaged, &ReportOptions::default()).unwrap();
        let text = report.render(Format::Markdown);
        if std::env::var_os("LETHE_WRITE_GOLDEN").is_some() {
            std::fs::write(root.join("report.md"), &text).unwrap();
        }
        assert!(text == std::fs::read_to_string(root.join("report.md")).unwrap(), "{run}: report.md");
        // Numbers of recorded cells never change.
        let values = std::fs::read_to_string(root.join("values.csv")).unwrap();
        assert!(report.render(Format::Csv) == values, "{run}: values.csv");
    }
}

/// A loss is shown in its own unit, and the smaller one is the better.
#[test]
fn losses_are_in_nats_and_the_smaller_is_better() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let mut cells = cells();
    let third: Vec<Cell> =
        cells.iter().filter(|cell| cell.seed == 1).map(|cell| Cell { seed: 3, ..cell.clone() }).collect();
    cells.extend(third);
    for cell in &mut cells {
        for stage in &mut cell.protocol.stages {
            stage.probes.retain(|probe| probe.task == Task::Ner);
            stage.probes[0].task = Task::Mlm;
        }
        cell.protocol.before.clear();
        let mut result = measured(cell, 60);
        let full = cell.method.name.as_str() == "ft";
        for (score, probe) in result.scores.iter_mut().zip(&mut result.examples) {
            // 2 nats and a little for `ft`, 1 for `frozen`, on the same examples; runs differ in a little of it.
            let run = cell.seed as usize + usize::from(full);
            let nats = |at: usize| {
                (if full { 2.0 } else { 1.0 }) + 0.125 * (at % 3) as f64 + 0.01 * ((7 * at + run) % 5) as f64
            };
            let losses: Vec<_> = (0..60).map(|at| Contribution { numerator: nats(at), denominator: 1.0 }).collect();
            score.metric = "mlm.loss".to_owned();
            score.value = ratio(&losses);
            probe.contributions.insert("mlm.loss".to_owned(), losses);
        }
        folder.claim(cell, Overwrite::Missing).unwrap().publish(&result, &timing()).unwrap();
    }
    let (finished, damaged) = folder.finished().unwrap();
    let options = ReportOptions { metrics: vec!["mlm.loss".to_owned()], resamples: 200, ..ReportOptions::default() };
    let report = report(&cells, &finished, &damaged, &options).unwrap();
    let tables: Vec<&Table> =
        report.sections[0].tables.iter().filter(|table| table.title.contains("mlm.loss")).collect();
    let titled = |part: &str| *tables.iter().find(|table| table.title.contains(part)).unwrap();
    let scores = titled("after stage 1, in nats (lower is better)");
    assert_eq!(scores.rows[0][0], "ft");
    assert!(scores.rows[0][1].starts_with("2.145 ±0.0"), "{:?}", scores.rows);
    assert!(scores.rows[1][1].starts_with("1.145 ±0.0"), "{:?}", scores.rows);
    let compared = titled("compared with ft, in nats (lower is better)");
    assert!(compared.rows[0][1].starts_with("-1.000 ±"), "{:?}", compared.rows);
    assert_eq!(compared.rows[0].last().map(String::as_str), Some("frozen is better"), "{:?}", compared.rows);
    assert_eq!(titled("spread over seeds").rows[0][2], "2.145 (0.000)");
    // The main metric beside it stays in percent.
    assert!(
        report.sections[0]
            .tables
            .iter()
            .any(|table| table.title.ends_with("(mlm.accuracy), after stage 1, in percent"))
    );
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
    let [learnt, table, ..] = &report.sections[0].tables[..] else { panic!("two tables") };
    assert!(learnt.title.starts_with("learnt and kept") && learnt.rows[0][1..].iter().all(|cell| cell == "—"));
    assert!(learnt.rows[1].iter().all(|cell| cell != "—"), "{:?}", learnt.rows);
    assert_eq!(table.header, ["method", "en*", "de", "hi", "avg"]);
    assert_eq!(table.rows[0][0], "ft");
    assert_eq!(table.rows[0][3..], ["—", "—"]);
    assert!(table.rows[1].iter().all(|cell| cell != "—"));
    assert!(table.notes.iter().any(|note| note.contains("ft: no score for hi")), "{:?}", table.notes);
    assert!(verdicts(&report, "ner").is_empty(), "methods are not compared over a hole");
}

/// Verdicts of a table by what its title starts with.
fn verdicts(report: &Report, probe: &str) -> Vec<String> {
    let tables = &report.sections[0].tables;
    let compared =
        |table: &&Table| table.title.starts_with(probe) && table.header.last().is_some_and(|h| h == "verdict");
    tables.iter().filter(compared).flat_map(|table| table.rows.iter().filter_map(|row| row.last().cloned())).collect()
}

/// Seeds 1 to `seeds` of both methods, entities scored alike, retrieval not.
fn alike_but_for_retrieval(seeds: u64, options: &ReportOptions) -> Report {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let first: Vec<Cell> = cells().into_iter().filter(|cell| cell.seed == 1).collect();
    let cells: Vec<Cell> =
        (1..=seeds).flat_map(|seed| first.iter().map(move |cell| Cell { seed, ..cell.clone() })).collect();
    for cell in &cells {
        let mut result = measured(cell, 200);
        let other = measured(&Cell { seed: cell.seed, ..first[0].clone() }, 200);
        for (probe, same) in result.examples.iter_mut().zip(other.examples) {
            if probe.probe.as_str() == "ner" {
                *probe = same;
            }
        }
        folder.claim(cell, Overwrite::Missing).unwrap().publish(&result, &timing()).unwrap();
    }
    let (finished, damaged) = folder.finished().unwrap();
    report(&cells, &finished, &damaged, options).unwrap()
}

#[test]
fn equal_methods_show_no_difference_and_different_ones_do() {
    let report = alike_but_for_retrieval(3, &options());
    assert_eq!(verdicts(&report, "ner"), ["no difference shown"]);
    assert_eq!(verdicts(&report, "tatoeba"), ["frozen is better"]);
    let tables = &report.sections[0].tables;
    let table = tables.iter().find(|table| table.title.ends_with("compared with ft")).unwrap();
    assert_eq!(table.rows[0][..2], ["frozen", "0.0"]);
}

#[test]
fn two_seeds_decide_nothing_however_far_apart_methods_are() {
    for (seeds, verdict) in
        [(1, "not decided (1 seed; 3 are the least)"), (2, "not decided (2 seeds; 3 are the least)")]
    {
        let report = alike_but_for_retrieval(seeds, &options());
        assert_eq!(verdicts(&report, "tatoeba"), [verdict]);
        let tables = &report.sections[0].tables;
        let compared = tables.iter().filter(|table| table.title.ends_with("compared with ft"));
        for table in compared {
            assert_eq!(table.header, ["method", "difference", "verdict"], "no p that cannot decide");
            assert!(table.notes.iter().any(|note| note.contains("3 seeds of every method")), "{:?}", table.notes);
        }
    }
}

#[test]
fn the_control_is_ones_own_choice_and_all_pairs_come_on_request() {
    let against = |pairs: Pairs| alike_but_for_retrieval(3, &ReportOptions { pairs, ..options() });
    let shown = |report: &Report, probe: &str| -> [String; 2] {
        let compared = report.sections[0].tables.iter().filter(|table| table.header.last().unwrap() == "verdict");
        let table = compared.into_iter().find(|table| table.title.starts_with(probe)).unwrap();
        [table.title.split(": ").nth(1).unwrap().to_owned(), table.rows[0][..2].join(" ")]
    };
    let frozen = against(Pairs::Control(Some("frozen".to_owned())));
    assert_eq!(shown(&frozen, "ner"), ["compared with frozen", "ft 0.0"]);
    assert_eq!(verdicts(&frozen, "tatoeba"), ["frozen is better"]);
    let all = against(Pairs::All);
    assert_eq!(shown(&all, "ner"), ["pairs of methods", "ft frozen"]);
    let over_languages =
        alike_but_for_retrieval(3, &ReportOptions { drawn: evaluation::Drawn::Languages, ..options() });
    let notes = over_languages.sections[0].tables.iter().flat_map(|table| &table.notes);
    assert!(notes.into_iter().any(|note| note.contains("seeds and languages are drawn anew")));

    let root = tempfile::tempdir().unwrap();
    let (cells, finished, damaged) = sweep(root.path());
    let unknown = ReportOptions { pairs: Pairs::Control(Some("gem".to_owned())), ..options() };
    let error = report(&cells, &finished, &damaged, &unknown).unwrap_err();
    let expected = "no method is named `gem`, so that none can be compared with it; there are: frozen, ft";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn methods_with_other_seeds_are_compared_on_those_that_both_have() {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let one = cells().into_iter().filter(|cell| cell.seed == 1);
    let cells: Vec<Cell> = one.flat_map(|cell| (1..=4).map(move |seed| Cell { seed, ..cell.clone() })).collect();
    let cells: Vec<Cell> =
        cells.into_iter().filter(|cell| cell.method.name.as_str() == "ft" || cell.seed > 1).collect();
    for cell in &cells {
        folder.claim(cell, Overwrite::Missing).unwrap().publish(&measured(cell, 40), &timing()).unwrap();
    }
    let (finished, damaged) = folder.finished().unwrap();
    let report = report(&cells, &finished, &damaged, &options()).unwrap();
    assert_eq!(verdicts(&report, "tatoeba"), ["frozen is better"]);
    let value = |method: &str, seed: u64| {
        let cell = cells.iter().find(|cell| cell.method.name.as_str() == method && cell.seed == seed).unwrap();
        let result = measured(cell, 40);
        let scores = result.scores.iter().filter(|score| score.moment == 1 && score.probe.as_str() == "ner");
        let targets = scores.filter(|score| score.language.code() != "en");
        targets.map(|score| score.value).sum::<f64>() / 2.0
    };
    let expected = (2..=4).map(|seed| value("frozen", seed) - value("ft", seed)).sum::<f64>() / 3.0;
    let tables = &report.sections[0].tables;
    let table = tables.iter().find(|t| t.title.starts_with("ner") && t.title.ends_with("compared with ft")).unwrap();
    let shown: f64 = table.rows[0][1].split(' ').next().unwrap().parse().unwrap();
    assert!((shown - 100.0 * expected).abs() <= 0.05 + 1e-9, "{shown} instead of {expected}");
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
    assert_eq!(table.header, ["method", "en", "hi*", "de", "mean", "gains", "losing", "others", "sum", "saved"]);
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

/// Of `ft` German falls from 9 to 6, a loss of 33.3 %, of `frozen` from 8 to 7, of 12.5 %: 62.5 % less.
#[test]
fn losses_in_an_update_are_held_against_the_controls() {
    let mut cells: Vec<Cell> = cells().into_iter().filter(|cell| cell.seed == 1).collect();
    for cell in &mut cells {
        let first = cell.protocol.stages[0].clone();
        cell.protocol.stages.push(Stage { languages: vec![Language::parse("hi").unwrap()], ..first });
    }
    let report = reported(&cells, |cell| {
        let mut result = measured(cell, 10);
        let german = if cell.method.name.as_str() == "ft" { [9, 6] } else { [8, 7] };
        for (moment, german) in (1..).zip(german) {
            right(&mut result, moment, "ner", &[("de", german), ("en", 5), ("hi", 5)]);
        }
        result
    });
    let table = report.sections[0].tables.iter().find(|table| table.title.contains("relative")).unwrap();
    let ends: Vec<_> = table.rows.iter().map(|row| [row[6].as_str(), row.last().unwrap().as_str()]).collect();
    assert_eq!(ends, [["33.3", "—"], ["12.5", "62.5"]]);
    assert!(table.notes[0].contains("smaller than ft's") && table.notes[0].contains("nothing here is tested"));
}

/// Each example of a probe right or wrong: this many of ten are right.
fn right(result: &mut CellResult, moment: u32, probe: &str, languages: &[(&str, usize)]) {
    for &(code, hits) in languages {
        let found = result.examples.iter_mut().filter(|p| p.moment == moment && p.language.code() == code);
        for values in found.filter(|p| p.probe.as_str() == probe).flat_map(|p| p.contributions.values_mut()) {
            *values = (0..10).map(|at| Contribution::hit(at < hits)).collect();
        }
        let found = result.scores.iter_mut().filter(|s| s.moment == moment && s.language.code() == code);
        found.filter(|s| s.probe.as_str() == probe).for_each(|score| score.value = hits as f64 / 10.0);
    }
}

fn reported(cells: &[Cell], measure: impl Fn(&Cell) -> CellResult) -> Report {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    for cell in cells {
        folder.claim(cell, Overwrite::Missing).unwrap().publish(&measure(cell), &timing()).unwrap();
    }
    let (finished, damaged) = folder.finished().unwrap();
    report(cells, &finished, &damaged, &options()).unwrap()
}

/// The table of transfer and forgetting, and the numbers of a row without their intervals.
fn continual(report: &Report) -> (&Table, impl Fn(usize) -> Vec<String>) {
    let tables = &report.sections[0].tables;
    let table = tables.iter().find(|table| table.title.contains("transfer and forgetting")).unwrap();
    let number = |cell: &String| cell.split(' ').next().unwrap_or_default().to_owned();
    (table, move |row: usize| table.rows[row][1..].iter().map(number).collect())
}

/// Value of a row of the long list.
fn listed(report: &Report, key: [&str; 4]) -> Option<f64> {
    let [method, probe, language, metric] = key;
    let mut rows = report.values.rows.iter();
    let row = rows.find(|row| [&row[4], &row[6], &row[8], &row[9]] == [method, probe, language, metric])?;
    row[10].parse().ok()
}

/// Entities from English, then inference from English; entities are measured again after it.
fn two_tasks() -> Vec<Cell> {
    let mut cells = cells();
    for cell in &mut cells {
        let first = cell.protocol.stages[0].clone();
        let name = |name: &str| Name::new(name).unwrap();
        let languages = ["de", "en"].map(|code| Language::parse(code).unwrap()).to_vec();
        let probe =
            Probe { name: name("nli"), task: Task::Nli, data: name("xnli"), languages, ..first.probes[0].clone() };
        let probes = vec![first.probes[0].clone(), probe, first.probes[1].clone()];
        cell.protocol.stages.push(Stage { task: Task::Nli, data: name("multinli"), probes, ..first });
    }
    cells
}

/// | column | learnt | before | after 1 | after 2 |
/// | --- | --- | --- | --- | --- |
/// | ner, both | stage 1 | | (6 + 9 + 6) / 30 = 0.7 | (5 + 6 + 4) / 30 = 0.5 |
/// | nli, both | stage 2 | | | (6 + 8) / 20 = 0.7 |
/// | tatoeba, ft | known | (6 + 4) / 20 = 0.5 | (9 + 7) / 20 = 0.8 | (6 + 6) / 20 = 0.6 |
/// | tatoeba, frozen | known | 0.5 | (6 + 6) / 20 = 0.6 | (9 + 7) / 20 = 0.8 |
///
/// | measure | ft | frozen |
/// | --- | --- | --- |
/// | average.final | (0.5 + 0.7 + 0.6) / 3 = 0.6 | (0.5 + 0.7 + 0.8) / 3 = 0.667 |
/// | transfer.backward | ((0.5 − 0.7) + (0.6 − 0.5)) / 2 = −0.05 | (−0.2 + (0.8 − 0.5)) / 2 = 0.05 |
/// | forgetting.first-last | 0.05 | −0.05 |
/// | forgetting.max-last | ((0.7 − 0.5) + (0.8 − 0.6)) / 2 = 0.2 | (0.2 + (0.6 − 0.8)) / 2 = 0 |
/// | forgetting.max-all-last | (0.2 + 0.2) / 2 = 0.2 | (0.2 + (0.8 − 0.8)) / 2 = 0.1 |
#[test]
fn two_tasks_in_a_row_are_told_by_transfer_and_forgetting() {
    let cells = two_tasks();
    let report = reported(&cells, |cell| {
        let mut result = measured(cell, 10);
        // Seeds differ: 8 and 4 of 10 are 6 on average.
        let english = if cell.seed == 1 { 8 } else { 4 };
        right(&mut result, 1, "ner", &[("de", 6), ("en", 9), ("hi", 6)]);
        right(&mut result, 2, "ner", &[("de", 5), ("en", english), ("hi", 4)]);
        right(&mut result, 2, "nli", &[("de", 6), ("en", 8)]);
        let (one, two) = if cell.method.name.as_str() == "ft" { ([9, 7], [6, 6]) } else { ([6, 6], [9, 7]) };
        for (moment, [german, hindi]) in [(0, [6, 4]), (1, one), (2, two)] {
            right(&mut result, moment, "tatoeba", &[("de", german), ("hi", hindi)]);
        }
        result
    });
    let (table, numbers) = continual(&report);
    let forgetting = ["forgetting.first-last", "forgetting.max-last", "forgetting.max-all-last"];
    assert_eq!(table.header[..3], ["method", "average.final", "transfer.backward"]);
    assert_eq!(table.header[3..], forgetting);
    assert_eq!(numbers(0), ["60.0", "-5.0", "5.0", "20.0", "20.0"]);
    assert_eq!(numbers(1), ["66.7", "+5.0", "-5.0", "0.0", "10.0"]);
    let left_out = "transfer.forward left out: nli is not probed before training, nor after stage 1";
    assert!(table.notes.iter().any(|note| note == left_out), "{:?}", table.notes);
    for (key, expected) in [
        (["ft", "all", "all", "forgetting.max-last"], 0.2),
        (["ft", "ner", "all", "ner.f1.strict.average.final"], 0.5),
        (["ft", "ner", "en", "ner.f1.strict.transfer.backward"], 0.6 - 0.9),
        (["frozen", "tatoeba", "hi", "retrieval.p1.to-english.forgetting.first-last"], 0.4 - 0.7),
        (["frozen", "tatoeba", "hi", "retrieval.p1.to-english.forgetting.max-all-last"], 0.0),
    ] {
        assert!((listed(&report, key).unwrap() - expected).abs() < 1e-12, "{key:?}");
    }
    assert_eq!(listed(&report, ["ft", "nli", "all", "nli.accuracy.transfer.backward"]), None);
    // Listed as a score.
    assert_eq!(listed(&report, ["ft", "ner", "en", "ner.f1.strict.average.final"]), None);
    golden("stages", &report);
}

/// English entities, Hindi entities, then text: what is learnt at which stage, and what cannot be said.
#[test]
fn languages_are_learnt_at_their_own_stage_and_holes_stay_in_their_measures() {
    let mut cells: Vec<Cell> = cells().into_iter().filter(|cell| cell.seed == 1).collect();
    for cell in &mut cells {
        let protocol = &mut cell.protocol;
        let first = protocol.stages[0].clone();
        let [ner, tatoeba] = [&first.probes[0], &first.probes[1]];
        let english = vec![Language::ENGLISH];
        let text = Probe { name: Name::new("text").unwrap(), task: Task::Mlm, languages: english, ..ner.clone() };
        protocol.before = vec![text.clone()];
        let stage = |task, code, probes| Stage {
            task,
            languages: vec![Language::parse(code).unwrap()],
            probes,
            ..first.clone()
        };
        protocol.stages = vec![
            stage(Task::Ner, "en", vec![ner.clone(), text.clone(), tatoeba.clone()]),
            stage(Task::Ner, "hi", vec![ner.clone(), text.clone()]),
            stage(Task::Mlm, "en", vec![ner.clone(), text, tatoeba.clone()]),
        ];
    }
    // ner of de and en, learnt at 1: 0.7, 0.8, 0.6; of hi, learnt at 2: 0.5, 0.4, 0.1. text, learnt at 3: 0.6, 0.2, 0.3, 0.9.
    // tatoeba, known from the start, was not measured then: 0.4 at the end.
    let measure = |cell: &Cell| {
        let mut result = measured(cell, 10);
        for (moment, [german, english, hindi]) in [(1, [6, 8, 5]), (2, [7, 9, 4]), (3, [6, 6, 1])] {
            right(&mut result, moment, "ner", &[("de", german), ("en", english), ("hi", hindi)]);
        }
        for (moment, hits) in (0..).zip([6, 2, 3, 9]) {
            right(&mut result, moment, "text", &[("en", hits)]);
        }
        right(&mut result, 3, "tatoeba", &[("de", 4), ("hi", 4)]);
        if cell.method.name.as_str() == "frozen" {
            result.examples.retain(|p| p.probe.as_str() != "ner" || p.language.code() != "hi" || p.moment != 2);
        }
        result
    };
    let report = reported(&cells, measure);
    let (table, numbers) = continual(&report);
    assert_eq!(table.header[3], "transfer.forward");
    // average.final: (0.6 + 0.1 + 0.9 + 0.4) / 4. transfer.backward: ((0.6 − 0.7) + (0.1 − 0.4)) / 2. transfer.forward:
    // 0.3 − 0.6. Hindi was best before it was learnt: ((0.8 − 0.6) + (0.5 − 0.1)) / 2.
    assert_eq!(numbers(0), ["50.0", "-20.0", "-30.0", "20.0", "30.0", "30.0"]);
    // What reads the hole is one.
    assert_eq!(numbers(1), ["50.0", "—", "-30.0", "—", "—", "—"]);
    for note in [
        "mean over tatoeba (known before training), ner of de+en (learnt in stage 1), ner of hi (learnt in stage 2), text \
         (learnt in stage 3); of each the mean over all languages, source languages too",
        "transfer.backward, forgetting.first-last not in the mean: tatoeba is not probed before training",
        "transfer.forward not in the mean: ner of hi is not probed before training",
        "forgetting.max-last, forgetting.max-all-last not in the mean: tatoeba is not probed before training, nor after \
         stage 2",
        "— frozen: no comparable score of ner after stage 2 for hi",
    ] {
        assert!(table.notes.iter().any(|other| other == note), "{note}\n{:#?}", table.notes);
    }
    assert!(
        (listed(&report, ["ft", "ner", "de+en", "ner.f1.strict.forgetting.max-last"]).unwrap() - 0.2).abs() < 1e-12
    );
    assert_eq!(listed(&report, ["frozen", "ner", "hi", "ner.f1.strict.forgetting.max-last"]), None);
    assert!(listed(&report, ["frozen", "ner", "de", "ner.f1.strict.forgetting.max-last"]).is_some());
}

#[test]
fn scores_of_other_examples_are_not_compared_over_stages() {
    let cells: Vec<Cell> = two_tasks().into_iter().filter(|cell| cell.seed == 1).collect();
    let report = reported(&cells, |cell| {
        let mut result = measured(cell, 10);
        let german = result.examples.iter_mut().filter(|p| p.moment == 1 && p.language.code() == "de");
        german.filter(|p| p.probe.as_str() == "ner").for_each(|p| p.ids[0] = "another".to_owned());
        result
    });
    let (table, numbers) = continual(&report);
    assert!(numbers(0)[0] != "—" && numbers(0)[1..].iter().all(|number| number == "—"), "{table:?}");
    assert!(table.notes.contains(&"— ft: no comparable score of ner after stage 1 for de".to_owned()), "{table:?}");
}
