use evaluation::{LanguageContributions, macro_ratio, ratio};
use spec::{Direction, Language, Protocol, Unit};

use super::view::{Row, View};
use crate::number::{HOLE, plain, tenths, with_sign};
use crate::table::Table;

/// A method whose score on its sources is this much below the best one's has not been trained enough to be compared.
const UNDER_TRAINED: f64 = 0.1;

/// What a method has learnt and what it has kept, the larger the better.
struct Point {
    learnt: Option<f64>,
    transferred: f64,
    /// Changes of what was measured before and after, in the order of the views.
    kept: Vec<f64>,
}

/// Methods by what they learnt, transferred and kept, and which of them another one beats in all of it; `None` where the
/// protocol's task is not measured.
pub(crate) fn table(protocol: &Protocol, views: &[View], rows: &[Row]) -> Option<Table> {
    let is_main = |view: &&View| view.metric == view.probe.task.main_metric();
    let main = views.iter().find(|view| is_main(view) && Some(view.probe.task) == protocol.task())?;
    let other = |view: &&View| view.before.is_some() && Some(view.probe.task) != protocol.task();
    let kept: Vec<&View> = views.iter().filter(is_main).filter(other).collect();
    let sources: Vec<Language> = main.sources().collect();
    if main.better == Direction::Lower {
        return None;
    }

    let points: Vec<Option<Point>> = rows.iter().map(|row| point(row, main, &sources, &kept)).collect();
    let best = points.iter().flatten().filter_map(|point| point.learnt).fold(f64::NEG_INFINITY, f64::max);
    let header = ["method", "learnt", "transferred", "gap", "worst", "deviation"].map(str::to_owned).into_iter();
    let header = header.chain(kept.iter().map(|view| format!("kept: {}", view.probe.name)));
    let mut table = Table::new(
        format!("learnt and kept: {} ({}), {}", main.probe.name, main.metric, main.in_unit()),
        1,
        header.chain(["dominated by".to_owned()]),
    );
    let mut under_trained = false;
    for (row, point) in rows.iter().zip(&points) {
        let Some(point) = point else {
            let holes = vec![HOLE.to_owned(); 6 + kept.len()];
            table.push(std::iter::once(row.label.clone()).chain(holes));
            continue;
        };
        let weak = point.learnt.is_some_and(|learnt| learnt < best - UNDER_TRAINED - 1e-9);
        under_trained |= weak;
        let share = |value: Option<f64>| value.map_or_else(|| HOLE.to_owned(), |value| plain(value, Unit::Share));
        let targets = scores(row, main, main.moment, &main.targets);
        let worst = targets.iter().min_by(|one, other| one.1.total_cmp(&other.1));
        let worst =
            worst.map_or_else(String::new, |(language, score)| format!("{} {language}", plain(*score, Unit::Share)));
        let mut cells = vec![
            format!("{}{}", row.label, if weak { " ‡" } else { "" }),
            share(point.learnt),
            share(Some(point.transferred)),
            share(point.learnt.map(|learnt| learnt - point.transferred)),
            worst,
            tenths(100.0 * deviation(&targets)),
        ];
        cells.extend(kept.iter().zip(&point.kept).map(|(view, change)| change_of(row, view, *change)));
        let beaten_by =
            rows.iter().zip(&points).filter(|(_, other)| other.as_ref().is_some_and(|other| other.beats(point)));
        let names: Vec<&str> = beaten_by.map(|(row, _)| row.name.as_str()).collect();
        cells.push(if names.is_empty() { "none".to_owned() } else { names.join(", ") });
        table.push(cells);
    }
    table.notes.push(
        "learnt: mean over the source languages; transferred: over the others; gap: the first less the second; worst: lowest \
         of the others; deviation: between them; kept: change of the mean from before, in the direction of better, and the \
         worst change of a language; dominated by: methods that transferred and kept at least as much and more of something \
         (by the estimates; the comparisons say what is shown)"
            .to_owned(),
    );
    if under_trained {
        table.notes.push(format!(
            "‡ under-trained: more than {:.0} points below the best on the source languages; give it settings of its own",
            100.0 * UNDER_TRAINED
        ));
    }
    Some(table)
}

impl Point {
    fn beats(&self, other: &Self) -> bool {
        let pairs = || {
            std::iter::once((self.transferred, other.transferred))
                .chain(self.kept.iter().copied().zip(other.kept.iter().copied()))
        };
        pairs().all(|(own, others)| own >= others) && pairs().any(|(own, others)| own > others)
    }
}

/// `None` where something was not measured.
fn point(row: &Row, main: &View, sources: &[Language], kept: &[&View]) -> Option<Point> {
    let mean = |view: &View, moment: u32, languages: &[Language]| -> Option<f64> {
        let all: LanguageContributions = row.measured.all(moment, view.probe, view.metric, languages).ok()?;
        (!all.is_empty()).then(|| macro_ratio(&all))
    };
    let change = |view: &&View| -> Option<f64> {
        let change = mean(view, view.moment, &view.targets)? - mean(view, view.before?, &view.targets)?;
        Some(if view.better == Direction::Lower { -change } else { change })
    };
    Some(Point {
        learnt: mean(main, main.moment, sources),
        transferred: mean(main, main.moment, &main.targets)?,
        kept: kept.iter().map(change).collect::<Option<_>>()?,
    })
}

/// Scores of languages at a moment; those that have one.
fn scores(row: &Row, view: &View, moment: u32, languages: &[Language]) -> Vec<(Language, f64)> {
    let score = |&language: &Language| {
        let pool = row.measured.get(moment, view.probe, view.metric, language)?;
        Some((language, ratio(&pool.contributions)))
    };
    languages.iter().filter_map(score).collect()
}

/// Of a population: the languages are all there are.
fn deviation(scores: &[(Language, f64)]) -> f64 {
    let n = scores.len().max(1) as f64;
    let mean = scores.iter().map(|(_, score)| score).sum::<f64>() / n;
    (scores.iter().map(|(_, score)| (score - mean).powi(2)).sum::<f64>() / n).sqrt()
}

/// `-3.1 (sw -9.0)`
fn change_of(row: &Row, view: &View, mean: f64) -> String {
    let sign = if view.better == Direction::Lower { -1.0 } else { 1.0 };
    let [after, before] = [Some(view.moment), view.before]
        .map(|moment| moment.map(|moment| scores(row, view, moment, &view.targets)).unwrap_or_default());
    let changes =
        after.iter().zip(&before).map(|((language, after), (_, before))| (*language, sign * (after - before)));
    let worst = changes.min_by(|one, other| one.1.total_cmp(&other.1));
    let said = |value: f64| with_sign(plain(value, view.unit));
    let worst = worst.map_or_else(String::new, |(language, change)| format!(" ({language} {})", said(change)));
    format!("{}{worst}", said(mean))
}
