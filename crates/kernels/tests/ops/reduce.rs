use kernels::KernelError;
use kernels::reduce;
use kernels::rows::Vector;
use proptest::prelude::*;

use crate::data::numbers;

fn dot(a: &[f32], b: &[f32]) -> Result<f64, KernelError> {
    reduce::dot(Vector::Dense(a), Vector::Dense(b))
}

fn sum_of_squares(x: &[f32]) -> f64 {
    dot(x, x).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn sums_agree_with_the_plain_ones(len in 0usize..70_000, seed: u64) {
        let (a, b) = (numbers(seed, len, 1.0), numbers(!seed, len, 1.0));
        let plain = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let scale = 1e-12 * (1.0 + len as f64);
        prop_assert!((dot(&a, &b).unwrap() - plain(&a, &b)).abs() <= scale);
        prop_assert!((sum_of_squares(&a) - plain(&a, &a)).abs() <= scale);
        prop_assert_eq!(dot(&a, &b).unwrap().to_bits(), dot(&b, &a).unwrap().to_bits());
    }
}

#[test]
fn small_terms_are_not_lost_beside_large_ones() {
    let mut a = vec![1e-4f32; 100_000];
    a[0] = 10.0;
    let expected = 100.0 + 99_999.0 * f64::from(1e-4f32) * f64::from(1e-4f32);
    assert!((sum_of_squares(&a) - expected).abs() < 1e-9);
}

#[test]
fn different_lengths_are_refused() {
    assert!(dot(&[1.0], &[1.0, 2.0]).is_err());
}
