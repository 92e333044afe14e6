use evaluation::{holm, macro_paired_difference, macro_permutation_test};
use spec::{Direction, Unit};

use super::estimate::SEED;
use super::view::{Row, View};
use crate::error::ResultsError;
use crate::number;
use crate::table::Table;

/// The level below which a method is called better.
pub(crate) const LEVEL: f64 = 0.05;

/// Every pair of methods on the average over the target languages, tested on the same examples; `None` where fewer than
/// two methods have all of them.
pub(crate) fn methods(view: &View, rows: &[Row], resamples: usize) -> Result<Option<Table>, ResultsError> {
    let title = match view.unit {
        Unit::Share => format!("{}: pairs of methods", view.title()),
        Unit::Nats => format!("{}: pairs of methods, {}", view.title(), view.in_unit()),
    };
    let header = ["first", "second", "difference", "p", "p (Holm)", "verdict"];
    let mut table = Table::new(title, 2, header);
    let mut tests = Vec::new();
    for (at, first) in rows.iter().enumerate() {
        for second in &rows[at + 1..] {
            let [Ok(one), Ok(other)] =
                [first, second].map(|row| row.measured.all(view.moment, view.probe, view.metric, &view.targets))
            else {
                continue;
            };
            let ids = |row: &Row, language| {
                row.measured.get(view.moment, view.probe, view.metric, language).map(|pool| pool.ids.clone())
            };
            if view.targets.iter().any(|&language| ids(first, language) != ids(second, language)) {
                table.notes.push(format!("{} and {} were measured on different examples", first.name, second.name));
                continue;
            }
            let difference = macro_paired_difference(&one, &other, SEED, resamples)?;
            let p = macro_permutation_test(&one, &other, SEED, resamples)?;
            tests.push((first, second, difference, p));
        }
    }
    let adjusted = holm(&tests.iter().map(|test| test.3).collect::<Vec<_>>())?;
    for ((first, second, difference, p), adjusted) in tests.iter().zip(&adjusted) {
        let gain = match view.better {
            Direction::Higher => difference.difference,
            Direction::Lower => -difference.difference,
        };
        let verdict = match gain {
            d if *adjusted < LEVEL && d > 0.0 => format!("{} is better", first.name),
            d if *adjusted < LEVEL && d < 0.0 => format!("{} is better", second.name),
            _ => "no difference shown".to_owned(),
        };
        table.push([
            first.label.clone(),
            second.label.clone(),
            number::change(difference.difference, difference.interval, view.unit),
            number::probability(*p),
            number::probability(*adjusted),
            verdict,
        ]);
    }
    if table.rows.is_empty() && table.notes.is_empty() {
        return Ok(None);
    }
    table.notes.push(format!(
        "first minus second, average over {}; p: paired permutation test over examples, {resamples} exchanges, for the \
         seeds that were run; Holm: corrected for {} {}; better: below {LEVEL}",
        view.average(),
        tests.len(),
        if tests.len() == 1 { "pair" } else { "pairs" }
    ));
    Ok(Some(table))
}
