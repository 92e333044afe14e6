//! A primal active-set solver for small convex quadratic programs.

use super::dense::{PivotedCholesky, Split, Square, dot, max_abs};
use super::{KKT_TOLERANCE, Solution, SolveError};

/// `min 1/2 x^T H x + c^T x   s.t.   x >= 0,   a^T x = beta,   R x >= 0`, with H positive semi-definite.
///
/// H, R and a should have entries of about 1 or less (see [`super::Scaled`]): tolerances assume it.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// Names the problem in errors.
    pub name: &'static str,
    /// H, `[n, n]`.
    pub hessian: &'a Square,
    /// c, `[n]`.
    pub linear: &'a [f64],
    /// a `[n]` and beta, if there is an equality.
    pub equality: Option<(&'a [f64], f64)>,
    /// R: `[n, n]`, or `[0, 0]` where there are no such rows.
    pub rows: &'a Square,
}

/// Diagonal values up to this times n are zero in a factorisation of a matrix with unit diagonal: they are rounding errors.
const RANK_TOLERANCE: f64 = 1e-15;
/// Slopes up to this along a direction without curvature are zero: where `|G^T z|^2` is below the rank tolerance, that is
/// how little is known of `z . G d`.
const FLAT_TOLERANCE: f64 = 3e-8;
/// Gradients up to this, relative to the terms that cancel in them, are zero.
const GRADIENT_TOLERANCE: f64 = 1e-14;
/// Multipliers down to minus this, relative to the same terms, are not negative.
const MULTIPLIER_TOLERANCE: f64 = 1e-13;
/// Newton steps on one working set; more than one only where curvature is nearly lost.
const REFINEMENTS: usize = 3;

struct State<'a, 'p> {
    program: &'p Program<'a>,
    x: Vec<f64>,
    /// Variables not held at zero, ascending.
    free: Vec<usize>,
    /// Rows of R held at zero, in the order in which they were met.
    held: Vec<usize>,
}

/// Solves the program from a feasible `start`.
///
/// In each iteration the variables and rows of the working set are held at their bounds. The step is the minimiser on what
/// is left, or, where the objective has no curvature there, a direction in which it falls; the first bound in the way joins
/// the working set, and after a full step the bound with the most negative multiplier leaves it.
///
/// # Errors
/// [`SolveError`] where the objective is unbounded or the optimality conditions do not hold to [`KKT_TOLERANCE`] in the end.
pub fn solve(program: &Program, start: Vec<f64>) -> Result<Solution, SolveError> {
    let n = program.hessian.len();
    let free = (0..n).filter(|i| start[*i] > 0.0).collect();
    let mut state = State { program, x: start, free, held: Vec::new() };
    let limit = 50 * (n + 2);
    let mut iterations = 0;
    let mut full_steps = 0;
    let mut stalls = 0;
    loop {
        let split = state.split();
        let gradient = state.gradient();
        if gradient.iter().any(|value| !value.is_finite()) {
            return Err(SolveError::NotFinite { solver: program.name });
        }
        let step = if full_steps < REFINEMENTS { state.direction(&split, &gradient) } else { None };
        let Some((direction, bounded)) = step else {
            // At the minimum on the working set: either it is the answer, or a bound has to leave.
            match state.negative_bound(&split, &gradient, stalls > n) {
                Some(bound) if iterations < limit => state.release(bound),
                _ => return state.finish(iterations, &split, &gradient),
            }
            full_steps = 0;
            continue;
        };
        iterations += 1;
        if iterations > limit {
            return state.finish(iterations, &split, &gradient);
        }
        let (length, blocking) = state.longest_step(&direction);
        match blocking {
            Some(bound) if !bounded || length < 1.0 => {
                state.advance(&direction, length);
                state.hold(bound);
                full_steps = 0;
                stalls = if length > 0.0 { 0 } else { stalls + 1 };
            }
            _ if bounded => {
                state.advance(&direction, 1.0);
                full_steps += 1;
                stalls = 0;
            }
            _ => return Err(SolveError::Unbounded { solver: program.name }),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Bound {
    Variable(usize),
    Row(usize),
}

impl State<'_, '_> {
    /// Normals of the equality and the held rows, on the free variables.
    fn split(&self) -> Split {
        let on_free = |row: &[f64]| -> Vec<f64> { self.free.iter().map(|i| row[*i]).collect() };
        let mut normals: Vec<Vec<f64>> = Vec::with_capacity(self.held.len() + 1);
        if let Some((a, _)) = self.program.equality {
            normals.push(on_free(a));
        }
        normals.extend(self.held.iter().map(|row| on_free(self.program.rows.row(*row))));
        Split::new(self.free.len(), &normals)
    }

    fn gradient(&self) -> Vec<f64> {
        let curved = self.program.hessian.times(&self.x);
        curved.iter().zip(self.program.linear).map(|(a, b)| a + b).collect()
    }

    /// Size of the terms that cancel in the gradient at a solution.
    fn scale(&self) -> f64 {
        max_abs(self.program.linear).max(max_abs(&self.x))
    }

    /// A step on the free variables and whether it ends at a minimum; none if there is nothing to gain.
    fn direction(&self, split: &Split, gradient: &[f64]) -> Option<(Vec<f64>, bool)> {
        let n = split.null.len();
        if n == 0 {
            return None;
        }
        let on_free: Vec<f64> = self.free.iter().map(|i| gradient[*i]).collect();
        let reduced: Vec<f64> = split.null.iter().map(|z| dot(z, &on_free)).collect();
        if max_abs(&reduced) <= GRADIENT_TOLERANCE * self.scale() {
            return None;
        }
        let hessian = self.program.hessian.select(&self.free);
        let mut reduced_hessian = Square::zeros(n);
        for (j, z) in split.null.iter().enumerate() {
            let curved = hessian.times(z);
            for (i, other) in split.null.iter().enumerate() {
                reduced_hessian.set(i, j, dot(other, &curved));
            }
        }
        let cholesky = PivotedCholesky::factor(&reduced_hessian, RANK_TOLERANCE * n as f64);
        let fall = FLAT_TOLERANCE * self.scale();
        let flat = cholesky
            .null_vectors()
            .map(|z| (dot(&z, &reduced), z))
            .max_by(|(a, _), (b, _)| a.abs().total_cmp(&b.abs()))
            .filter(|(slope, z)| slope.abs() > fall * dot(z, z).sqrt());
        let (coefficients, bounded) = match flat {
            Some((slope, z)) => (z.iter().map(|value| -slope.signum() * value).collect(), false),
            None => (cholesky.solve(&reduced.iter().map(|value| -value).collect::<Vec<_>>()), true),
        };
        let mut direction = vec![0.0; self.free.len()];
        for (coefficient, z) in coefficients.iter().zip(&split.null) {
            for (value, z) in direction.iter_mut().zip(z) {
                *value += coefficient * z;
            }
        }
        (max_abs(&direction) > 0.0).then_some((direction, bounded))
    }

    /// How far the direction can be followed, and the bound in the way.
    fn longest_step(&self, direction: &[f64]) -> (f64, Option<Bound>) {
        let noise = 1e-15 * max_abs(direction);
        let mut best = (f64::INFINITY, None);
        for (i, change) in self.free.iter().zip(direction) {
            if *change < -noise && -self.x[*i] / change < best.0 {
                best = (-self.x[*i] / change, Some(Bound::Variable(*i)));
            }
        }
        let rows = self.program.rows;
        let noise = 1e-13 * max_abs(direction);
        for k in (0..rows.len()).filter(|k| !self.held.contains(k)) {
            let change: f64 = self.free.iter().zip(direction).map(|(i, value)| rows.get(k, *i) * value).sum();
            if change < -noise {
                let length = dot(rows.row(k), &self.x).max(0.0) / -change;
                if length < best.0 {
                    best = (length, Some(Bound::Row(k)));
                }
            }
        }
        best
    }

    fn advance(&mut self, direction: &[f64], length: f64) {
        for (i, change) in self.free.iter().zip(direction) {
            self.x[*i] = (self.x[*i] + length * change).max(0.0);
        }
    }

    fn hold(&mut self, bound: Bound) {
        match bound {
            Bound::Variable(variable) => {
                self.x[variable] = 0.0;
                self.free.retain(|i| *i != variable);
            }
            Bound::Row(row) => self.held.push(row),
        }
    }

    fn release(&mut self, bound: Bound) {
        match bound {
            Bound::Variable(variable) => {
                self.free.push(variable);
                self.free.sort_unstable();
            }
            Bound::Row(row) => self.held.retain(|k| *k != row),
        }
    }

    /// Multipliers of the kept normals, and the gradient that they leave.
    fn multipliers(&self, split: &Split, gradient: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let on_free: Vec<f64> = self.free.iter().map(|i| gradient[*i]).collect();
        let multipliers = split.multipliers(&on_free);
        let mut left = gradient.to_vec();
        for (normal, multiplier) in split.kept.iter().zip(&multipliers) {
            for (value, normal) in left.iter_mut().zip(self.normal(*normal)) {
                *value -= multiplier * normal;
            }
        }
        (multipliers, left)
    }

    /// The equality is normal 0 where there is one; the held rows follow.
    fn normal(&self, index: usize) -> &[f64] {
        match self.program.equality {
            Some((a, _)) if index == 0 => a,
            equality => self.program.rows.row(self.held[index - usize::from(equality.is_some())]),
        }
    }

    /// The held bound whose multiplier is most negative, or, to leave a degenerate corner, the first negative one.
    fn negative_bound(&self, split: &Split, gradient: &[f64], first: bool) -> Option<Bound> {
        let (multipliers, left) = self.multipliers(split, gradient);
        let equalities = usize::from(self.program.equality.is_some());
        let variables = (0..self.x.len()).filter(|i| !self.free.contains(i)).map(|i| (left[i], Bound::Variable(i)));
        let rows = split
            .kept
            .iter()
            .zip(&multipliers)
            .filter(|(normal, _)| **normal >= equalities)
            .map(|(normal, multiplier)| (*multiplier, Bound::Row(self.held[normal - equalities])));
        let limit = -MULTIPLIER_TOLERANCE * self.scale();
        let mut negative = variables.chain(rows).filter(|(multiplier, _)| *multiplier < limit);
        let chosen = if first { negative.next() } else { negative.min_by(|(a, _), (b, _)| a.total_cmp(b)) };
        chosen.map(|(_, bound)| bound)
    }

    /// Largest violation of feasibility, stationarity and the multipliers' signs, relative to the problem's size.
    fn residual(&self, split: &Split, gradient: &[f64]) -> f64 {
        let (multipliers, left) = self.multipliers(split, gradient);
        let equalities = usize::from(self.program.equality.is_some());
        let mut dual = 0.0f64;
        for (i, value) in left.iter().enumerate() {
            dual = dual.max(if self.free.contains(&i) { value.abs() } else { -value });
        }
        for (normal, multiplier) in split.kept.iter().zip(&multipliers) {
            if *normal >= equalities {
                dual = dual.max(-multiplier);
            }
        }
        let mut primal = 0.0f64;
        if let Some((a, beta)) = self.program.equality {
            primal = primal.max((dot(a, &self.x) - beta).abs());
        }
        for (k, value) in self.program.rows.times(&self.x).into_iter().enumerate() {
            primal = primal.max(if self.held.contains(&k) { value.abs() } else { -value });
        }
        let relative = |value: f64, unit: f64| if value > 0.0 { value / unit } else { 0.0 };
        relative(dual, self.scale()).max(relative(primal, max_abs(&self.x)))
    }

    fn finish(self, iterations: usize, split: &Split, gradient: &[f64]) -> Result<Solution, SolveError> {
        let residual = self.residual(split, gradient);
        if residual <= KKT_TOLERANCE {
            Ok(Solution { x: self.x, iterations, residual })
        } else {
            Err(SolveError::NotConverged { solver: self.program.name, iterations, residual })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contradiction_is_reported_as_unbounded() {
        // min 1/2 (x0 - x1)^2 - x0 - x1 falls along (1, 1).
        let hessian = Square::new(2, vec![1.0, -1.0, -1.0, 1.0]);
        let program =
            Program { name: "test", hessian: &hessian, linear: &[-1.0, -1.0], equality: None, rows: &Square::zeros(0) };
        assert_eq!(solve(&program, vec![0.0; 2]), Err(SolveError::Unbounded { solver: "test" }));
    }

    #[test]
    fn a_flat_direction_is_followed_to_the_next_bound() {
        // Singular, with a slope along the null vector (1, -1): all weight ends on x1.
        let hessian = Square::new(2, vec![1.0; 4]);
        let program =
            Program { name: "test", hessian: &hessian, linear: &[-1.0, -2.0], equality: None, rows: &Square::zeros(0) };
        let solution = solve(&program, vec![1.0, 0.5]).unwrap();
        assert_eq!(solution.x, [0.0, 2.0]);
    }
}
