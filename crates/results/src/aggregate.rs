//! Scores of many cells as one polars data frame, and their spread over seeds.

use polars::prelude::*;
use spec::Cell;

use crate::error::ResultsError;
use crate::frames;
use crate::record::FinishedCell;

/// What identifies a score but for the seed.
const KEYS: [&str; 10] =
    ["protocol", "model", "backend", "method", "work", "moment", "probe", "task", "language", "metric"];

/// Scores of all cells, one row a score: `cell`, `protocol`, `model`, `backend`, `method`, `work`, `seed`, then the
/// columns of `scores.parquet`. `work` is equal for cells that differ in nothing but the seed. Rows are sorted, so that
/// the order of the cells does not matter.
///
/// # Errors
/// [`ResultsError::Damaged`] if a cell's scores cannot be read.
pub fn scores_frame(cells: &[FinishedCell]) -> Result<DataFrame, ResultsError> {
    let mut all = DataFrame::empty();
    for finished in cells {
        let mut frame = frames::of_scores(&finished.scores()?)?;
        let cell = &finished.cell;
        let rows = frame.height();
        for (name, text) in [
            ("work", Cell { seed: 0, ..cell.clone() }.id().to_string()),
            ("method", cell.method.name.to_string()),
            ("backend", cell.backend.to_string()),
            ("model", cell.model.to_string()),
            ("protocol", cell.protocol.name.to_string()),
            ("cell", cell.id().to_string()),
        ] {
            frame.insert_column(0, Column::new(name.into(), vec![text; rows]))?;
        }
        frame.insert_column(6, Column::new("seed".into(), vec![cell.seed; rows]))?;
        all = if all.width() == 0 { frame } else { all.vstack(&frame)? };
    }
    if all.width() == 0 {
        return Ok(all);
    }
    let by: Vec<&str> = KEYS.into_iter().chain(["seed", "cell"]).collect();
    Ok(all.sort(by, SortMultipleOptions::default())?)
}

/// Mean, standard deviation (n − 1; null for one seed), least, greatest and number of seeds of every score.
///
/// # Errors
/// [`ResultsError::Table`] if the frame is not one of [`scores_frame`].
pub fn over_seeds(scores: &DataFrame) -> Result<DataFrame, ResultsError> {
    if scores.width() == 0 {
        return Ok(DataFrame::empty());
    }
    let values = scores.column("value")?.f64()?;
    let groups = scores.group_by_stable(KEYS)?;
    let (mut means, mut deviations, mut least, mut greatest, mut seeds) = (vec![], vec![], vec![], vec![], vec![]);
    for rows in groups.get_groups().iter() {
        let rows: Vec<usize> = match rows {
            GroupsIndicator::Idx((_, rows)) => rows.iter().map(|&row| row as usize).collect(),
            GroupsIndicator::Slice([first, count]) => (first as usize..(first + count) as usize).collect(),
        };
        let sample: Vec<f64> = rows.into_iter().filter_map(|row| values.get(row)).collect();
        let n = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / n;
        let squares: f64 = sample.iter().map(|value| (value - mean).powi(2)).sum();
        means.push(mean);
        deviations.push((sample.len() > 1).then(|| (squares / (n - 1.0)).sqrt()));
        least.push(sample.iter().copied().fold(f64::INFINITY, f64::min));
        greatest.push(sample.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        seeds.push(sample.len() as u64);
    }
    let mut columns = groups.keys();
    columns.extend([
        Column::new("mean".into(), means),
        Column::new("deviation".into(), deviations),
        Column::new("least".into(), least),
        Column::new("greatest".into(), greatest),
        Column::new("seeds".into(), seeds),
    ]);
    Ok(DataFrame::new_infer_height(columns)?)
}
