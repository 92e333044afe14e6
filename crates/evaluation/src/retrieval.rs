//! Sentence retrieval between a language and English: is the nearest sentence of the other side the translation?

use crate::contribution::{Contribution, Scores};
use crate::error::{ScoreError, Side};

pub const RETRIEVAL_TO_ENGLISH: &str = "retrieval.p1.to-english";
pub const RETRIEVAL_FROM_ENGLISH: &str = "retrieval.p1.from-english";

/// Rows of the English side that are compared with all foreign rows before the next ones, so that they stay in cache.
const TILE: usize = 32;
/// Foreign rows compared at once, so that each English value is loaded once for all of them.
const ROWS: usize = 4;
const LANES: usize = 4;

/// Precision at 1 in both directions; one contribution a sentence.
///
/// `foreign` and `english` are `[sentences, dimension]`, row-major; row i of one translates row i of the other. Nearest
/// is by cosine, computed in f64 from vectors of any length; of equally near sentences the first counts as nearest.
///
/// # Errors
/// No or unequal numbers of sentences, a length that is no multiple of `dimension`, or a vector that is zero or not
/// finite.
pub fn score_retrieval(foreign: &[f32], english: &[f32], dimension: usize) -> Result<Scores, ScoreError> {
    let foreign = normalised(foreign, dimension, Side::Foreign)?;
    let english = normalised(english, dimension, Side::English)?;
    ScoreError::check_counts(english.len(), foreign.len())?;
    let (to_english, from_english) = nearest(&foreign, &english);
    Ok(Scores::from([(RETRIEVAL_TO_ENGLISH, hits(&to_english)), (RETRIEVAL_FROM_ENGLISH, hits(&from_english))]))
}

fn hits(nearest: &[Nearest]) -> Vec<Contribution> {
    nearest.iter().enumerate().map(|(row, nearest)| Contribution::hit(nearest.row == row)).collect()
}

/// Unit vectors, each cut in groups of `LANES` values and padded with zeros.
fn normalised(values: &[f32], dimension: usize, side: Side) -> Result<Vec<Vec<[f64; LANES]>>, ScoreError> {
    if dimension == 0 || !values.len().is_multiple_of(dimension) {
        return Err(ScoreError::VectorShape { side, values: values.len(), dimension });
    }
    let rows = values.chunks_exact(dimension).enumerate();
    rows.map(|(row, vector)| {
        let norm = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        if norm == 0.0 || !norm.is_finite() {
            return Err(ScoreError::VectorDirection { side, row });
        }
        let groups = vector.chunks(LANES).map(|group| {
            let mut lanes = [0.0; LANES];
            lanes.iter_mut().zip(group).for_each(|(lane, &x)| *lane = f64::from(x) / norm);
            lanes
        });
        Ok(groups.collect())
    })
    .collect()
}

#[derive(Clone, Copy)]
struct Nearest {
    row: usize,
    cosine: f64,
}

impl Nearest {
    const NONE: Self = Self { row: usize::MAX, cosine: f64::NEG_INFINITY };

    /// Rows are offered in ascending order, so the first of equals stays.
    fn offer(&mut self, row: usize, cosine: f64) {
        if cosine > self.cosine {
            *self = Self { row, cosine };
        }
    }
}

/// For each foreign row the nearest English one, and the other way round.
fn nearest(foreign: &[Vec<[f64; LANES]>], english: &[Vec<[f64; LANES]>]) -> (Vec<Nearest>, Vec<Nearest>) {
    let mut of_foreign = vec![Nearest::NONE; foreign.len()];
    let mut of_english = vec![Nearest::NONE; english.len()];
    for first_english in (0..english.len()).step_by(TILE) {
        let tile = first_english..(first_english + TILE).min(english.len());
        for first_foreign in (0..foreign.len()).step_by(ROWS) {
            // The last group repeats its last row; offering an equal cosine again changes nothing.
            let rows: [usize; ROWS] = std::array::from_fn(|k| (first_foreign + k).min(foreign.len() - 1));
            let vectors = rows.map(|row| foreign[row].as_slice());
            for english_row in tile.clone() {
                let cosines = dot(&vectors, &english[english_row]);
                for (&foreign_row, &cosine) in rows.iter().zip(&cosines) {
                    of_foreign[foreign_row].offer(english_row, cosine);
                    of_english[english_row].offer(foreign_row, cosine);
                }
            }
        }
    }
    (of_foreign, of_english)
}

/// Inner products of `ROWS` vectors with one, each summed in the same order wherever the vector stands.
fn dot(rows: &[&[[f64; LANES]]; ROWS], other: &[[f64; LANES]]) -> [f64; ROWS] {
    let rows = rows.map(|row| &row[..other.len()]);
    let mut sums = [[0.0; LANES]; ROWS];
    for (group, other) in other.iter().enumerate() {
        for (sum, row) in sums.iter_mut().zip(&rows) {
            for lane in 0..LANES {
                sum[lane] += row[group][lane] * other[lane];
            }
        }
    }
    sums.map(|sum| sum.iter().sum())
}
