//! Variances of few degrees of freedom, moderated by others of their kind.
//!
//! Smyth, "Linear models and empirical Bayes methods for assessing differential expression in microarray experiments",
//! Statistical Applications in Genetics and Molecular Biology 2004: true variances are taken to scatter around a common one
//! as a scaled inverse χ² does, with d₀ degrees of freedom that are estimated too (§ 6.2; `fitFDist` and `squeezeVar` of
//! the R package limma). Where sample variances scatter no more than chance makes them, d₀ is infinite and they are pooled;
//! the more they do, the less each is drawn towards the others.

use statrs::function::gamma::digamma;

use crate::crossed::mean;

/// The common variance and how many degrees of freedom it is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Prior {
    pub variance: f64,
    pub degrees: f64,
}

impl Prior {
    /// From at least two sample variances, each of so many degrees of freedom (Smyth 2004, § 6.2). None if all are 0.
    pub fn fit(variances: &[f64], degrees: f64) -> Option<Self> {
        let mut ordered = variances.to_vec();
        ordered.sort_unstable_by(f64::total_cmp);
        let middle = (ordered[(ordered.len() - 1) / 2] + ordered[ordered.len() / 2]) / 2.0;
        let greatest = ordered.last().copied().filter(|greatest| *greatest > 0.0)?;
        // The logarithm of a variance of 0 would outweigh all others; limma sets the same bound.
        let least = 1e-5 * if middle > 0.0 { middle } else { greatest };
        let raised: Vec<f64> = variances.iter().map(|variance| variance.max(least)).collect();
        let half = degrees / 2.0;
        let logarithms: Vec<f64> = raised.iter().map(|variance| variance.ln() - digamma(half) + half.ln()).collect();
        let centre = mean(&logarithms);
        let scatter = logarithms.iter().map(|e| (e - centre).powi(2)).sum::<f64>() / (logarithms.len() as f64 - 1.0);
        let beyond_chance = scatter - trigamma(half);
        if beyond_chance <= 0.0 {
            return Some(Self { variance: mean(&raised), degrees: f64::INFINITY });
        }
        let half = inverse_trigamma(beyond_chance);
        Some(Self { variance: (centre + digamma(half) - half.ln()).exp(), degrees: 2.0 * half })
    }

    /// The posterior variance (Smyth 2004, equation 3).
    pub fn moderate(&self, variance: f64, degrees: f64) -> f64 {
        if self.degrees.is_infinite() {
            return self.variance;
        }
        (self.degrees * self.variance + degrees * variance) / (self.degrees + degrees)
    }
}

/// The second derivative of ln Γ at x > 0: recurrence up to 8, then the asymptotic series (Abramowitz and Stegun 6.4.6 and
/// 6.4.12).
fn trigamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 8.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0];
    let tail = series.iter().rev().fold(0.0, |tail, coefficient| y * (coefficient + tail));
    sum + 1.0 / x + y / 2.0 + tail / x
}

/// The x > 0 of which `y` > 0 is the trigamma. It falls from ∞ to 0, between 1/x and 1/x + 1/x², so that a bisection of
/// ln x finds it.
fn inverse_trigamma(y: f64) -> f64 {
    let (mut low, mut high) = ((1.0 / y).ln() - 1.0, (1.0 / y + 1.0 / y.sqrt()).ln() + 1.0);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if trigamma(middle.exp()) > y { low = middle } else { high = middle }
    }
    ((low + high) / 2.0).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moderated_variances_follow_smyths_equations() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../tests/reference/comparison.json")).unwrap();
        for case in reference["moderated"].as_array().unwrap() {
            let numbers = |value: &serde_json::Value| -> Vec<f64> {
                value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
            };
            let close = |ours: f64, reference: f64| assert!((ours / reference - 1.0).abs() < 1e-9, "{ours}: {case}");
            let (variances, degrees) = (numbers(&case[0]), case[1].as_f64().unwrap());
            let prior = Prior::fit(&variances, degrees).unwrap();
            close(prior.variance, case[2].as_f64().unwrap());
            match case[3].as_f64() {
                Some(reference) => close(prior.degrees, reference),
                None => assert!(prior.degrees.is_infinite(), "{case}"),
            }
            for (variance, reference) in variances.iter().zip(numbers(&case[4])) {
                close(prior.moderate(*variance, degrees), reference);
            }
        }
    }

    #[test]
    fn nothing_is_known_of_variances_that_are_all_nothing() {
        assert_eq!(Prior::fit(&[0.0, 0.0], 2.0), None);
        assert!(Prior::fit(&[0.0, 0.0, 1.0], 2.0).unwrap().variance > 0.0);
    }

    /// π²/6 at 1, π²/2 at 1/2 (Abramowitz and Stegun 6.4.2 and 6.4.4).
    #[test]
    fn trigamma_and_back() {
        let squared = std::f64::consts::PI.powi(2);
        assert!((trigamma(1.0) - squared / 6.0).abs() < 1e-13);
        assert!((trigamma(0.5) - squared / 2.0).abs() < 1e-13);
        for x in [1e-3, 0.3, 1.0, 7.9, 8.1, 50.0, 1e6] {
            assert!((inverse_trigamma(trigamma(x)) / x - 1.0).abs() < 1e-9, "{x}");
        }
    }
}
