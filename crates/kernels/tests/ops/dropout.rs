use kernels::{Dropout, dropout};

fn mask(rows: usize, columns: usize, probability: f32, key: u64) -> Vec<f32> {
    let dropout = Dropout::new(probability, key).unwrap();
    dropout::apply(&vec![1.0; rows * columns], columns, dropout).unwrap()
}

#[test]
fn keep_rates_and_correlations_are_those_of_independent_draws() {
    const ROWS: usize = 512;
    const COLUMNS: usize = 384;
    for (probability, key) in [(0.1f64, 1u64), (0.1, 2), (0.5, 3), (0.9, u64::MAX)] {
        let kept: Vec<f64> = mask(ROWS, COLUMNS, probability as f32, key)
            .iter()
            .map(|&factor| f64::from(u8::from(factor > 0.0)))
            .collect();
        let (keep, n) = (1.0 - probability, (ROWS * COLUMNS) as f64);
        let deviation = (keep * probability).sqrt();
        let rate = kept.iter().sum::<f64>() / n;
        assert!((rate - keep).abs() < 4.0 * deviation / n.sqrt(), "rate {rate} for {keep}");
        // Every column and row within 5 deviations of its mean.
        for column in 0..COLUMNS {
            let rate = (0..ROWS).map(|row| kept[row * COLUMNS + column]).sum::<f64>() / ROWS as f64;
            assert!((rate - keep).abs() < 5.0 * deviation / (ROWS as f64).sqrt(), "column {column}: {rate}");
        }
        for row in kept.chunks(COLUMNS) {
            let rate = row.iter().sum::<f64>() / COLUMNS as f64;
            assert!((rate - keep).abs() < 5.0 * deviation / (COLUMNS as f64).sqrt(), "row: {rate}");
        }
        for lag in [1, 2, 3, 16, 64, COLUMNS, COLUMNS + 1, 8 * COLUMNS] {
            let pairs = kept.len() - lag;
            let covariance = (0..pairs).map(|i| (kept[i] - keep) * (kept[i + lag] - keep)).sum::<f64>() / pairs as f64;
            let correlation = covariance / (keep * probability);
            assert!(correlation.abs() < 4.5 / (pairs as f64).sqrt(), "lag {lag}: {correlation}");
        }
    }
}

#[test]
fn masks_depend_on_the_key_and_nothing_else() {
    let first = mask(40, 70, 0.5, 5);
    assert_eq!(first, mask(40, 70, 0.5, 5));
    assert_eq!(first[..30 * 70], mask(30, 70, 0.5, 5), "a longer batch has the same first rows");
    for key in [0, 4, 6, 5 | 1 << 63] {
        let other = mask(40, 70, 0.5, key);
        let equal = first.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!((1250..1550).contains(&equal), "key {key}: {equal} of 2800 equal");
    }
}

#[test]
fn kept_elements_are_scaled_to_keep_the_mean() {
    assert!(mask(10, 33, 0.75, 1).iter().all(|&factor| factor == 0.0 || factor == 4.0));
    assert_eq!(mask(10, 33, 0.0, 1), vec![1.0; 330]);
}

#[test]
fn probabilities_outside_of_the_interval_are_refused() {
    for probability in [-0.1, 1.0, 1.5, f32::NAN] {
        assert!(Dropout::new(probability, 0).is_err());
    }
    assert_eq!(Dropout::new(1.5, 0).unwrap_err().to_string(), "the dropout probability 1.5 is not in [0, 1)");
    assert!(dropout::apply(&[1.0; 5], 2, Dropout::new(0.5, 0).unwrap()).is_err());
}
