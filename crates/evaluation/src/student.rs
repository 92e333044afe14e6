//! Student's t, and estimated standard deviations.

use std::f64::consts::SQRT_2;

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::erf::erfc;

/// From here on t is normal to five digits, and statrs' quantiles of t lose theirs.
const MANY: f64 = 1e5;

/// The value that a t stays below with this probability.
pub(crate) fn quantile(probability: f64, degrees: f64) -> f64 {
    let found = if degrees < MANY {
        StudentsT::new(0.0, 1.0, degrees).map(|t| t.inverse_cdf(probability)).ok()
    } else {
        Normal::new(0.0, 1.0).map(|normal| normal.inverse_cdf(probability)).ok()
    };
    found.unwrap_or(f64::NAN)
}

/// The |t| of a two-sided p-value.
pub(crate) fn critical(p: f64, degrees: f64) -> f64 {
    -quantile(p / 2.0, degrees)
}

/// The two-sided p-value of a t.
pub(crate) fn two_sided(t: f64, degrees: f64) -> f64 {
    if degrees >= MANY {
        return 2.0 * upper_tail(t.abs());
    }
    StudentsT::new(0.0, 1.0, degrees).map_or(f64::NAN, |distribution| 2.0 * distribution.cdf(-t.abs())).min(1.0)
}

/// The chance that a normal value is above z.
pub(crate) fn upper_tail(z: f64) -> f64 {
    erfc(z / SQRT_2) / 2.0
}

/// Estimated standard deviations of so many degrees of freedom where the true one is 1, with weights that add up to 1:
/// trapezoids over the logarithm x, whose density is proportional to exp(ν (x − exp(2x) / 2)). They converge faster than any
/// power of the step where the integrand falls to nothing at both ends.
pub(crate) fn deviations(degrees: f64) -> Vec<(f64, f64)> {
    if degrees >= MANY {
        return vec![(1.0, 1.0)];
    }
    let density = |x: f64| degrees * (x - (2.0 * x).exp() / 2.0 + 0.5);
    let step = (0.8 / (2.0 * degrees).sqrt()).min(0.2);
    let side = |sign: f64| {
        let nodes = (0..).map(move |at| sign * step * f64::from(at)).map(|x| (x.exp(), density(x).exp()));
        nodes.take_while(|(_, weight)| *weight > 1e-14)
    };
    let nodes: Vec<(f64, f64)> = side(-1.0).chain(side(1.0).skip(1)).collect();
    let total: f64 = nodes.iter().map(|(_, weight)| weight).sum();
    nodes.into_iter().map(|(u, weight)| (u, weight / total)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn quantiles_and_p_values_are_scipys() {
        let all: Value = serde_json::from_str(include_str!("../tests/reference/comparison.json")).unwrap();
        for case in all["students_t"].as_array().unwrap() {
            let [p, degrees, t] = [0, 1, 2].map(|at| case[at].as_f64().unwrap());
            assert!((critical(p, degrees) / t - 1.0).abs() < 1e-9, "{case}: {}", critical(p, degrees));
            assert!((two_sided(t, degrees) / p - 1.0).abs() < 1e-9, "{case}: {}", two_sided(t, degrees));
        }
    }
}
