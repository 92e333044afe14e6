//! `harness score`: gold and predictions through any metric.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use evaluation::{NamedScores, RESAMPLES};
use results::Table;
use serde::Deserialize;
use serde_json::Value;
use spec::Objective;
use tasks::{Input, Read, Scored, WholeScore};

use crate::cli::Score;
use crate::exit::Exit;
use crate::screen;

pub fn run(options: &Score) -> Result<Exit> {
    let files: Vec<&Path> =
        std::iter::once(&options.predictions).chain(&options.against).map(PathBuf::as_path).collect();
    let mut found: Vec<Scored> = if options.format.task().objective() == Objective::Ranking {
        files.iter().map(|file| retrieval(options, file)).collect::<Result<_>>()?
    } else {
        let input = Input { columns: options.columns.named(), ..Input::new(options.gold.clone(), options.language) };
        let gold = tasks::read(options.format, &input)?;
        gold.notes.iter().for_each(|note| runner::say(format_args!("{}: {note}", options.gold[0].display())));
        files.iter().map(|file| labelled(options, file, &gold)).collect::<Result<_>>()?
    };
    for (scores, file) in found.iter().zip(&files) {
        scores.notes.iter().for_each(|note| runner::say(format_args!("{}: {note}", file.display())));
    }
    let other = (found.len() > 1).then(|| found.remove(1));
    let scores = found.remove(0);
    let examples = scores.contributions.values().map(Vec::len).max().unwrap_or_default();
    let mut table = Table::new(
        format!("{} against {}", options.predictions.display(), options.gold[0].display()),
        1,
        ["metric", "value", "95 % interval", "examples"],
    );
    for (metric, contributions) in &scores.contributions {
        let interval = evaluation::interval(contributions, options.seed, RESAMPLES)?;
        table.push([
            metric.clone(),
            format!("{:.4}", evaluation::ratio(contributions)),
            format!("{:.4} to {:.4}", interval.low, interval.high),
            contributions.len().to_string(),
        ]);
    }
    for WholeScore { metric, value, interval } in scores.whole {
        let interval = interval.map_or("–".to_owned(), |(low, high)| format!("{low:.4} to {high:.4}"));
        table.push([metric, format!("{value:.4}"), interval, examples.to_string()]);
    }
    table.notes.push("intervals: percentile bootstrap over examples".to_owned());
    screen::print(table.terminal(screen::width(), screen::color()).trim_end())?;
    if let (Some(other), Some(file)) = (other, &options.against) {
        let table = differences(options, file, &scores.contributions, &other.contributions)?;
        screen::print(format_args!("\n{}", table.terminal(screen::width(), screen::color()).trim_end()))?;
    }
    Ok(Exit::Ok)
}

/// The predictions less those of another file, example by example.
fn differences(options: &Score, other: &Path, first: &NamedScores, second: &NamedScores) -> Result<Table> {
    let mut table = Table::new(
        format!("{} less {}", options.predictions.display(), other.display()),
        1,
        ["metric", "difference", "95 % interval", "p"],
    );
    for (metric, own) in first {
        let Some(others) = second.get(metric) else { continue };
        let difference = evaluation::paired_difference(own, others, options.seed, RESAMPLES)?;
        let p = evaluation::permutation_test(own, others, options.seed, RESAMPLES)?;
        table.push([
            metric.clone(),
            format!("{:+.4}", difference.difference),
            format!("{:+.4} to {:+.4}", difference.interval.low, difference.interval.high),
            if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") },
        ]);
    }
    table.notes.push(
        "paired by example: intervals by bootstrap, p by exchanging the two files' predictions; of these two files alone, and \
         nothing is said of other seeds"
            .to_owned(),
    );
    Ok(table)
}

/// One line of a prediction file, as `harness predict` writes it.
#[derive(Deserialize)]
struct Line {
    id: Id,
    prediction: Value,
}

/// A name, which some files write as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(serde_json::Number),
}

impl Id {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

/// Predictions by example id, from JSON lines or from one JSON object `{id: prediction}`, as SQuAD's script takes it.
fn predictions(path: &Path) -> Result<BTreeMap<String, Value>> {
    let text = data::lines::read_text(path)?;
    if let Ok(Value::Object(object)) = serde_json::from_str::<Value>(&text)
        && !object.contains_key("prediction")
    {
        return Ok(object.into_iter().collect());
    }
    let mut found = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line: Line = serde_json::from_str(line).with_context(|| {
            format!("`{}`, line {}: not an object with `id` and `prediction`", path.display(), number + 1)
        })?;
        let id = line.id.text();
        if found.insert(id.clone(), line.prediction).is_some() {
            bail!("`{}`, line {}: example `{id}` has two predictions", path.display(), number + 1);
        }
    }
    Ok(found)
}

fn labelled(options: &Score, file: &Path, Read { examples: gold, left_out, .. }: &Read) -> Result<Scored> {
    let mut found = predictions(file)?;
    let mut in_order = Vec::with_capacity(gold.len());
    for id in gold.ids() {
        let prediction =
            found.remove(id).with_context(|| format!("`{}` has no prediction for example `{id}`", file.display()))?;
        in_order.push(prediction);
    }
    // Rows whose label nobody knows may have been predicted.
    if let Some((id, _)) = found.first_key_value().filter(|_| found.len() > *left_out) {
        bail!("`{}` has a prediction for `{id}`, which the gold file does not have", file.display());
    }
    Ok(tasks::score(gold, &in_order, options.language)?)
}

/// Vectors of both sides, as `harness embed` writes them: row i of one translates row i of the other.
fn retrieval(options: &Score, file: &Path) -> Result<Scored> {
    let [gold] = options.gold.as_slice() else { bail!("retrieval takes one file of English vectors as --gold") };
    let (english, width) = data::vectors::read_npy(gold)?;
    let (foreign, foreign_width) = data::vectors::read_npy(file)?;
    let both = || format!("`{}` against `{}`", file.display(), gold.display());
    ensure!(width == foreign_width, "{}: vectors of {foreign_width} and of {width} numbers cannot be compared", both());
    Ok(Scored::of(evaluation::score_retrieval(&foreign, &english, width).with_context(both)?))
}
