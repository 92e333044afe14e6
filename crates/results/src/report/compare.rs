use evaluation::{Compared, Drawn, LEAST_SEEDS, LEVEL, MOST_SEEDS, POWER, Runs, Tested, Verdict};
use spec::{Direction, Unit};

use super::view::{Row, View};
use super::{Pairs, ReportOptions};
use crate::error::ResultsError;
use crate::number::{self, HOLE};
use crate::table::Table;

/// The method that others are compared with unless another one is named.
const USUAL_CONTROL: &str = "ft";

/// The place of the control, the named one or the usual one; `None` without methods, or where none has the name.
pub(crate) fn control(rows: &[Row], options: &ReportOptions) -> Option<usize> {
    let named = |name: &str| rows.iter().position(|row| row.name == name);
    match &options.pairs {
        Pairs::Control(Some(name)) => named(name),
        _ => named(USUAL_CONTROL).or(if rows.is_empty() { None } else { Some(0) }),
    }
}

/// What is drawn anew beside the seeds, in words.
pub(crate) fn drawn(options: &ReportOptions) -> &'static str {
    match options.drawn {
        Drawn::Examples => "examples",
        Drawn::Languages => "languages",
    }
}

/// Methods that have all target languages, each against the control or in pairs, on the average over these languages; `None`
/// where there are fewer than two of them and nothing to say about it.
pub(crate) fn methods(view: &View, rows: &[Row], options: &ReportOptions) -> Result<Option<Table>, ResultsError> {
    let mut notes = Vec::new();
    let whole: Vec<(&Row, Runs)> = rows
        .iter()
        .filter_map(|row| Some((row, row.measured.runs(view.moment, view.probe, view.metric, &view.targets).ok()?)))
        .collect();
    let wanted = control(rows, options).map(|place| &rows[place].name);
    let place = whole.iter().position(|(row, _)| Some(&row.name) == wanted);
    if place.is_none() && matches!(options.pairs, Pairs::Control(Some(_))) && !whole.is_empty() {
        notes.extend(
            wanted.map(|name| format!("{HOLE} {name}: not measured here, so that nothing is compared with it")),
        );
        return Ok(Some(nothing(view, notes)));
    }
    // The first one stands in for a usual control that has no scores.
    let reference = place.unwrap_or(0);
    let Some((control, _)) = whole.get(reference) else { return Ok(without_examples(view, rows)) };
    let ids = |row: &Row| -> Vec<Option<Vec<String>>> {
        let pool = |&language| row.measured.get(view.moment, view.probe, view.metric, language);
        view.targets.iter().map(|language| pool(language).map(|pool| pool.ids.clone())).collect()
    };
    let expected = ids(control);
    let (same, other): (Vec<_>, Vec<_>) = whole.iter().partition(|(row, _)| ids(row) == expected);
    notes.extend(other.iter().map(|(row, _)| {
        format!("{HOLE} {}: measured on other examples than {}, and not compared", row.name, control.name)
    }));
    let place = same.iter().position(|(row, _)| row.name == control.name).unwrap_or(0);
    let runs: Vec<Runs> = same.iter().map(|(_, runs)| runs.clone()).collect();
    let (pairs, title) = match options.pairs {
        Pairs::Control(_) => (evaluation::Pairs::Control(place), format!("compared with {}", control.name)),
        Pairs::All => (evaluation::Pairs::All, "pairs of methods".to_owned()),
    };
    let compared = match evaluation::compare(&runs, pairs, options.drawn) {
        Ok(compared) if compared.is_empty() && notes.is_empty() => return Ok(None),
        Ok(compared) => compared,
        Err(error) => {
            notes.push(error.to_string());
            return Ok(Some(nothing(view, notes)));
        }
    };
    let tested = compared.iter().filter(|one| test(one).is_some()).count();
    let mut table = table(view, &title, options, tested > 0);
    for one in &compared {
        let [first, second] = [one.first, one.second].map(|place| same[place].0);
        let names = if options.pairs == Pairs::All { vec![first, second] } else { vec![first] };
        let names = names.into_iter().map(|row| row.label.clone());
        let tests = if tested > 0 { of_test(one, view.unit) } else { Vec::new() };
        table.push(names.chain([difference(one, view.unit)]).chain(tests).chain([verdict(
            one,
            first,
            second,
            view.better,
        )]));
    }
    let most = compared.iter().map(|one| one.seeds).max().unwrap_or(0);
    for one in compared.iter().filter(|one| (LEAST_SEEDS..most).contains(&one.seeds)) {
        let [first, second] = [one.first, one.second].map(|place| &same[place].0.name);
        notes.push(format!("{first} and {second}: the {} seeds that both have", one.seeds));
    }
    if !compared.is_empty() {
        notes.extend(explanation(view, &compared, tested, options));
    }
    if let evaluation::Pairs::Control(place) = pairs
        && tested > 1
        && let Some(times) = evaluation::control_scatters(&runs, place, options.drawn)?
    {
        notes.push(format!(
            "careful: the seeds of {} lie {times:.1} times as far apart as the other methods' do; corrected p are then too \
             small (with twice as far, one sweep in seven calls some method better that is not)",
            same[place].0.name
        ));
    }
    table.notes = notes;
    Ok(Some(table))
}

/// Without a comparison that could be tested there are no columns of tests.
fn table(view: &View, what: &str, options: &ReportOptions, tested: bool) -> Table {
    let title = match view.unit {
        Unit::Share => format!("{}: {what}", view.title()),
        Unit::Nats => format!("{}: {what}, {}", view.title(), view.in_unit()),
    };
    let names = if options.pairs == Pairs::All { ["first", "second"].as_slice() } else { &["method"] };
    let tests = if tested { ["p", "corrected", "effect", "could show"].as_slice() } else { &[] };
    Table::new(title, names.len(), names.iter().chain(&["difference"]).chain(tests).chain(&["verdict"]).copied())
}

/// Only why.
fn nothing(view: &View, notes: Vec<String>) -> Table {
    let title = format!("{}: nothing compared", view.title());
    Table { notes, ..Table::new(title, 1, ["method", "verdict"]) }
}

fn test(one: &Compared) -> Option<Tested> {
    one.spread.and_then(|spread| spread.test)
}

/// A note where scores are recorded without what each example adds to them.
fn without_examples(view: &View, rows: &[Row]) -> Option<Table> {
    let measured = rows.iter().filter(|row| !row.measured.seeds.is_empty()).count();
    let is_macro = view.metric.ends_with(".f1.macro");
    let why =
        "a macro F1 is no ratio of sums over examples, and is recorded without them: its methods are not compared";
    (is_macro && measured > 1).then(|| nothing(view, vec![why.to_owned()]))
}

fn difference(one: &Compared, unit: Unit) -> String {
    match (one.difference, one.spread) {
        (Some(difference), Some(spread)) => number::change(difference, spread.interval, unit),
        (Some(difference), None) => number::with_sign(number::plain(difference, unit)),
        (None, _) => HOLE.to_owned(),
    }
}

fn of_test(one: &Compared, unit: Unit) -> Vec<String> {
    let Some((test, spread)) = test(one).zip(one.spread) else { return vec![HOLE.to_owned(); 4] };
    let effect = spread.effect.map_or_else(|| HOLE.to_owned(), number::signed);
    vec![number::probability(test.p), number::probability(test.adjusted), effect, number::plain(test.detectable, unit)]
}

fn verdict(one: &Compared, first: &Row, second: &Row, better: Direction) -> String {
    let (up, down) = match better {
        Direction::Higher => (first, second),
        Direction::Lower => (second, first),
    };
    match (one.verdict, one.seeds) {
        (Verdict::FirstBetter, _) => format!("{} is better", up.name),
        (Verdict::SecondBetter, _) => format!("{} is better", down.name),
        (Verdict::NotShown, _) => format!("no difference shown{}", would_show(one)),
        (Verdict::NoSpread, _) => "not decided (nothing varies)".to_owned(),
        (Verdict::TooFewSeeds, 0) => "not decided (no common seed)".to_owned(),
        (Verdict::TooFewSeeds, 1) => format!("not decided (1 seed; {LEAST_SEEDS} are the least)"),
        (Verdict::TooFewSeeds, seeds) => format!("not decided ({seeds} seeds; {LEAST_SEEDS} are the least)"),
    }
}

/// How many seeds would have shown as large a difference.
fn would_show(one: &Compared) -> String {
    match test(one).map(|test| test.seeds) {
        Some(Some(seeds)) => format!(" ({seeds} seeds would)"),
        Some(None) if one.difference.is_some_and(|difference| difference != 0.0) => " (more examples would)".to_owned(),
        _ => String::new(),
    }
}

fn explanation(view: &View, compared: &[Compared], tested: usize, options: &ReportOptions) -> Vec<String> {
    let minus = if options.pairs == Pairs::All { "first minus second" } else { "method minus control" };
    let mut notes = vec![format!(
        "difference: {minus}, mean over seeds of the average over {}{}",
        view.average(),
        if compared.iter().any(|one| one.spread.is_some()) {
            format!("; ±: half of its own 95 % interval when seeds and {} are drawn anew", drawn(options))
        } else {
            String::new()
        }
    )];
    if tested > 0 {
        let how = match options.pairs {
            Pairs::Control(_) => "Dunnett, step-down",
            Pairs::All => "Holm",
        };
        notes.push(if tested == 1 {
            format!("p: Student's t; corrected: the same, of one comparison; better: corrected p below {LEVEL}")
        } else {
            format!(
                "p: Student's t, the spread over seeds moderated by that of the other methods; corrected: for {tested} \
                 comparisons ({how}); better: corrected p below {LEVEL}"
            )
        });
        notes.push(format!(
            "effect: difference by the standard deviation of a run over seeds (Hedges' g); could show: the smallest true \
             difference that this run would have shown with a probability of {:.0} %, after the correction",
            100.0 * POWER
        ));
        if compared.iter().any(|one| test(one).is_some() && one.verdict == Verdict::NotShown) {
            notes.push(format!(
                "… seeds would: as many would show a true difference as large as the one found with the same probability, if \
                 all goes on to vary as it did; more examples would: no number of seeds up to {MOST_SEEDS} would"
            ));
        }
    }
    if compared.iter().any(|one| one.verdict == Verdict::TooFewSeeds) {
        notes.push(format!(
            "not decided: how far other seeds would lie is not known; {LEAST_SEEDS} seeds of every method are the least that \
             can show a difference, and more show smaller ones"
        ));
    }
    notes
}
