//! Correction of several comparisons with one control.
//!
//! They share the control's luck, so that their differences are correlated; Holm's correction, which knows nothing of it,
//! asks for about a tenth more of a difference. The chance that any of them is as far out as some p-value is the integral,
//! over what the control got by luck, of the product of the comparisons' own chances (Dunnett, Journal of the American
//! Statistical Association 1955; Hochberg and Tamhane, "Multiple Comparison Procedures", 1987, § 5.2.1 and appendix 3).
//!
//! Dunnett's comparisons have one estimate of the variance in common. Here each has its own, with its own degrees of
//! freedom, as if these were independent: where they are not, this is on the safe side, since the chances given the
//! variances all rise with them (Chebyshev's inequality for functions that rise together).

use crate::student::{critical, deviations, upper_tail};

/// A comparison with the control.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Test {
    /// Two-sided, by itself.
    pub p: f64,
    pub degrees: f64,
    /// The control's share of the difference's variance, in 0..1; of two comparisons the correlation is the root of the
    /// product. Too small a share is on the safe side (Šidák, Annals of Mathematical Statistics 1968).
    pub share: f64,
}

/// Adjusted p-values, in the given order, by steps: the least p-value against all comparisons, the next against all but the
/// first, and so on (Dunnett and Tamhane, Statistics in Medicine 1991).
pub(crate) fn step_down(tests: &[Test]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..tests.len()).collect();
    order.sort_by(|&a, &b| tests[a].p.total_cmp(&tests[b].p));
    let mut adjusted = vec![1.0; tests.len()];
    let mut floor: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        let rest: Vec<Test> = order[rank..].iter().map(|&other| tests[other]).collect();
        floor = floor.max(any_as_far(&rest, tests[index].p));
        adjusted[index] = floor;
        // The others cannot be less.
        if floor > 0.999 {
            break;
        }
    }
    adjusted
}

/// The p-value by itself that one comparison needs so that the least adjusted one is `level`.
pub(crate) fn single_level(tests: &[Test], level: f64) -> f64 {
    // The chance rises a little more slowly than p: from Bonferroni's p on, each step leaves a seventh of the error or less.
    let mut p = level / tests.len().max(1) as f64;
    for _ in 0..8 {
        let step = level / any_as_far(tests, p);
        p *= step;
        if (step - 1.0).abs() < 1e-6 {
            break;
        }
    }
    p
}

/// The chance that any of these comparisons has a p-value of at most `p`, if no method differs from the control.
pub(crate) fn any_as_far(tests: &[Test], p: f64) -> f64 {
    if tests.len() < 2 {
        return p;
    }
    let inside: Vec<Inside> = tests.iter().map(|test| Inside::new(test, p)).collect();
    // Trapezoids: the integrand falls to nothing at both ends, so that they converge faster than any power of the step.
    let (mut within, mut total) = (0.0, 0.0);
    for step in 0..=STEPS {
        let luck = RANGE * step as f64 / STEPS as f64;
        // The integrand is even: half of the line, of which the middle counts once.
        let weight = (-luck * luck / 2.0).exp() * if step == 0 { 0.5 } else { 1.0 };
        within += weight * inside.iter().map(|inside| inside.given(luck)).product::<f64>();
        total += weight;
    }
    (1.0 - within / total).clamp(0.0, 1.0)
}

const STEPS: usize = 28;
/// Standard deviations of the control's luck.
const RANGE: f64 = 7.0;

/// The chance that |t| of a comparison stays below a bound.
struct Inside {
    /// Bounds of the difference by the estimated standard deviation, over the part that is not the control's, and weights.
    bounds: Vec<(f64, f64)>,
    /// The control's part over that of the method.
    slope: f64,
}

impl Inside {
    fn new(test: &Test, p: f64) -> Self {
        let rest = (1.0 - test.share).sqrt();
        let bound = critical(p, test.degrees) / rest;
        let bounds = deviations(test.degrees).into_iter();
        Self { bounds: bounds.map(|(u, weight)| (bound * u, weight)).collect(), slope: test.share.sqrt() / rest }
    }

    fn given(&self, luck: f64) -> f64 {
        let shift = self.slope * luck;
        // Above 8 nothing is left of 1.
        let outside = |z: f64| if z > 8.0 { 0.0 } else { upper_tail(z) };
        let inside = |bound: f64| 1.0 - outside(bound - shift) - outside(bound + shift);
        self.bounds.iter().map(|&(bound, weight)| weight * inside(bound)).sum()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn number(value: &Value) -> f64 {
        value.as_f64().unwrap()
    }

    #[test]
    fn chances_of_several_comparisons_are_those_of_adaptive_quadrature() {
        let all: Value = serde_json::from_str(include_str!("../tests/reference/comparison.json")).unwrap();
        for case in all["dunnett"].as_array().unwrap() {
            let tests: Vec<Test> =
                case[0].as_array().unwrap().iter().map(|test| test_of(number(&test[0]), number(&test[1]))).collect();
            let (ours, reference) = (any_as_far(&tests, number(&case[1])), number(&case[2]));
            assert!((ours / reference - 1.0).abs() < 1e-5, "{case}: {ours}");
        }
    }

    fn test_of(degrees: f64, share: f64) -> Test {
        Test { p: 1.0, degrees, share }
    }

    #[test]
    fn the_level_of_one_comparison_undoes_the_correction() {
        for tests in
            [vec![test_of(66.0, 0.5); 33], vec![test_of(3.0, 0.2), test_of(900.0, 0.9)], vec![test_of(5.0, 0.5)]]
        {
            let p = single_level(&tests, 0.05);
            assert!((any_as_far(&tests, p) / 0.05 - 1.0).abs() < 1e-5);
            assert!(p >= 0.05 / tests.len() as f64);
        }
    }

    #[test]
    fn steps_never_go_down_nor_beyond_holm() {
        let p_values = [0.3, 0.001, 0.02, 0.0009, 1.0, 0.04];
        let tests: Vec<Test> = p_values.iter().map(|&p| Test { p, ..test_of(20.0, 0.5) }).collect();
        let adjusted = step_down(&tests);
        let holm = crate::significance::holm(&p_values).unwrap();
        for (place, &p) in p_values.iter().enumerate() {
            assert!(p <= adjusted[place] && adjusted[place] <= holm[place] + 1e-9, "{adjusted:?} {holm:?}");
        }
        assert!(adjusted[3] <= adjusted[1] && adjusted[1] <= adjusted[2] && adjusted[2] <= adjusted[5]);
    }
}
