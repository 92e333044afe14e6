//! Symmetric scaling of a positive semi-definite matrix to unit diagonal.

use super::dense::Square;

/// `P = N C N` with N = diag(norms): the non-zero rows of P only.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaled {
    /// Rows of P with a non-zero diagonal.
    pub rows: Vec<usize>,
    /// Square roots of their diagonal values, `[rows]`.
    pub norms: Vec<f64>,
    /// C: ones on the diagonal, cosines elsewhere.
    pub cosines: Square,
    size: usize,
}

impl Scaled {
    /// Scales a positive semi-definite matrix.
    pub fn of(matrix: &Square) -> Self {
        let size = matrix.len();
        let rows: Vec<usize> = (0..size).filter(|i| matrix.get(*i, *i).sqrt() > 0.0).collect();
        let norms: Vec<f64> = rows.iter().map(|i| matrix.get(*i, *i).sqrt()).collect();
        let mut cosines = matrix.select(&rows);
        for i in 0..rows.len() {
            for j in 0..rows.len() {
                let cosine = if i == j { 1.0 } else { (cosines.get(i, j) / norms[i] / norms[j]).clamp(-1.0, 1.0) };
                cosines.set(i, j, cosine);
            }
        }
        Self { rows, norms, cosines, size }
    }

    /// Whether some row of P is zero.
    pub fn has_zero_row(&self) -> bool {
        self.rows.len() < self.size
    }

    /// Length of the shortest row; infinite where there is none.
    pub fn shortest(&self) -> f64 {
        self.norms.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Back to the unscaled unknowns: `x_i = unit y_i / norm_i`, 0 at zero rows.
    pub fn unscale(&self, y: &[f64], unit: f64) -> Vec<f64> {
        let mut x = vec![0.0; self.size];
        for ((row, norm), y) in self.rows.iter().zip(&self.norms).zip(y) {
            x[*row] = y * (unit / norm);
        }
        x
    }
}
