//! The little dense linear algebra that problems of up to some dozens of unknowns need.

/// A square matrix, row major.
#[derive(Debug, Clone, PartialEq)]
pub struct Square {
    n: usize,
    values: Vec<f64>,
}

impl Square {
    /// # Panics
    /// If there are not n x n values.
    pub fn new(n: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), n * n, "a square matrix needs n x n values");
        Self { n, values }
    }

    pub(crate) fn zeros(n: usize) -> Self {
        Self { n, values: vec![0.0; n * n] }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Value in row i and column j.
    ///
    /// # Panics
    /// If i or j is out of range.
    pub fn get(&self, i: usize, j: usize) -> f64 {
        self.row(i)[j]
    }

    pub(crate) fn set(&mut self, i: usize, j: usize, value: f64) {
        self.values[i * self.n + j] = value;
    }

    pub(crate) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.n..(i + 1) * self.n]
    }

    pub(crate) fn add_diagonal(&mut self, value: f64) {
        for i in 0..self.n {
            self.values[i * self.n + i] += value;
        }
    }

    /// Rows and columns `indices`, in that order.
    pub(crate) fn select(&self, indices: &[usize]) -> Self {
        let values = indices.iter().flat_map(|i| indices.iter().map(move |j| self.get(*i, *j))).collect();
        Self::new(indices.len(), values)
    }

    pub(crate) fn times(&self, x: &[f64]) -> Vec<f64> {
        (0..self.n).map(|i| dot(self.row(i), x)).collect()
    }

    pub(crate) fn quadratic(&self, x: &[f64]) -> f64 {
        dot(&self.times(x), x)
    }
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(crate) fn max_abs(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

fn add_scaled(target: &mut [f64], factor: f64, x: &[f64]) {
    for (target, x) in target.iter_mut().zip(x) {
        *target += factor * x;
    }
}

/// Cholesky factorisation with diagonal pivoting of a positive semi-definite matrix: it finds the numerical rank.
pub(crate) struct PivotedCholesky {
    /// Pivot order; the first `rank` are independent.
    order: Vec<usize>,
    /// Lower factor in pivot order; only its first `rank` columns are meaningful.
    lower: Square,
    rank: usize,
}

impl PivotedCholesky {
    /// Diagonal values at most `tolerance` are taken for zero.
    pub(crate) fn factor(matrix: &Square, tolerance: f64) -> Self {
        let n = matrix.len();
        let mut order: Vec<usize> = (0..n).collect();
        let mut diagonal: Vec<f64> = (0..n).map(|i| matrix.get(i, i)).collect();
        let mut lower = Square::zeros(n);
        let mut rank = 0;
        while rank < n {
            let pivot = (rank..n).fold(rank, |best, i| if diagonal[i] > diagonal[best] { i } else { best });
            if diagonal[pivot] <= tolerance {
                break;
            }
            order.swap(rank, pivot);
            diagonal.swap(rank, pivot);
            for column in 0..rank {
                let (a, b) = (lower.get(rank, column), lower.get(pivot, column));
                lower.set(rank, column, b);
                lower.set(pivot, column, a);
            }
            let root = diagonal[rank].sqrt();
            lower.set(rank, rank, root);
            for i in rank + 1..n {
                let inner = dot(&lower.row(i)[..rank], &lower.row(rank)[..rank]);
                let value = (matrix.get(order[i], order[rank]) - inner) / root;
                lower.set(i, rank, value);
                diagonal[i] -= value * value;
            }
            rank += 1;
        }
        Self { order, lower, rank }
    }

    pub(crate) fn has_full_rank(&self) -> bool {
        self.rank == self.order.len()
    }

    /// `L L^T x = b` on the leading block; `b` and the result are in pivot order, `[rank]`.
    fn solve_leading(&self, mut b: Vec<f64>) -> Vec<f64> {
        for i in 0..self.rank {
            b[i] = (b[i] - dot(&self.lower.row(i)[..i], &b[..i])) / self.lower.get(i, i);
        }
        for i in (0..self.rank).rev() {
            let inner: f64 = (i + 1..self.rank).map(|k| self.lower.get(k, i) * b[k]).sum();
            b[i] = (b[i] - inner) / self.lower.get(i, i);
        }
        b
    }

    /// A solution of `A x = b` that is zero outside the independent columns.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let leading = self.solve_leading(self.order[..self.rank].iter().map(|i| b[*i]).collect());
        let mut x = vec![0.0; b.len()];
        for (i, value) in self.order.iter().zip(leading) {
            x[*i] = value;
        }
        x
    }

    /// A basis of the null space, one vector for each dependent column.
    pub(crate) fn null_vectors(&self) -> impl Iterator<Item = Vec<f64>> + '_ {
        (self.rank..self.order.len()).map(|dependent| {
            // A z = 0 with z = 1 at the dependent column: L11^T z1 = -(row of L21).
            let mut z = vec![0.0; self.order.len()];
            z[self.order[dependent]] = 1.0;
            let row = self.lower.row(dependent);
            let mut leading = vec![0.0; self.rank];
            for i in (0..self.rank).rev() {
                let inner: f64 = (i + 1..self.rank).map(|k| self.lower.get(k, i) * leading[k]).sum();
                leading[i] = (-row[i] - inner) / self.lower.get(i, i);
                z[self.order[i]] = leading[i];
            }
            z
        })
    }
}

/// Orthonormal vectors spanning some normals, their triangular factor, and a basis of the complement.
pub(crate) struct Split {
    /// Which normals are independent; the others are left out.
    pub(crate) kept: Vec<usize>,
    range: Vec<Vec<f64>>,
    /// `normal[kept[j]] = sum_{i <= j} factor[j][i] range[i]`.
    factor: Vec<Vec<f64>>,
    /// Orthonormal basis of the vectors normal to all normals.
    pub(crate) null: Vec<Vec<f64>>,
}

impl Split {
    pub(crate) fn new(n: usize, normals: &[Vec<f64>]) -> Self {
        let mut split = Self { kept: Vec::new(), range: Vec::new(), factor: Vec::new(), null: Vec::new() };
        for (index, normal) in normals.iter().enumerate() {
            let mut rest = normal.clone();
            let mut coefficients = vec![0.0; split.range.len()];
            orthogonalise(&mut rest, &split.range, &mut coefficients);
            let length = dot(&rest, &rest).sqrt();
            if length > 1e-12 * dot(normal, normal).sqrt() {
                rest.iter_mut().for_each(|value| *value /= length);
                coefficients.push(length);
                split.kept.push(index);
                split.range.push(rest);
                split.factor.push(coefficients);
            }
        }
        if split.range.is_empty() {
            split.null = (0..n).map(|axis| unit(n, axis)).collect();
            return split;
        }
        // Complete by the axes that are farthest from what is spanned already.
        let mut basis = split.range.clone();
        while basis.len() < n {
            let farness = |axis: usize| 1.0 - basis.iter().map(|vector| vector[axis] * vector[axis]).sum::<f64>();
            let axis = (0..n).fold(0, |best, axis| if farness(axis) > farness(best) { axis } else { best });
            let mut rest = unit(n, axis);
            orthogonalise(&mut rest, &basis, &mut vec![0.0; basis.len()]);
            let length = dot(&rest, &rest).sqrt();
            rest.iter_mut().for_each(|value| *value /= length);
            basis.push(rest);
        }
        split.null = basis.split_off(split.range.len());
        split
    }

    /// Coefficients of the kept normals whose combination is nearest to `vector`.
    pub(crate) fn multipliers(&self, vector: &[f64]) -> Vec<f64> {
        let mut coefficients: Vec<f64> = self.range.iter().map(|axis| dot(axis, vector)).collect();
        for j in (0..coefficients.len()).rev() {
            coefficients[j] /= self.factor[j][j];
            for i in 0..j {
                coefficients[i] -= self.factor[j][i] * coefficients[j];
            }
        }
        coefficients
    }
}

/// Takes the parts along the orthonormal `axes` out of `vector`; twice, since once leaves rounding errors.
fn orthogonalise(vector: &mut [f64], axes: &[Vec<f64>], coefficients: &mut [f64]) {
    for _ in 0..2 {
        for (axis, coefficient) in axes.iter().zip(coefficients.iter_mut()) {
            let along = dot(axis, vector);
            add_scaled(vector, -along, axis);
            *coefficient += along;
        }
    }
}

fn unit(n: usize, axis: usize) -> Vec<f64> {
    let mut vector = vec![0.0; n];
    vector[axis] = 1.0;
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cholesky_finds_rank_solution_and_null_space() {
        // Rows (1,0), (0,1), (1,1), (2,0): rank 2.
        let rows = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 0.0]];
        let values = rows.iter().flat_map(|a| rows.iter().map(move |b| dot(a, b))).collect();
        let matrix = Square::new(4, values);
        let cholesky = PivotedCholesky::factor(&matrix, 1e-12);
        assert_eq!(cholesky.rank, 2);
        let x = cholesky.solve(&matrix.times(&[1.0, 2.0, 3.0, 4.0]));
        let difference: Vec<f64> = x.iter().zip([1.0, 2.0, 3.0, 4.0]).map(|(a, b)| a - b).collect();
        assert!(max_abs(&matrix.times(&difference)) < 1e-12);
        let null: Vec<_> = cholesky.null_vectors().collect();
        assert_eq!(null.len(), 2);
        assert!(null.iter().all(|z| max_abs(&matrix.times(z)) < 1e-12 && max_abs(z) >= 1.0));
    }

    #[test]
    fn split_separates_normals_and_complement() {
        let normals = [vec![1.0, 1.0, 0.0, 0.0], vec![2.0, 2.0, 0.0, 0.0], vec![1.0, 0.0, 1.0, 0.5]];
        let split = Split::new(4, &normals);
        assert_eq!(split.kept, [0, 2]);
        assert_eq!(split.null.len(), 2);
        for z in &split.null {
            assert!(normals.iter().all(|normal| dot(normal, z).abs() < 1e-14));
        }
        let vector: Vec<f64> = (0..4).map(|i| 3.0 * normals[0][i] - 0.5 * normals[2][i]).collect();
        let multipliers = split.multipliers(&vector);
        assert!((multipliers[0] - 3.0).abs() < 1e-13 && (multipliers[1] + 0.5).abs() < 1e-13);
    }
}
