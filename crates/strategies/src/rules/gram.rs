//! The Gram matrix of a set of gradients.

use super::rule::RuleError;
use super::solver::Square;

/// `Q = G G^T`, `[m, m]`, symmetric, with `|Q_ij| <= |g_i| |g_j|`.
#[derive(Debug, Clone, PartialEq)]
pub struct Gram {
    products: Square,
}

impl Gram {
    /// Relative slack for products accumulated in single precision.
    const SLACK: f64 = 1e-4;

    /// A Gram matrix from its m x m values, row major.
    ///
    /// # Errors
    /// Where the values are not m x m, not finite, not symmetric or break the Cauchy-Schwarz inequality by more than
    /// 1e-4 relative: they are then no inner products.
    pub fn new(m: usize, values: Vec<f64>) -> Result<Self, RuleError> {
        if m == 0 || values.len() != m * m {
            return Err(RuleError::Input(format!(
                "a Gram matrix of {m} gradients has {} values, not {}; at least one gradient is needed",
                m * m,
                values.len()
            )));
        }
        let mut products = Square::new(m, values);
        for i in 0..m {
            for j in 0..m {
                let value = products.get(i, j);
                if !value.is_finite() {
                    return Err(RuleError::Input(format!("the product of gradients {i} and {j} is {value}")));
                }
            }
            if products.get(i, i) < 0.0 {
                return Err(RuleError::Input(format!("gradient {i} has the squared norm {}", products.get(i, i))));
            }
        }
        for i in 0..m {
            for j in 0..i {
                let (a, b) = (products.get(i, j), products.get(j, i));
                let bound = products.get(i, i).sqrt() * products.get(j, j).sqrt();
                if (a - b).abs() > Self::SLACK * bound || a.abs().max(b.abs()) > (1.0 + Self::SLACK) * bound {
                    return Err(RuleError::Input(format!(
                        "the products {a:e} and {b:e} of gradients {i} and {j} fit no gradients of norms {:e} and {:e}",
                        products.get(i, i).sqrt(),
                        products.get(j, j).sqrt()
                    )));
                }
                let value = (0.5 * (a + b)).clamp(-bound, bound);
                products.set(i, j, value);
                products.set(j, i, value);
            }
        }
        Ok(Self { products })
    }

    /// Number of gradients m, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a Gram matrix has at least one row")]
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// `g_i . g_j`.
    ///
    /// # Panics
    /// If i or j is not below m.
    pub fn get(&self, i: usize, j: usize) -> f64 {
        self.products.get(i, j)
    }

    /// `|g_i|`.
    ///
    /// # Panics
    /// If i is not below m.
    pub fn norm(&self, i: usize) -> f64 {
        self.get(i, i).sqrt()
    }

    /// Cosine of gradients i and j; 0 where one of them is zero.
    ///
    /// # Panics
    /// If i or j is not below m.
    pub fn cosine(&self, i: usize, j: usize) -> f64 {
        let bound = self.norm(i) * self.norm(j);
        if bound > 0.0 { (self.get(i, j) / bound).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// `Q w`: the inner product of every gradient with `sum_j w_j g_j`.
    pub fn times(&self, weights: &[f64]) -> Vec<f64> {
        self.products.times(weights)
    }

    /// `w^T Q w`, the squared norm of `sum_j w_j g_j`; never negative.
    pub fn norm2(&self, weights: &[f64]) -> f64 {
        self.products.quadratic(weights).max(0.0)
    }

    /// Mean squared norm of the gradients, `trace(Q) / m`.
    pub fn mean_norm2(&self) -> f64 {
        (0..self.len()).map(|i| self.get(i, i)).sum::<f64>() / self.len() as f64
    }

    pub(super) fn products(&self) -> &Square {
        &self.products
    }

    /// The Gram matrix of `g_i / divisors[i]`.
    pub(super) fn divided(&self, divisors: &[f64]) -> Self {
        let mut products = self.products.clone();
        for i in 0..self.len() {
            for j in 0..self.len() {
                products.set(i, j, self.get(i, j) / divisors[i] / divisors[j]);
            }
        }
        Self { products }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_gram_matrix() {
        let message = |m, values: &[f64]| Gram::new(m, values.to_vec()).unwrap_err().to_string();
        assert!(message(0, &[]).contains("at least one gradient"));
        assert!(message(2, &[1.0, 0.0, 1.0]).contains("has 4 values, not 3"));
        assert!(message(2, &[1.0, f64::NAN, 0.0, 1.0]).contains("gradients 0 and 1 is NaN"));
        assert!(message(1, &[f64::INFINITY]).contains("inf"));
        assert!(message(1, &[-1.0]).contains("squared norm -1"));
        assert!(message(2, &[1.0, 0.5, 0.4, 1.0]).contains("fit no gradients"));
        assert!(message(2, &[1.0, 2.0, 2.0, 1.0]).contains("fit no gradients"));
        assert!(message(2, &[0.0, 1e-9, 1e-9, 1.0]).contains("fit no gradients"));
    }

    #[test]
    fn cosines_survive_extreme_scales() {
        let gram = Gram::new(2, vec![1e240, -5e-1, -5e-1, 1e-240]).unwrap();
        assert!((gram.cosine(0, 1) + 0.5).abs() < 1e-15);
        assert_eq!(Gram::new(2, vec![0.0; 4]).unwrap().cosine(0, 1), 0.0);
    }
}
