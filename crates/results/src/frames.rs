//! Records as polars data frames, and these as Parquet whose bytes depend on the content alone.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use evaluation::Contribution;
use polars::prelude::*;
use spec::{Language, Name, Task};

use crate::error::ResultsError;
use crate::manifest::Fault;
use crate::record::{CurvePoint, FinishedCell, ProbeExamples, Score, SeriesPoint};

pub(crate) const SCORES: &str = "scores.parquet";
pub(crate) const EXAMPLES: &str = "examples.parquet";
pub(crate) const CURVE: &str = "curve.parquet";
pub(crate) const SERIES: &str = "series.parquet";

/// A group of examples whose ids and contributions differ in number.
#[derive(Debug, thiserror::Error)]
#[error("probe `{probe}`, `{language}`: {ids} examples, but {contributions} contributions to `{metric}`")]
pub(crate) struct UnequalExamples {
    probe: Name,
    language: Language,
    metric: String,
    ids: usize,
    contributions: usize,
}

/// Sorted by moment, probe, language and metric.
pub(crate) fn of_scores(scores: &[Score]) -> PolarsResult<DataFrame> {
    let mut scores: Vec<&Score> = scores.iter().collect();
    scores.sort_by_key(|s| (s.moment, &s.probe, s.language, &s.metric));
    df!(
        "moment" => scores.iter().map(|s| s.moment).collect::<Vec<_>>(),
        "probe" => scores.iter().map(|s| s.probe.as_str()).collect::<Vec<_>>(),
        "task" => scores.iter().map(|s| s.task.as_str()).collect::<Vec<_>>(),
        "language" => scores.iter().map(|s| s.language.code()).collect::<Vec<_>>(),
        "metric" => scores.iter().map(|s| s.metric.as_str()).collect::<Vec<_>>(),
        "value" => scores.iter().map(|s| s.value).collect::<Vec<_>>(),
        "low" => scores.iter().map(|s| s.low).collect::<Vec<_>>(),
        "high" => scores.iter().map(|s| s.high).collect::<Vec<_>>(),
        "examples" => scores.iter().map(|s| s.examples).collect::<Vec<_>>(),
    )
}

/// Sorted by moment, probe, language and metric; examples in the order of their file.
pub(crate) fn of_examples(probes: &[ProbeExamples]) -> Result<DataFrame, Box<dyn std::error::Error>> {
    let mut probes: Vec<&ProbeExamples> = probes.iter().collect();
    probes.sort_by_key(|p| (p.moment, &p.probe, p.language));
    let (mut moments, mut names, mut languages, mut metrics) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut ids, mut numerators, mut denominators) = (Vec::new(), Vec::new(), Vec::new());
    for probe in probes {
        for (metric, contributions) in &probe.contributions {
            if contributions.len() != probe.ids.len() {
                return Err(Box::new(UnequalExamples {
                    probe: probe.probe.clone(),
                    language: probe.language,
                    metric: metric.clone(),
                    ids: probe.ids.len(),
                    contributions: contributions.len(),
                }));
            }
            for (id, contribution) in probe.ids.iter().zip(contributions) {
                moments.push(probe.moment);
                names.push(probe.probe.as_str());
                languages.push(probe.language.code());
                metrics.push(metric.as_str());
                ids.push(id.as_str());
                numerators.push(contribution.numerator);
                denominators.push(contribution.denominator);
            }
        }
    }
    Ok(df!(
        "moment" => moments,
        "probe" => names,
        "language" => languages,
        "metric" => metrics,
        "example" => ids,
        "numerator" => numerators,
        "denominator" => denominators,
    )?)
}

pub(crate) fn of_curve(curve: &[CurvePoint]) -> PolarsResult<DataFrame> {
    df!(
        "step" => curve.iter().map(|p| p.step).collect::<Vec<_>>(),
        "stage" => curve.iter().map(|p| p.stage).collect::<Vec<_>>(),
        "loss" => curve.iter().map(|p| p.loss).collect::<Vec<_>>(),
        "learning_rate" => curve.iter().map(|p| p.learning_rate).collect::<Vec<_>>(),
        "gradient_norm" => curve.iter().map(|p| p.gradient_norm).collect::<Vec<_>>(),
    )
}

pub(crate) fn of_series(series: &[SeriesPoint]) -> PolarsResult<DataFrame> {
    df!(
        "step" => series.iter().map(|p| p.step).collect::<Vec<_>>(),
        "series" => series.iter().map(|p| p.series.as_str()).collect::<Vec<_>>(),
        "value" => series.iter().map(|p| p.value).collect::<Vec<_>>(),
    )
}

pub(crate) fn to_parquet(mut frame: DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_statistics(StatisticsOptions::default())
        .with_row_group_size(Some(1 << 20))
        .with_data_page_size(Some(1 << 20))
        .set_parallel(false)
        .finish(&mut frame)?;
    Ok(bytes)
}

impl FinishedCell {
    /// All scores, by moment, probe, language and metric. A failed cell has none.
    ///
    /// # Errors
    /// [`ResultsError::Damaged`] if the file cannot be read.
    pub fn scores(&self) -> Result<Vec<Score>, ResultsError> {
        self.rows(SCORES, |frame| {
            let (moments, examples) = (frame.column("moment")?.u32()?, frame.column("examples")?.u64()?);
            let (probes, tasks) = (frame.column("probe")?.str()?, frame.column("task")?.str()?);
            let (languages, metrics) = (frame.column("language")?.str()?, frame.column("metric")?.str()?);
            let (values, lows) = (frame.column("value")?.f64()?, frame.column("low")?.f64()?);
            let highs = frame.column("high")?.f64()?;
            (0..frame.height())
                .map(|row| {
                    Ok(Score {
                        moment: filled(moments.get(row))?,
                        probe: parsed(probes.get(row))?,
                        task: parsed::<Task>(tasks.get(row))?,
                        language: parsed(languages.get(row))?,
                        metric: name(metrics.get(row))?,
                        value: filled(values.get(row))?,
                        low: lows.get(row),
                        high: highs.get(row),
                        examples: filled(examples.get(row))?,
                    })
                })
                .collect()
        })
    }

    /// Contributions of every example, by moment, probe and language.
    ///
    /// # Errors
    /// [`ResultsError::Damaged`] if the file cannot be read.
    pub fn examples(&self) -> Result<Vec<ProbeExamples>, ResultsError> {
        self.rows(EXAMPLES, |frame| {
            let moments = frame.column("moment")?.u32()?;
            let (probes, languages) = (frame.column("probe")?.str()?, frame.column("language")?.str()?);
            let (metrics, ids) = (frame.column("metric")?.str()?, frame.column("example")?.str()?);
            let numerators = frame.column("numerator")?.f64()?;
            let denominators = frame.column("denominator")?.f64()?;
            let (mut groups, mut named) = (Vec::<ProbeExamples>::new(), 0);
            for row in 0..frame.height() {
                let moment = filled(moments.get(row))?;
                let (probe, language) = (filled(probes.get(row))?, filled(languages.get(row))?);
                let same = |group: &ProbeExamples| {
                    group.moment == moment && group.probe.as_str() == probe && group.language.code() == language
                };
                if !groups.last().is_some_and(same) {
                    groups.push(ProbeExamples {
                        moment,
                        probe: parsed(Some(probe))?,
                        language: parsed(Some(language))?,
                        ids: Vec::new(),
                        contributions: BTreeMap::new(),
                    });
                }
                let Some(group) = groups.last_mut() else { continue };
                let metric = filled(metrics.get(row))?;
                let contribution = Contribution {
                    numerator: filled(numerators.get(row))?,
                    denominator: filled(denominators.get(row))?,
                };
                // Every metric lists the same examples: ids are kept once, from the first metric.
                let first = group.contributions.keys().all(|known| known == metric);
                if first {
                    let id = filled(ids.get(row))?;
                    named += id.len();
                    if named > MOST_IDS {
                        return Err(polars_err!(ComputeError: "example names of more than {MOST_IDS} bytes"));
                    }
                    group.ids.push(id.to_owned());
                }
                match group.contributions.get_mut(metric) {
                    Some(contributions) => contributions.push(contribution),
                    None => {
                        group.contributions.insert(name(Some(metric))?, vec![contribution]);
                    }
                }
            }
            Ok(groups)
        })
    }

    /// The training curve, as far as it was recorded.
    ///
    /// # Errors
    /// [`ResultsError::Damaged`] if the file cannot be read.
    pub fn curve(&self) -> Result<Vec<CurvePoint>, ResultsError> {
        self.rows(CURVE, |frame| {
            let (steps, stages) = (frame.column("step")?.u64()?, frame.column("stage")?.u32()?);
            let (losses, rates) = (frame.column("loss")?.f64()?, frame.column("learning_rate")?.f64()?);
            let norms = frame.column("gradient_norm")?.f64()?;
            (0..frame.height())
                .map(|row| {
                    Ok(CurvePoint {
                        step: filled(steps.get(row))?,
                        stage: filled(stages.get(row))?,
                        loss: filled(losses.get(row))?,
                        learning_rate: filled(rates.get(row))?,
                        gradient_norm: filled(norms.get(row))?,
                    })
                })
                .collect()
        })
    }

    /// Values that only some methods have, by step.
    ///
    /// # Errors
    /// [`ResultsError::Damaged`] if the file cannot be read.
    pub fn series(&self) -> Result<Vec<SeriesPoint>, ResultsError> {
        self.rows(SERIES, |frame| {
            let (steps, names) = (frame.column("step")?.u64()?, frame.column("series")?.str()?);
            let values = frame.column("value")?.f64()?;
            (0..frame.height())
                .map(|row| {
                    Ok(SeriesPoint {
                        step: filled(steps.get(row))?,
                        series: name(names.get(row))?,
                        value: filled(values.get(row))?,
                    })
                })
                .collect()
        })
    }

    /// Rows of one of the cell's Parquet files; none if it was not written.
    fn rows<T>(
        &self,
        file: &str,
        read: impl FnOnce(&DataFrame) -> PolarsResult<Vec<T>>,
    ) -> Result<Vec<T>, ResultsError> {
        let path = self.path.join(file);
        let opened = match files::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened.map_err(|error| ResultsError::of_record(self.cell.folder(), Fault::of(&path, &error)))?,
        };
        let parse = || from_parquet(&path, opened).and_then(|frame| read(&frame).map_err(|error| error.to_string()));
        // Files that are wrong in unusual ways make the reader panic, or the columns that it has made of them.
        files::no_panic(parse)
            .unwrap_or_else(|panic| Err(format!("it is no valid Parquet file ({panic})")))
            .map_err(|why| ResultsError::Damaged { folder: self.cell.folder(), why: format!("`{file}`: {why}") })
    }
}

/// A file may hold this many values in a column, and so many bytes of content, for each of its own bytes, besides the slack:
/// dictionaries and run lengths can hold any number in kilobytes.
const MOST_ROWS: u64 = 64;
const SLACK_OF_ROWS: u64 = 1 << 22;
const MOST_CONTENT: u64 = 500;
const SLACK_OF_CONTENT: u64 = 1 << 26;
/// Bytes of a metric's or a series' name.
const LONGEST_NAME: usize = 200;
/// Bytes of the names of all examples.
const MOST_IDS: usize = 1 << 30;

fn from_parquet(path: &Path, (file, size): (File, u64)) -> Result<DataFrame, String> {
    // With a position of its own.
    let (pages, _) = files::open(path).map_err(|error| error.to_string())?;
    let mut reader = ParquetReader::new(file).read_parallel(ParallelStrategy::None);
    let metadata = reader.get_metadata().map_err(|error| error.to_string())?;
    let (mut rows, mut content) = (metadata.num_rows as u64, 0_u64);
    for column in metadata.row_groups.iter().flat_map(|group| group.parquet_columns()) {
        let place = column.byte_range();
        let found = files::parquet::measure(&pages, place.start, place.end.saturating_sub(place.start))?;
        (rows, content) = (rows.max(found.values), content.saturating_add(found.bytes));
    }
    if rows > SLACK_OF_ROWS + MOST_ROWS.saturating_mul(size)
        || content > SLACK_OF_CONTENT + MOST_CONTENT.saturating_mul(size)
    {
        return Err(format!("it declares {rows} rows and {content} bytes of content in a file of {size}"));
    }
    reader.finish().map_err(|error| error.to_string())
}

/// The name of a metric or a series.
fn name(text: Option<&str>) -> PolarsResult<String> {
    match filled(text)? {
        text if text.len() > LONGEST_NAME => {
            Err(polars_err!(ComputeError: "a name of {} bytes; at most {LONGEST_NAME} are read", text.len()))
        }
        text => Ok(text.to_owned()),
    }
}

fn filled<T>(value: Option<T>) -> PolarsResult<T> {
    value.ok_or_else(|| polars_err!(NoData: "a value is missing"))
}

fn parsed<T: std::str::FromStr<Err = spec::SpecError>>(text: Option<&str>) -> PolarsResult<T> {
    filled(text)?.parse().map_err(|error: spec::SpecError| polars_err!(ComputeError: "{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six million rows of one value are a few kilobytes.
    #[test]
    fn a_file_of_more_rows_than_its_bytes_can_hold_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.parquet");
        let bytes = to_parquet(df!("moment" => vec![0_u32; 6_000_000]).unwrap()).unwrap();
        assert!(bytes.len() < 10_000);
        std::fs::write(&path, bytes).unwrap();
        let why = from_parquet(&path, files::open(&path).unwrap()).unwrap_err();
        assert!(why.contains("6000000 rows"), "{why}");
    }

    #[test]
    fn names_are_no_longer_than_names_are() {
        assert_eq!(name(Some("ner.f1.strict")).unwrap(), "ner.f1.strict");
        assert!(name(Some(&"n".repeat(201))).unwrap_err().to_string().contains("201 bytes"));
    }
}
