//! What methods learnt and kept, on scores made up for it.

#[allow(dead_code)] // What other tests use.
mod common;

use std::collections::BTreeMap;

use common::{cells, timing};
use evaluation::{Contribution, ratio};
use results::{CellResult, Overwrite, ProbeExamples, ReportOptions, ResultsFolder, Score, Table, report};
use spec::{Cell, Name, Outcome};

/// Right ones of 100 examples: of entities by language, of retrieval after training by language; it was 90 before.
type Scores<'a> = (&'a [(&'a str, u32)], &'a [(&'a str, u32)]);

fn result(cell: &Cell, (entities, pairs): Scores) -> CellResult {
    let mut result = CellResult {
        outcome: Outcome::Done,
        scores: Vec::new(),
        examples: Vec::new(),
        curve: Vec::new(),
        series: Vec::new(),
        notes: Vec::new(),
    };
    for (moment, probe) in
        cell.protocol.moments().enumerate().flat_map(|(m, probes)| probes.iter().map(move |p| (m, p)))
    {
        for &language in &probe.languages {
            let of = |scores: &[(&str, u32)]| scores.iter().find(|(code, _)| *code == language.code()).unwrap().1;
            let right = match (probe.name.as_str(), moment) {
                ("ner", _) => of(entities),
                (_, 0) => 90,
                _ => of(pairs),
            };
            let metric = probe.task.main_metric().to_owned();
            let contributions: Vec<_> = (0..100)
                .map(|at| Contribution { numerator: f64::from(u8::from(at < right)), denominator: 1.0 })
                .collect();
            result.scores.push(Score {
                moment: moment as u32,
                probe: probe.name.clone(),
                task: probe.task,
                language,
                metric: metric.clone(),
                value: ratio(&contributions),
                low: None,
                high: None,
                examples: 100,
            });
            result.examples.push(ProbeExamples {
                moment: moment as u32,
                probe: probe.name.clone(),
                language,
                ids: (0..100).map(|at| at.to_string()).collect(),
                contributions: BTreeMap::from([(metric, contributions)]),
            });
        }
    }
    result
}

fn table(methods: &[(&str, Scores)]) -> Table {
    let root = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(root.path()).unwrap();
    let mut planned = Vec::new();
    for (name, scores) in methods {
        let mut cell = cells().remove(0);
        cell.method.name = Name::new(*name).unwrap();
        folder.claim(&cell, Overwrite::Missing).unwrap().publish(&result(&cell, *scores), &timing()).unwrap();
        planned.push(cell);
    }
    let (finished, damaged) = folder.finished().unwrap();
    let options = ReportOptions { resamples: 100, ..ReportOptions::default() };
    let report = report(&planned, &finished, &damaged, &options).unwrap();
    report.sections[0].tables[0].clone()
}

#[test]
fn learnt_transferred_and_kept_stand_together_with_who_beats_whom() {
    let table = table(&[
        // The usual exchange: learns more, forgets more.
        ("learns", (&[("en", 90), ("de", 80), ("hi", 40)], &[("de", 60), ("hi", 30)])),
        ("keeps", (&[("en", 85), ("de", 50), ("hi", 50)], &[("de", 88), ("hi", 90)])),
        // Worse than `keeps` in both.
        ("beaten", (&[("en", 84), ("de", 50), ("hi", 30)], &[("de", 80), ("hi", 85)])),
        // Equal to `keeps` in both: neither beats the other.
        ("equal", (&[("en", 82), ("de", 60), ("hi", 40)], &[("de", 90), ("hi", 88)])),
        // Kept everything, because it learnt nothing.
        ("asleep", (&[("en", 20), ("de", 10), ("hi", 20)], &[("de", 90), ("hi", 91)])),
    ]);
    assert_eq!(table.title, "learnt and kept: ner (ner.f1.strict), in percent");
    assert_eq!(
        table.header,
        ["method", "learnt", "transferred", "gap", "worst", "deviation", "kept: tatoeba", "dominated by"]
    );
    let rows: BTreeMap<&str, Vec<&str>> =
        table.rows.iter().map(|row| (row[0].as_str(), row[1..].iter().map(String::as_str).collect())).collect();
    // Population deviations: of 80 and 40, of 50 and 50.
    assert_eq!(rows["learns"], ["90.0", "60.0", "30.0", "40.0 hi", "20.0", "-45.0 (hi -60.0)", "none"]);
    assert_eq!(rows["keeps"], ["85.0", "50.0", "35.0", "50.0 de", "0.0", "-1.0 (de -2.0)", "none"]);
    assert_eq!(rows["equal"], ["82.0", "50.0", "32.0", "40.0 hi", "10.0", "-1.0 (hi -2.0)", "none"]);
    assert_eq!(rows["beaten"], ["84.0", "40.0", "44.0", "30.0 hi", "10.0", "-7.5 (de -10.0)", "equal, keeps"]);
    assert_eq!(rows["asleep ‡"], ["20.0", "15.0", "5.0", "10.0 de", "5.0", "+0.5 (de 0.0)", "none"]);
    assert!(
        table.notes.iter().any(|note| note.starts_with("‡ under-trained: more than 10 points below")),
        "{:?}",
        table.notes
    );
}

#[test]
fn ten_points_are_near_enough() {
    let table = table(&[
        ("best", (&[("en", 90), ("de", 80), ("hi", 40)], &[("de", 60), ("hi", 30)])),
        ("near", (&[("en", 80), ("de", 80), ("hi", 40)], &[("de", 60), ("hi", 30)])),
    ]);
    assert!(table.rows.iter().all(|row| !row[0].contains('‡')), "{:?}", table.rows);
    assert_eq!(table.notes.len(), 1);
}
