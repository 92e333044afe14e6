//! CAGrad. Liu et al., "Conflict-Averse Gradient Descent for Multi-task Learning", NeurIPS 2021.
//!
//! The direction near the mean gradient that helps the worst-off task most:
//!
//! ```text
//! g0 = mean_i g_i ;   max_d min_i g_i . d   s.t.  |d - g0| <= c |g0|
//! dual:  w = argmin_{w in simplex} g_w . g0 + c |g0| |g_w| ,  g_w = sum_i w_i g_i ;     d = g0 + (c |g0| / |g_w|) g_w
//! ```
//!
//! Solved through the level `nu = min_i g_i . d`: the nearest direction to g0 with `g_i . d >= nu` for every i is
//! `g0 + G^T u` from a non-negative quadratic program, its distance grows with nu, and a bracketing search finds the nu at
//! which it is `c |g0|`; `u = (c |g0| / |g_w|) w`. Where the gradients are Pareto stationary nu cannot exceed 0; of the
//! directions that attain it the one nearest to g0 is taken, and the event says so.

use spec::{CaGrad, CaGradRescale, RuleKnobs};

use super::input::RuleInput;
use super::rule::{Combination, Event, Rule, RuleError, RuleState};
use super::solver::min_norm::min_norm;
use super::solver::{KKT_TOLERANCE, Scaled, Solution, SolveError, nonnegative};

const NAME: &str = "CAGrad's level search";
/// Length of the shortest convex combination, relative to the shortest gradient, that counts as 0.
const STATIONARY: f64 = 1e-6;
/// Mean gradients shorter than this, squared and relative to the gradients, are rounding errors.
const VANISHED: f64 = 1e-28;
/// Relative accuracy of the distance `|d - g0|`.
const DISTANCE_TOLERANCE: f64 = 1e-13;

impl Rule for CaGrad {
    fn combine(&self, input: &RuleInput, _state: &mut RuleState) -> Result<Combination, RuleError> {
        self.check()?;
        let gram = input.gram;
        let m = gram.len();
        let mut weights = vec![1.0 / m as f64; m];
        let norm = gram.norm2(&weights).sqrt();
        let mut events = Vec::new();
        let mut lambda = 0.0;
        if norm * norm <= VANISHED * gram.mean_norm2() {
            events.push(Event::ParetoStationary { norm2: norm * norm });
        } else if self.c > 0.0 {
            let scaled = Scaled::of(gram.products());
            let products: Vec<f64> = gram.times(&weights).iter().map(|product| product / norm).collect();
            let shortest = min_norm(gram.products())?;
            let along: f64 = shortest.solution.x.iter().zip(&products).map(|(alpha, product)| alpha * product).sum();
            let found = Search {
                scaled: &scaled,
                slopes: scaled.rows.iter().zip(&scaled.norms).map(|(i, length)| products[*i] / length).collect(),
                radius: self.c,
                lowest: products.iter().copied().fold(f64::INFINITY, f64::min),
                highest: along + self.c * shortest.norm2.sqrt(),
                stationary: shortest.norm2.sqrt() <= STATIONARY * scaled.shortest(),
            }
            .run()?;
            events.push(Event::solved(&found.solution));
            if found.stationary {
                events.push(Event::ParetoStationary { norm2: shortest.norm2 });
            }
            let u = scaled.unscale(&found.solution.x, norm);
            lambda = u.iter().sum();
            weights.iter_mut().zip(u).for_each(|(weight, u)| *weight += u);
        }
        let divisor = match self.rescale {
            CaGradRescale::None => 1.0,
            CaGradRescale::OnePlusC2 => 1.0 + self.c * self.c,
            CaGradRescale::OnePlusC => 1.0 + self.c,
            CaGradRescale::OnePlusLambda => 1.0 + lambda,
        };
        weights.iter_mut().for_each(|weight| *weight /= divisor);
        Ok(Combination::with(weights, events))
    }
}

/// The search for the level, in units of |g0|. The unknowns of its programs are `y_i = u_i |g_i| / |g0|`.
struct Search<'a> {
    scaled: &'a Scaled,
    /// Cosines between each gradient and g0.
    slopes: Vec<f64>,
    /// c, the distance to reach.
    radius: f64,
    /// `min_i g_i . g0`: the level of g0 itself.
    lowest: f64,
    /// `g* . g0 + c |g0| |g*|` with the min-norm point g*: no direction in the ball is above this level.
    highest: f64,
    stationary: bool,
}

struct Found {
    solution: Solution,
    stationary: bool,
}

impl Search<'_> {
    fn run(&self) -> Result<Found, SolveError> {
        let free = self.at(0.0)?;
        let excess = self.excess(&free);
        let solution = if excess > 0.0 {
            self.root((self.lowest, -self.radius), (0.0, excess))?
        } else if self.stationary {
            return Ok(Found { solution: free, stationary: true });
        } else {
            let end = self.excess(&self.at(self.highest)?);
            self.root((0.0, excess), (self.highest, end))?
        };
        Ok(Found { solution, stationary: false })
    }

    /// The nearest direction to g0 at this level: `min 1/2 y^T C y + y . (slopes - level / |g_i|)`, y >= 0.
    fn at(&self, level: f64) -> Result<Solution, SolveError> {
        // Below level 0 the distance is at most |g0| (d = 0 will do), so no unit gradient has a product below -2: where
        // a short gradient's bound is lower it is idle, and huge idle numbers would only spoil the scaling.
        let linear: Vec<f64> =
            self.slopes.iter().zip(&self.scaled.norms).map(|(slope, norm)| slope - (level / norm).max(-3.0)).collect();
        nonnegative::minimise_scaled(&self.scaled.cosines, &linear)
    }

    fn excess(&self, solution: &Solution) -> f64 {
        self.scaled.cosines.quadratic(&solution.x).max(0.0).sqrt() - self.radius
    }

    /// The solution at the level in `[low, high]` whose distance is the radius: regula falsi with the Illinois weights.
    /// Both ends are pairs of a level and its excess distance, at most 0 and at least 0.
    fn root(&self, mut low: (f64, f64), mut high: (f64, f64)) -> Result<Solution, SolveError> {
        const LIMIT: usize = 200;
        let mut kept_low = 0;
        let mut iterations = 0;
        let mut best: Option<(f64, Solution)> = None;
        for _ in 0..LIMIT {
            let slope = high.1 - low.1;
            let guess = if slope > 0.0 { low.0 - low.1 * (high.0 - low.0) / slope } else { 0.5 * (low.0 + high.0) };
            let level = if guess > low.0 && guess < high.0 { guess } else { 0.5 * (low.0 + high.0) };
            let solution = self.at(level)?;
            iterations += solution.iterations;
            let excess = self.excess(&solution);
            let narrow = high.0 - low.0 <= 4.0 * f64::EPSILON * high.0.abs().max(low.0.abs());
            if best.as_ref().is_none_or(|(smallest, _)| excess.abs() < *smallest) {
                best = Some((excess.abs(), solution));
            }
            if excess.abs() <= DISTANCE_TOLERANCE * self.radius || narrow {
                break;
            }
            // The end that stays twice in a row is believed half as much, or the bracket would shrink from one side only.
            if excess < 0.0 {
                low = (level, excess);
                kept_low = kept_low.min(0) - 1;
                high.1 *= if kept_low < -1 { 0.5 } else { 1.0 };
            } else {
                high = (level, excess);
                kept_low = kept_low.max(0) + 1;
                low.1 *= if kept_low > 1 { 0.5 } else { 1.0 };
            }
        }
        let (excess, solution) = best.ok_or(SolveError::NotFinite { solver: NAME })?;
        let residual = solution.residual.max(excess / self.radius);
        if residual <= KKT_TOLERANCE {
            Ok(Solution { iterations, residual, ..solution })
        } else {
            Err(SolveError::NotConverged { solver: NAME, iterations, residual })
        }
    }
}
